//! Says that the API is there.

use serde_json::json;
use stack_bindings::{ApiRequest, ApiResponse};

use crate::answer::{Failure, answer, success};
use crate::contract::Root;

/// Handles one request of the API.
///
/// # Errors
///
/// Fails where the answer cannot be written as JSON, which no request brings about.
#[expect(clippy::unused_async, reason = "`run` awaits every handler")]
pub async fn handle(_: &Root, request: ApiRequest) -> Result<ApiResponse, serde_json::Error> {
    let outcome = match request.route() {
        // The event is the caller's own, headers and all, so it is not repeated to whoever asks.
        ("GET", "/") => success(200, &json!({ "body": "Test" })),
        _ => Err(Failure::no_route()),
    };
    answer(&request, outcome)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_cors, body, request};

    #[tokio::test]
    async fn the_root_answers_with_a_text_and_without_the_event() {
        let answer = handle(&Root {}, request("GET", "/", &json!({}), None)).await;
        let answer = answer.expect("there is an answer");
        assert_eq!(answer.status_code, 200);
        assert_eq!(body(&answer), json!({"body": "Test"}));
        assert_eq!(answer.headers["content-type"], "application/json");
        assert_cors(&answer);
    }
}
