//! Events of payments that invoke a function for orders.

use stack_model::Stack;
use stack_model::contract::event::BusEvent;
use stack_model::contract::{Accepts, FunctionContract};
use stack_model::events::{Delivery, RuleRef};
use stack_model::lambda::FunctionRef;

struct OrderPlaced;
struct PaymentReceived;
struct TakeOrders;

impl FunctionContract for TakeOrders {
    const PACKAGE: &'static str = "orders";
    const BINARY: &'static str = "take-orders";
}

impl Accepts<BusEvent<OrderPlaced>> for TakeOrders {}

fn send(
    stack: &mut Stack<'_>,
    payments: &RuleRef<PaymentReceived>,
    orders: &FunctionRef<TakeOrders>,
) {
    stack.target(payments, orders, Delivery::event());
}

fn main() {}
