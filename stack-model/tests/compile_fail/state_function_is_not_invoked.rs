//! A function that answers requests of an API is not invoked with a payload.

use stack_model::contract::{Accepts, FunctionContract, event};
use stack_model::lambda::FunctionRef;
use stack_model::stepfunctions::{Invoking, Payload, Task};

struct Answer;

impl FunctionContract for Answer {
    const PACKAGE: &'static str = "orders";
    const BINARY: &'static str = "orders-answer";
}

impl Accepts<event::ApiRequest> for Answer {}

fn invoke(answer: &FunctionRef<Answer>) -> Task<Invoking> {
    Task::invoke(answer, Payload::input())
}

fn main() {}
