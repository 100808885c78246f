//! A queue where a table belongs.

use stack_model::dynamodb::TableRef;
use stack_model::sqs::QueueRef;

struct Order;

fn reads(_: &TableRef<Order>) {}

fn wire(orders: &QueueRef<Order>) {
    reads(orders);
}

fn main() {}
