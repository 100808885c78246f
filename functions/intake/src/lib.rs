//! The function of the intake system: it puts what is sent to it into a table, and reads it back.
//!
//! A request names an operation, and for an operation on the table also the table and a payload:
//!
//! ```json
//! {"operation": "create", "tableName": "name-dev", "payload": {"Item": {"id": "1", "name": "Bob"}}}
//! ```
//!
//! The same function serves both ways in: a queue delivers requests in batches, and an API without proxy integration
//! sends one request as the event itself. The contracts compile alone, for the stacks; the handler needs the feature
//! `runtime`.

mod operation;
mod operations;
mod record;

#[cfg(feature = "runtime")]
mod execute;
#[cfg(feature = "runtime")]
mod handle;

pub use operation::{ListOptions, Operation, Request, RequestError};
pub use operations::*;
pub use record::*;

#[cfg(feature = "runtime")]
pub use execute::{OperationError, execute};
#[cfg(feature = "runtime")]
pub use handle::handle;

/// Matches the message of every error that the caller can mend, for the integration response of status 400.
///
/// API Gateway matches the pattern with the whole `errorMessage`, and `.` does not match a line break; see
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_IntegrationResponse.html>.
pub const CLIENT_ERROR_PATTERN: &str =
    r"(Unrecognized operation |Invalid request: |invalid event: )[\s\S]*";
