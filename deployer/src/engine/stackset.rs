//! Stack sets: one template in many accounts and regions of an organisation, deployed by CloudFormation itself.
//!
//! A stack of an app becomes a stack set of the same name in the account and region of its stage, the administrator's;
//! the stacks that CloudFormation makes of it in other accounts are its instances
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-concepts.html>).

mod describe;
mod error;
mod fit;
mod operation;
mod remove;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudformation::types::{
    AutoDeployment, CallAs, Capability, ConcurrencyMode, DeploymentTargets, ManagedExecution,
    Parameter, PermissionModels, RegionConcurrencyType, StackSetOperationPreferences, Tag,
};
use serde::Serialize;
use serde_json::Value;
use stack_model::assembly::StackManifest;

pub use self::describe::{InstanceStatus, StackSetStatus, stack_set_status};
pub use self::error::StackSetError;
pub use self::fit::misfits;
pub use self::operation::{InstanceResult, StackSetOperation};
pub use self::remove::{RemovalPlan, removal_plan, remove_stack_set};

use self::describe::{Found, find};
use self::operation::{Running, follow, join};
use super::{
    Context, Outcome,
    plan::{Registry, Side, StackPlan, compare, defaults},
    recover::STAGE_TAG,
    stack::token,
};
use crate::aws::OrAws;

/// Where the instances of stack sets are, and how CloudFormation goes about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackSetSettings {
    /// The accounts.
    pub targets: Targets,
    /// The regions, in the order in which they are worked on.
    pub regions: Vec<String>,
    /// In how many accounts of a region CloudFormation works at once.
    pub concurrency: u16,
    /// In how many accounts of a region it may fail before it stops.
    pub failures: u16,
    /// Whether it works in all regions at once.
    pub parallel_regions: bool,
    /// Whether the caller is a delegated administrator of the organisation, not its management account.
    pub delegated: bool,
}

/// Which accounts get the stacks, and with whose permissions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Targets {
    /// These, which have an execution role that the administrator may assume: self-managed permissions.
    Accounts {
        /// The accounts.
        accounts: Vec<String>,
        /// The role of the administrator, where it is not `AWSCloudFormationStackSetAdministrationRole`.
        administration_role: Option<String>,
        /// The role in the accounts, where it is not `AWSCloudFormationStackSetExecutionRole`.
        execution_role: Option<String>,
    },
    /// Those of organizational units: service-managed permissions.
    Units {
        /// The units, or the root of the organisation.
        units: Vec<String>,
        /// Whether accounts that join later get their stacks by themselves.
        auto_deploy: bool,
        /// Whether the stacks of accounts that leave stay there, outside of the stack set.
        retain: bool,
    },
}

impl StackSetSettings {
    fn call_as(&self) -> CallAs {
        if self.delegated {
            CallAs::DelegatedAdmin
        } else {
            CallAs::SelfValue
        }
    }

    fn permission_model(&self) -> PermissionModels {
        match self.targets {
            Targets::Accounts { .. } => PermissionModels::SelfManaged,
            Targets::Units { .. } => PermissionModels::ServiceManaged,
        }
    }

    fn auto_deployment(&self) -> Option<AutoDeployment> {
        match self.targets {
            Targets::Accounts { .. } => None,
            Targets::Units {
                auto_deploy,
                retain,
                ..
            } => {
                let builder = AutoDeployment::builder().enabled(auto_deploy);
                // It must be said where accounts come and go, and must not be where they do not.
                let builder = if auto_deploy {
                    builder.retain_stacks_on_account_removal(retain)
                } else {
                    builder
                };
                Some(builder.build())
            }
        }
    }

    fn roles(&self) -> (Option<String>, Option<String>) {
        match &self.targets {
            Targets::Accounts {
                administration_role,
                execution_role,
                ..
            } => (administration_role.clone(), execution_role.clone()),
            Targets::Units { .. } => (None, None),
        }
    }

    /// Returns the names of the accounts or units.
    fn names(&self) -> &[String] {
        match &self.targets {
            Targets::Accounts { accounts, .. } => accounts,
            Targets::Units { units, .. } => units,
        }
    }

    /// Says how CloudFormation goes from one region to the next, as far as those regions go
    /// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackSetOperationPreferences.html>).
    fn preferences(&self, regions: &BTreeSet<&str>) -> StackSetOperationPreferences {
        let is_worked_on = |region: &&String| regions.contains(region.as_str());
        let mut order: Vec<String> = self.regions.iter().filter(is_worked_on).cloned().collect();
        // Regions that are no targets any more come last.
        for region in regions {
            if !order.iter().any(|it| it == region) {
                order.push((*region).to_owned());
            }
        }
        let concurrency = if self.parallel_regions {
            RegionConcurrencyType::Parallel
        } else {
            RegionConcurrencyType::Sequential
        };
        // In the strict mode no more accounts are worked on at once than may fail, and one.
        let mode = if self.concurrency > self.failures.saturating_add(1) {
            ConcurrencyMode::SoftFailureTolerance
        } else {
            ConcurrencyMode::StrictFailureTolerance
        };
        StackSetOperationPreferences::builder()
            .region_concurrency_type(concurrency)
            .set_region_order((!order.is_empty()).then_some(order))
            .failure_tolerance_count(i32::from(self.failures))
            .max_concurrent_count(i32::from(self.concurrency))
            .concurrency_mode(mode)
            .build()
    }
}

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
    if !found.tags.contains_key(STAGE_TAG) {
        return Err(StackSetError::NotOurs(name.clone()));
    }
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
        create(context, request).await?;
    } else if plan.update {
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
        let running = add(context, request, names, &regions).await?;
        report
            .operations
            .push(follow(context, settings, running).await?);
    }
    Ok(report)
}

