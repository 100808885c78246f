//! The function `photos-delete`.

use std::process::ExitCode;

fn main() -> ExitCode {
    stack_bindings::run(photos::delete)
}
