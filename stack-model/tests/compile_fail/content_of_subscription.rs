//! A queue of payments that hears of orders.

use stack_model::Stack;
use stack_model::sns::{Endpoint, SubscriptionProps, TopicRef};
use stack_model::sqs::QueueRef;

struct Order;
struct Payment;

fn subscribe(stack: &mut Stack<'_>, orders: &TopicRef<Order>, payments: &QueueRef<Payment>) {
    stack.subscription(
        "Payments",
        orders,
        Endpoint::Queue(payments),
        SubscriptionProps::default(),
    );
}

fn main() {}
