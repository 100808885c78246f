use std::convert::Infallible;
use std::str::FromStr;

use stack_bindings::{Bindings, Invocation, Var};

pub struct Greeting(String);

impl FromStr for Greeting {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

#[derive(Bindings)]
#[function(binary = "greet", accepts(Invocation<String>))]
pub struct Greet {
    greeting: Var<Greeting>,
}

fn main() {}
