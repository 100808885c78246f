//! A pipe of payments into a queue of orders.

use stack_model::Stack;
use stack_model::pipes::{Flow, PipeProps};
use stack_model::sqs::QueueRef;

struct Order;
struct Payment;

fn send(stack: &mut Stack<'_>, payments: Flow<Payment>, orders: &QueueRef<Order>) {
    stack.pipe("Payments", payments, orders, PipeProps::default());
}

fn main() {}
