//! Details of payments that are sent to a queue of orders.

use stack_model::Stack;
use stack_model::events::{Delivery, RuleRef};
use stack_model::sqs::QueueRef;

struct Order;
struct Payment;

fn send(stack: &mut Stack<'_>, payments: &RuleRef<Payment>, orders: &QueueRef<Order>) {
    stack.target(payments, orders, Delivery::detail());
}

fn main() {}
