//! Changes of payments that trigger a function for changes of orders.

use stack_model::Stack;
use stack_model::contract::event::TableChanges;
use stack_model::contract::{Accepts, FunctionContract};
use stack_model::dynamodb::TableRef;
use stack_model::lambda::FunctionRef;

struct Order;
struct Payment;
struct FollowOrders;

impl FunctionContract for FollowOrders {
    const PACKAGE: &'static str = "orders";
    const BINARY: &'static str = "follow-orders";
}

impl Accepts<TableChanges<Order>> for FollowOrders {}

fn follow(
    stack: &mut Stack<'_>,
    function: &FunctionRef<FollowOrders>,
    payments: &TableRef<Payment>,
) {
    stack.trigger(function, payments.changes());
}

fn main() {}
