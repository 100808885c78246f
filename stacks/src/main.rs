//! Synthesises the shipped stacks; `stackctl` builds and calls this binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    stack_model::main(stacks::describe)
}
