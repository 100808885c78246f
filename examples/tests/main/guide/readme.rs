//! `README.md`: how it looks.

use stack_model::dynamodb::TableProps;
use stack_model::lambda::FunctionProps;
use stack_model::sqs::QueueProps;
use stack_model::{App, Violations};

use super::getting_started::orders::{Fulfil, FulfilWiring, Order, OrderPlaced};

#[expect(
    clippy::unnecessary_wraps,
    reason = "every page describes its stacks so"
)]
fn describe(app: &mut App) -> Result<(), Violations> {
    let mut stack = app.stack("orders");
    let dead = stack.queue::<OrderPlaced>("DeadLetters", QueueProps::default());
    let placed = stack.queue::<OrderPlaced>(
        "Placed",
        QueueProps {
            redrive: Some(dead.after(5)),
            ..QueueProps::default()
        },
    );
    let orders = stack.table::<Order>("Orders", TableProps::default());
    let fulfil = stack.function(
        "Fulfil",
        Fulfil::bind(FulfilWiring { orders: &orders }),
        FunctionProps::default(),
    );
    stack.trigger(&fulfil, placed.batches_of(10));
    Ok(())
}

#[test]
fn the_stack_is_rendered() {
    let types = super::render(serde_json::json!({}), "orders", describe);
    assert!(types.contains(&"AWS::Lambda::EventSourceMapping".to_owned()));
}