fn tags(request: &StackSetRequest) -> Vec<Tag> {
    let mut tags = request.manifest.tags.clone();
    tags.insert(STAGE_TAG.to_owned(), request.stage.clone());
    let tags = tags.into_iter();
    tags.map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect()
}

fn parameters(request: &StackSetRequest) -> Vec<Parameter> {
    let parameters = request.manifest.parameters.iter();
    parameters
        .map(|(key, value)| {
            Parameter::builder()
                .parameter_key(key)
                .parameter_value(value)
                .build()
        })
        .collect()
}

fn capabilities(request: &StackSetRequest) -> Vec<Capability> {
    let capabilities = request.manifest.capabilities.iter();
    capabilities
        .map(|capability| Capability::from(capability.as_str()))
        .collect()
}

/// Lets CloudFormation queue operations that stand in each other's way, instead of refusing the second.
fn managed() -> ManagedExecution {
    ManagedExecution::builder().active(true).build()
}

/// Makes the stack set, which has no instances yet
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStackSet.html>).
async fn create(context: &Context, request: &StackSetRequest) -> Result<(), StackSetError> {
    let settings = &request.settings;
    let name = &request.manifest.name;
    let (administration, execution) = settings.roles();
    context
        .clients
        .cloudformation
        .create_stack_set()
        .stack_set_name(name)
        .template_body(&request.template)
        .set_parameters(Some(parameters(request)))
        .set_capabilities(Some(capabilities(request)))
        .set_tags(Some(tags(request)))
        .permission_model(settings.permission_model())
        .set_auto_deployment(settings.auto_deployment())
        .set_administration_role_arn(administration)
        .set_execution_role_name(execution)
        .managed_execution(managed())
        .call_as(settings.call_as())
        .client_request_token(token(context, &["create", name], &[]))
        .send()
        .await
        .or_aws(&context.clients, "CreateStackSet")?;
    Ok(())
}

/// Begins to update the stack set and all its instances
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateStackSet.html>).
async fn update(
    context: &Context,
    request: &StackSetRequest,
    plan: &StackSetPlan,
) -> Result<Running, StackSetError> {
    let settings = &request.settings;
    let name = &request.manifest.name;
    let (administration, execution) = settings.roles();
    let targeted = settings.regions.iter().map(String::as_str);
    let places = plan.untargeted.iter();
    let others = places.filter_map(|place| Some(place.split_once('/')?.1));
    let regions = targeted.chain(others).collect();
    let answer = context
        .clients
        .cloudformation
        .update_stack_set()
        .stack_set_name(name)
        .template_body(&request.template)
        .set_parameters(Some(parameters(request)))
        .set_capabilities(Some(capabilities(request)))
        .set_tags(Some(tags(request)))
        .permission_model(settings.permission_model())
        .set_auto_deployment(settings.auto_deployment())
        .set_administration_role_arn(administration)
        .set_execution_role_name(execution)
        .managed_execution(managed())
        .operation_preferences(settings.preferences(&regions))
        .operation_id(token(context, &["update", name], &[]))
        .call_as(settings.call_as())
        .send()
        .await
        .or_aws(&context.clients, "UpdateStackSet")?;
    Running::of(name, answer.operation_id, "UpdateStackSet")
}

/// Begins to add instances
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStackInstances.html>).
async fn add(
    context: &Context,
    request: &StackSetRequest,
    names: &BTreeSet<String>,
    regions: &BTreeSet<&str>,
) -> Result<Running, StackSetError> {
    let settings = &request.settings;
    let name = &request.manifest.name;
    let names: Vec<String> = names.iter().cloned().collect();
    let texts: Vec<&str> = ["add", name.as_str()]
        .into_iter()
        .chain(regions.iter().copied())
        .collect();
    let call = context
        .clients
        .cloudformation
        .create_stack_instances()
        .stack_set_name(name)
        .set_regions(Some(regions.iter().map(ToString::to_string).collect()))
        .operation_preferences(settings.preferences(regions))
        .operation_id(token(context, &texts, &[]))
        .call_as(settings.call_as());
    let call = match settings.targets {
        Targets::Accounts { .. } => call.set_accounts(Some(names)),
        Targets::Units { .. } => call.deployment_targets(
            DeploymentTargets::builder()
                .set_organizational_unit_ids(Some(names))
                .build(),
        ),
    };
    let answer = call
        .send()
        .await
        .or_aws(&context.clients, "CreateStackInstances")?;
    Running::of(name, answer.operation_id, "CreateStackInstances")
}
