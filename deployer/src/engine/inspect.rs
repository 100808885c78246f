//! What is deployed: statuses, outputs, events, functions.

use std::{collections::BTreeMap, time::SystemTime};

use serde::Serialize;
use stack_model::assembly::StackManifest;

use super::{Context, ResourceEvent, StackStatus};
use crate::aws::AwsError;

/// Names one stack.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StackTarget {
    /// The name in CloudFormation.
    pub name: String,
    /// The region, where it is not the stage's.
    pub region: Option<String>,
}

impl From<&StackManifest> for StackTarget {
    fn from(manifest: &StackManifest) -> Self {
        Self {
            name: manifest.name.clone(),
            region: manifest.region.clone(),
        }
    }
}

/// A stack as it is deployed.
#[derive(Clone, Debug, PartialEq)]
pub struct DeployedStack {
    /// The ARN.
    pub id: String,
    /// The status.
    pub status: StackStatus,
    /// Why it has this status, where AWS says so.
    pub reason: Option<String>,
    /// When it was created or last updated, whichever is later.
    pub changed: Option<SystemTime>,
    /// The parameters. AWS masks the values of those that are declared `NoEcho`.
    pub parameters: BTreeMap<String, String>,
    /// The tags.
    pub tags: BTreeMap<String, String>,
    /// The outputs.
    pub outputs: BTreeMap<String, String>,
    /// The capabilities that were given.
    pub capabilities: Vec<String>,
    /// Whether the stack is protected against deletion.
    pub termination_protection: bool,
}

/// The statuses of stacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatusReport {
    /// The stacks, in the order they were asked for.
    pub stacks: Vec<StackStatusReport>,
}

/// The status of one stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StackStatusReport {
    /// The stack.
    pub stack: String,
    /// The status; `NOT_DEPLOYED` where there is no such stack.
    pub status: StackStatus,
    /// Whether nothing is running.
    pub settled: bool,
}

/// Describes a stack, where there is one.
pub async fn deployed(
    _context: &Context,
    _stack: &StackTarget,
) -> Result<Option<DeployedStack>, AwsError> {
    todo!()
}

/// Returns the template of a deployed stack as it was submitted, where there is such a stack.
pub async fn deployed_template(
    _context: &Context,
    _stack: &StackTarget,
) -> Result<Option<String>, AwsError> {
    todo!()
}

/// Returns the statuses of stacks.
pub async fn status(
    _context: &Context,
    _stacks: &[StackTarget],
) -> Result<StatusReport, AwsError> {
    todo!()
}

/// Returns the outputs of the stacks that are deployed, by stack and key.
pub async fn outputs(
    _context: &Context,
    _stacks: &[StackTarget],
) -> Result<BTreeMap<String, BTreeMap<String, String>>, AwsError> {
    todo!()
}

/// Returns what happened to the resources of a stack since a time, the oldest first; nothing, where there is no such
/// stack. AWS keeps events for 90 days.
pub async fn events(
    _context: &Context,
    _stack: &StackTarget,
    _since: Option<SystemTime>,
) -> Result<Vec<ResourceEvent>, AwsError> {
    todo!()
}

/// A function of a deployed stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeployedFunction {
    /// The stack.
    pub stack: String,
    /// The region, where it is not the stage's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The logical id.
    pub logical_id: String,
    /// The name of the function.
    pub name: String,
}

/// Returns the functions of stacks, by stack and logical id.
pub async fn functions(
    _context: &Context,
    _stacks: &[StackTarget],
) -> Result<Vec<DeployedFunction>, AwsError> {
    todo!()
}
