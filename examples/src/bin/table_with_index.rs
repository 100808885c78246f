//! A table that takes its keys and indexes from the type of its items, so that code and table cannot disagree.

use std::process::ExitCode;

use serde::{Deserialize, Serialize};
use stack_bindings::Item;
use stack_model::dynamodb::TableProps;

/// An order of a user.
#[derive(Serialize, Deserialize, Item)]
#[item(index(ByUser, name = "user-index", partition_key = user, sort_key = placed_at))]
pub struct Order {
    #[item(partition_key)]
    id: String,
    user: String,
    placed_at: u64,
}

fn main() -> ExitCode {
    examples::print(|app| {
        let mut stack = app.stack("orders");
        let orders = stack.table::<Order>("Orders", TableProps::default());
        stack.output("TableName", orders.name());
    })
}
