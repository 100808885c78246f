//! What the failed creation of a stack keeps.

use std::collections::BTreeSet;

use super::{contents::Contents, parsed};
use crate::{
    aws::AwsError,
    engine::{Context, DeployedStack, inspect, stack::Foreseen},
};

/// Returns what stays in the account when a stack is deleted whose creation failed, where anything does.
///
/// Its rollback deleted what was made but for what the template retains: `Retain` holds for the rollback of a creation,
/// and `RetainExceptOnCreate` does not
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html>).
pub(in crate::engine) async fn kept(
    context: &Context,
    deployed: &DeployedStack,
) -> Result<Option<Foreseen>, AwsError> {
    let clients = &context.clients;
    let resources = inspect::resources(clients, &deployed.id).await?;
    if resources.is_empty() {
        return Ok(None);
    }
    let template = parsed(inspect::template(clients, &deployed.id).await?);
    let contents = Contents::of(deployed, &template, resources.clone(), &BTreeSet::new());
    let kept = contents.resources.iter().filter(|it| it.stays_alone());
    let kept: Vec<_> = kept.map(|it| it.deployed.clone()).collect();
    let parted =
        (!kept.is_empty()).then(|| Foreseen::of(context, deployed, template, resources, kept));
    Ok(parted)
}
