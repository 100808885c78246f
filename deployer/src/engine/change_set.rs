//! Change sets: made, read, executed, removed.

mod listed;
mod read;
mod said;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use aws_sdk_cloudformation::operation::create_change_set::builders::CreateChangeSetFluentBuilder;
use aws_sdk_cloudformation::types::{Capability, ChangeSetType, Parameter, Tag};
use serde::Serialize;
use serde_json::Value;
use stack_model::assembly::StackManifest;

use super::{Context, Finding, express, inspect, publish::TemplateSource};
use crate::aws::{AwsError, Clients, OrAws, texts};

pub(super) use listed::{Listed, list, remove_all};
use read::read_change;
pub use said::Hook;
pub(super) use said::ask;

/// What every change set of ours is named by: the name continues with a hash.
pub(super) const PREFIX: &str = "stackctl-";

/// What a change set would do, as CloudFormation computed it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProposedChanges {
    /// The stack.
    pub stack: String,
    /// Whether the stack is new.
    pub create: bool,
    /// Whether it is one part of what was planned: a stack that others import from lets go of something in a second
    /// update.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// The name of the change set.
    pub change_set: String,
    /// The changes, by logical id.
    pub changes: Vec<Change>,
    /// What CloudFormation found beforehand and does not refuse.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// The hooks that will run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<Hook>,
}

/// One change of a change set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The logical id.
    pub logical_id: String,
    /// The resource type.
    pub resource_type: String,
    /// The physical id, where the resource exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical_id: Option<String>,
    /// What happens, in the word of AWS: `Add`, `Modify`, `Remove`, `Import`, `Dynamic`.
    pub action: String,
    /// Whether the resource is replaced, where it is modified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replacement: Option<Replacement>,
    /// What AWS does with the old resource, where it is removed or replaced: `Delete`, `Retain`, `Snapshot` or
    /// another word of AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_action: Option<String>,
    /// The parts of the resource that change: `Properties`, `Metadata`, `Tags` and others.
    pub scope: Vec<String>,
    /// The names of the properties that change, sorted.
    pub properties: Vec<String>,
    /// The logical ids of the resources that it refers to and that change, where nothing else about it changes: what it
    /// refers to may become another value, which CloudFormation does not know yet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub follows: Vec<String>,
    /// The logical ids of the resources that replace it if a value of theirs becomes another, where nothing else may; other things
    /// about it may change.
    #[serde(skip)]
    pub led_by: Vec<String>,
    /// What is known of the values that may replace it.
    #[serde(skip)]
    pub replacing: Replacing,
    /// The names of the properties that change whatever becomes of other resources, sorted.
    #[serde(skip)]
    pub own: Vec<String>,
    /// Whether it changes by nothing but that it is a stack, whose template may be another one behind the same address.
    #[serde(skip)]
    pub is_automatic: bool,
    /// Its properties before and after, where they are told.
    #[serde(skip)]
    pub values: Option<[Value; 2]>,
    /// Where the resource is declared in the Rust source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// What is known of the values of a modified resource that may replace it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Replacing {
    /// One of them becomes another value, or nothing is told of them.
    #[default]
    Other,
    /// Some are known when the change set is executed only, and all others are what they were.
    Open,
    /// They are what they were, all of them.
    Same,
}

/// Whether a modified resource is replaced by a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Replacement {
    /// It is replaced.
    Always,
    /// It is updated in place.
    Never,
    /// CloudFormation knows only when it does it.
    Conditional,
    /// An answer that is not known here.
    Unknown,
}

/// What a change set is made from.
#[derive(Clone, Debug)]
pub(super) struct ChangeSetRequest<'a> {
    pub(super) stack: &'a Arc<StackManifest>,
    pub(super) create: bool,
    /// The name, which is the token of its execution too.
    pub(super) name: String,
    pub(super) template: TemplateSource<'a>,
    pub(super) parameters: &'a BTreeMap<String, String>,
    pub(super) tags: &'a BTreeMap<String, String>,
    /// Whether it is executed in express mode.
    pub(super) express: bool,
}

