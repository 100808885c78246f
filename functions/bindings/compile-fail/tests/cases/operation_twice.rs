use stack_bindings::{Bindings, Queue, Receive, Send};

#[derive(Bindings)]
#[function(binary = "orders-read", accepts(Invocation<String>))]
pub struct ReadOrder {
    orders: Queue<String, (Send, Receive, Send)>,
}

fn main() {}
