//! A parameter with another type of value.

use stack_model::ssm::{ParameterProps, ParameterRef};
use stack_model::{Stack, text};

fn reads_batch_size(_: &ParameterRef<u32>) {}

fn wire(stack: &mut Stack<'_>) {
    let props = ParameterProps {
        name: Some(text!("/orders/greeting")),
        ..ParameterProps::default()
    };
    let greeting = stack.ssm_parameter::<String>("Greeting", "Hello", props);
    reads_batch_size(&greeting);
}

fn main() {}
