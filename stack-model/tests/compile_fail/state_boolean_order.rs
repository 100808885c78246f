//! A boolean is the same as another or not; it comes neither before nor after one.

use stack_model::path;
use stack_model::stepfunctions::Condition;

fn condition() -> Condition {
    path!("$.open").less_than(true)
}

fn main() {}
