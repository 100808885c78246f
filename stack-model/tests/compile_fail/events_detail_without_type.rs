//! A pattern for a detail type of something that is no detail.

use stack_model::events::EventPattern;

struct Order;

fn pattern() -> EventPattern<Order> {
    EventPattern::source("shop").detail_type::<Order>()
}

fn main() {}
