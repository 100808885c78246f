use std::convert::Infallible;
use std::process::ExitCode;

use stack_bindings::{Bindings, Invocation, QueueBatch, Var};

#[derive(Bindings)]
#[function(binary = "greet", accepts(QueueBatch<String>))]
pub struct Greet {
    greeting: Var<String>,
}

async fn handle(bindings: &Greet, name: Invocation<String>) -> Result<String, Infallible> {
    Ok(format!("{} {}", *bindings.greeting, *name))
}

fn main() -> ExitCode {
    stack_bindings::run(handle)
}
