//! The function `photos-process`.

use std::process::ExitCode;

fn main() -> ExitCode {
    stack_bindings::run(photos::process)
}
