//! `docs/bindings.md`: events of a bus.

use serde::{Deserialize, Serialize};
use stack_bindings::{Bindings, BusEvent, Detail, EventBus};
use stack_model::events::{Delivery, EventBusProps, EventPattern, RuleProps};
use stack_model::lambda::FunctionProps;
use stack_model::{App, Violations};

#[derive(Serialize, Deserialize, Detail)]
#[detail(type = "Orders.Placed")]
struct Placed {
    order_id: String,
}

#[derive(Serialize, Deserialize, Detail)]
#[detail(type = "Orders.Shipped")]
struct Shipped {
    order_id: String,
}

#[derive(Bindings)]
#[function(binary = "orders-ship", accepts(BusEvent<Placed>))]
struct Ship {
    bus: EventBus<Shipped>,
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every page describes its stacks so"
)]
fn describe(app: &mut App) -> Result<(), Violations> {
    let mut stack = app.stack("shipping");
    let bus = stack.event_bus("Bus", EventBusProps::default());
    let ship = stack.function(
        "Ship",
        Ship::bind(ShipWiring { bus: &bus }),
        FunctionProps::default(),
    );
    let events = EventPattern::source("orders").detail_type::<Placed>();
    let placed = stack.rule("OnPlaced", &bus, events, RuleProps::default());
    stack.target(&placed, &ship, Delivery::event());
    Ok(())
}

#[test]
fn the_rule_feeds_the_function() {
    let types = super::render(serde_json::json!({}), "shipping", describe);
    assert!(types.contains(&"AWS::Events::Rule".to_owned()));
    assert!(types.contains(&"AWS::Lambda::Permission".to_owned()));
}
