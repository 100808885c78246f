//! The function `coffee-config-changed`.

use std::process::ExitCode;

fn main() -> ExitCode {
    stack_bindings::run(coffee::config_changed::handle)
}
