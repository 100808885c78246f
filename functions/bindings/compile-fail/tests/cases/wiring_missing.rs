use serde::{Deserialize, Serialize};
use stack_bindings::{Bindings, Get, Invocation, Item, Table, Var};
use stack_model::dynamodb::TableRef;

#[derive(Serialize, Deserialize, Item)]
pub struct Order {
    #[item(partition_key)]
    id: String,
}

#[derive(Bindings)]
#[function(binary = "orders-read", accepts(Invocation<String>))]
pub struct ReadOrder {
    orders: Table<Order, Get>,
    greeting: Var<String>,
}

fn wire(orders: &TableRef<Order>) {
    ReadOrder::bind(ReadOrderWiring { orders });
}

fn main() {}
