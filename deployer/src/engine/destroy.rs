//! Removes stacks, and waits until nothing is left.

use serde::Serialize;
use stack_model::assembly::StackManifest;

use super::{Context, Explained, Failure, event::Outcome};
use crate::error::Kind;

/// What to remove.
#[derive(Clone, Debug, Default)]
pub struct DestroyRequest {
    /// The stacks, in any order.
    pub stacks: Vec<StackManifest>,
    /// Whether stacks that are protected against deletion are removed too: consent to exactly that was given.
    pub unprotect: bool,
}

/// What was removed, stack by stack.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DestroyReport {
    /// The stacks, in the order of their removal.
    pub stacks: Vec<DestroyedStack>,
}

/// What became of one stack.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DestroyedStack {
    /// The stack.
    pub stack: String,
    /// How it ended up.
    pub outcome: Outcome,
    /// Why it failed, where it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The resources that the template retains, which still exist: logical id and physical id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub retained: Vec<(String, String)>,
}

/// Why stacks were not removed.
#[derive(Debug, thiserror::Error)]
pub enum DestroyError {
    /// Stacks are protected; nothing was removed.
    #[error("protected against deletion: {}", .0.join(", "))]
    Protected(Vec<String>),
    /// Stacks failed.
    #[error("{0:?}")]
    Failed(DestroyReport),
    /// The run was stopped.
    #[error("{0:?}")]
    Interrupted(DestroyReport),
    /// The stacks could not be read.
    #[error("cannot read the stacks")]
    Aws(#[from] crate::aws::AwsError),
}

impl Explained for DestroyError {
    fn kind(&self) -> Kind {
        todo!()
    }

    fn hints(&self) -> Vec<String> {
        todo!()
    }
}

/// Removes stacks, each before those it depends on.
pub async fn destroy(
    _context: &Context,
    _request: DestroyRequest,
) -> Result<DestroyReport, DestroyError> {
    todo!()
}
