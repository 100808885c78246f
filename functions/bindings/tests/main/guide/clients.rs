//! `docs/functions.md` and the pages of the services: the function's half of each binding, with its runtime.

mod answer {
    use serde::{Deserialize, Serialize};
    use stack_bindings::{ApiRequest, ApiResponse, Bindings, Get, Item, Put, Table, Var};

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

    #[derive(Debug, thiserror::Error)]
    pub enum ReadOrderError {
        #[error("the orders cannot be read")]
        Orders(#[from] stack_bindings::CallError),
        #[error("the answer is no JSON")]
        Answer(#[from] serde_json::Error),
    }

    pub async fn handle(
        bindings: &ReadOrder,
        request: ApiRequest,
    ) -> Result<ApiResponse, ReadOrderError> {
        let Some(id) = request.path_parameter("id") else {
            return Ok(ApiResponse::text(400, "which order?"));
        };
        let Some(order) = bindings.orders.get(id).await? else {
            return Ok(ApiResponse::text(404, "there is no such order"));
        };
        let answer = ApiResponse::json(200, &order)?
            .header("X-Greeting", bindings.greeting.as_str())
            .header("Access-Control-Allow-Origin", "https://www.example.com");
        Ok(answer)
    }

    mod tests {
        use super::*;
        use aws_smithy_mocks::{MockResponseInterceptor, Rule, create_mock_http_client, mock};
        use stack_bindings::sdk::dynamodb::config::{Config, Region};
        use stack_bindings::sdk::dynamodb::operation::get_item::GetItemOutput;
        use stack_bindings::sdk::dynamodb::{Client, types::AttributeValue};

        /// Makes a client that nobody signs for and no network sees.
        fn client(rule: &Rule) -> Client {
            let config = Config::builder()
                .behavior_version_latest()
                .region(Region::new("us-east-1"))
                .allow_no_auth()
                .http_client(create_mock_http_client())
                .interceptor(MockResponseInterceptor::new().with_rule(rule))
                .build();
            Client::from_conf(config)
        }

        #[tokio::test]
        async fn an_order_is_answered() {
            // What DynamoDB answers: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetItem.html
            let found = mock!(Client::get_item).then_output(|| {
                GetItemOutput::builder()
                    .item("id", AttributeValue::S("1".to_owned()))
                    .item("drink", AttributeValue::S("Latte".to_owned()))
                    .build()
            });
            let bindings = ReadOrder {
                orders: Table::with_client(client(&found), "orders"),
                greeting: Var::of("hello".to_owned()),
            };
            let mut request = ApiRequest::default();
            request
                .path_parameters
                .insert("id".to_owned(), "1".to_owned());

            let answer = handle(&bindings, request).await.expect("it is answered");

            assert_eq!(answer.status_code, 200);
            assert_eq!(answer.body, r#"{"id":"1","drink":"Latte"}"#);
        }

        #[tokio::test]
        async fn an_order_that_is_not_there_is_404() {
            let nothing = mock!(Client::get_item).then_output(|| GetItemOutput::builder().build());
            let bindings = ReadOrder {
                orders: Table::with_client(client(&nothing), "orders"),
                greeting: Var::of("hello".to_owned()),
            };
            let mut request = ApiRequest::default();
            request
                .path_parameters
                .insert("id".to_owned(), "2".to_owned());

            let answer = handle(&bindings, request).await.expect("it is answered");

            assert_eq!(answer.status_code, 404);
        }
    }
}

mod http {
    use serde::{Deserialize, Serialize};
    use stack_bindings::{Bindings, HttpRequest, HttpResponse};

    #[derive(Bindings)]
    #[function(binary = "whoami", accepts(HttpRequest))]
    pub struct WhoAmI {}

    #[derive(Serialize, Deserialize)]
    struct Me {
        id: Option<String>,
        groups: Vec<String>,
    }

    pub async fn who_am_i(
        _: &WhoAmI,
        request: HttpRequest,
    ) -> Result<HttpResponse, serde_json::Error> {
        let me = Me {
            id: request.claim("sub").map(str::to_owned),
            groups: request.groups().into_iter().map(str::to_owned).collect(),
        };
        HttpResponse::json(200, &me)
    }
}

mod table {
    use serde::{Deserialize, Serialize};
    use stack_bindings::{
        Bindings, CallError, Change, Expression, Get, Invocation, Item, Put, Query, QueryIndex,
        Table, Update,
    };

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

    #[derive(Bindings)]
    #[function(binary = "orders-desk", accepts(Invocation<String>))]
    pub struct Desk {
        orders: Table<Order, (Get, Put, Update, Query, QueryIndex<ByUser>)>,
    }

    pub async fn serve(desk: &Desk, order: Order) -> Result<Vec<Order>, CallError> {
        desk.orders.put(&order).if_absent().await?;
        let key = OrderKey {
            shop: order.shop.clone(),
            id: order.id.clone(),
        };
        let cheaper = Change::new().set("total", order.total / 2);
        desk.orders
            .update(key, cheaper)
            .when(Expression::above("total", 10))
            .await?;

        // All orders of the shop whose ids begin so, and the latest ones of the user in all shops.
        let _old = desk
            .orders
            .query(order.shop)
            .sort_starts_with("2025-")
            .all()
            .await?;
        desk.orders
            .query_index(ByUser, order.user)
            .descending()
            .limit(10)
            .all()
            .await
    }
}

mod queue {
    use serde::{Deserialize, Serialize};
    use stack_bindings::{BatchFailures, Bindings, CallError, Invocation, Queue, QueueBatch, Send};
    use std::convert::Infallible;

    #[derive(Serialize, Deserialize)]
    pub struct Order {
        id: String,
    }

    // Sends to a queue.
    #[derive(Bindings)]
    #[function(binary = "orders-place", accepts(Invocation<Order>))]
    pub struct Place {
        orders: Queue<Order, Send>,
    }

    pub async fn place(
        bindings: &Place,
        Invocation(order): Invocation<Order>,
    ) -> Result<String, CallError> {
        let sent = bindings.orders.send(&order).await?;
        Ok(sent.message_id)
    }

    // Reads from a queue, which triggers it: it needs no binding for that.
    #[derive(Bindings)]
    #[function(binary = "orders-work", accepts(QueueBatch<Order>))]
    pub struct Work {}

    pub async fn work(_: &Work, batch: QueueBatch<Order>) -> Result<BatchFailures, Infallible> {
        // A message that fails is tried again, and the others of its batch are not.
        Ok(batch.process(async |order: Order| brew(&order)).await)
    }

    fn brew(order: &Order) -> Result<(), std::num::ParseIntError> {
        order.id.parse::<u32>().map(|_| ())
    }
}

mod topic {
    use serde::{Deserialize, Serialize};
    use stack_bindings::{Bindings, CallError, Invocation, Topic, TopicMessages};

    #[derive(Serialize, Deserialize)]
    pub struct OrderPlaced {
        id: String,
        country: String,
    }

    #[derive(Bindings)]
    #[function(binary = "orders-announce", accepts(Invocation<OrderPlaced>))]
    pub struct Announce {
        placed: Topic<OrderPlaced>,
    }

    pub async fn announce(
        bindings: &Announce,
        Invocation(order): Invocation<OrderPlaced>,
    ) -> Result<String, CallError> {
        // Subscriptions filter by the attributes.
        bindings
            .placed
            .publish(&order)
            .attribute("country", &order.country)
            .await
    }

    // Hears of it, with `stack.trigger(&function, topic.messages())`.
    #[derive(Bindings)]
    #[function(binary = "orders-invoice", accepts(TopicMessages<OrderPlaced>))]
    pub struct Invoice {}
}

mod bucket {
    use stack_bindings::{Bindings, Bucket, CallError, Get, ObjectChanges, Put};

    #[derive(Bindings)]
    #[function(binary = "photos-copy", accepts(ObjectChanges))]
    pub struct Copy {
        uploads: Bucket<Get>,
        archive: Bucket<Put>,
    }

    pub async fn copy(bindings: &Copy, changes: ObjectChanges) -> Result<(), CallError> {
        for change in changes.changes.iter().filter(|change| change.is_created()) {
            if let Some(object) = bindings.uploads.get(&change.key).await? {
                let put = bindings.archive.put(&change.key, object.bytes);
                put.content_type("image/jpeg").await?;
            }
        }
        Ok(())
    }
}

mod secret {
    use serde::Deserialize;
    use stack_bindings::{Bindings, CallError, GetDecrypted, Invocation, Parameter, Secret};

    #[derive(Deserialize)]
    pub struct Login {
        user: String,
        password: String,
    }

    #[derive(Bindings)]
    #[function(binary = "orders-pay", accepts(Invocation<String>))]
    pub struct Pay {
        token: Secret,
        login: Secret<Login>,
        limit: Parameter<u32>,
        licence: Parameter<String, GetDecrypted>,
    }

    pub async fn pay(bindings: &Pay) -> Result<bool, CallError> {
        // Read when they are needed, and kept for five minutes.
        let token = bindings.token.read().await?;
        let login = bindings.login.read().await?;
        let limit = bindings.limit.get().await?;
        let licence = bindings.licence.get_decrypted().await?;
        let (token, login) = (token.expose(), login.expose());
        Ok(token.len() > 8 && login.user != login.password && *limit > 100 && !licence.is_empty())
    }
}

mod bus {
    use serde::{Deserialize, Serialize};
    use stack_bindings::{Bindings, BusEvent, CallError, Detail, EventBus};

    #[derive(Serialize, Deserialize, Detail)]
    #[detail(type = "Orders.Placed")]
    pub struct Placed {
        id: String,
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

    pub async fn ship(bindings: &Ship, placed: BusEvent<Placed>) -> Result<(), CallError> {
        let shipped = Shipped {
            id: placed.detail.id,
        };
        bindings.bus.put("orders", &shipped).await?;
        Ok(())
    }
}

mod state_machine {
    use serde::{Deserialize, Serialize};
    use stack_bindings::{
        Bindings, CallError, Invocation, SendTaskFailure, SendTaskSuccess, Start, StateMachine,
    };

    #[derive(Serialize, Deserialize)]
    pub struct OrderPlaced {
        id: String,
    }

    #[derive(Deserialize)]
    pub struct Answer {
        token: String,
        approved: bool,
    }

    #[derive(Bindings)]
    #[function(binary = "orders-begin", accepts(Invocation<OrderPlaced>))]
    pub struct Begin {
        approval: StateMachine<OrderPlaced, Start>,
    }

    pub async fn begin(
        bindings: &Begin,
        Invocation(order): Invocation<OrderPlaced>,
    ) -> Result<String, CallError> {
        // An execution of a name is started once, so a repeated call does nothing more.
        bindings.approval.start(&order).name(&order.id).await
    }

    // Answers the task that waits for its token.
    #[derive(Bindings)]
    #[function(binary = "orders-answer", accepts(Invocation<Answer>))]
    pub struct Decide {
        approval: StateMachine<OrderPlaced, (SendTaskSuccess, SendTaskFailure)>,
    }

    pub async fn decide(
        bindings: &Decide,
        Invocation(answer): Invocation<Answer>,
    ) -> Result<(), CallError> {
        let approval = &bindings.approval;
        if answer.approved {
            approval.send_task_success(&answer.token, &"approved").await
        } else {
            approval
                .send_task_failure(&answer.token, "Refused", "a person said no")
                .await
        }
    }
}

mod connections {
    use serde::{Deserialize, Serialize};
    use stack_bindings::{
        Bindings, CallError, Connections, Invocation, Reason, WebSocketRequest, WebSocketResponse,
    };

    #[derive(Serialize, Deserialize)]
    pub struct Said {
        to: String,
        text: String,
    }

    #[derive(Bindings)]
    #[function(binary = "chat-connect", accepts(WebSocketRequest))]
    pub struct Connect {}

    pub async fn connect(
        _: &Connect,
        request: WebSocketRequest,
    ) -> Result<WebSocketResponse, std::convert::Infallible> {
        // A stored id is how somebody else reaches the connection.
        tracing::info!(id = request.connection_id(), "connected");
        Ok(WebSocketResponse::ok())
    }

    #[derive(Bindings)]
    #[function(binary = "chat-say", accepts(Invocation<Said>))]
    pub struct Say {
        callers: Connections<Said>,
    }

    pub async fn say(bindings: &Say, Invocation(said): Invocation<Said>) -> Result<(), CallError> {
        match bindings.callers.send(&said.to, &said).await {
            // Who has left hears nothing.
            Err(error) if error.reason() == Reason::NotFound => Ok(()),
            sent => sent,
        }
    }
}

mod changes {
    use std::convert::Infallible;

    use serde::{Deserialize, Serialize};
    use stack_bindings::{BatchFailures, Bindings, Item, TableChange, TableChanges};

    #[derive(Serialize, Deserialize, Item)]
    pub struct Order {
        #[item(partition_key)]
        id: String,
    }

    #[derive(Bindings)]
    #[function(binary = "orders-follow", accepts(TableChanges<Order>))]
    pub struct Follow {}

    pub async fn follow(
        _: &Follow,
        changes: TableChanges<Order>,
    ) -> Result<BatchFailures, Infallible> {
        // The order of changes counts, so what follows a failed one waits for it.
        let look = async |change: TableChange<Order>| -> Result<(), Infallible> {
            tracing::info!(action = ?change.action, "the table has changed");
            Ok(())
        };
        Ok(changes.process(look).await)
    }
}
