use stack_bindings::{Bindings, Invocation, QueueBatch, Var};

#[derive(Bindings)]
#[function(binary = "greet", accepts(Invocation<String>))]
pub struct NotABinding {
    greeting: String,
}

#[derive(Bindings)]
#[function(binary = "greet", accepts(Invocation<String>))]
pub struct OneVariable {
    greeting: Var<String>,
    #[binding(environment = "GREETING")]
    farewell: Var<String>,
}

#[derive(Bindings)]
#[function(binary = "greet", accepts(Invocation<String>, QueueBatch<String>))]
pub struct NeverReached {
    greeting: Var<String>,
}

fn main() {}
