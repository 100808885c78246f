//! The function `coffee-sanitize-order`.

use std::process::ExitCode;

fn main() -> ExitCode {
    stack_bindings::run(coffee::sanitize::handle)
}
