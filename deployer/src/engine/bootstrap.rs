//! The artifact bucket: one stack per account and region.

use std::sync::Arc;

use super::{Approve, Context, DeployError, StackReport};

/// The name of the stack that holds the artifact bucket.
pub const BOOTSTRAP_STACK: &str = "stackctl-bootstrap";

/// Deploys the stack that holds the artifact bucket, where it is absent or out of date.
///
/// [`deploy()`](super::deploy()) does the same where it needs the bucket; its change set is approved like any other.
pub async fn bootstrap(
    _context: &Context,
    _region: Option<&str>,
    _approve: Arc<dyn Approve>,
) -> Result<StackReport, DeployError> {
    todo!()
}
