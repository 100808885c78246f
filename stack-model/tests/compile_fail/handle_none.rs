//! A name where a handle belongs.

use stack_model::Stack;
use stack_model::sqs::QueueRef;

fn order(stack: &mut Stack<'_>, orders: &QueueRef<String>) {
    stack.depends_on(orders, &"Payments");
}

fn main() {}
