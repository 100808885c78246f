//! A table of something that has no key.

use stack_model::Stack;
use stack_model::dynamodb::TableProps;

struct Order;

fn table(stack: &mut Stack<'_>) {
    stack.table::<Order>("Orders", TableProps::default());
}

fn main() {}
