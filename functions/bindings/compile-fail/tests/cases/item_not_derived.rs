use stack_bindings::{Bindings, Get, Invocation, Table};

pub struct Order {
    id: String,
}

#[derive(Bindings)]
#[function(binary = "orders-read", accepts(Invocation<String>))]
pub struct ReadOrder {
    orders: Table<Order, Get>,
}

fn main() {}
