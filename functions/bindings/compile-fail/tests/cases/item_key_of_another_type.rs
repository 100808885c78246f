use serde::{Deserialize, Serialize};
use stack_bindings::Item;

#[derive(Serialize, Deserialize, Item)]
pub struct Reading {
    #[item(partition_key)]
    celsius: f64,
}

fn main() {}
