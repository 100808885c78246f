//! The pages whose examples need what function packages derive: what stands here is what the page shows.

pub mod dynamodb {
    use serde::{Deserialize, Serialize};
    use stack_bindings::Item;
    use stack_model::Stack;
    use stack_model::dynamodb::{Billing, StreamView, TableProps, TableRef};

    // In the function package; the stacks import it from there.
    #[derive(Serialize, Deserialize, Item)]
    #[item(index(ByUser, name = "user-index", partition_key = user, sort_key = placed_at))]
    #[item(index(ByTotal, name = "total-index", sort_key = total))]
    pub struct Order {
        #[item(partition_key)]
        shop: String,
        #[item(sort_key)]
        id: String,
        user: String,
        placed_at: u64,
        total: u32,
        #[item(time_to_live)]
        expires: Option<u64>,
    }

    // In the stacks.
    pub fn orders(stack: &mut Stack<'_>) -> TableRef<Order> {
        stack.table::<Order>(
            "OrdersTable",
            TableProps {
                billing: Billing::Provisioned {
                    read: 5.into(),
                    write: 5.into(),
                },
                stream: Some(StreamView::NewAndOldImages),
                ..TableProps::default()
            },
        )
    }
}

pub mod lambda {
    use serde::{Deserialize, Serialize};
    use stack_bindings::{
        Bindings, Item, Put, QueueBatch, Table, TableChanges, TopicMessages, Var,
    };
    use stack_model::Stack;
    use stack_model::dynamodb::{StreamView, TableProps};
    use stack_model::events::Match;
    use stack_model::lambda::{AsyncInvocations, ChangeKind, FunctionProps, RecordFilter};
    use stack_model::sns::TopicProps;
    use stack_model::sqs::QueueProps;

    // In the function package.
    #[derive(Serialize, Deserialize, Item)]
    pub struct Order {
        #[item(partition_key)]
        id: String,
        total: u32,
    }

    #[derive(Bindings)]
    #[function(
        binary = "orders-work",
        accepts(QueueBatch<Order>, TableChanges<Order>, TopicMessages<Order>)
    )]
    pub struct Work {
        table: Table<Order, Put>,
        greeting: Var<String>,
        rounds: Var<u32>,
    }

    // In the stacks.
    pub fn work(stack: &mut Stack<'_>) {
        let orders = stack.queue::<Order>(
            "Orders",
            QueueProps {
                // Six times the timeout of the function that reads it.
                visibility_timeout: Some(180.into()),
                ..QueueProps::default()
            },
        );
        let lost = stack.queue::<String>("Lost", QueueProps::default());
        let placed = stack.topic::<Order>("Placed", TopicProps::default());
        let table = stack.table::<Order>(
            "Table",
            TableProps {
                stream: Some(StreamView::NewAndOldImages),
                ..TableProps::default()
            },
        );

        let wired = Work::bind(WorkWiring {
            table: &table,
            greeting: "hello".into(),
            rounds: 3.into(),
        });
        let work = stack.function(
            "Work",
            wired,
            FunctionProps {
                memory: Some(512.into()),
                timeout: Some(30.into()),
                ..FunctionProps::default()
            },
        );

        // Messages of a queue, only the large orders.
        let large = RecordFilter::body("total", [Match::above(100)]);
        stack.trigger(&work, orders.batches_of(10).filter(large));

        // New items of a table; what fails five times is reported.
        stack.trigger(
            &work,
            table
                .changes()
                .filter(RecordFilter::changes([ChangeKind::Insert]))
                .attempts(5)
                .on_failure(&lost),
        );

        // Messages of a topic, and what becomes of them where the function fails.
        stack.trigger(&work, placed.messages());
        stack.async_invocations(
            &work,
            AsyncInvocations {
                on_failure: Some((&lost).into()),
                ..AsyncInvocations::default()
            },
        );
    }
}

pub mod rest_api {
    use serde::{Deserialize, Serialize};
    use stack_bindings::{ApiRequest, Bindings, Get, Item, Put, Table, Var};
    use stack_model::Stack;
    use stack_model::apigateway::{
        Authorization, Cors, CorsOrigin, Credentials, HttpMethod, Integration, JsonTemplate,
        MethodProps, RequestValue, RestApiProps, ServiceCall, StageProps,
    };
    use stack_model::cognito::UserPoolProps;
    use stack_model::dynamodb::TableProps;
    use stack_model::iam::RoleProps;
    use stack_model::lambda::FunctionProps;
    use stack_model::sqs::QueueProps;

    // In the function package.
    #[derive(Serialize, Deserialize, Item)]
    pub struct Order {
        #[item(partition_key)]
        id: String,
        drink: String,
    }

