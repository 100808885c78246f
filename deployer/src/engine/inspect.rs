//! What is deployed: statuses, outputs, templates, functions.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime},
};

use aws_sdk_cloudformation::types::Stack;
use serde::{Deserialize, Serialize};
use stack_model::assembly::StackManifest;

use super::{
    Context, FastOrigin, LedBack, StackStatus, hint,
    plan::moves,
    release::{mark, settled},
    stack::rfc3339,
    status::{State, Way},
};
use crate::aws::{AwsError, Clients, OrAws, texts};

/// What [`status`] reports of a stack that does not exist.
pub(super) const NOT_DEPLOYED: &str = "NOT_DEPLOYED";

/// The alias under which the model releases functions.
const RELEASED: &str = "live";

/// Names one stack.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StackTarget {
    /// The name in CloudFormation.
    pub name: String,
    /// The region, where it is not the stage's.
    pub region: Option<String>,
}

impl From<&StackManifest> for StackTarget {
    fn from(manifest: &StackManifest) -> Self {
        Self {
            name: manifest.name.clone(),
            region: manifest.region.clone(),
        }
    }
}

/// A stack as it is deployed.
#[derive(Clone, Debug, PartialEq)]
pub struct DeployedStack {
    /// The ARN.
    pub id: String,
    /// The status.
    pub status: StackStatus,
    /// Why it has this status, where AWS says so.
    pub reason: Option<String>,
    /// When it was created or last updated, whichever is later.
    pub changed: Option<SystemTime>,
    /// The parameters. AWS masks the values of those that are declared `NoEcho`.
    pub parameters: BTreeMap<String, String>,
    /// The tags.
    pub tags: BTreeMap<String, String>,
    /// The outputs.
    pub outputs: BTreeMap<String, String>,
    /// The exports: names by output key.
    pub exports: BTreeMap<String, String>,
    /// Whether the stack is protected against deletion.
    pub termination_protection: bool,
    /// Whether its last operation was in express mode.
    pub express: bool,
    /// When its removal began, where AWS says so.
    pub removed: Option<SystemTime>,
}

impl DeployedStack {
    /// Returns the name, which stands in the ARN.
    pub(super) fn name(&self) -> &str {
        self.id.split('/').nth(1).unwrap_or_default()
    }
}

/// The statuses of stacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatusReport {
    /// The stacks, in the order they were asked for.
    pub stacks: Vec<StackStatusReport>,
    /// Why nobody knows what some stacks were given past CloudFormation, region by region.
    #[serde(skip)]
    pub unknown: Vec<String>,
}

/// The status of one stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StackStatusReport {
    /// The stack.
    pub stack: String,
    /// The status; `NOT_DEPLOYED` where there is no such stack.
    pub status: StackStatus,
    /// Whether nothing is running.
    pub settled: bool,
    /// The command that leads on, where the last operation did not end well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// When the last update began, in RFC 3339, where it was rolled back, because it failed or somebody cancelled it: the stack
    /// is as it was before. Without a next command a deploy found since that the source says the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rolled_back: Option<String>,
    /// What becomes what, where a rename by import was begun and is not done: what is renamed may belong to no stack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renaming: Option<String>,
    /// The functions and state machines that were given code or definitions past CloudFormation, see [`super::given_fast`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fast: Vec<String>,
    /// Who gave them that last, and when, where it was written down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fast_last: Option<FastOrigin>,
    /// The released functions of which another version is live than was deployed last, see [`super::led_back`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub led_back: Vec<LedBack>,
    /// Whether nobody looked whether it does what it should since it was changed, see [`super::given_fast`].
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unproven: bool,
    /// The ARN, where there is such a stack.
    #[serde(skip)]
    pub id: Option<String>,
    /// The text that changes with each operation, where there is such a stack.
    #[serde(skip)]
    pub(super) state: Option<String>,
}

