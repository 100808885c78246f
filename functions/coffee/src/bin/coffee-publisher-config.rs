//! The function `coffee-publisher-config`.

use std::process::ExitCode;

fn main() -> ExitCode {
    stack_bindings::run(coffee::publish::config)
}
