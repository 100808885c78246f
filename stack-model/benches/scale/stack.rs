//! A stack of any size, made of what serverless backends are made of.

use stack_model::contract::{
    Accepts, FunctionContract, KeyAttribute, KeyKind, TableItem, TableSchema, Wired, WiredBinding,
    event,
};
use stack_model::dynamodb::{TableOperation, TableProps};
use stack_model::lambda::FunctionProps;
use stack_model::sqs::QueueProps;
use stack_model::{App, limit};

/// An item with a string key.
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
            time_to_live: None,
        }
    }
}

/// A function that reads orders from a queue.
struct Fulfil;

impl FunctionContract for Fulfil {
    const PACKAGE: &'static str = "fulfilment";
    const BINARY: &'static str = "fulfil";
}

impl Accepts<event::QueueBatch<String>> for Fulfil {}

/// Adds a stack with at least the given number of resources: copies of a table, a queue and a function that the
/// queue triggers. The last copy is cut off so that the number is met where the queues alone can meet it.
pub(crate) fn describe(app: &mut App, resources: usize) {
    let mut stack = app.stack("scale");
    let per_copy = 7;
    for copy in 0..resources / per_copy {
        let table = stack.table::<Order>(&format!("Table{copy}"), TableProps::default());
        let queue = stack.queue::<String>(&format!("Queue{copy}"), QueueProps::default());
        let wired = Wired::<Fulfil>::new(vec![WiredBinding {
            field: "table",
            kind: "table",
            environment: "TABLE_NAME",
            value: table.name(),
            statements: table.statements(&[TableOperation::Put, TableOperation::Get]),
        }]);
        let id = format!("Fulfil{copy}");
        let function = stack.function(&id, wired, FunctionProps::default());
        stack.trigger(
            &function,
            queue.batches_of(limit!(stack_model::lambda::BatchSize, 10)),
        );
    }
    for rest in 0..resources % per_copy {
        stack.table::<Order>(&format!("Rest{rest}"), TableProps::default());
    }
}
