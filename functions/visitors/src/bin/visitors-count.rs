//! The function `visitors-count`.

use std::process::ExitCode;

fn main() -> ExitCode {
    stack_bindings::run(visitors::handle)
}
