//! The ARN of a queue where that of a table belongs.

use stack_model::dynamodb::Table;
use stack_model::sqs::QueueRef;
use stack_model::{Arn, Value};

fn table_of(orders: &QueueRef<String>) -> Value<Arn<Table>> {
    orders.arn()
}

fn main() {}
