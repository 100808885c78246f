//! The function `photos-upload`.

use std::process::ExitCode;

use photos::Stamp;

fn main() -> ExitCode {
    stack_bindings::run(|bindings, request| photos::upload(bindings, request, Stamp::now()))
}