    #[derive(Bindings)]
    #[function(binary = "orders-read", accepts(ApiRequest))]
    pub struct ReadOrder {
        orders: Table<Order, (Get, Put)>,
        greeting: Var<String>,
    }

    pub fn services(stack: &mut Stack<'_>) {
        let table = stack.table::<Order>("OrdersTable", TableProps::default());
        let queue = stack.queue::<Order>("Queue", QueueProps::default());
        let role = stack.role(
            "CallerRole",
            RoleProps::for_service("apigateway.amazonaws.com"),
        );

        let api = stack.rest_api("Api", RestApiProps::default());
        let orders = stack.rest_resource("Orders", &api.root(), "orders");
        let order = stack.rest_resource("Order", &orders, "{id}");

        // POST /orders puts the body into the queue.
        let submit = Integration::send_message(&queue, Credentials::granting(&role));
        let submit = MethodProps::new(HttpMethod::Post, Authorization::Iam, submit);
        stack.rest_method("SubmitOrder", &orders, submit);

        // GET /orders/{id} reads the table: 404 where there is no such item.
        let read = ServiceCall::get_item(&table, RequestValue::path("id")).answering(
            JsonTemplate::object([
                ("id", JsonTemplate::body_at("$.Item.id.S")),
                (
                    "state",
                    JsonTemplate::body_at_or("$.Item.state.S", "unknown"),
                ),
            ]),
        );
        let read = Integration::call(read, Credentials::granting(&role));
        let read = MethodProps::new(HttpMethod::Get, Authorization::Iam, read);
        stack.rest_method("ReadOrder", &order, read);

        let live = stack.rest_stage("Live", &api, StageProps::named("live"));
        stack.output("OrdersUrl", live.url(&orders));
    }

    pub fn functions(stack: &mut Stack<'_>) {
        let table = stack.table::<Order>("OrdersTable", TableProps::default());
        let wired = ReadOrder::bind(ReadOrderWiring {
            orders: &table,
            greeting: "hello".into(),
        });
        let read = stack.function("ReadOrder", wired, FunctionProps::default());

        let api = stack.rest_api("Api", RestApiProps::default());
        let users = stack.user_pool("Users", UserPoolProps::default());
        let users = stack.rest_user_pool_authorizer("ApiUsers", &api, [&users]);

        // Pages of this origin may call; the preflight is answered by the API itself.
        let page = CorsOrigin::One {
            origin: "https://www.example.com".to_owned(),
            credentials: false,
        };
        let mut cors = Cors::new(page, [HttpMethod::Get]);
        cors.headers = vec!["Authorization".to_owned()];
        let order = stack.rest_resource("Order", &api.root(), "{id}");
        let order = stack.rest_cors("OrderCors", &order, cors);

        // Who shows an ID token of the pool may read.
        let read = Integration::lambda_proxy(&read);
        let read = MethodProps::new(HttpMethod::Get, Authorization::users(&users), read);
        stack.rest_method("GetOrder", &order, read);
        let live = stack.rest_stage("Live", &api, StageProps::named("live"));
        stack.output("Url", live.url(&order));
    }
}

pub mod http_api {
    use serde::{Deserialize, Serialize};
    use stack_bindings::{Bindings, Connections, HttpRequest, Invocation, WebSocketRequest};
    use stack_model::Stack;
    use stack_model::apigateway::{CorsOrigin, HttpMethod};
    use stack_model::apigatewayv2::{
        ConnectAuthorization, HttpApiProps, HttpCors, HttpIntegration, HttpStageProps,
        JwtAuthorizerProps, RequestPart, RouteAuthorization, WebSocketApiProps, WebSocketRoute,
        WebSocketStageProps,
    };
    use stack_model::cognito::{UserPoolClientProps, UserPoolProps};
    use stack_model::lambda::FunctionProps;
    use stack_model::route;
    use stack_model::sqs::QueueProps;

    // In the function package.
    #[derive(Bindings)]
    #[function(binary = "orders-read-order", accepts(HttpRequest))]
    pub struct ReadOrder {}

    #[derive(Serialize, Deserialize)]
    pub struct Order {
        id: String,
    }

