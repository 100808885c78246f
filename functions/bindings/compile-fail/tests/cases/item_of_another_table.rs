use serde::{Deserialize, Serialize};
use stack_bindings::{CallError, Get, Item, Put, QueryIndex, Table};

#[derive(Serialize, Deserialize, Item)]
pub struct Order {
    #[item(partition_key)]
    id: String,
}

#[derive(Serialize, Deserialize, Item)]
#[item(index(ByPayer, name = "payer-index", partition_key = payer))]
pub struct Payment {
    #[item(partition_key)]
    id: String,
    payer: String,
}

async fn mix_up(orders: &Table<Order, (Get, Put)>, payment: &Payment) -> Result<(), CallError> {
    orders.put(payment).await?;
    Ok(())
}

pub struct ReadOrder {
    orders: Table<Order, QueryIndex<ByPayer>>,
}

fn main() {}
