//! Stack sets: one template in many accounts and regions of an organisation, deployed by CloudFormation itself.
//!
//! A stack of an app becomes a stack set of the same name in the account and region of its stage, the administrator's;
//! the stacks that CloudFormation makes of it in other accounts are its instances
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-concepts.html>).

mod call;
mod describe;
mod error;
mod fit;
mod operation;
mod orphans;
mod remove;
mod settings;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudformation::types::AutoDeployment;
use serde::Serialize;
use serde_json::Value;
use stack_model::assembly::StackManifest;

pub use self::describe::{InstanceStatus, StackSetStatus, stack_set_status};
pub use self::error::StackSetError;
pub use self::fit::misfits;
pub use self::operation::{InstanceResult, StackSetOperation};
pub use self::orphans::{OrphanSet, orphan_sets};
pub use self::remove::{RemovalPlan, removal_plan, remove_stack_set};
pub use self::settings::{StackSetSettings, Targets};

use self::call::{add, create, update};
use self::describe::{Found, find};
use self::operation::{check_cancelled, follow, join};
use super::{
    Context, Outcome,
    plan::{Registry, Side, StackPlan, compare, defaults},
    recover::STAGE_TAG,
};

/// A stack that is to be a stack set.
#[derive(Clone, Debug)]
pub struct StackSetRequest {
    /// The stage.
    pub stage: String,
    /// What the assembly says of the stack.
    pub manifest: StackManifest,
    /// The template.
    pub template: String,
    /// Where its instances are.
    pub settings: StackSetSettings,
}

/// What a deploy of a stack set would do.
#[derive(Clone, Debug)]
pub struct StackSetPlan {
    /// What changes in the stack of every instance.
    pub changes: StackPlan,
    /// Whether the stack set is made.
    pub create: bool,
    /// Whether the stack set and all its instances are updated.
    pub update: bool,
    /// The instances that an earlier operation left behind the stack set; the update takes them along.
    pub outdated: usize,
    /// The accounts or units that get instances, by region.
    pub add: BTreeMap<String, BTreeSet<String>>,
    /// The instances that are no targets any more, as `ACCOUNT/REGION`; they stay, and are updated with the others.
    pub untargeted: Vec<String>,
}

impl StackSetPlan {
    /// Returns whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        !self.create && !self.update && self.add.is_empty()
    }
}

/// What a deploy or a removal did to a stack set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StackSetReport {
    /// The stack set.
    pub stack_set: String,
    /// How it ended up.
    pub outcome: Outcome,
    /// What CloudFormation did in the accounts, in this order.
    pub operations: Vec<StackSetOperation>,
}

/// Compares a stack set with what is there.
///
/// An operation that is running, be it ours or another's, is waited for first.
pub async fn stack_set_plan(
    context: &Context,
    request: &StackSetRequest,
) -> Result<StackSetPlan, StackSetError> {
    let settings = &request.settings;
    let name = &request.manifest.name;
    let wanted: Value = serde_json::from_str(&request.template).unwrap_or_default();
    let wanted_side = Side {
        template: Some(&wanted),
        parameters: {
            let mut parameters = defaults(&wanted);
            parameters.extend(request.manifest.parameters.clone());
            parameters
        },
        tags: request.manifest.tags.clone(),
    };
    let sources = &request.manifest.resources;
    let mut found = find(context, name, settings).await?;
    if found.is_some() && join(context, name, settings).await? {
        found = find(context, name, settings).await?;
    }
    let Some(found) = found else {
        return Ok(StackSetPlan {
            changes: compare(name, &Side::default(), &wanted_side, sources, &Registry),
            create: true,
            update: false,
            outdated: 0,
            add: missing(settings, &[]),
            untargeted: Vec::new(),
        });
    };
    check_owner(context, name, &found)?;
    if found.model.as_ref() != Some(&settings.permission_model()) {
        return Err(StackSetError::OtherModel {
            stack_set: name.clone(),
            actual: found
                .model
                .map_or_else(String::new, |model| model.as_str().to_owned()),
        });
    }
    let inoperable: Vec<String> = found
        .instances
        .iter()
        .filter(|instance| instance.status == "INOPERABLE")
        .map(InstanceStatus::place)
        .collect();
    if !inoperable.is_empty() {
        return Err(StackSetError::Inoperable {
            stack_set: name.clone(),
            instances: inoperable,
        });
    }
    let outdated = found
        .instances
        .iter()
        .filter(|instance| instance.status == "OUTDATED");
    let outdated = outdated.count();
    let deployed_side = Side {
        template: Some(&found.template),
        parameters: {
            let mut parameters = defaults(&found.template);
            parameters.extend(found.parameters.clone());
            parameters
        },
        tags: own(&found.tags),
    };
    Ok(StackSetPlan {
        changes: compare(name, &deployed_side, &wanted_side, sources, &Registry),
        create: false,
        update: outdated > 0 || differs(&found, request, &wanted),
        outdated,
        add: missing(settings, &found.instances),
        untargeted: untargeted(settings, &found.instances),
    })
}

