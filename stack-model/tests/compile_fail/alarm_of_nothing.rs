//! Alarms for something that has none of its own.

use stack_model::Stack;
use stack_model::kms::KeyRef;

fn watch(stack: &mut Stack<'_>, key: &KeyRef) {
    stack.watch(key, &[]);
}

fn main() {}
