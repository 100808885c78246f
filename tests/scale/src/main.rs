//! An app with as many stacks as the stage asks for, and as many resources in each, besides the policies that the model gives
//! them:
//!
//! ```toml
//! [stages.dev.variables.scale]
//! stacks = 40
//! resources = 100
//! change = 1
//! ```
//!
//! Each stack holds a function and copies of a table, a queue, a topic, a parameter and a log group. It uses the queue of
//! the stack eight places before it, so that there are layers of eight stacks that need nothing of each other.

use std::process::ExitCode;

use serde::Deserialize;
use stack_model::contract::{
    FunctionContract, KeyAttribute, KeyKind, TableItem, TableSchema, Wired, WiredBinding,
};
use stack_model::dynamodb::{TableOperation, TableProps};
use stack_model::lambda::FunctionProps;
use stack_model::logs::LogGroupProps;
use stack_model::sns::TopicProps;
use stack_model::sqs::{QueueOperation, QueueProps, QueueRef};
use stack_model::ssm::ParameterProps;
use stack_model::{App, Violations};

/// How many stacks need nothing of each other.
const LAYER: usize = 8;

/// The resources of a stack beside its copies: the function with its role and its log group.
const FIXED: usize = 3;

/// The resources of a copy.
const COPY: usize = 5;

/// How large the app is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Size {
    /// How many stacks there are.
    stacks: usize,
    /// How many resources each of them has.
    resources: usize,
    /// What the parameters say: another number is an update of every stack.
    change: u32,
}

/// An item with a string key.
struct Row;

impl TableItem for Row {
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

/// The function of a stack.
struct Worker;

impl FunctionContract for Worker {
    const PACKAGE: &'static str = "scale-stacks";
    const BINARY: &'static str = "scale-worker";
}

fn main() -> ExitCode {
    stack_model::main(describe)
}

fn describe(app: &mut App) -> Result<(), Violations> {
    let size: Size = app.stage().variables("scale")?;
    let mut queues: Vec<QueueRef<String>> = Vec::new();
    for number in 0..size.stacks {
        let before = number.checked_sub(LAYER).and_then(|at| queues.get(at));
        let queue = stack(app, number, &size, before);
        queues.push(queue);
    }
    Ok(())
}

/// Adds a stack, and returns a queue of it.
fn stack(
    app: &mut App,
    number: usize,
    size: &Size,
    before: Option<&QueueRef<String>>,
) -> QueueRef<String> {
    let mut stack = app.stack(&format!("part{number:02}"));
    let table = stack.table::<Row>("Rows", TableProps::default());
    let queue = stack.queue::<String>("Jobs", QueueProps::default());
    let mut bindings = vec![WiredBinding {
        field: "rows",
        kind: "table",
        environment: "ROWS_TABLE",
        value: table.name(),
        statements: table.statements(&[TableOperation::Put, TableOperation::Get]),
    }];
    if let Some(before) = before {
        bindings.push(WiredBinding {
            field: "next",
            kind: "queue",
            environment: "NEXT_QUEUE",
            value: before.url(),
            statements: before.statements(&[QueueOperation::Send]),
        });
    }
    stack.function(
        "Worker",
        Wired::<Worker>::new(bindings),
        FunctionProps::default(),
    );
    stack.output("Jobs", queue.url());
    // The table and the queue of the function are two of the resources.
    for copy in 0..size.resources.saturating_sub(FIXED + 2) / COPY {
        stack.table::<Row>(&format!("Table{copy}"), TableProps::default());
        stack.queue::<String>(&format!("Queue{copy}"), QueueProps::default());
        stack.topic::<String>(&format!("Topic{copy}"), TopicProps::default());
        stack.log_group(&format!("Log{copy}"), LogGroupProps::default());
        let value = format!("{number} {copy} {}", size.change);
        stack.ssm_parameter::<String>(
            &format!("Parameter{copy}"),
            value,
            ParameterProps::default(),
        );
    }
    queue
}
