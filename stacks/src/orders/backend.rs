//! The stack `orders-backend`: what the others build on.

use orders::{OrderRecord, Orders, OrdersWiring, Placed, Root, RootWiring, UserRecord};
use stack_model::apigateway::{
    Authorization, Endpoint, HttpMethod, Integration, MethodProps, RestApiProps, RestApiRef,
    StageProps,
};
use stack_model::dynamodb::{Billing, TableProps, TableRef};
use stack_model::lambda::BatchSize;
use stack_model::smoke::SmokeCheck;
use stack_model::sqs::{
    DelaySeconds, MessageRetention, MessageSize, QueueProps, QueueRef, VisibilityTimeout,
};
use stack_model::{App, Violation, limit};

use super::{Capacity, Settings, cors};

/// How often a message is tried before it counts as dead.
const RECEIVES: u32 = 5;

/// What the other stacks use.
pub(super) struct Backend {
    pub(super) api: RestApiRef,
    pub(super) users: TableRef<UserRecord>,
    pub(super) orders: TableRef<OrderRecord>,
    pub(super) queue: QueueRef<Placed>,
}

pub(super) fn describe(app: &mut App, settings: &Settings) -> Result<Backend, Violation> {
    let variables = &settings.variables;
    let mut stack = app.stack("orders-backend");
    stack.describe("The API of users and orders, their tables, and the worker that fulfils orders");

    let users = stack.table::<UserRecord>(
        "UsersTable",
        TableProps {
            name: Some(settings.name("Users").into()),
            billing: provisioned(variables.users_table),
            ..TableProps::default()
        },
    );
    let orders = stack.table::<OrderRecord>(
        "OrdersTable",
        TableProps {
            name: Some(settings.name("Orders").into()),
            billing: provisioned(variables.orders_table),
            ..TableProps::default()
        },
    );

    // What is dead waits for somebody to look at it, as long as SQS keeps it.
    let dead = stack.queue::<Placed>(
        "DeadLetters",
        QueueProps {
            retention: Some(limit!(MessageRetention, 14 * 24 * 3600)),
            ..QueueProps::default()
        },
    );
    let queue = stack.queue::<Placed>(
        "OrdersQueue",
        QueueProps {
            name: Some(settings.name("OrdersQueue").into()),
            delay: Some(limit!(DelaySeconds, 0)),
            maximum_message_size: Some(limit!(MessageSize, 256 * 1024)),
            retention: Some(limit!(MessageRetention, 4 * 24 * 3600)),
            visibility_timeout: Some(limit!(VisibilityTimeout, 30)),
            redrive: Some(dead.after(RECEIVES)),
            ..QueueProps::default()
        },
    );
    let worker = stack.function(
        "Orders",
        Orders::bind(OrdersWiring {
            orders_table: &orders,
        }),
        settings.function("Fulfils the orders that were placed"),
    );
    stack.trigger(&worker, queue.batches_of(limit!(BatchSize, 1)));

    let api = stack.rest_api(
        "Api",
        RestApiProps {
            name: Some(format!("ExampleMicroService-{}", settings.stage).into()),
            endpoint: Endpoint::EdgeOptimized,
            ..RestApiProps::default()
        },
    );
    let root = stack.function(
        "Root",
        Root::bind(RootWiring {}),
        settings.function("Says that the API is there"),
    );
    let slash = stack.rest_cors("ApiRoot", &api.root(), cors([HttpMethod::Get]));
    let proxy = Integration::lambda_proxy(&root);
    let get = MethodProps::new(HttpMethod::Get, Authorization::None, proxy);
    let get = stack.rest_method("GetRoot", &slash, get);
    let live = stack.rest_stage("ApiStage", &api, StageProps::named(&settings.stage));
    stack.smoke_check("RootAnswers", SmokeCheck::rest(&live, &get));

    stack
        .output("RestApiId", api.rest_api_id())
        .description("The API, for the stacks that add to it")
        .export(settings.name("restApiId"));
    stack
        .output("RootResourceId", api.root_resource_id())
        .description("The resource / of the API, for the stacks that add to it")
        .export(settings.name("rootResourceId"));
    stack
        .output("ApiUrl", live.url(&api.root()))
        .description("What the paths begin with, such as user and order")
        .example("curl {value}");
    stack
        .output("UsersTableName", users.name())
        .description("The table of the users");
    stack
        .output("OrdersTableName", orders.name())
        .description("The table of the orders");
    stack
        .output("OrdersQueueUrl", queue.url())
        .description("The queue that feeds the worker");
    stack
        .output("DeadLetterQueueUrl", dead.url())
        .description("Messages that failed five times");
    if let Some(domain) = variables.domain.clone() {
        let url = domain.add(&mut stack, &live)?;
        stack
            .output("CustomUrl", url)
            .description("The same under a domain of one's own");
    }
    Ok(Backend {
        api,
        users: users.by_name(),
        orders: orders.by_name(),
        queue: queue.by_name(),
    })
}

fn provisioned(capacity: Capacity) -> Billing {
    Billing::Provisioned {
        read: capacity.read.into(),
        write: capacity.write.into(),
    }
}
