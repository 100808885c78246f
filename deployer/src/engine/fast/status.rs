//! Which stacks were given something past CloudFormation.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Record, Records};
use crate::{
    aws::AwsError,
    engine::{Context, Origin, StackTarget, StatusReport, bootstrap, hint, release::unproven},
};

/// What a stack was given past CloudFormation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenFast {
    /// The stack.
    pub stack: String,
    /// The functions that were given code, and the state machines that were given definitions.
    pub resources: Vec<String>,
    /// By whom it was given last, and when, where that was written down.
    #[serde(flatten)]
    pub last: Option<FastOrigin>,
    /// When a full deploy took it over, in RFC 3339; none, where that is still to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// Who gave a stack something past CloudFormation, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FastOrigin {
    /// When, in RFC 3339.
    pub at: String,
    /// Who, with what.
    #[serde(flatten)]
    pub origin: Origin,
}

/// Adds to a report what its stacks were given past CloudFormation, and which of them nobody has proven since they were
/// changed, or why nobody knows. `stacks` are those that the report is about, in its order.
pub async fn given_fast(context: &Context, stacks: &[StackTarget], report: &mut StatusReport) {
    let deployed = stacks.iter().zip(&report.stacks);
    let deployed = deployed.filter_map(|(target, stack)| Some((target.clone(), stack.id.clone()?)));
    let mut found = look(context, deployed.collect()).await;
    for given in found.given {
        if let Some(stack) = report.stacks.iter_mut().find(|it| it.stack == given.stack) {
            stack.fast = given.resources;
            stack.fast_last = given.last;
        }
    }
    for (region, bucket, name) in found.unproven {
        let own = context.in_region(region.as_deref());
        let stack = report.stacks.iter_mut().find(|it| it.stack == name);
        // What is being changed is looked at by whoever changes it.
        let Some(stack) = stack.filter(|it| it.settled) else {
            continue;
        };
        let id = stack.id.as_deref().unwrap_or_default();
        let now = (&*name, id, stack.state.as_deref());
        match unproven::is_unproven(&own.clients, &bucket, now).await {
            Ok(false) => {}
            Ok(true) => {
                stack.unproven = true;
                let command = format!("stackctl deploy {name}");
                stack
                    .next
                    .get_or_insert_with(|| hint::command(context, &command));
            }
            Err(error) => found.unknown.push(format!(
                "nobody knows whether anybody looked at {name} since it was changed: {error}"
            )),
        }
    }
    report.unknown = found.unknown;
}

/// What the artifact buckets say.
#[derive(Debug, Default)]
struct Found {
    given: Vec<GivenFast>,
    /// The stacks that may be unproven: region, bucket, name.
    unproven: Vec<(Option<String>, String, String)>,
    unknown: Vec<String>,
}

/// Returns what deployed stacks, each with its ARN, were given past CloudFormation, and why nobody knows that of some.
pub async fn fast_of(
    context: &Context,
    stacks: Vec<(StackTarget, String)>,
) -> (Vec<GivenFast>, Vec<String>) {
    let found = look(context, stacks).await;
    (found.given, found.unknown)
}

async fn look(context: &Context, stacks: Vec<(StackTarget, String)>) -> Found {
    let mut regions: BTreeMap<Option<String>, Vec<(String, String)>> = BTreeMap::new();
    for (target, id) in stacks {
        regions
            .entry(target.region)
            .or_default()
            .push((target.name, id));
    }
    let mut found = Found::default();
    for (region, stacks) in regions {
        let own = context.in_region(region.as_deref());
        if let Err(error) = of_region(&own, region, stacks, &mut found).await {
            found.unknown.push(format!(
                "nobody knows what was changed with `deploy --fast` in {}, and what nobody has looked at since it was changed: {error}",
                own.clients.region()
            ));
        }
    }
    found
}

/// Reads what the artifact bucket of a region says of stacks; where there is none, it says nothing.
async fn of_region(
    context: &Context,
    region: Option<String>,
    stacks: Vec<(String, String)>,
    found: &mut Found,
) -> Result<(), AwsError> {
    let Some(bucket) = bootstrap::existing(context).await? else {
        return Ok(());
    };
    let records = Records::list(context, &bucket).await?;
    for (stack, id) in stacks {
        if records.is_unproven(&stack) {
            found
                .unproven
                .push((region.clone(), bucket.clone(), stack.clone()));
        }
        if !records.has(&stack) {
            continue;
        }
        let record = Record::read(&context.clients, &bucket, &stack, &id).await?;
        if !record.is_empty() {
            found.given.push(GivenFast {
                stack,
                resources: record.given().cloned().collect(),
                last: record.last.clone(),
                until: None,
            });
        }
    }
    Ok(())
}
