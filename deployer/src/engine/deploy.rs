//! Deploys stacks along their dependency graph.

use std::{collections::BTreeMap, future::Future, path::PathBuf, pin::Pin, sync::Arc};

use serde::Serialize;
use stack_model::assembly::StackManifest;

use super::{Context, Explained, Failure, ProposedChanges, event::Outcome};
use crate::error::Kind;

/// What to deploy.
#[derive(Clone, Debug, Default)]
pub struct Deployment {
    /// The stage.
    pub stage: String,
    /// The stacks, in any order. A stack that one of them depends on and that is not among them is taken to be
    /// deployed.
    pub stacks: Vec<StackDeployment>,
    /// The artifacts by asset name.
    pub artifacts: BTreeMap<String, Artifact>,
}

/// One stack to deploy.
#[derive(Clone, Debug)]
pub struct StackDeployment {
    /// What the assembly says of it.
    pub manifest: StackManifest,
    /// The template.
    pub template: String,
}

/// The packaged bytes of an asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The file.
    pub path: PathBuf,
    /// The SHA-256 of the file, in lower case hexadecimal.
    pub sha256: String,
    /// The size in bytes.
    pub size: u64,
}

/// Decides whether a change set is executed.
///
/// The engine asks about one change set at a time, even where several stacks are deployed at once. Exactly the change
/// set that was shown is executed.
pub trait Approve: Send + Sync {
    /// Decides.
    fn approve<'a>(
        &'a self,
        changes: &'a ProposedChanges,
    ) -> Pin<Box<dyn Future<Output = Decision> + Send + 'a>>;
}

/// The answer to a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Execute it.
    Execute,
    /// Leave the stack as it is; the change set is removed.
    Decline,
}

/// What a deploy did, stack by stack, in the order of the deployment.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DeployReport {
    /// The stacks.
    pub stacks: Vec<StackReport>,
}

/// What a deploy did to one stack.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StackReport {
    /// The stack.
    pub stack: String,
    /// How it ended up.
    pub outcome: Outcome,
    /// The outputs, where the stack is in the state it should have.
    pub outputs: BTreeMap<String, String>,
    /// Why it failed, where it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// Why a deploy did not do all it should.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The deployment contradicts itself; nothing was called.
    #[error("the assembly cannot be deployed: {0}")]
    Invalid(String),
    /// Stacks failed.
    #[error("{}", failed_stacks(.0))]
    Failed(DeployReport),
    /// A change set was not approved, and nothing failed.
    #[error("{}", declined_stacks(.0))]
    Declined(DeployReport),
    /// The run was stopped.
    #[error("{}", interrupted_stacks(.0))]
    Interrupted(DeployReport),
}

impl DeployError {
    /// Returns what was done, where anything was begun.
    pub fn report(&self) -> Option<&DeployReport> {
        match self {
            Self::Invalid(_) => None,
            Self::Failed(report) | Self::Declined(report) | Self::Interrupted(report) => {
                Some(report)
            }
        }
    }
}

impl Explained for DeployError {
    fn kind(&self) -> Kind {
        todo!()
    }

    fn hints(&self) -> Vec<String> {
        todo!()
    }
}

fn failed_stacks(_report: &DeployReport) -> String {
    todo!()
}

fn declined_stacks(_report: &DeployReport) -> String {
    todo!()
}

fn interrupted_stacks(_report: &DeployReport) -> String {
    todo!()
}

/// Deploys stacks along their dependency graph, as many at a time as are independent.
pub async fn deploy(
    _context: &Context,
    _deployment: Deployment,
    _approve: Arc<dyn Approve>,
) -> Result<DeployReport, DeployError> {
    todo!()
}
