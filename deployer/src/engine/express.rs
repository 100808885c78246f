//! Express mode: CloudFormation ends an operation once the configuration of every resource is applied.
//!
//! See <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-express-mode.html>. Resources
//! settle after the end then, so it suits stages that nobody relies on. AWS disables rollback in it by default, and
//! neither rolls back by `RollbackStack` what failed so nor replaces resources
//! (<https://github.com/aws/aws-cdk-cli/issues/1931>, <https://github.com/aws/aws-cdk-cli/issues/1739>): rollback
//! is always enabled here, so that no operation of ours ends in such a status.

use std::collections::BTreeSet;

use aws_sdk_cloudformation::types::{DeploymentConfig, DeploymentConfigMode};

use super::{Change, ProposedChanges, Replacement, StackDeployment};
use crate::aws::AwsError;

/// What a change set in express mode is made with.
pub(super) fn config() -> DeploymentConfig {
    DeploymentConfig::builder()
        .mode(DeploymentConfigMode::Express)
        .disable_rollback(false)
        .build()
}

/// What leads on from an update in express mode that failed and was kept: CloudFormation takes no other.
pub(super) fn without_rollback() -> DeploymentConfig {
    DeploymentConfig::builder()
        .mode(DeploymentConfigMode::Express)
        .disable_rollback(true)
        .build()
}

/// Returns the stacks that may be deployed so: no other of the same deployment needs what they hold to be ready.
pub(super) fn candidates(stacks: &[StackDeployment]) -> BTreeSet<String> {
    let needed: BTreeSet<&str> = stacks
        .iter()
        .flat_map(|stack| &stack.manifest.depends_on)
        .map(String::as_str)
        .collect();
    stacks
        .iter()
        .map(|stack| stack.manifest.name.as_str())
        .filter(|stack| !needed.contains(stack))
        .map(str::to_owned)
        .collect()
}

/// Returns the first change for which AWS should wait until everything is ready: a replacement, what may become one, and
/// whatever leaves the stack.
pub(super) fn objection(changes: &ProposedChanges) -> Option<&Change> {
    changes.changes.iter().find(|change| match &*change.action {
        "Add" => false,
        "Modify" => change.replacement != Some(Replacement::Never),
        _ => true,
    })
}

/// Returns whether a refusal is about express mode itself: a place that does not have it.
pub(super) fn is_unknown(error: &AwsError) -> bool {
    matches!(
        error.code(),
        Some("ValidationError" | "ValidationException" | "InvalidParameter")
    ) && error.message().is_some_and(|message| {
        let message = message.to_lowercase();
        message.contains("deploymentconfig") || message.contains("express")
    })
}
