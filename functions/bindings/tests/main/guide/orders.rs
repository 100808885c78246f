use serde::{Deserialize, Serialize};
use stack_bindings::{Bindings, Get, Item, Put, QueueBatch, Table};

#[derive(Serialize, Deserialize, Item)]
pub struct Order {
    #[item(partition_key)]
    id: String,
    drink: String,
}

#[derive(Serialize, Deserialize)]
pub struct OrderPlaced {
    id: String,
    drink: String,
}

#[derive(Bindings)]
#[function(binary = "orders-fulfil", accepts(QueueBatch<OrderPlaced>))]
pub struct Fulfil {
    orders: Table<Order, (Get, Put)>,
}

#[cfg(feature = "runtime")]
pub async fn handle(
    bindings: &Fulfil,
    batch: QueueBatch<OrderPlaced>,
) -> Result<stack_bindings::BatchFailures, std::convert::Infallible> {
    let put = async |OrderPlaced { id, drink }| bindings.orders.put(&Order { id, drink }).await;
    Ok(batch.process(put).await)
}
