//! A function that answers the requests of an API is not invoked with a payload of its own.

use stack_model::apigateway::{Integration, LambdaIntegration};
use stack_model::contract::{Accepts, FunctionContract, event};
use stack_model::lambda::FunctionRef;

struct Answer;

impl FunctionContract for Answer {
    const PACKAGE: &'static str = "orders";
    const BINARY: &'static str = "orders-answer";
}

impl Accepts<event::ApiRequest> for Answer {}

fn route(answer: &FunctionRef<Answer>, mapping: LambdaIntegration) -> Integration {
    Integration::lambda(answer, mapping)
}

fn main() {}
