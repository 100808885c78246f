//! A text with more places than arguments.

use stack_model::{Pseudo, Value, text};

fn name() -> Value<String> {
    text!("{}-{}", Pseudo::Region)
}

fn main() {}
