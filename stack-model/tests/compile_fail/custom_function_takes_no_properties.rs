//! A function that reads messages of a queue does not keep a custom resource.

use stack_model::Stack;
use stack_model::contract::{Accepts, FunctionContract, event};
use stack_model::custom_resource::CustomResourceProps;
use stack_model::lambda::FunctionRef;

struct Work;

impl FunctionContract for Work {
    const PACKAGE: &'static str = "orders";
    const BINARY: &'static str = "orders-work";
}

impl Accepts<event::QueueBatch<String>> for Work {}

fn seed(stack: &mut Stack<'_>, work: &FunctionRef<Work>) {
    stack.custom_resource::<_, ()>("Seed", "Custom::Seed", work, (), CustomResourceProps::default());
}

fn main() {}
