//! The function `orders-order`.

use std::process::ExitCode;

fn main() -> ExitCode {
    stack_bindings::run(orders::order::handle)
}
