//! Days for which logs are kept: CloudWatch Logs knows some numbers of them only.

use stack_model::Stack;
use stack_model::logs::LogGroupProps;

fn keep(stack: &mut Stack<'_>) {
    let props = LogGroupProps {
        retention: 15,
        ..LogGroupProps::default()
    };
    stack.log_group("Requests", props);
}

fn main() {}
