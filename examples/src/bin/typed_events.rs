//! A bus whose publisher, rule and listener agree about the type of a detail.

use std::process::ExitCode;

use serde::{Deserialize, Serialize};
use stack_bindings::{ApiRequest, Bindings, BusEvent, Detail, EventBus};
use stack_model::events::{Delivery, EventBusProps, EventPattern, Match, RuleProps};
use stack_model::lambda::FunctionProps;
use stack_model::sqs::QueueProps;

/// What is told of an order.
#[derive(Serialize, Deserialize, Detail)]
#[detail(type = "Orders.Placed")]
pub struct OrderPlaced {
    id: String,
    total: u32,
}

/// Publishes it, and may publish nothing else.
#[derive(Bindings)]
#[function(binary = "orders-place", accepts(ApiRequest))]
pub struct Place {
    bus: EventBus<OrderPlaced>,
}

/// Hears of it.
#[derive(Bindings)]
#[function(binary = "orders-thank", accepts(BusEvent<OrderPlaced>))]
pub struct Thank {}

fn main() -> ExitCode {
    examples::print(|app| {
        let mut stack = app.stack("orders");
        let bus = stack.event_bus("Bus", EventBusProps::default());
        stack.function(
            "Place",
            Place::bind(PlaceWiring { bus: &bus }),
            FunctionProps::default(),
        );
        let thank = stack.function(
            "Thank",
            Thank::bind(ThankWiring {}),
            FunctionProps::default(),
        );

        let large = EventPattern::source("orders")
            .detail_type::<OrderPlaced>()
            .detail("total", [Match::above(100)]);
        let large = stack.rule("LargeOrders", &bus, large, RuleProps::default());
        let lost = stack.queue::<String>("Lost", QueueProps::default());
        stack.target(&large, &thank, Delivery::event().dead_letters(&lost));
    })
}
