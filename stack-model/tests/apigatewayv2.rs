//! HTTP and WebSocket APIs.

use stack_model::Stack;
use stack_model::apigatewayv2::{HttpApiProps, HttpApiRef};
use stack_model::contract::{Accepts, FunctionContract, Wired, event};
use stack_model::lambda::{FunctionProps, FunctionRef};

mod authorizer;
pub(crate) mod golden;
mod http;
mod service;
mod websocket;

/// A function that answers requests, says who may call, and takes part in conversations.
pub(super) struct Answer;

impl FunctionContract for Answer {
    const PACKAGE: &'static str = "orders";
    const BINARY: &'static str = "orders-answer";
}

impl Accepts<event::HttpRequest> for Answer {}
impl Accepts<event::HttpAuthorization> for Answer {}
impl Accepts<event::RequestAuthorization> for Answer {}
impl Accepts<event::WebSocketRequest> for Answer {}

pub(super) fn answer(stack: &mut Stack<'_>) -> FunctionRef<Answer> {
    stack.function("Answer", Wired::new(Vec::new()), FunctionProps::default())
}

fn api(stack: &mut Stack<'_>) -> HttpApiRef {
    stack.http_api("Api", HttpApiProps::default())
}
