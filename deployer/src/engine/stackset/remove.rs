//! Removes instances of a stack set, and the stack set when none is left.

use std::collections::BTreeSet;

use aws_sdk_cloudformation::types::{AccountFilterType, DeploymentTargets};

use super::describe::{InstanceStatus, find};
use super::operation::{Running, check_cancelled, follow, join};
use super::{StackSetError, StackSetReport, StackSetSettings, Targets, check_owner, is_wanted};
use crate::aws::OrAws;
use crate::engine::{Context, Outcome, stack::token};

/// What a removal would do.
#[derive(Clone, Debug)]
pub struct RemovalPlan {
    /// The instances that go.
    pub instances: Vec<InstanceStatus>,
    /// Whether the stack set goes too.
    pub whole: bool,
    /// Whether there is a stack set at all.
    pub exists: bool,
}

/// Looks at what a removal would take: everything, or what is no target any more.
pub async fn removal_plan(
    context: &Context,
    name: &str,
    settings: &StackSetSettings,
    untargeted_only: bool,
) -> Result<RemovalPlan, StackSetError> {
    let mut found = find(context, name, settings).await?;
    if found.is_some() && join(context, name, settings).await? {
        found = find(context, name, settings).await?;
    }
    let Some(found) = found else {
        return Ok(RemovalPlan {
            instances: Vec::new(),
            whole: false,
            exists: false,
        });
    };
    check_owner(context, name, &found)?;
    let mut instances = found.instances;
    if untargeted_only {
        // An account that is below a target and below a unit that is none any more stays.
        let wanted: BTreeSet<String> = instances
            .iter()
            .filter(|instance| is_wanted(settings, instance))
            .map(InstanceStatus::place)
            .collect();
        instances.retain(|instance| !wanted.contains(&instance.place()));
    }
    Ok(RemovalPlan {
        instances,
        whole: !untargeted_only,
        exists: true,
    })
}

/// Does what the plan says. With `retain`, the stacks stay where they are and belong to no stack set any more.
pub async fn remove_stack_set(
    context: &Context,
    name: &str,
    settings: &StackSetSettings,
    plan: &RemovalPlan,
    retain: bool,
) -> Result<StackSetReport, StackSetError> {
    let mut report = StackSetReport {
        stack_set: name.to_owned(),
        outcome: match (plan.exists, plan.whole, plan.instances.is_empty()) {
            (false, ..) => Outcome::Absent,
            (true, true, _) => Outcome::Deleted,
            (true, false, true) => Outcome::Unchanged,
            (true, false, false) => Outcome::Updated,
        },
        operations: Vec::new(),
    };
    for (targets, regions) in groups(settings, &plan.instances) {
        check_cancelled(context, name)?;
        let running = delete(context, name, settings, &targets, &regions, retain).await?;
        report
            .operations
            .push(follow(context, settings, running).await?);
    }
    if plan.whole {
        check_cancelled(context, name)?;
        context
            .clients
            .cloudformation
            .delete_stack_set()
            .stack_set_name(name)
            .call_as(settings.call_as())
            .send()
            .await
            .or_aws(&context.clients, "DeleteStackSet")?;
    }
    Ok(report)
}

/// Which accounts, and the units that they belong to where those were the targets.
type Where = (BTreeSet<String>, BTreeSet<String>);

/// Puts instances together that one operation removes: regions in which the same accounts have some.
fn groups(
    settings: &StackSetSettings,
    instances: &[InstanceStatus],
) -> Vec<(Where, BTreeSet<String>)> {
    let regions: BTreeSet<&String> = instances.iter().map(|instance| &instance.region).collect();
    let mut groups: Vec<(Where, BTreeSet<String>)> = Vec::new();
    for region in regions {
        let there = || {
            instances
                .iter()
                .filter(|instance| instance.region == *region)
        };
        let accounts: BTreeSet<String> = there().map(|instance| instance.account.clone()).collect();
        let units: BTreeSet<String> = match settings.targets {
            Targets::Accounts { .. } => BTreeSet::new(),
            Targets::Units { .. } => there()
                .filter_map(|instance| instance.unit.clone())
                .collect(),
        };
        let targets = (accounts, units);
        match groups.iter_mut().find(|(other, _)| *other == targets) {
            Some((_, regions)) => {
                regions.insert(region.clone());
            }
            None => groups.push((targets, BTreeSet::from([region.clone()]))),
        }
    }
    groups
}

/// Begins to delete instances
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStackInstances.html>).
async fn delete(
    context: &Context,
    name: &str,
    settings: &StackSetSettings,
    (accounts, units): &Where,
    regions: &BTreeSet<String>,
    retain: bool,
) -> Result<Running, StackSetError> {
    let list = |names: &BTreeSet<String>| Some(names.iter().cloned().collect::<Vec<_>>());
    let borrowed = regions.iter().map(String::as_str).collect();
    let mut texts = vec!["remove", name];
    texts.extend(regions.iter().map(String::as_str));
    let call = context
        .clients
        .cloudformation
        .delete_stack_instances()
        .stack_set_name(name)
        .set_regions(list(regions))
        .retain_stacks(retain)
        .operation_preferences(settings.preferences(&borrowed))
        .operation_id(token(context, &texts, &[]))
        .call_as(settings.call_as());
    let call = match settings.targets {
        Targets::Accounts { .. } => call.set_accounts(list(accounts)),
        // A unit alone means all accounts below it, also those of units that stay targets, and those that joined since the
        // instances were listed.
        Targets::Units { .. } => call.deployment_targets(
            DeploymentTargets::builder()
                .set_organizational_unit_ids(list(units))
                .set_accounts(list(accounts))
                .account_filter_type(AccountFilterType::Intersection)
                .build(),
        ),
    };
    let answer = call
        .send()
        .await
        .or_aws(&context.clients, "DeleteStackInstances")?;
    Running::of(name, answer.operation_id, "DeleteStackInstances")
}
