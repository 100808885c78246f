//! A method says who may call it, even where that is anybody.

use stack_model::apigateway::{HttpMethod, Integration, MethodProps};

fn props(integration: Integration) -> MethodProps {
    MethodProps::new(HttpMethod::Get, integration)
}

fn main() {}
