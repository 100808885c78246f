//! Keeps the table of orders up to date with their workflows.

use stack_bindings::{BusEvent, CallError, Change, Expression, Reason};
use tracing::info;

use crate::contract::{OrderTimedOut, WaitingCompletion, WorkflowStarted};
use crate::detail;
use crate::item::{CANCELLED, CREATED, ORDERS, Order, OrderKey};
use crate::moment::now;

/// Why an event could not be followed.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// The table or the bus could not be used, or the order is not the customer's.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The order has no drink, or it cannot be read.
    #[error("the order {order_id} has no drink that can be read")]
    NoDrink {
        /// The order.
        order_id: String,
        /// What is wrong with it.
        #[source]
        source: Option<serde_json::Error>,
    },
}

/// Notes a new order, with the token by which its workflow goes on.
///
/// # Errors
///
/// Fails where the table cannot be used; the event is then delivered again.
pub async fn workflow_started(
    bindings: &WorkflowStarted,
    event: BusEvent<detail::WorkflowStarted>,
) -> Result<(), OrderError> {
    start(bindings, event.detail, now()).await
}

async fn start(
    bindings: &WorkflowStarted,
    detail: detail::WorkflowStarted,
    now: i64,
) -> Result<(), OrderError> {
    let order = Order {
        partition: ORDERS.to_owned(),
        order_id: detail.order_id,
        user_id: detail.user_id,
        order_state: CREATED.to_owned(),
        task_token: Some(detail.task_token),
        workflow: detail.workflow,
        robot: detail.robot.unwrap_or(false),
        ts: now,
        drink_order: None,
        order_number: None,
        barista_user_id: None,
        ended_by: None,
        reason: None,
    };
    // The bus may deliver an event twice, and late: by then the order may have a drink and another token, or have ended.
    let mut awaited = Expression::absent("PK");
    if let Some(workflow) = &order.workflow {
        // The workflow waits anew, with another token, where it did not learn that its first event went out.
        let of_workflow = Expression::is("workflow", workflow)
            .and(Expression::is("ORDERSTATE", CREATED))
            .and(Expression::absent("drinkOrder"));
        awaited = awaited.or(of_workflow);
    }
    match bindings.table.put(&order).when(awaited).await {
        Ok(_) => Ok(()),
        Err(error) if error.reason() == Reason::ConditionFailed => {
            info!(order_id = order.order_id, "the order was noted before");
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// Notes the number of an order and the token by which its workflow goes on, and tells the baristas.
///
/// # Errors
///
/// Fails where the order is not the customer's, has no drink, or the table or the bus cannot be used; the event is then
/// delivered again.
pub async fn waiting_completion(
    bindings: &WaitingCompletion,
    event: BusEvent<detail::OrderWaiting>,
) -> Result<(), OrderError> {
    wait(bindings, event.detail, now()).await
}

async fn wait(
    bindings: &WaitingCompletion,
    detail: detail::OrderWaiting,
    now: i64,
) -> Result<(), OrderError> {
    let change = Change::new()
        .set("TS", now)
        .set("TaskToken", &detail.task_token)
        .set("orderNumber", &detail.order_number);
    let order = bindings
        .table
        .update(key(&detail.order_id), change)
        .when(Expression::is("USERID", &detail.user_id))
        .await?;
    if order.order_state != CREATED {
        // It ended while its number was made. Whoever ended it answers the workflow, by the token that it has now.
        info!(order_id = order.order_id, "the order has ended");
        return Ok(());
    }
    let no_drink = |source| OrderError::NoDrink {
        order_id: detail.order_id.clone(),
        source,
    };
    let drink_order = order.drink_order.ok_or_else(|| no_drink(None))?;
    let drink_order = serde_json::from_str(&drink_order).map_err(|error| no_drink(Some(error)))?;
    let waiting = detail::WaitingCompletion {
        message: format!("Order {} waits for a barista", detail.order_number),
        order_id: order.order_id,
        order_number: order.order_number.unwrap_or(detail.order_number),
        state: order.order_state,
        drink_order,
        user_id: order.user_id,
        robot: order.robot,
        ts: order.ts,
    };
    bindings.bus.put(bindings.source.as_str(), &waiting).await?;
    Ok(())
}

/// Gives up an order that is still under way, if the workflow that gave up is the one that carries it, and notes why.
///
/// # Errors
///
/// Fails where the table cannot be used; the event is then delivered again.
pub async fn timed_out(
    bindings: &OrderTimedOut,
    event: BusEvent<detail::OrderTimeOut>,
) -> Result<(), OrderError> {
    give_up(bindings, event.detail, now()).await
}

async fn give_up(
    bindings: &OrderTimedOut,
    detail: detail::OrderTimeOut,
    now: i64,
) -> Result<(), OrderError> {
    let change = Change::new()
        .set("ORDERSTATE", CANCELLED)
        .set("reason", &detail.cause)
        .set("TS", now);
    // A barista may have been a moment faster than the clock, and the order may have been removed.
    let mut under_way = Expression::is("ORDERSTATE", CREATED);
    if let Some(workflow) = &detail.workflow {
        // An event that came twice has started two executions for the order. Nobody ever answers the second one, so it
        // gives up while the first one goes on.
        let own = Expression::is("workflow", workflow).or(Expression::absent("workflow"));
        under_way = under_way.and(own);
    }
    let given_up = bindings
        .table
        .update(key(&detail.order_id), change)
        .when(under_way)
        .await;
    match given_up {
        Ok(_) => Ok(()),
        Err(error) if error.reason() == Reason::ConditionFailed => {
            info!(
                order_id = detail.order_id,
                "the order is no longer under way, or another workflow carries it"
            );
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

fn key(order_id: &str) -> OrderKey {
    OrderKey {
        partition: ORDERS.to_owned(),
        order_id: order_id.to_owned(),
    }
}

#[cfg(test)]
mod tests;
