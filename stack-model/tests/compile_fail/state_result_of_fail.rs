//! A state that fails has no result to put anywhere.

use stack_model::path;
use stack_model::stepfunctions::Fail;

fn state() -> Fail {
    Fail::new("Refused").result_path(path!("$.result"))
}

fn main() {}
