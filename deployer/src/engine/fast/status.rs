//! Which stacks were given something past CloudFormation.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Record, Records};
use crate::{
    aws::AwsError,
    engine::{Context, Origin, StackTarget, StatusReport, bootstrap},
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

/// Adds to a report what its stacks were given past CloudFormation, or why nobody knows. `stacks` are those that the report
/// is about, in its order.
pub async fn given_fast(context: &Context, stacks: &[StackTarget], report: &mut StatusReport) {
    let deployed = stacks.iter().zip(&report.stacks);
    let deployed = deployed.filter_map(|(target, stack)| Some((target.clone(), stack.id.clone()?)));
    let (given, unknown) = fast_of(context, deployed.collect()).await;
    for given in given {
        let mut stacks = report.stacks.iter_mut();
        if let Some(stack) = stacks.find(|it| it.stack == given.stack) {
            stack.fast = given.resources;
            stack.fast_last = given.last;
        }
    }
    report.unknown = unknown;
}

/// Returns what deployed stacks, each with its ARN, were given past CloudFormation, and why nobody knows that of some.
pub async fn fast_of(
    context: &Context,
    stacks: Vec<(StackTarget, String)>,
) -> (Vec<GivenFast>, Vec<String>) {
    let mut regions: BTreeMap<Option<String>, Vec<(String, String)>> = BTreeMap::new();
    for (target, id) in stacks {
        regions
            .entry(target.region)
            .or_default()
            .push((target.name, id));
    }
    let (mut given, mut unknown) = (Vec::new(), Vec::new());
    for (region, stacks) in regions {
        let own = context.in_region(region.as_deref());
        match of_region(&own, stacks).await {
            Ok(found) => given.extend(found),
            Err(error) => unknown.push(format!(
                "nobody knows what was changed with `deploy --fast` in {}: {error}",
                own.clients.region()
            )),
        }
    }
    (given, unknown)
}

/// Reads what the artifact bucket of a region says of stacks; where there is none, nothing was given.
async fn of_region(
    context: &Context,
    stacks: Vec<(String, String)>,
) -> Result<Vec<GivenFast>, AwsError> {
    let mut given = Vec::new();
    let Some(bucket) = bootstrap::existing(context).await? else {
        return Ok(given);
    };
    let records = Records::list(context, &bucket).await?;
    for (stack, id) in stacks.into_iter().filter(|(stack, _)| records.has(stack)) {
        let record = Record::read(&context.clients, &bucket, &stack, &id).await?;
        if !record.is_empty() {
            given.push(GivenFast {
                stack,
                resources: record.given().cloned().collect(),
                last: record.last.clone(),
                until: None,
            });
        }
    }
    Ok(given)
}
