//! The orders of a user.

use serde_json::json;
use stack_bindings::{ApiRequest, ApiResponse};

use crate::answer::{Failure, answer, success};
use crate::body::path_id;
use crate::contract::{USER_ID, UserOrder};
use crate::record::ByUser;

/// Handles one request of the API.
///
/// # Errors
///
/// Fails where the answer cannot be written as JSON, which no order brings about.
pub async fn handle(
    bindings: &UserOrder,
    request: ApiRequest,
) -> Result<ApiResponse, serde_json::Error> {
    let outcome = route(bindings, &request).await;
    answer(&request, outcome)
}

async fn route(bindings: &UserOrder, request: &ApiRequest) -> Result<ApiResponse, Failure> {
    match request.route() {
        ("GET", "/user/{userid}/orders") => list(bindings, request).await,
        _ => Err(Failure::no_route()),
    }
}

/// Answers with all orders of a user, the oldest first; a user without orders has an empty list.
async fn list(bindings: &UserOrder, request: &ApiRequest) -> Result<ApiResponse, Failure> {
    let user_id = path_id(request, USER_ID)?;
    let orders = bindings.orders_table.query_index(ByUser, user_id).all();
    let orders = orders.await.map_err(Failure::store("Get orders error."))?;
    success(200, &json!({ "orders": serde_json::to_value(orders)? }))
}

#[cfg(test)]
mod tests;
