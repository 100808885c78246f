//! What the API answers.

use serde::Serialize;
use serde_json::json;
use stack_bindings::{ApiResponse, CallError};
use tracing::{error, warn};

use crate::object_key::NameError;

/// Why a request was not carried out. The text is what the caller reads.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// API Gateway does not say who calls.
    #[error("the request has no caller")]
    NoCaller,
    /// The body is not what was asked for.
    #[error("the body must be a JSON object with a `name`")]
    Body,
    /// The name does not fit.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The id of the photo is missing.
    #[error("the query parameter `id` is missing")]
    MissingId,
    /// The caller has never uploaded a photo.
    #[error("there are no photos")]
    NoAlbum,
    /// The caller has no such photo.
    #[error("there is no photo with the id {0}")]
    UnknownPhoto(String),
    /// The album kept changing while it was to be changed.
    #[error("the photos are being changed elsewhere, try again")]
    Contended,
    /// The album would be larger than an item of the table can be.
    #[error("there are too many photos")]
    Full(#[source] CallError),
    /// The photos cannot be reached.
    #[error("the photos cannot be reached")]
    Call(#[from] CallError),
}

impl Refusal {
    fn status(&self) -> u16 {
        match self {
            Self::UnknownPhoto(_) => 404,
            _ => 400,
        }
    }

    /// Tells the log what the caller does not get to know.
    fn log(&self) {
        match self {
            Self::Call(cause) | Self::Full(cause) => {
                let source = std::error::Error::source(cause).map(ToString::to_string);
                error!(%cause, source, "{self}");
            }
            _ => warn!("refused: {self}"),
        }
    }
}

/// Turns an outcome into a response that a page of any origin may read.
///
/// It comes without `Access-Control-Allow-Credentials`: callers sign each request or send a token with it, and browsers
/// refuse that header beside the origin `*`.
pub(crate) fn respond(
    outcome: Result<impl Serialize, Refusal>,
) -> Result<ApiResponse, serde_json::Error> {
    let response = match outcome {
        Ok(value) => ApiResponse::json(200, &value)?,
        Err(refusal) => {
            refusal.log();
            ApiResponse::json(refusal.status(), &json!({ "error": refusal.to_string() }))?
        }
    };
    Ok(response.header("access-control-allow-origin", "*"))
}
