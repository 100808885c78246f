//! A handle used in another stack: the export, the import and the order of the stacks come by themselves.

use std::process::ExitCode;

use stack_model::iam::RoleProps;
use stack_model::sqs::{QueueOperation, QueueProps};

fn main() -> ExitCode {
    examples::print(|app| {
        let mut data = app.stack("data");
        let orders = data.queue::<String>("Orders", QueueProps::default());

        let mut senders = app.stack("senders");
        let role = senders.role(
            "Gateway",
            RoleProps::for_service("apigateway.amazonaws.com"),
        );
        senders.grant(&role, orders.statements(&[QueueOperation::Send]));
    })
}
