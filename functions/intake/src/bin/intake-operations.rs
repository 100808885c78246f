//! The function `intake-operations`.

use std::process::ExitCode;

fn main() -> ExitCode {
    stack_bindings::run(intake::handle)
}