/// A change set that exists.
#[derive(Clone, Debug)]
pub(super) struct ChangeSet {
    pub(super) id: String,
    pub(super) stack_id: String,
}

/// What became of a change set.
#[derive(Debug)]
pub(super) enum Computed {
    /// It can be executed.
    Ready(ProposedChanges),
    /// There is nothing to change.
    Nothing,
    /// CloudFormation refuses it.
    Failed(String),
    /// The run was stopped.
    Cancelled,
}

/// Asks CloudFormation to compute a change set.
pub(super) async fn create(
    clients: &Clients,
    request: &ChangeSetRequest<'_>,
) -> Result<ChangeSet, AwsError> {
    let call = begun(request, clients)
        .set_deployment_config(request.express.then(express::config))
        .change_set_type(if request.create {
            ChangeSetType::Create
        } else {
            ChangeSetType::Update
        })
        .set_parameters(Some(
            request
                .parameters
                .iter()
                .map(|(key, value)| {
                    Parameter::builder()
                        .parameter_key(key)
                        .parameter_value(value)
                        .build()
                })
                .collect(),
        ))
        .set_tags(Some(
            request
                .tags
                .iter()
                .map(|(key, value)| Tag::builder().key(key).value(value).build())
                .collect(),
        ))
        .set_capabilities(Some(
            request
                .stack
                .capabilities
                .iter()
                .map(|name| Capability::from(name.as_str()))
                .collect(),
        ));
    made(request, clients, call).await
}

/// The ids of a change set and of its stack, as AWS tells them.
type Ids = (Option<String>, Option<String>);

/// Begins the call that computes a change set: which, of which stack, from which template, and by whom.
pub(super) fn begun(
    request: &ChangeSetRequest<'_>,
    clients: &Clients,
) -> CreateChangeSetFluentBuilder {
    let call = clients
        .cloudformation
        .create_change_set()
        .stack_name(&request.stack.name)
        .change_set_name(&request.name)
        .client_token(&request.name)
        .description(format!(
            "by {} with stackctl {}",
            clients.identity().arn,
            env!("CARGO_PKG_VERSION")
        ));
    match &request.template {
        TemplateSource::Body(body) => call.template_body(&**body),
        TemplateSource::Url(url) => call.template_url(url),
    }
}

/// Makes the call, and returns the change set that was asked for.
pub(super) async fn made(
    request: &ChangeSetRequest<'_>,
    clients: &Clients,
    call: CreateChangeSetFluentBuilder,
) -> Result<ChangeSet, AwsError> {
    const OPERATION: &str = "CreateChangeSet";
    let answer = call.send().await.or_aws(clients, OPERATION);
    let (id, stack_id) = match answer.map(|answer| (answer.id, answer.stack_id)) {
        Err(error) if error.code() == Some("AlreadyExistsException") => {
            made_already(request, clients).await.ok_or(error)?
        }
        answer => answer?,
    };
    Ok(ChangeSet {
        id: id.ok_or_else(|| AwsError::incomplete(OPERATION, "change set id"))?,
        stack_id: stack_id.ok_or_else(|| AwsError::incomplete(OPERATION, "stack id"))?,
    })
}

/// Returns the ids of the change set where it exists: no other attempt ever has its name, so a call that was repeated
/// because its answer was lost made it.
async fn made_already(request: &ChangeSetRequest<'_>, clients: &Clients) -> Option<Ids> {
    let found = clients
        .cloudformation
        .describe_change_set()
        .stack_name(&request.stack.name)
        .change_set_name(&request.name)
        .send()
        .await;
    // Where it cannot be read, the refusal says more than that.
    found
        .ok()
        .map(|found| (found.change_set_id, found.stack_id))
}

/// How long to wait for a change set: those of hundreds of resources take minutes.
const LONGEST: Duration = Duration::from_hours(1);