impl StackStatusReport {
    /// Says that a rename by import was begun and is not done; nothing, where that is not so.
    pub fn renaming(&self) -> Option<String> {
        let renaming = self.renaming.as_ref()?;
        Some(format!(
            "{0}: a rename by import was begun ({renaming}) and is not done: a deploy goes on with it, and `stackctl explain {0}` says \
             where it is",
            self.stack
        ))
    }
}

/// A function of a deployed stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeployedFunction {
    /// The stack.
    pub stack: String,
    /// The region, where it is not the stage's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The logical id.
    pub logical_id: String,
    /// The name of the function.
    pub name: String,
    /// The alias under which the function is released, where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
}

/// Describes a stack, where there is one.
pub async fn deployed(
    context: &Context,
    stack: &StackTarget,
) -> Result<Option<DeployedStack>, AwsError> {
    let clients = context.clients.in_region(stack.region.as_deref());
    describe(&clients, &stack.name).await
}

/// Returns the template of a deployed stack as it was submitted, where there is such a stack.
pub async fn deployed_template(
    context: &Context,
    stack: &StackTarget,
) -> Result<Option<String>, AwsError> {
    let clients = context.clients.in_region(stack.region.as_deref());
    template(&clients, &stack.name).await
}

/// Returns the statuses of stacks.
pub async fn status(context: &Context, stacks: &[StackTarget]) -> Result<StatusReport, AwsError> {
    let mut report = Vec::with_capacity(stacks.len());
    for stack in stacks {
        let deployed = deployed(context, stack).await?;
        let way = State::way_of(deployed.as_ref());
        let is_settled = match (&deployed, way) {
            (Some(deployed), Some(Way::Again | Way::ImportAgain)) => {
                let there = context.in_region(stack.region.as_deref());
                settled::is_settled(&there, deployed).await
            }
            _ => false,
        };
        let next = way.filter(|_| !is_settled);
        let outputs = deployed.as_ref().map(|stack| &stack.outputs);
        let renaming = outputs.and_then(moves::marked).map(str::to_owned);
        let on = renaming
            .is_some()
            .then(|| format!("stackctl deploy {}", stack.name));
        let next = next.map(|way| way.command(&stack.name)).or(on);
        let next = next.map(|command| hint::command(context, &command));
        let rolled_back = deployed
            .as_ref()
            .filter(|_| way == Some(Way::Again))
            .and_then(|stack| stack.changed)
            .map(rfc3339);
        let id = deployed.as_ref().map(|stack| stack.id.clone());
        let state = deployed.as_ref().and_then(mark::any_state);
        let status = deployed.map_or_else(|| StackStatus::new(NOT_DEPLOYED), |stack| stack.status);
        report.push(StackStatusReport {
            stack: stack.name.clone(),
            settled: status.is_settled(),
            status,
            next,
            rolled_back,
            renaming,
            fast: Vec::new(),
            fast_last: None,
            led_back: Vec::new(),
            unproven: false,
            id,
            state,
        });
    }
    Ok(StatusReport {
        stacks: report,
        unknown: Vec::new(),
    })
}

/// Returns the outputs of the stacks that are deployed, by stack and key.
pub async fn outputs(
    context: &Context,
    stacks: &[StackTarget],
) -> Result<BTreeMap<String, BTreeMap<String, String>>, AwsError> {
    let mut outputs = BTreeMap::new();
    for stack in stacks {
        if let Some(deployed) = deployed(context, stack).await? {
            let told = moves::unmarked(deployed.outputs);
            outputs.insert(stack.name.clone(), told);
        }
    }
    Ok(outputs)
}

/// Returns what a resource of a stack is called outside of it; nothing, where it is not deployed.
pub async fn physical_id(
    context: &Context,
    stack: &StackTarget,
    logical_id: &str,
) -> Result<Option<String>, AwsError> {
    let clients = context.clients.in_region(stack.region.as_deref());
    let mut resources = resources(&clients, &stack.name).await?.into_iter();
    let found = resources.find(|it| it.logical_id == logical_id);
    Ok(found.map(|it| it.physical_id))
}

