//! A stacks binary with one stack of 500 resources, for measuring a whole synth.

#[path = "../benches/scale/stack.rs"]
mod stack;

use std::process::ExitCode;

fn main() -> ExitCode {
    stack_model::main(|app| {
        stack::describe(app, 500);
        Ok(())
    })
}
