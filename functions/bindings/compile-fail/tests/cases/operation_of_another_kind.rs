use serde::{Deserialize, Serialize};
use stack_bindings::{Bindings, Get, Invocation, Item, Send, Table};

#[derive(Serialize, Deserialize, Item)]
pub struct Order {
    #[item(partition_key)]
    id: String,
}

#[derive(Bindings)]
#[function(binary = "orders-read", accepts(Invocation<String>))]
pub struct ReadOrder {
    orders: Table<Order, (Get, Send)>,
}

fn main() {}
