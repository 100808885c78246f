//! Metrics, alarms and dashboards.

mod alarm;
mod dashboard;
mod golden;
mod logs;
mod watch;

use serde_json::Value as Json;
use stack_model::Stack;
use stack_model::contract::{
    Accepts, FunctionContract, KeyAttribute, KeyKind, TableItem, TableSchema, Wired, event,
};
use stack_model::lambda::{FunctionProps, FunctionRef};
use stack_model::sns::{self, TopicProps, TopicRef};

struct Item;

impl TableItem for Item {
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

struct Work;

impl FunctionContract for Work {
    const PACKAGE: &'static str = "orders";
    const BINARY: &'static str = "orders-work";
}

impl Accepts<event::Invocation<Json>> for Work {}
impl Accepts<event::ApiRequest> for Work {}

fn work(stack: &mut Stack<'_>) -> FunctionRef<Work> {
    let props = FunctionProps {
        timeout: Some(10.into()),
        ..FunctionProps::default()
    };
    stack.function("Work", Wired::new(Vec::new()), props)
}

fn alerts(stack: &mut Stack<'_>) -> TopicRef<String> {
    let props = TopicProps {
        encryption: sns::Encryption::Off,
        ..TopicProps::default()
    };
    stack.topic("Alerts", props)
}
