//! A bucket tells of objects, which a function for messages does not read.

use stack_model::Stack;
use stack_model::contract::{Accepts, FunctionContract, event};
use stack_model::lambda::FunctionRef;
use stack_model::s3::BucketRef;

struct Fulfil;

impl FunctionContract for Fulfil {
    const PACKAGE: &'static str = "orders";
    const BINARY: &'static str = "orders-fulfil";
}

impl Accepts<event::QueueBatch<u32>> for Fulfil {}

fn trigger(stack: &mut Stack<'_>, fulfil: &FunctionRef<Fulfil>, photos: &BucketRef) {
    stack.trigger(fulfil, photos.objects_created());
}

fn main() {}
