//! A route says who may call it, even where that is anybody.

use stack_model::Stack;
use stack_model::apigatewayv2::{HttpApiRef, HttpIntegration};
use stack_model::route;

fn add(stack: &mut Stack<'_>, api: &HttpApiRef, integration: HttpIntegration) {
    stack.http_route("Read", api, route!("GET /orders"), integration);
}

fn main() {}
