//! A function that answers requests does not decide who may send them.

use stack_model::Stack;
use stack_model::apigateway::{RestApiRef, TokenAuthorizerProps};
use stack_model::contract::{Accepts, FunctionContract, event};
use stack_model::lambda::FunctionRef;

struct Answer;

impl FunctionContract for Answer {
    const PACKAGE: &'static str = "orders";
    const BINARY: &'static str = "orders-answer";
}

impl Accepts<event::ApiRequest> for Answer {}

fn guard(stack: &mut Stack<'_>, api: &RestApiRef, answer: &FunctionRef<Answer>) {
    stack.rest_token_authorizer("Guard", api, answer, TokenAuthorizerProps::default());
}

fn main() {}
