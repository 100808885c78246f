//! A role that does not say who takes it on.

use stack_model::Stack;
use stack_model::iam::RoleProps;

fn work(stack: &mut Stack<'_>) {
    let props = RoleProps {
        description: Some("Works".to_owned()),
        ..Default::default()
    };
    stack.role("Worker", props);
}

fn main() {}
