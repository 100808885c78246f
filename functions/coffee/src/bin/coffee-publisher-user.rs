//! The function `coffee-publisher-user`.

use std::process::ExitCode;

fn main() -> ExitCode {
    stack_bindings::run(coffee::publish::user)
}
