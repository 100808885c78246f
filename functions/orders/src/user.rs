//! Users: made, listed and read.

use serde_json::json;
use stack_bindings::{ApiRequest, ApiResponse, Reason};

use crate::answer::{Failure, answer, success};
use crate::body::{object, path_id, take_id};
use crate::contract::{USER_ID, User};
use crate::moment::Moment;
use crate::record::UserRecord;

/// Handles one request of the API, now.
///
/// # Errors
///
/// Fails where the answer cannot be written as JSON, which no request brings about.
pub async fn handle(
    bindings: &User,
    request: ApiRequest,
) -> Result<ApiResponse, serde_json::Error> {
    let outcome = route(bindings, &request, Moment::take()).await;
    answer(&request, outcome)
}

async fn route(
    bindings: &User,
    request: &ApiRequest,
    moment: Moment,
) -> Result<ApiResponse, Failure> {
    match request.route() {
        ("POST", "/user") => create(bindings, request, moment).await,
        ("GET", "/user") => list(bindings).await,
        ("GET", "/user/{userid}") => read(bindings, request).await,
        _ => Err(Failure::no_route()),
    }
}

/// Puts a new user under the id that the body gives, or under a fresh one, and answers with the user.
async fn create(
    bindings: &User,
    request: &ApiRequest,
    moment: Moment,
) -> Result<ApiResponse, Failure> {
    let mut attributes = object(request)?;
    let given = take_id(&mut attributes, "user_id")?;
    let user = UserRecord {
        user_id: given.unwrap_or(moment.fresh_id),
        attributes,
    };
    match bindings.users_table.put(&user).if_absent().await {
        Ok(_) => success(201, &user),
        Err(taken) if taken.reason() == Reason::ConditionFailed => {
            Err(Failure::Conflict("there is a user with this id"))
        }
        Err(failure) => Err(Failure::put("Create User error.")(failure)),
    }
}

async fn list(bindings: &User) -> Result<ApiResponse, Failure> {
    let users = bindings.users_table.scan().all().await;
    let users = users.map_err(Failure::store("List users error."))?;
    success(200, &json!({ "users": encoded(&users)? }))
}

async fn read(bindings: &User, request: &ApiRequest) -> Result<ApiResponse, Failure> {
    let user_id = path_id(request, USER_ID)?;
    // Whoever has just made the user finds it.
    let user = bindings.users_table.get(user_id).consistent().await;
    let user = user.map_err(Failure::store("Get user error."))?;
    success(
        200,
        &user.ok_or(Failure::NotFound("there is no such user"))?,
    )
}

fn encoded(users: &[UserRecord]) -> Result<serde_json::Value, serde_json::Error> {
    serde_json::to_value(users)
}

#[cfg(test)]
mod tests;
