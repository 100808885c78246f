use stack_bindings::{Get, Table};

pub struct Order {
    id: String,
}

pub struct ReadOrder {
    orders: Table<Order, Get>,
}

fn main() {}
