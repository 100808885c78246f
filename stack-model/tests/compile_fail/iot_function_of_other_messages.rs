//! A rule that sends readings to a function of orders.

use stack_model::Stack;
use stack_model::contract::{Accepts, FunctionContract, event};
use stack_model::iot::{RuleAction, TopicRef, TopicRuleProps};
use stack_model::lambda::FunctionRef;

struct Order;
struct Reading;
struct Work;

impl FunctionContract for Work {
    const PACKAGE: &'static str = "orders";
    const BINARY: &'static str = "orders-work";
}

impl Accepts<event::Invocation<Order>> for Work {}

fn rule(stack: &mut Stack<'_>, readings: &TopicRef<Reading>, work: &FunctionRef<Work>) {
    let props = TopicRuleProps::to([RuleAction::function(work)]);
    stack.topic_rule("Readings", readings.messages(), props);
}

fn main() {}
