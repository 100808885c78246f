//! A function with every trigger of this crate's that is not an API or a bucket, as a whole template.

use serde_json::json;
use stack_model::Stack;
use stack_model::contract::{
    Accepts, FunctionContract, KeyAttribute, KeyKind, TableItem, TableSchema, Wired, event,
};
use stack_model::dynamodb::{StreamView, TableProps};
use stack_model::events::Match;
use stack_model::kms::KeyProps;
use stack_model::lambda::{
    AsyncInvocations, ChangeKind, FunctionNetwork, FunctionProps, FunctionUrlProps, LogLevel,
    RecordFilter, Release,
};
use stack_model::sns::TopicProps;
use stack_model::sqs::QueueProps;

use crate::golden::compare;
use crate::support::prod;

struct Order;

impl TableItem for Order {
    fn schema() -> TableSchema {
        TableSchema {
            partition_key: KeyAttribute {
                name: "id".to_owned(),
                kind: KeyKind::String,
            },
            sort_key: None,
            indexes: Vec::new(),
            time_to_live: Some("expires".to_owned()),
        }
    }
}

struct Work;

impl FunctionContract for Work {
    const PACKAGE: &'static str = "orders";
    const BINARY: &'static str = "orders-work";
}

impl Accepts<event::QueueBatch<Order>> for Work {}
impl Accepts<event::TableChanges<Order>> for Work {}
impl Accepts<event::TopicMessages<Order>> for Work {}
impl Accepts<event::HttpRequest> for Work {}

fn triggers(stack: &mut Stack<'_>) {
    stack.describe("A function with its triggers");
    add(stack, Release::Latest);
}

fn released(stack: &mut Stack<'_>) {
    stack.describe("A released function with its triggers");
    add(stack, Release::Live);
}

fn add(stack: &mut Stack<'_>, release: Release) {
    let key = stack.key("Key", KeyProps::default());
    let function = stack.function::<Work>(
        "Work",
        Wired::new(Vec::new()),
        FunctionProps {
            memory: Some(512.into()),
            timeout: Some(30.into()),
            log_level: Some(LogLevel::Debug),
            release,
            tracing: true,
            network: Some(FunctionNetwork {
                subnets: vec!["subnet-0123456789abcdef0".into()],
                security_groups: vec!["sg-0123456789abcdef0".into()],
            }),
            key: Some(key),
            ..FunctionProps::default()
        },
    );
    let lost = stack.queue::<String>("Lost", QueueProps::default());
    let queue = stack.queue::<Order>(
        "Orders",
        QueueProps {
            visibility_timeout: Some(180.into()),
            redrive: Some(lost.after(5)),
            ..QueueProps::default()
        },
    );
    let large = RecordFilter::body("total", [Match::above(100)]);
    stack.trigger(&function, queue.batches_of(10).filter(large));
    let table = stack.table::<Order>(
        "Table",
        TableProps {
            stream: Some(StreamView::NewAndOldImages),
            ..TableProps::default()
        },
    );
    stack.trigger(
        &function,
        table
            .changes()
            .filter(RecordFilter::changes([ChangeKind::Insert]))
            .filter(RecordFilter::expired())
            .attempts(5)
            .on_failure(&lost),
    );
    let topic = stack.topic::<Order>("Placed", TopicProps::default());
    stack.trigger(
        &function,
        topic
            .messages()
            .filter(json!({"country": ["DE", {"prefix": "A"}]}))
            .dead_letters(&lost),
    );
    stack.async_invocations(
        &function,
        AsyncInvocations {
            attempts: Some(1.into()),
            on_failure: Some((&lost).into()),
            ..AsyncInvocations::default()
        },
    );
    stack.function_url(&function, FunctionUrlProps::default());
}

#[test]
fn a_function_with_its_triggers() {
    compare("triggers.prod", prod(), triggers);
}

#[test]
fn a_released_function_with_its_triggers() {
    compare("released.prod", prod(), released);
}
