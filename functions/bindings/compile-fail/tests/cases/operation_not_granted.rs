use serde::{Deserialize, Serialize};
use stack_bindings::{Bindings, CallError, Get, Invocation, Item, Put, Table};

#[derive(Serialize, Deserialize, Item)]
pub struct Order {
    #[item(partition_key)]
    id: String,
}

#[derive(Bindings)]
#[function(binary = "orders-read", accepts(Invocation<String>))]
pub struct ReadOrder {
    orders: Table<Order, (Get, Put)>,
}

async fn forget(bindings: &ReadOrder) -> Result<(), CallError> {
    bindings.orders.delete("1").await?;
    Ok(())
}

fn main() {}
