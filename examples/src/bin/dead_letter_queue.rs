//! A queue that gives up on a message after five receives.

use std::process::ExitCode;

use stack_model::limit;
use stack_model::sqs::{MaxReceiveCount, MessageRetention, QueueProps};

fn main() -> ExitCode {
    examples::print(|app| {
        let mut stack = app.stack("fulfilment");
        // Fourteen days to look into what went wrong.
        let dead = stack.queue::<String>(
            "DeadLetters",
            QueueProps {
                retention: Some(limit!(MessageRetention, 1_209_600)),
                ..QueueProps::default()
            },
        );
        let orders = stack.queue::<String>(
            "Orders",
            QueueProps {
                redrive: Some(dead.after(limit!(MaxReceiveCount, 5))),
                ..QueueProps::default()
            },
        );
        stack
            .output("OrdersUrl", orders.url())
            .description("Where orders are sent");
    })
}
