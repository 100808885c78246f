use serde::{Deserialize, Serialize};
use stack_bindings::{Get, Item, Send, Table};

#[derive(Serialize, Deserialize, Item)]
pub struct Order {
    #[item(partition_key)]
    id: String,
}

pub struct ReadOrder {
    orders: Table<Order, (Get, Send)>,
}

fn main() {}
