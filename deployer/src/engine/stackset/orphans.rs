//! Stack sets that the source does not have any more.

use std::collections::BTreeSet;

use aws_sdk_cloudformation::types::StackSetStatus as Status;
use serde::Serialize;

use super::StackSetSettings;
use super::describe::describe;
use crate::aws::{AwsError, OrAws};
use crate::engine::{
    Context, graph, hint,
    inspect::present,
    recover::{APP_TAG, STAGE_TAG},
};

/// A stack set of a stage that the source does not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrphanSet {
    /// The stack set.
    pub stack_set: String,
    /// The command that removes it with its instances.
    pub next: String,
    /// Whether its tags name this app: without a name, nobody knows whose it is.
    #[serde(skip)]
    pub is_owned: bool,
}

/// Finds the stack sets of a stage that the source does not have and that belong to no other app. Only the description of a
/// stack set has its tags, so each whose name ends with the stage is asked for.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackSets.html>.
pub async fn orphan_sets(
    context: &Context,
    stage: &str,
    known: &BTreeSet<String>,
    settings: &StackSetSettings,
) -> Result<Vec<OrphanSet>, AwsError> {
    let end = format!("-{stage}");
    let names = names(context, settings).await?;
    let names = names
        .iter()
        .filter(|name| name.ends_with(&end) && !known.contains(*name));
    let looks = names.map(|name| async move { (name, describe(context, name, settings).await) });
    let mut found = Vec::new();
    for (name, described) in graph::abreast(context.concurrency, looks.collect()).await {
        // One that goes meanwhile is none.
        let Some(set) = described? else {
            continue;
        };
        let tags = set.tags.unwrap_or_default();
        let value = |key: &str| {
            let mut tags = tags.iter();
            tags.find(|tag| tag.key() == Some(key))?.value()
        };
        let app = value(APP_TAG);
        if value(STAGE_TAG) == Some(stage)
            && (app.is_none() || app == context.ownership.app.as_deref())
        {
            found.push(OrphanSet {
                stack_set: name.clone(),
                next: hint::command(context, &format!("stackctl stackset destroy {name}")),
                is_owned: app.is_some(),
            });
        }
    }
    Ok(found)
}

/// Lists the names of all stack sets that are there.
async fn names(
    context: &Context,
    settings: &StackSetSettings,
) -> Result<BTreeSet<String>, AwsError> {
    let mut names = BTreeSet::new();
    let mut next = None;
    loop {
        let page = context
            .clients
            .cloudformation
            .list_stack_sets()
            .status(Status::Active)
            .call_as(settings.call_as())
            .set_next_token(next)
            .send()
            .await
            .or_aws(&context.clients, "ListStackSets")?;
        let summaries = page.summaries.unwrap_or_default().into_iter();
        names.extend(summaries.filter_map(|summary| summary.stack_set_name));
        next = present(page.next_token);
        if next.is_none() {
            return Ok(names);
        }
    }
}
