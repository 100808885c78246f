use stack_bindings::{Bindings, Invocation, Queue, Send, Topic};
use stack_model::sns::TopicRef;
use stack_model::sqs::QueueRef;

pub struct Order;

pub struct Payment;

#[derive(Bindings)]
#[function(binary = "orders-place", accepts(Invocation<String>))]
pub struct PlaceOrder {
    orders: Queue<Order, Send>,
    placed: Topic<Order>,
}

fn wire(payments: &QueueRef<Payment>, paid: &TopicRef<Payment>) {
    PlaceOrder::bind(PlaceOrderWiring {
        orders: payments,
        placed: paid,
    });
}

fn main() {}
