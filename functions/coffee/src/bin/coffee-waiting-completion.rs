//! The function `coffee-waiting-completion`.

use std::process::ExitCode;

fn main() -> ExitCode {
    stack_bindings::run(coffee::order::waiting_completion)
}
