//! The function `coffee-fill-databases`.

use std::process::ExitCode;

fn main() -> ExitCode {
    stack_bindings::provide(coffee::fill::handle)
}
