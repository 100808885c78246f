//! The answers of the API.

use std::error::Error as _;

use serde::Serialize;
use serde_json::json;
use stack_bindings::{ApiRequest, ApiResponse, CallError, Reason};
use tracing::error;

/// Why a request is not answered as its sender hopes. The text is what the sender reads.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The sender can mend it.
    #[error("{0}")]
    Invalid(String),
    /// DynamoDB does not take what was sent, for instance an item of more than 400 KB.
    #[error("{text}")]
    Refused {
        text: &'static str,
        #[source]
        cause: Box<CallError>,
    },
    /// There is nothing of that name.
    #[error("{0}")]
    NotFound(&'static str),
    /// There is something of that name already.
    #[error("{0}")]
    Conflict(&'static str),
    /// The table or the queue fails.
    #[error("{text}")]
    Store {
        text: &'static str,
        #[source]
        cause: Box<CallError>,
    },
    /// What the table returned cannot be written as JSON.
    #[error("Internal server error")]
    Encode(#[from] serde_json::Error),
}

impl Failure {
    /// Makes the failure of a call to the store, with the text that callers know.
    pub(crate) fn store(text: &'static str) -> impl Fn(CallError) -> Self {
        move |cause| Self::Store {
            text,
            cause: Box::new(cause),
        }
    }

    /// Makes the failure of a call that hands on what was sent: the store may find that invalid.
    pub(crate) fn put(text: &'static str) -> impl Fn(CallError) -> Self {
        move |cause| match cause.reason() {
            Reason::Invalid => Self::Refused {
                text: "the table does not take this item: it may be larger than 400 KB or nested too deeply",
                cause: Box::new(cause),
            },
            _ => Self::store(text)(cause),
        }
    }

    /// Makes the failure for a route that leads to another function, or nowhere.
    pub(crate) fn no_route() -> Self {
        Self::NotFound("there is no such route")
    }

    fn status(&self) -> u16 {
        match self {
            Self::Invalid(_) | Self::Refused { .. } => 400,
            Self::NotFound(_) => 404,
            Self::Conflict(_) => 409,
            Self::Encode(_) => 500,
            Self::Store { .. } => 504,
        }
    }
}

/// Makes an answer of a value as JSON.
pub(crate) fn success(status: u16, body: &impl Serialize) -> Result<ApiResponse, Failure> {
    Ok(ApiResponse::json(status, body)?)
}

/// Turns failures into answers, and lets pages of every origin read either.
///
/// # Errors
///
/// Fails where a text cannot be written as JSON, which is not the case for any text.
pub(crate) fn answer(
    request: &ApiRequest,
    outcome: Result<ApiResponse, Failure>,
) -> Result<ApiResponse, serde_json::Error> {
    let response = match outcome {
        Ok(response) => response,
        Err(failure) => {
            let status = failure.status();
            if status >= 500 {
                error!(
                    method = request.http_method,
                    resource = request.resource,
                    error = %failure,
                    cause = failure.source().map(tracing::field::display),
                    "the request fails"
                );
            }
            ApiResponse::json(status, &json!({ "error": failure.to_string() }))?
        }
    };
    Ok(response
        .header("Access-Control-Allow-Origin", "*")
        .header("Access-Control-Allow-Headers", ALLOWED_HEADERS)
        .header("Access-Control-Max-Age", "600"))
}

const ALLOWED_HEADERS: &str =
    "Accept,Authorization,Content-Type,X-Amz-Date,X-Amz-Security-Token,X-Api-Key";
