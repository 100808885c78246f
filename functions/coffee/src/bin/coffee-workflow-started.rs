//! The function `coffee-workflow-started`.

use std::process::ExitCode;

fn main() -> ExitCode {
    stack_bindings::run(coffee::order::workflow_started)
}
