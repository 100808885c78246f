//! The function `orders-user-orders`.

use std::process::ExitCode;

fn main() -> ExitCode {
    stack_bindings::run(orders::user_orders::handle)
}
