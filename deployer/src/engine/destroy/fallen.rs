//! What the failed creation of a stack keeps.

use std::collections::BTreeSet;

use super::{Retained, contents::Contents, parsed};
use crate::{
    aws::AwsError,
    engine::{Context, DeployedStack, inspect},
};

/// Returns what stays in the account when a stack is deleted whose creation failed.
///
/// Its rollback deleted what was made but for what the template retains: `Retain` holds for the rollback of a creation,
/// and `RetainExceptOnCreate` does not
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html>).
pub(in crate::engine) async fn kept(
    context: &Context,
    deployed: &DeployedStack,
) -> Result<Vec<Retained>, AwsError> {
    let clients = &context.clients;
    let resources = inspect::resources(clients, &deployed.id).await?;
    if resources.is_empty() {
        return Ok(Vec::new());
    }
    let template = parsed(inspect::template(clients, &deployed.id).await?);
    let contents = Contents::of(deployed, &template, resources, &BTreeSet::new());
    let kept = contents.resources.iter().filter(|it| it.stays_alone());
    Ok(kept
        .map(|kept| Retained::new(context, &kept.deployed))
        .collect())
}
