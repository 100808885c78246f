//! A text where a number belongs.

use stack_model::sqs::QueueProps;

fn props() -> QueueProps {
    QueueProps {
        visibility_timeout: Some("30"),
        ..QueueProps::default()
    }
}

fn main() {}
