//! The function `coffee-verify-qr-code`.

use std::process::ExitCode;

fn main() -> ExitCode {
    stack_bindings::run(coffee::qr_code::verify)
}