/// Refuses a stack set that somebody else made, or another app.
fn check_owner(context: &Context, name: &str, found: &Found) -> Result<(), StackSetError> {
    if !found.tags.contains_key(STAGE_TAG) {
        return Err(StackSetError::NotOurs(name.to_owned()));
    }
    match context.ownership.of_tags(name, &found.tags) {
        Some(app) => Err(StackSetError::OtherApp {
            stack_set: name.to_owned(),
            app: app.to_owned(),
        }),
        None => Ok(()),
    }
}

/// Returns the tags that the stacks give.
fn own(tags: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut tags = tags.clone();
    tags.retain(|key, _| key != STAGE_TAG);
    tags
}

/// Returns whether the stack set is not what it should be, whatever its instances are.
fn differs(found: &Found, request: &StackSetRequest, wanted: &Value) -> bool {
    let manifest = &request.manifest;
    let capabilities: BTreeSet<String> = manifest.capabilities.iter().cloned().collect();
    let auto = |auto: Option<&AutoDeployment>| {
        let enabled = auto.and_then(AutoDeployment::enabled).unwrap_or(false);
        let retained = auto.and_then(AutoDeployment::retain_stacks_on_account_removal);
        (enabled, enabled && retained.unwrap_or(false))
    };
    let wanted_auto = request.settings.auto_deployment();
    let roles = request.settings.roles();
    found.template != *wanted
        || found.parameters != manifest.parameters
        || found.capabilities != capabilities
        || own(&found.tags) != manifest.tags
        || auto(found.auto_deployment.as_ref()) != auto(wanted_auto.as_ref())
        // One that is not named stays as it is.
        || roles.0.is_some_and(|role| found.administration_role.as_ref() != Some(&role))
        || roles.1.is_some_and(|role| found.execution_role.as_ref() != Some(&role))
}

/// Returns the accounts or units that have no instance in a region, by region.
fn missing(
    settings: &StackSetSettings,
    instances: &[InstanceStatus],
) -> BTreeMap<String, BTreeSet<String>> {
    let mut missing: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for region in &settings.regions {
        for name in settings.names() {
            let there = instances.iter().any(|instance| {
                instance.region == *region && instance.is_in(&settings.targets, name)
            });
            if !there {
                missing
                    .entry(region.clone())
                    .or_default()
                    .insert(name.clone());
            }
        }
    }
    missing
}

/// Returns the instances that no target asks for.
fn untargeted(settings: &StackSetSettings, instances: &[InstanceStatus]) -> Vec<String> {
    let strays = instances.iter().filter(|it| !is_wanted(settings, it));
    strays.map(InstanceStatus::place).collect()
}

/// Returns whether a target asks for an instance.
fn is_wanted(settings: &StackSetSettings, instance: &InstanceStatus) -> bool {
    let mut names = settings.names().iter();
    settings.regions.contains(&instance.region)
        && names.any(|name| instance.is_in(&settings.targets, name))
}

/// Does what the plan says: makes the stack set or updates it with all its instances, then adds the instances that are
/// missing, region by region where they are not missing in the same accounts.
///
/// CloudFormation goes on where this is stopped, and the next run waits for it.
pub async fn deploy_stack_set(
    context: &Context,
    request: &StackSetRequest,
    plan: &StackSetPlan,
) -> Result<StackSetReport, StackSetError> {
    let name = &request.manifest.name;
    let settings = &request.settings;
    let mut report = StackSetReport {
        stack_set: name.clone(),
        outcome: if plan.create {
            Outcome::Created
        } else if plan.is_empty() {
            Outcome::Unchanged
        } else {
            Outcome::Updated
        },
        operations: Vec::new(),
    };
    if plan.create {
        check_cancelled(context, name)?;
        create(context, request).await?;
    } else if plan.update {
        check_cancelled(context, name)?;
        let running = update(context, request, plan).await?;
        report
            .operations
            .push(follow(context, settings, running).await?);
    }
    // One operation for all regions in which the same is missing.
    let mut groups: BTreeMap<&BTreeSet<String>, BTreeSet<&str>> = BTreeMap::new();
    for (region, names) in &plan.add {
        groups.entry(names).or_default().insert(region);
    }
    for (names, regions) in groups {
        check_cancelled(context, name)?;
        let running = add(context, request, names, &regions).await?;
        report
            .operations
            .push(follow(context, settings, running).await?);
    }
    Ok(report)
}
