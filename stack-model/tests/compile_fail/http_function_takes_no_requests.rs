//! A function that answers a REST API reads another form of request than an HTTP API sends.

use stack_model::apigatewayv2::HttpIntegration;
use stack_model::contract::{Accepts, FunctionContract, event};
use stack_model::lambda::FunctionRef;

struct Answer;

impl FunctionContract for Answer {
    const PACKAGE: &'static str = "orders";
    const BINARY: &'static str = "orders-answer";
}

impl Accepts<event::ApiRequest> for Answer {}

fn integration(answer: &FunctionRef<Answer>) -> HttpIntegration {
    HttpIntegration::lambda(answer)
}

fn main() {}
