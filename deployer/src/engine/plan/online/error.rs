//! What keeps a plan from being made.

use crate::aws::{AwsError, Fault};
use crate::engine::{Explained, FillError};
use crate::error::Kind;

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// AWS does not say what is deployed.
    #[error("cannot read what is deployed")]
    Aws(#[from] AwsError),
    /// A folder cannot be compared with its bucket.
    #[error("cannot read what is published")]
    Content(#[source] FillError),
    /// A bucket does not tell what it holds.
    #[error("{}", unreadable(.bucket, .source))]
    Bucket {
        /// The bucket.
        bucket: String,
        /// Why.
        #[source]
        source: AwsError,
    },
    /// The template that is deployed is not JSON.
    #[error("stack {stack} was deployed with a template that is not JSON: another tool made it")]
    NotJson {
        /// The stack.
        stack: String,
        /// What the parser says.
        #[source]
        source: serde_json::Error,
    },
}

impl Explained for PlanError {
    fn kind(&self) -> Kind {
        match self {
            Self::Aws(error) => error.kind(),
            Self::Content(error) => error.kind(),
            Self::Bucket { source, .. } => source.kind(),
            Self::NotJson { .. } => Kind::Deploy,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Aws(error) => error.hints(),
            Self::Content(error) => error.hints(),
            Self::Bucket { source, .. } if is_gone(source) => vec![
                "somebody deleted the bucket and not its stack: give the bucket another logical id, and a deploy makes a new one".to_owned(),
            ],
            Self::Bucket { source, .. } => source.hints(),
            Self::NotJson { .. } => {
                vec!["give the stack another id, or remove the deployed one first".to_owned()]
            }
        }
    }
}

impl From<FillError> for PlanError {
    /// A plan fills nothing: where a call failed, a bucket could not be read.
    fn from(error: FillError) -> Self {
        match error {
            FillError::Aws { bucket, source } => Self::Bucket { bucket, source },
            other => Self::Content(other),
        }
    }
}

/// Says what is the matter with a bucket that does not tell what it holds.
fn unreadable(bucket: &str, error: &AwsError) -> String {
    if is_gone(error) {
        format!("bucket {bucket} is not there any more")
    } else if matches!(error.fault(), Fault::Denied { .. }) {
        format!("bucket {bucket} may not be read")
    } else {
        format!("bucket {bucket} cannot be read")
    }
}

/// Returns whether S3 says that it has no such bucket; see
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.
fn is_gone(error: &AwsError) -> bool {
    error.code() == Some("NoSuchBucket")
}
