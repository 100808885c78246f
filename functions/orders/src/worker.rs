//! Fulfils the orders that were placed.

use std::convert::Infallible;

use stack_bindings::{BatchFailures, CallError, Change, QueueBatch};
use tracing::info;

use crate::contract::Orders;
use crate::moment::now;
use crate::record::{OrderStatus, Placed};

/// Handles one batch of the queue, now.
///
/// # Errors
///
/// Never fails: the messages that failed are reported, so that they alone are delivered again, and end among the dead
/// letters where that does not help.
pub async fn handle(
    bindings: &Orders,
    batch: QueueBatch<Placed>,
) -> Result<BatchFailures, Infallible> {
    let now = now();
    Ok(work(bindings, batch, &now).await)
}

async fn work(bindings: &Orders, batch: QueueBatch<Placed>, now: &str) -> BatchFailures {
    batch
        .process(async |placed| fulfil(bindings, placed, now).await)
        .await
}

/// Fulfils an order that is in the table. Done twice, it keeps the time of the first.
async fn fulfil(bindings: &Orders, placed: Placed, now: &str) -> Result<(), CallError> {
    let change = Change::new()
        .set("status", OrderStatus::Fulfilled)
        .set_if_absent("fulfilled_at", now);
    let order = bindings.orders_table.update(&placed.order_id, change);
    order.if_present().await?;
    info!(order_id = placed.order_id, "order fulfilled");
    Ok(())
}

#[cfg(test)]
mod tests;
