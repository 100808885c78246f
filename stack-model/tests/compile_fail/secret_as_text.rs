//! A secret that would stand in the template.

use stack_model::Stack;
use stack_model::secretsmanager::SecretProps;

fn keep(stack: &mut Stack<'_>) {
    let props = SecretProps {
        content: "correct horse battery staple",
        ..SecretProps::default()
    };
    stack.secret::<String>("PaymentToken", props);
}

fn main() {}
