//! Reads the logs of functions, merged by time.

use std::time::SystemTime;

use serde::Serialize;

use super::{Context, DeployedFunction};
use crate::aws::AwsError;

/// What to read.
#[derive(Clone, Debug)]
pub struct LogsRequest {
    /// The functions.
    pub functions: Vec<DeployedFunction>,
    /// The earliest time.
    pub since: SystemTime,
    /// A filter pattern of CloudWatch Logs.
    pub filter: Option<String>,
    /// Whether to go on until the run is stopped.
    pub follow: bool,
}

/// One line of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// The stack.
    pub stack: String,
    /// The logical id of the function.
    pub function: String,
    /// When it was written, in RFC 3339.
    pub time: String,
    /// The text, without a line break at its end.
    pub message: String,
}

/// Reads the logs of functions and hands the lines on, the oldest first.
///
/// A function that was never called has no log; it has no lines. With `follow` this returns when the run is stopped.
pub async fn logs(
    _context: &Context,
    _request: &LogsRequest,
    _sink: &mut (dyn FnMut(LogLine) + Send),
) -> Result<(), AwsError> {
    todo!()
}