    pub fn orders(stack: &mut Stack<'_>) {
        let wired = ReadOrder::bind(ReadOrderWiring {});
        let read_order = stack.function("ReadOrder", wired, FunctionProps::default());
        let queue = stack.queue::<Order>("Queue", QueueProps::default());
        let pool = stack.user_pool("Users", UserPoolProps::default());
        let client = stack.user_pool_client("WebClient", &pool, UserPoolClientProps::default());

        let page = CorsOrigin::One {
            origin: "https://www.example.com".to_owned(),
            credentials: false,
        };
        let api = stack.http_api(
            "Api",
            HttpApiProps {
                cors: Some(HttpCors {
                    headers: vec!["authorization".to_owned(), "content-type".to_owned()],
                    ..HttpCors::new(page, [HttpMethod::Get, HttpMethod::Post])
                }),
                ..HttpApiProps::default()
            },
        );
        let users = stack.jwt_authorizer("ApiUsers", &api, JwtAuthorizerProps::users(&client));

        let read = HttpIntegration::lambda(&read_order);
        stack.http_route(
            "GetOrder",
            &api,
            route!("GET /orders/{id}"),
            RouteAuthorization::jwt(&users),
            read,
        );
        let submit = HttpIntegration::send_message(&queue, RequestPart::body());
        stack.http_route(
            "PostOrder",
            &api,
            route!("POST /orders"),
            RouteAuthorization::jwt(&users),
            submit,
        );

        let live = stack.http_stage("Live", &api, HttpStageProps::default());
        stack.output("Url", live.url());
    }

    #[derive(Serialize, Deserialize)]
    pub struct Said {
        to: String,
        text: String,
    }

    // In the function package: one keeps who is there, one says something.
    #[derive(Bindings)]
    #[function(binary = "chat-connect", accepts(WebSocketRequest))]
    pub struct Connect {}

    #[derive(Bindings)]
    #[function(binary = "chat-say", accepts(Invocation<Said>))]
    pub struct Say {
        callers: Connections<Said>,
    }

    pub fn chat(stack: &mut Stack<'_>) {
        let wired = Connect::bind(ConnectWiring {});
        let connect = stack.function("Connect", wired, FunctionProps::default());
        let api = stack.websocket_api("Api", WebSocketApiProps::default());
        let entrance = WebSocketRoute::Connect(ConnectAuthorization::Iam);
        stack.websocket_route("Arrive", &api, entrance, &connect);
        let live = stack.websocket_stage("Live", &api, WebSocketStageProps::named("live"));

        // A function that is no part of the API speaks to who is connected.
        let wired = Say::bind(SayWiring { callers: &live });
        stack.function("Say", wired, FunctionProps::default());
        stack.output("Url", live.url());
    }
}

pub mod iot {
    use serde::{Deserialize, Serialize};
    use stack_bindings::{Bindings, Invocation};
    use stack_model::Stack;
    use stack_model::iot::{RuleAction, TopicFamilyRef, TopicRuleProps};
    use stack_model::lambda::FunctionProps;
    use stack_model::sqs::QueueProps;

    // In the function package.
    #[derive(Serialize, Deserialize)]
    pub struct Reading {
        degrees: f64,
    }

    #[derive(Bindings)]
    #[function(binary = "shop-store", accepts(Invocation<Reading>))]
    pub struct Store {}

    // In the stacks.
    pub fn broker(stack: &mut Stack<'_>) {
        let readings = TopicFamilyRef::<Reading>::starting_with("shop/readings/");
        let store = stack.function(
            "Store",
            Store::bind(StoreWiring {}),
            FunctionProps::default(),
        );
        let failed = stack.queue::<String>("Failed", QueueProps::default());
        stack.topic_rule(
            "Readings",
            readings.messages(),
            TopicRuleProps {
                on_error: Some(RuleAction::queue(&failed).on_error()),
                ..TopicRuleProps::to([RuleAction::function(&store)])
            },
        );
    }
}

pub mod custom_resources {
    use serde::Deserialize;
    use stack_bindings::{Bindings, CustomResource, ResourceProperties};
    use stack_model::custom_resource::CustomResourceProps;
    use stack_model::lambda::FunctionProps;
    use stack_model::{Handle, Stack};

    // In the function package.
    #[derive(Deserialize, ResourceProperties)]
    #[serde(rename_all = "PascalCase")]
    pub struct Wanted {
        kind: String,
    }

    #[derive(Bindings)]
    #[function(binary = "core-find-endpoint", accepts(CustomResource<Wanted>))]
    pub struct FindEndpoint {}

    // In the stacks.
    pub fn endpoint(stack: &mut Stack<'_>) {
        let wired = FindEndpoint::bind(FindEndpointWiring {});
        let find = stack.function("Find", wired, FunctionProps::default());
        let endpoint = stack.custom_resource::<_, Wanted>(
            "Endpoint",
            "Custom::Endpoint",
            &find,
            WantedGiven {
                kind: "data".into(),
            },
            CustomResourceProps::default(),
        );
        stack.output("EndpointAddress", endpoint.attribute("Address"));
    }
}

pub mod events {
    use serde::{Deserialize, Serialize};
    use stack_bindings::{Bindings, BusEvent, Detail, EventBus};
    use stack_model::Stack;
    use stack_model::events::{Delivery, EventBusProps, EventPattern, Match, RuleProps};
    use stack_model::lambda::FunctionProps;
    use stack_model::logs::LogGroupProps;
    use stack_model::sqs::QueueProps;

