//! A custom resource whose function reads properties is given none.

use std::collections::BTreeMap;

use stack_model::Stack;
use stack_model::contract::{Accepts, FunctionContract, event};
use stack_model::custom_resource::CustomResourceProps;
use stack_model::lambda::FunctionRef;

struct Fill;

impl FunctionContract for Fill {
    const PACKAGE: &'static str = "orders";
    const BINARY: &'static str = "orders-fill";
}

impl Accepts<event::CustomResource<BTreeMap<String, String>>> for Fill {}

fn seed(stack: &mut Stack<'_>, fill: &FunctionRef<Fill>) {
    stack.custom_resource("Seed", "Custom::Seed", fill, (), CustomResourceProps::default());
}

fn main() {}
