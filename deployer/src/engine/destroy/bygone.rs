//! What is left of stacks that were gone before anybody looked, and that no run of this machine remembers: one on another machine
//! removed them, and was killed before it had done the rest. CloudFormation tells for 90 days what a deleted stack was
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStacks.html>).
//!
//! What carries tags is found by them. Log groups that services made by themselves carry none. They are named and not removed:
//! since then, somebody may have made something of the same name that writes to them.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudformation::types::{StackStatus, StackSummary};
use aws_smithy_types::DateTime;

use super::{
    Retained,
    contents::Contents,
    survivors::{Evidence, Survivor},
    traces,
};
use crate::{
    aws::{AwsError, OrAws},
    engine::{
        Context,
        inspect::{self, DeployedResource},
        recover::STAGE_TAG,
    },
};

/// Returns the log groups that the newest deleted stacks of these names have left in the region, where the stage had them and no
/// other app did.
pub(super) async fn log_groups(
    context: &Context,
    stage: &str,
    stacks: &BTreeSet<&str>,
) -> Result<Vec<Survivor>, AwsError> {
    let clients = &context.clients;
    let mut found = Vec::new();
    for (stack, (deleted, id)) in newest(context, stacks).await? {
        let Some(deployed) = inspect::describe(clients, &id).await? else {
            continue;
        };
        let is_ours = deployed.tags.get(STAGE_TAG).is_some_and(|of| of == stage)
            && context.ownership.other(&deployed).is_none();
        if !is_ours {
            continue;
        }
        let (contents, _) = Contents::read(context, &deployed, &BTreeSet::new()).await?;
        for group in traces::groups(clients, &stack, &contents).await? {
            // What was made after the stack had gone is somebody else's.
            let is_older =
                (group.creation_time).is_none_or(|made| DateTime::from_millis(made) <= deleted);
            if is_older {
                let arn = traces::arn(&group)?.to_owned();
                let group = DeployedResource {
                    logical_id: String::new(),
                    resource_type: "AWS::Logs::LogGroup".to_owned(),
                    physical_id: group.log_group_name.unwrap_or_default(),
                };
                found.push(Survivor {
                    stack: stack.clone(),
                    arn,
                    evidence: Evidence::Name(Retained::new(context, &group).remove),
                });
            }
        }
    }
    Ok(found)
}

/// Returns when the newest deleted stack of each name went, and its ARN.
async fn newest(
    context: &Context,
    stacks: &BTreeSet<&str>,
) -> Result<BTreeMap<String, (DateTime, String)>, AwsError> {
    let clients = &context.clients;
    let mut newest: BTreeMap<String, (DateTime, String)> = BTreeMap::new();
    let mut next = None;
    loop {
        let page = clients
            .cloudformation
            .list_stacks()
            .stack_status_filter(StackStatus::DeleteComplete)
            .set_next_token(next)
            .send()
            .await
            .or_aws(clients, "ListStacks")?;
        for summary in page.stack_summaries.unwrap_or_default() {
            let StackSummary {
                stack_name: Some(name),
                stack_id: Some(id),
                deletion_time: Some(deleted),
                ..
            } = summary
            else {
                continue;
            };
            let is_newer = |known: &(DateTime, String)| known.0 < deleted;
            if stacks.contains(name.as_str()) && newest.get(&name).is_none_or(is_newer) {
                newest.insert(name, (deleted, id));
            }
        }
        next = page.next_token;
        if next.is_none() {
            return Ok(newest);
        }
    }
}