    // In the function packages.
    #[derive(Serialize, Deserialize, Detail)]
    #[detail(type = "Orders.Placed")]
    pub struct Placed {
        id: String,
        total: u32,
    }

    #[derive(Serialize, Deserialize, Detail)]
    #[detail(type = "Orders.Shipped")]
    pub struct Shipped {
        id: String,
    }

    #[derive(Bindings)]
    #[function(binary = "orders-ship", accepts(BusEvent<Placed>))]
    pub struct Ship {
        bus: EventBus<Shipped>,
    }

    #[derive(Bindings)]
    #[function(binary = "public-publish", accepts(BusEvent<serde_json::Value>))]
    pub struct Publish {}

    // In the stacks.
    pub fn events(stack: &mut Stack<'_>) {
        let bus = stack.event_bus("Bus", EventBusProps::default());
        let wired = Ship::bind(ShipWiring { bus: &bus });
        let ship = stack.function("Ship", wired, FunctionProps::default());
        let wired = Publish::bind(PublishWiring {});
        let publish = stack.function("Publish", wired, FunctionProps::default());
        let source = EventPattern::source("shop");

        // One detail type: the function takes its detail.
        let large = source
            .clone()
            .detail_type::<Placed>()
            .detail("total", [Match::above(100)]);
        let large = stack.rule("LargeOrders", &bus, large, RuleProps::default());
        let lost = stack.queue::<String>("Lost", QueueProps::default());
        stack.target(&large, &ship, Delivery::event().dead_letters(&lost));

        // Several detail types: the function takes any.
        let public = source
            .clone()
            .detail_type_prefixes(["Orders.", "Payments."]);
        let public = stack.rule("PublicEvents", &bus, public, RuleProps::default());
        stack.target(&public, &publish, Delivery::event());

        // All events of the source, into a log.
        let log = LogGroupProps {
            name: Some("/aws/events/shop".into()),
            ..LogGroupProps::default()
        };
        let log = stack.log_group("BusLog", log);
        let all = stack.rule("AllEvents", &bus, source, RuleProps::default());
        stack.target(&all, &log, Delivery::event());
    }
}

pub mod seeds {
    use serde::{Deserialize, Serialize};
    use stack_bindings::{Bindings, CustomResource, Item, ResourceProperties};
    use stack_model::Stack;
    use stack_model::custom_resource::CustomResourceProps;
    use stack_model::dynamodb::TableProps;
    use stack_model::lambda::FunctionProps;

    // In the function's package.
    #[derive(Deserialize, ResourceProperties)]
    #[serde(rename_all = "PascalCase")]
    pub struct Seed {
        table: String,
        drinks: u32,
        shop: Option<String>,
    }

    #[derive(Serialize, Deserialize, Item)]
    pub struct Order {
        #[item(partition_key)]
        id: String,
    }

    #[derive(Bindings)]
    #[function(binary = "core-fill", accepts(CustomResource<Seed>))]
    pub struct Fill {}

    pub fn seeds(stack: &mut Stack<'_>) {
        let orders = stack.table::<Order>("Orders", TableProps::default());
        let fill = stack.function("Fill", Fill::bind(FillWiring {}), FunctionProps::default());

        // In the stack: the same fields, which may hold what only the deployment knows.
        stack.custom_resource::<_, Seed>(
            "Seed",
            "Custom::Seed",
            &fill,
            SeedGiven {
                table: orders.name(),
                drinks: 12.into(),
                shop: None,
            },
            CustomResourceProps::default(),
        );
    }
}

pub mod cognito {
    use stack_bindings::Bindings;
    use stack_bindings::user_pool::{PostConfirmation, PreSignUp};
    use stack_model::Stack;
    use stack_model::cognito::{UserPoolOperation, UserPoolProps, UserPoolRef};
    use stack_model::lambda::FunctionProps;

    // In the function package.
    #[derive(Bindings)]
    #[function(binary = "users-join", accepts(PreSignUp, PostConfirmation))]
    pub struct Join {}

    // In the stacks.
    fn join(stack: &mut Stack<'_>, users: &UserPoolRef) {
        let join = stack.function("Join", Join::bind(JoinWiring {}), FunctionProps::default());
        stack.trigger(&join, users.pre_sign_up());
        stack.trigger(&join, users.post_confirmation());
        // The pool waits for the function, so what the function may do with the pool stands in a policy of its own.
        let add = users.statements(&[UserPoolOperation::AdminAddUserToGroup]);
        stack.policy("JoinUsers", join.role(), add);
    }

    pub fn users(stack: &mut Stack<'_>) {
        let users = stack.user_pool("Users", UserPoolProps::default());
        join(stack, &users);
    }
}
