//! Calls a function once.

use serde::Serialize;

use super::{Context, DeployedFunction};
use crate::aws::AwsError;

/// What a function answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Invocation {
    /// The name of the function.
    pub function: String,
    /// The answer; for a function that failed, its error as AWS reports it.
    pub payload: String,
    /// How the function failed, where it did: `Handled`, `Unhandled` or another word of AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function_error: Option<String>,
    /// The last lines of the log of this call.
    pub log_tail: String,
}

/// Calls a function with a payload and waits for its answer.
pub async fn invoke(
    _context: &Context,
    _function: &DeployedFunction,
    _payload: Vec<u8>,
) -> Result<Invocation, AwsError> {
    todo!()
}
