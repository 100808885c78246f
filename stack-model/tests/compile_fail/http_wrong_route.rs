//! A route is a method and a path.

use stack_model::apigatewayv2::RouteKey;
use stack_model::route;

fn key() -> RouteKey {
    route!("GET orders/{id}")
}

fn main() {}
