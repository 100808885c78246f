//! Counts one visit.

use std::error::Error;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;
use stack_bindings::{ApiRequest, ApiResponse, Change};
use tracing::error;

use crate::contract::{Count, USER_ID};
use crate::visitor::Visitor;

/// How many bytes a partition key can have; see
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>.
const LONGEST_ID: usize = 2048;

/// Handles one request of the API, now.
///
/// # Errors
///
/// Fails where the answer cannot be written as JSON, which no item of the table brings about.
pub async fn handle(
    bindings: &Count,
    request: ApiRequest,
) -> Result<ApiResponse, serde_json::Error> {
    // A clock before 1970 is no reason not to count.
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    count(bindings, &request, now).await
}

/// Counts a visit at the given time since 1970, and answers with all attributes of the user's item.
///
/// # Errors
///
/// Fails where the answer cannot be written as JSON.
pub async fn count(
    bindings: &Count,
    request: &ApiRequest,
    now: Duration,
) -> Result<ApiResponse, serde_json::Error> {
    let user_id = request.path_parameter(USER_ID);
    let Some(user_id) = user_id.filter(|id| (1..=LONGEST_ID).contains(&id.len())) else {
        let message = format!("the user id must have 1 to {LONGEST_ID} bytes");
        return answer(400, &json!({ "error": message }));
    };
    let now = format!("{}.{:06}", now.as_secs(), now.subsec_micros());
    match counted(bindings, user_id, &now).await {
        Ok(visitor) => answer(200, &visitor),
        Err(failure) => {
            error!(error = %failure, cause = ?failure.source(), "the visit is not counted");
            answer(500, &json!({ "error": "the visit could not be counted" }))
        }
    }
}

/// Counts in one request, so that visits at the same time are all counted, the first two included.
async fn counted(
    bindings: &Count,
    user_id: &str,
    now: &str,
) -> Result<Visitor, stack_bindings::CallError> {
    let change = Change::new()
        .set_if_absent("createdAt", now)
        .set("updatedAt", now)
        .add("userCount", 1);
    let mut visitor = bindings.users_table.update(user_id, change).await?;
    // One request cannot set an attribute for items alone that were there before. The first visit has not updated
    // anything, so its answer does not say so.
    if visitor.user_count == 1 && visitor.created_at == now {
        visitor.updated_at = None;
    }
    Ok(visitor)
}

/// Makes an answer that pages of every origin may read.
fn answer(status: u16, body: &impl serde::Serialize) -> Result<ApiResponse, serde_json::Error> {
    let answer = ApiResponse::json(status, body)?
        .header("Access-Control-Allow-Headers", "*")
        .header("Access-Control-Allow-Origin", "*")
        .header("Access-Control-Allow-Methods", "OPTIONS,GET");
    Ok(answer)
}

#[cfg(test)]
mod tests;