/// Returns the functions of stacks, by stack and logical id. A stack that does not exist has none.
pub async fn functions(
    context: &Context,
    stacks: &[StackTarget],
) -> Result<Vec<DeployedFunction>, AwsError> {
    let mut functions = Vec::new();
    for stack in stacks {
        let clients = context.clients.in_region(stack.region.as_deref());
        let resources = resources(&clients, &stack.name).await?;
        let aliases: BTreeSet<(String, String)> =
            resources.iter().filter_map(released_as).collect();
        for resource in resources {
            if resource.resource_type == "AWS::Lambda::Function" {
                let alias = aliases
                    .iter()
                    .find(|(name, _)| *name == resource.physical_id);
                functions.push(DeployedFunction {
                    alias: alias.map(|(_, alias)| alias.clone()),
                    stack: stack.name.clone(),
                    region: stack.region.clone(),
                    logical_id: resource.logical_id,
                    name: resource.physical_id,
                });
            }
        }
    }
    functions.sort_by(|a, b| (&a.stack, &a.logical_id).cmp(&(&b.stack, &b.logical_id)));
    Ok(functions)
}

/// Returns the function and the name of an alias under which a function is released. The physical id of an alias is its
/// ARN: that of the function, a colon, and the name
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-alias.html>).
fn released_as(resource: &DeployedResource) -> Option<(String, String)> {
    let (function, alias) = resource.physical_id.rsplit_once(':')?;
    let (_, function) = function.rsplit_once(':')?;
    (resource.resource_type == "AWS::Lambda::Alias" && alias == RELEASED)
        .then(|| (function.to_owned(), alias.to_owned()))
}

/// A resource that exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DeployedResource {
    pub(super) logical_id: String,
    pub(super) resource_type: String,
    pub(super) physical_id: String,
}

/// Lists the resources of a stack that have a physical id and are not deleted; none, where there is no such stack.
pub(super) async fn resources(
    clients: &Clients,
    name_or_id: &str,
) -> Result<Vec<DeployedResource>, AwsError> {
    let listed = resources_ever(clients, name_or_id).await?.into_iter();
    let present = listed.filter(|(_, deleted)| deleted.is_none());
    Ok(present.map(|(resource, _)| resource).collect())
}

