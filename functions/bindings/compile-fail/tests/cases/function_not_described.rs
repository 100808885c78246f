use stack_bindings::{Bindings, Var};

#[derive(Bindings)]
pub struct Undescribed {
    greeting: Var<String>,
}

#[derive(Bindings)]
#[function(binary = "greet")]
pub struct WithoutEvents {
    greeting: Var<String>,
}

#[derive(Bindings)]
#[function(accepts(Invocation<String>))]
pub struct WithoutBinary {
    greeting: Var<String>,
}

#[derive(Bindings)]
#[function(binary = "greet", accepts(Invocation<String>, Invocation<u8>))]
pub struct SameEventTwice {
    greeting: Var<String>,
}

#[derive(Bindings)]
#[function(binary = "greet", accepts(Invocation<String>))]
pub struct ReservedVariables {
    #[binding(environment = "AWS_REGION")]
    region: Var<String>,
    #[binding(environment = "1st")]
    first: Var<String>,
}

fn main() {}
