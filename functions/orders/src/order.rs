//! Orders: placed and read.

use serde_json::{Map, Value, json};
use stack_bindings::{ApiRequest, ApiResponse};

use crate::answer::{Failure, answer, success};
use crate::body::{object, path_id, take_id};
use crate::contract::{ORDER_ID, Order};
use crate::moment::Moment;
use crate::record::{OrderRecord, OrderStatus, Placed};

/// Handles one request of the API, now.
///
/// # Errors
///
/// Fails where the answer cannot be written as JSON, which no request brings about.
pub async fn handle(
    bindings: &Order,
    request: ApiRequest,
) -> Result<ApiResponse, serde_json::Error> {
    let outcome = route(bindings, &request, Moment::take()).await;
    answer(&request, outcome)
}

async fn route(
    bindings: &Order,
    request: &ApiRequest,
    moment: Moment,
) -> Result<ApiResponse, Failure> {
    match request.route() {
        ("POST", "/order") => place(bindings, request, moment).await,
        ("GET", "/order/{orderid}") => read(bindings, request).await,
        _ => Err(Failure::no_route()),
    }
}

/// Puts a new order, tells the worker, and answers with the order's id.
///
/// An order whose message cannot be sent stays in the table as `NEW`: the caller is told to try again, and gets
/// another order then.
async fn place(
    bindings: &Order,
    request: &ApiRequest,
    moment: Moment,
) -> Result<ApiResponse, Failure> {
    let order = ordered(object(request)?, moment)?;
    let put = bindings.orders_table.put(&order).if_absent().await;
    put.map_err(Failure::put(CREATE_FAILED))?;
    let placed = Placed {
        order_id: order.order_id,
        user_id: order.user_id,
    };
    let sent = bindings.orders_queue.send(&placed).await;
    sent.map_err(Failure::store(CREATE_FAILED))?;
    success(201, &json!({ "order_id": placed.order_id }))
}

const CREATE_FAILED: &str = "Create order error.";

/// What the system itself says of an order.
const RESERVED: [&str; 4] = ["order_id", "status", "created_at", "fulfilled_at"];

/// Makes an order of a body.
fn ordered(mut body: Map<String, Value>, moment: Moment) -> Result<OrderRecord, Failure> {
    if let Some(reserved) = RESERVED.iter().find(|field| body.contains_key(**field)) {
        let message = format!("`{reserved}` is not the caller's to set");
        return Err(Failure::Invalid(message));
    }
    let user_id = take_id(&mut body, "user_id")?;
    let user_id =
        user_id.ok_or_else(|| Failure::Invalid("the field `user_id` is missing".to_owned()))?;
    let items = match body.remove("items") {
        Some(Value::Array(items)) if !items.is_empty() => items,
        None | Some(Value::Null) => {
            return Err(Failure::Invalid("the field `items` is missing".to_owned()));
        }
        Some(_) => {
            let message = "`items` must be a list of at least one item";
            return Err(Failure::Invalid(message.to_owned()));
        }
    };
    Ok(OrderRecord {
        order_id: moment.fresh_id,
        user_id,
        items,
        status: OrderStatus::New,
        created_at: moment.now,
        fulfilled_at: None,
        attributes: body,
    })
}

async fn read(bindings: &Order, request: &ApiRequest) -> Result<ApiResponse, Failure> {
    let order_id = path_id(request, ORDER_ID)?;
    // Whoever has just placed the order finds it.
    let found = bindings.orders_table.query(order_id).consistent().all();
    let found = found.await.map_err(Failure::store("Get order error."))?;
    let order = found.first();
    success(
        200,
        order.ok_or(Failure::NotFound("there is no such order"))?,
    )
}

#[cfg(test)]
mod tests;
