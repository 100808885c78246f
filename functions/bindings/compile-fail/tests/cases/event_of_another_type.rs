use serde::{Deserialize, Serialize};
use stack_bindings::{CallError, Detail, EventBus};

#[derive(Serialize, Deserialize, Detail)]
#[detail(type = "Orders.Placed")]
pub struct Placed;

#[derive(Serialize, Deserialize, Detail)]
#[detail(type = "Orders.Paid")]
pub struct Paid;

#[derive(Serialize, Deserialize, Detail)]
#[detail(type = "Orders.Lost")]
pub struct Lost;

async fn one(bus: &EventBus<Placed>) -> Result<(), CallError> {
    bus.put("shop", &Paid).await?;
    Ok(())
}

async fn several(bus: &EventBus<(Placed, Paid)>) -> Result<(), CallError> {
    bus.put("shop", &Lost).await?;
    Ok(())
}

fn main() {}
