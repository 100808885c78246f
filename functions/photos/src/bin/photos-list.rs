//! The function `photos-list`.

use std::process::ExitCode;

fn main() -> ExitCode {
    stack_bindings::run(photos::list)
}
