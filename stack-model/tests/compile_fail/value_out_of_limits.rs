//! A number outside its limits.

use stack_model::limit;
use stack_model::sqs::{DelaySeconds, QueueProps};

fn props() -> QueueProps {
    QueueProps {
        delay: Some(limit!(DelaySeconds, 901)),
        ..QueueProps::default()
    }
}

fn main() {}
