//! The function `coffee-get-qr-code`.

use std::process::ExitCode;

fn main() -> ExitCode {
    stack_bindings::run(coffee::qr_code::get)
}
