//! An integration without a proxy says how errors are answered; otherwise they would be answered with 200.

use stack_model::apigateway::LambdaIntegration;

fn mapping() -> LambdaIntegration {
    LambdaIntegration::passing_through()
}

fn main() {}
