//! The function `orders-root`.

use std::process::ExitCode;

fn main() -> ExitCode {
    stack_bindings::run(orders::root::handle)
}
