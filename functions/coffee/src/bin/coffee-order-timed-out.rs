//! The function `coffee-order-timed-out`.

use std::process::ExitCode;

fn main() -> ExitCode {
    stack_bindings::run(coffee::order::timed_out)
}
