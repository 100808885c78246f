//! The function `coffee-get-iot-endpoint`.

use std::process::ExitCode;

fn main() -> ExitCode {
    stack_bindings::provide(coffee::iot_endpoint::handle)
}
