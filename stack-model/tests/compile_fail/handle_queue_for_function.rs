//! A queue is no function, and a method does not invoke it.

use stack_model::apigateway::Integration;
use stack_model::sqs::QueueRef;

fn route(orders: &QueueRef<u32>) -> Integration {
    Integration::lambda_proxy(orders)
}

fn main() {}
