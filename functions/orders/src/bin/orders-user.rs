//! The function `orders-user`.

use std::process::ExitCode;

fn main() -> ExitCode {
    stack_bindings::run(orders::user::handle)
}
