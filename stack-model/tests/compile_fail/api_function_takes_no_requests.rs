//! A function that is invoked with numbers does not answer the requests of an API.

use stack_model::apigateway::Integration;
use stack_model::contract::{Accepts, FunctionContract, event};
use stack_model::lambda::FunctionRef;

struct Count;

impl FunctionContract for Count {
    const PACKAGE: &'static str = "orders";
    const BINARY: &'static str = "orders-count";
}

impl Accepts<event::Invocation<u32>> for Count {}

fn route(count: &FunctionRef<Count>) -> Integration {
    Integration::lambda_proxy(count)
}

fn main() {}
