//! A rule for several detail types that invokes a function for one.

use stack_model::Stack;
use stack_model::contract::event::BusEvent;
use stack_model::contract::{Accepts, FunctionContract};
use stack_model::events::{Delivery, EventBusRef, EventPattern, RuleProps};
use stack_model::lambda::FunctionRef;

struct OrderPlaced;
struct TakeOrders;

impl FunctionContract for TakeOrders {
    const PACKAGE: &'static str = "orders";
    const BINARY: &'static str = "take-orders";
}

impl Accepts<BusEvent<OrderPlaced>> for TakeOrders {}

fn send(stack: &mut Stack<'_>, bus: &EventBusRef, function: &FunctionRef<TakeOrders>) {
    let orders = EventPattern::source("shop").detail_type_prefixes(["Orders."]);
    let rule = stack.rule("Orders", bus, orders, RuleProps::default());
    stack.target(&rule, function, Delivery::event());
}

fn main() {}
