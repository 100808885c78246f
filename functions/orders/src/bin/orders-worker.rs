//! The function `orders-worker`.

use std::process::ExitCode;

fn main() -> ExitCode {
    stack_bindings::run(orders::worker::handle)
}