/// Lists the resources of a stack that have a physical id, and says since when some are deleted: those of a stack that goes or, by
/// its ARN, is gone for up to 90 days, and what an update took out
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackResources.html>).
pub(super) async fn resources_ever(
    clients: &Clients,
    name_or_id: &str,
) -> Result<Vec<(DeployedResource, Option<SystemTime>)>, AwsError> {
    const OPERATION: &str = "ListStackResources";
    let mut resources = Vec::new();
    let mut next = None;
    loop {
        let page = clients
            .cloudformation
            .list_stack_resources()
            .stack_name(name_or_id)
            .set_next_token(next)
            .send()
            .await
            .or_aws(clients, OPERATION);
        let page = match page {
            Ok(page) => page,
            Err(error) if says_absent(&error) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        for summary in page.stack_resource_summaries.unwrap_or_default() {
            let changed = summary.last_updated_timestamp.and_then(time);
            let deleted = summary
                .resource_status
                .filter(|status| status.as_str() == "DELETE_COMPLETE")
                .map(|_| changed.unwrap_or(SystemTime::UNIX_EPOCH));
            if let (Some(logical_id), Some(resource_type), Some(physical_id)) = (
                summary.logical_resource_id,
                summary.resource_type,
                present(summary.physical_resource_id),
            ) {
                let resource = DeployedResource {
                    logical_id,
                    resource_type,
                    physical_id,
                };
                resources.push((resource, deleted));
            }
        }
        next = page.next_token;
        if next.is_none() {
            return Ok(resources);
        }
    }
}

/// Describes a stack by its name or ARN. Only the ARN finds a stack that is deleted.
pub(super) async fn describe(
    clients: &Clients,
    name_or_id: &str,
) -> Result<Option<DeployedStack>, AwsError> {
    const OPERATION: &str = "DescribeStacks";
    let answer = clients
        .cloudformation
        .describe_stacks()
        .stack_name(name_or_id)
        .send()
        .await
        .or_aws(clients, OPERATION);
    match answer {
        Ok(answer) => match answer.stacks.unwrap_or_default().pop() {
            Some(stack) => read_stack(stack).map(Some),
            None => Ok(None),
        },
        Err(error) if says_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Describes all stacks of the account in the region.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html>: without a name it describes
/// all, page by page, for whoever may call `ListStacks` too.
pub(super) async fn all(clients: &Clients) -> Result<Vec<Stack>, AwsError> {
    let mut stacks = Vec::new();
    let mut next = None;
    loop {
        let page = clients
            .cloudformation
            .describe_stacks()
            .set_next_token(next)
            .send()
            .await
            .or_aws(clients, "DescribeStacks")?;
        stacks.extend(page.stacks.unwrap_or_default());
        next = page.next_token;
        if next.is_none() {
            return Ok(stacks);
        }
    }
}

/// Returns the template of a stack as it was submitted, where there is such a stack.
pub(super) async fn template(
    clients: &Clients,
    name_or_id: &str,
) -> Result<Option<String>, AwsError> {
    let answer = clients
        .cloudformation
        .get_template()
        .stack_name(name_or_id)
        .template_stage(aws_sdk_cloudformation::types::TemplateStage::Original)
        .send()
        .await
        .or_aws(clients, "GetTemplate");
    match answer {
        Ok(answer) => Ok(answer.template_body),
        Err(error) if says_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns whether a call failed because there is no such stack.
pub(super) fn says_absent(error: &AwsError) -> bool {
    texts::says_stack_is_absent(error.code(), error.message())
}

/// Returns a text unless it is empty.
pub(super) fn present(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Returns a time of AWS; one before 1970 stands for no time.
pub(super) fn time(time: aws_smithy_types::DateTime) -> Option<SystemTime> {
    let nanos = u64::try_from(time.as_nanos()).ok()?;
    Some(SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos))
}

pub(super) fn read_stack(stack: Stack) -> Result<DeployedStack, AwsError> {
    const OPERATION: &str = "DescribeStacks";
    let status = stack
        .stack_status
        .ok_or_else(|| AwsError::incomplete(OPERATION, "status"))?;
    let mut outputs = BTreeMap::new();
    let mut exports = BTreeMap::new();
    for output in stack.outputs.unwrap_or_default() {
        if let (Some(key), Some(value)) = (output.output_key, output.output_value) {
            if let Some(name) = present(output.export_name) {
                exports.insert(key.clone(), name);
            }
            outputs.insert(key, value);
        }
    }
    Ok(DeployedStack {
        id: stack
            .stack_id
            .ok_or_else(|| AwsError::incomplete(OPERATION, "stack id"))?,
        status: StackStatus::new(status.as_str()),
        reason: present(stack.stack_status_reason),
        changed: stack
            .last_updated_time
            .or(stack.creation_time)
            .and_then(time),
        removed: stack.deletion_time.and_then(time),
        parameters: stack
            .parameters
            .unwrap_or_default()
            .into_iter()
            .filter_map(|parameter| Some((parameter.parameter_key?, parameter.parameter_value?)))
            .collect(),
        tags: stack
            .tags
            .unwrap_or_default()
            .into_iter()
            .filter_map(|tag| Some((tag.key?, tag.value?)))
            .collect(),
        outputs,
        exports,
        termination_protection: stack.enable_termination_protection.unwrap_or_default(),
        express: stack
            .deployment_config
            .and_then(|config| config.mode)
            .is_some_and(|mode| mode.as_str() == "EXPRESS"),
    })
}
