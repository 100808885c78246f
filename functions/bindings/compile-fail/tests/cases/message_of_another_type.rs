use serde::Serialize;
use stack_bindings::{CallError, Queue, Send, Topic};

#[derive(Serialize)]
pub struct Order;

#[derive(Serialize)]
pub struct Payment;

async fn send(orders: &Queue<Order, Send>, payment: &Payment) -> Result<(), CallError> {
    orders.send(payment).await?;
    Ok(())
}

async fn publish(placed: &Topic<Order>, payment: &Payment) -> Result<(), CallError> {
    placed.publish(payment).await?;
    Ok(())
}

fn main() {}
