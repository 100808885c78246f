//! A text of something that has no text.

use stack_model::sqs::QueueRef;
use stack_model::{Value, text};

fn name(orders: &QueueRef<String>) -> Value<String> {
    text!("queue-{}", orders)
}

fn main() {}
