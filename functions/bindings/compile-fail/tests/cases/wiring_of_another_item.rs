use serde::{Deserialize, Serialize};
use stack_bindings::{Bindings, Get, Invocation, Item, Table};
use stack_model::dynamodb::TableRef;

#[derive(Serialize, Deserialize, Item)]
pub struct Order {
    #[item(partition_key)]
    id: String,
}

#[derive(Serialize, Deserialize, Item)]
pub struct Payment {
    #[item(partition_key)]
    id: String,
}

#[derive(Bindings)]
#[function(binary = "orders-read", accepts(Invocation<String>))]
pub struct ReadOrder {
    orders: Table<Order, Get>,
}

fn wire(payments: &TableRef<Payment>) {
    ReadOrder::bind(ReadOrderWiring { orders: payments });
}

fn main() {}
