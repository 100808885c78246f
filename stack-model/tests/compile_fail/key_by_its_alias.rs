//! The alias of a key, where the key itself belongs.

use stack_model::Stack;
use stack_model::secretsmanager::SecretProps;

fn keep(stack: &mut Stack<'_>) {
    let props = SecretProps {
        key: Some("alias/payments"),
        ..SecretProps::default()
    };
    stack.secret::<String>("PaymentToken", props);
}

fn main() {}
