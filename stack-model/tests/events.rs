//! Buses, rules and their targets.

mod bus;
mod golden;
mod pattern;
mod rule;
mod target;

use serde::{Deserialize, Serialize};
use stack_model::Stack;
use stack_model::contract::{Accepts, EventDetail, FunctionContract, Wired, event};
use stack_model::events::AnyDetail;
use stack_model::lambda::{FunctionProps, FunctionRef};

#[derive(Serialize, Deserialize)]
struct Placed {
    order: String,
}

impl EventDetail for Placed {
    const DETAIL_TYPE: &'static str = "Orders.Placed";
}

/// A function that takes orders that were placed, as events and alone, and everything else.
#[derive(Debug)]
struct Work;

impl FunctionContract for Work {
    const PACKAGE: &'static str = "orders";
    const BINARY: &'static str = "orders-work";
}

impl Accepts<event::BusEvent<Placed>> for Work {}
impl Accepts<event::BusEvent<AnyDetail>> for Work {}
impl Accepts<event::Invocation<Placed>> for Work {}

fn work(stack: &mut Stack<'_>) -> FunctionRef<Work> {
    stack.function("Work", Wired::new(Vec::new()), FunctionProps::default())
}