/// Waits until a change set is computed, and has the values told: what no template says is judged by them.
pub(super) async fn computed(
    context: &Context,
    change_set: &ChangeSet,
    request: &ChangeSetRequest<'_>,
) -> Result<Computed, AwsError> {
    const OPERATION: &str = "DescribeChangeSet";
    let clients = &context.clients;
    for wait in context.pace.waits_within(LONGEST) {
        let mut answer = clients
            .cloudformation
            .describe_change_set()
            .change_set_name(&change_set.id)
            .include_property_values(true)
            .send()
            .await
            .or_aws(clients, OPERATION)?;
        let status = answer
            .status
            .take()
            .ok_or_else(|| AwsError::incomplete(OPERATION, "status"))?;
        match status.as_str() {
            "CREATE_COMPLETE" => {
                let mut changes = answer.changes.take().unwrap_or_default();
                let mut next = answer.next_token;
                while next.is_some() {
                    let page = clients
                        .cloudformation
                        .describe_change_set()
                        .change_set_name(&change_set.id)
                        .include_property_values(true)
                        .set_next_token(next)
                        .send()
                        .await
                        .or_aws(clients, OPERATION)?;
                    changes.extend(page.changes.unwrap_or_default());
                    next = page.next_token;
                }
                let mut changes: Vec<Change> = changes
                    .into_iter()
                    .filter_map(|change| change.resource_change)
                    .map(|change| read_change(change, request.stack))
                    .collect();
                changes.sort_by(|a, b| a.logical_id.cmp(&b.logical_id));
                return Ok(Computed::Ready(ProposedChanges {
                    stack: request.stack.name.clone(),
                    create: request.create,
                    partial: false,
                    change_set: request.name.clone(),
                    changes,
                    findings: Vec::new(),
                    hooks: Vec::new(),
                }));
            }
            "FAILED" => {
                let reason = answer.status_reason.unwrap_or_default();
                return Ok(if texts::says_nothing_to_change(&reason) {
                    Computed::Nothing
                } else {
                    Computed::Failed(reason)
                });
            }
            "CREATE_PENDING" | "CREATE_IN_PROGRESS" => {}
            other => {
                return Ok(Computed::Failed(format!(
                    "somebody else acted on the change set: it is {other}"
                )));
            }
        }
        tokio::select! {
            () = context.timing.sleep(wait) => {}
            () = context.cancel.cancelled() => return Ok(Computed::Cancelled),
        }
    }
    Ok(Computed::Failed(format!(
        "it was not computed within {} minutes; nothing was changed, so deploy again",
        LONGEST.as_secs() / 60
    )))
}

/// Begins to execute a change set. The token marks the events of the operation, and makes a repeated call harmless.
pub(super) async fn execute(
    clients: &Clients,
    change_set: &ChangeSet,
    token: &str,
) -> Result<(), AwsError> {
    clients
        .cloudformation
        .execute_change_set()
        .change_set_name(&change_set.id)
        .client_request_token(token)
        .send()
        .await
        .or_aws(clients, "ExecuteChangeSet")?;
    Ok(())
}

/// Removes a change set, and the stack where it exists for this change set only: neither holds another one nor was
/// created by somebody else's meanwhile.
pub(super) async fn remove(
    clients: &Clients,
    change_set: &ChangeSet,
    with_stack: bool,
) -> Result<(), AwsError> {
    clients
        .cloudformation
        .delete_change_set()
        .change_set_name(&change_set.id)
        .send()
        .await
        .or_aws(clients, "DeleteChangeSet")?;
    if with_stack && is_empty(clients, &change_set.stack_id).await? {
        clients
            .cloudformation
            .delete_stack()
            .stack_name(&change_set.stack_id)
            .send()
            .await
            .or_aws(clients, "DeleteStack")?;
    }
    Ok(())
}

/// Returns whether a stack was never executed and holds no change set.
async fn is_empty(clients: &Clients, stack_id: &str) -> Result<bool, AwsError> {
    let is_review = inspect::describe(clients, stack_id)
        .await?
        .is_some_and(|stack| stack.status.is_review());
    Ok(is_review && list(clients, stack_id).await?.is_empty())
}
