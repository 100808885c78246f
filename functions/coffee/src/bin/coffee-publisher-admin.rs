//! The function `coffee-publisher-admin`.

use std::process::ExitCode;

fn main() -> ExitCode {
    stack_bindings::run(coffee::publish::admin)
}
