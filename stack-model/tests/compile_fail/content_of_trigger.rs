//! A queue of payments that feeds a function for orders.

use stack_model::Stack;
use stack_model::contract::event::QueueBatch;
use stack_model::contract::{Accepts, FunctionContract};
use stack_model::lambda::FunctionRef;
use stack_model::sqs::QueueRef;

struct Order;
struct Payment;
struct TakeOrders;

impl FunctionContract for TakeOrders {
    const PACKAGE: &'static str = "orders";
    const BINARY: &'static str = "take-orders";
}

impl Accepts<QueueBatch<Order>> for TakeOrders {}

fn feed(stack: &mut Stack<'_>, function: &FunctionRef<TakeOrders>, payments: &QueueRef<Payment>) {
    stack.trigger(function, payments.batches_of(10));
}

fn main() {}
