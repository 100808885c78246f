//! Why the last operation of a stack failed, and what waited because of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;
use stack_model::assembly::StackManifest;

use super::{
    Context, DeployedStack, FirstCause, LedBack, Operation, ResourceEvent, StackStatus,
    StackTarget,
    failure::{self, Finding, Known},
    hint, inspect, operations,
    plan::moves::{self, UnderWay},
    release::settled,
    status::{State, Way},
    stuck,
};
use crate::aws::{AwsError, Clients, OrAws, texts};
use crate::template::dependencies;

/// Why the last operation of a stack failed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The stack.
    pub stack: String,
    /// The status; `NOT_DEPLOYED` where there is no such stack.
    pub status: StackStatus,
    /// Why the stack has the status, where AWS says so.
    pub reason: Option<String>,
    /// The last operation, where AWS still knows one.
    pub operation: Option<Operation>,
    /// What failed first.
    pub first_cause: Option<Cause>,
    /// What failed besides, for reasons of its own.
    pub others: Vec<Cause>,
    /// What waited for the first cause, the nearest first.
    pub waiting: Vec<Waiting>,
    /// The resources that were cancelled and do not wait for the first cause.
    pub cancelled: Vec<String>,
    /// The change sets that CloudFormation refused.
    pub refused: Vec<Refused>,
    /// What leads on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
    /// The released functions of which another version is live than was deployed last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub led_back: Vec<LedBack>,
    /// Whether nobody looked whether the stack does what it should since it was changed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unproven: bool,
}

/// A resource that failed for a reason of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// The resource.
    #[serde(flatten)]
    pub resource: FirstCause,
    /// What is known of the failure.
    pub known: Option<Known>,
}

/// A resource that waited for the first cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The logical id.
    pub logical_id: String,
    /// The resources, of the first cause and those that waited for it, that it needs.
    pub needs: Vec<String>,
    /// What became of it.
    pub outcome: WaitingOutcome,
}

/// What became of a resource that waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitingOutcome {
    /// CloudFormation had begun with it, and cancelled it.
    Cancelled,
    /// CloudFormation did not get to it.
    NotReached,
}

/// A change set that CloudFormation refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// The name.
    pub change_set: String,
    /// Why, as AWS said it.
    pub reason: String,
    /// What it found, where the reason says only that there is something.
    pub findings: Vec<Finding>,
    /// What is known of the failure.
    pub known: Option<Known>,
}

impl Explanation {
    /// Returns whether there is anything to explain.
    pub fn is_failure(&self) -> bool {
        self.first_cause.is_some() || !self.refused.is_empty()
    }
}

/// Explains why the last operation of a stack failed. The template tells what waits for what; where there is none, that
/// of the stack is read.
pub async fn explain(
    context: &Context,
    stack: &StackTarget,
    manifest: Option<&StackManifest>,
    template: Option<&Value>,
) -> Result<Explanation, AwsError> {
    let clients = context.clients.in_region(stack.region.as_deref());
    let deployed = inspect::describe(&clients, &stack.name).await?;
    let mut explanation = Explanation {
        stack: stack.name.clone(),
        status: StackStatus::new("NOT_DEPLOYED"),
        reason: None,
        operation: None,
        first_cause: None,
        others: Vec::new(),
        waiting: Vec::new(),
        cancelled: Vec::new(),
        refused: Vec::new(),
        hints: Vec::new(),
        led_back: Vec::new(),
        unproven: false,
    };
    let Some(deployed) = deployed else {
        return Ok(explanation);
    };
    let way = State::way_of(Some(&deployed));
    let context_there = context.in_region(stack.region.as_deref());
    let is_settled = matches!(way, Some(Way::Again | Way::ImportAgain))
        && settled::is_settled(&context_there, &deployed).await;
    let renaming = renaming(&clients, &deployed).await?;
    explanation.status = deployed.status;
    explanation.reason = deployed.reason;
    explanation.refused = refused(&context_there, &clients, &stack.name).await?;
    explanation.operation = operations::operations(context, stack, manifest, 1)
        .await?
        .pop();
    let first = explanation
        .operation
        .as_ref()
        .and_then(|operation| FirstCause::find(&operation.events));
    explanation.hints = match way {
        Some(_) if is_settled => vec![
            "nothing is left to do: the last deploy found that what is deployed is what the source says".to_owned(),
        ],
        // Nothing failed that could be mended: somebody cancelled the update.
        Some(Way::Again) if first.is_none() && is_cancelled(explanation.operation.as_ref()) => vec![format!(
            "the stack is as it was before: where the update is to be made after all, deploy it (`stackctl deploy {}`)",
            stack.name
        )],
        Some(way) => {
            let (_, hints) = stuck::hints(&context_there, &stack.name, &deployed.id, way).await;
            way.pointed(hints, first.as_ref())
        }
        // Nothing of what was refused was begun.
        None if !explanation.refused.is_empty() => Way::Again.hints(&stack.name, &[]),
        None => Vec::new(),
    };
    explanation.hints.extend(renaming);
    for hint in &mut explanation.hints {
        *hint = hint::complete(&context_there, hint);
    }
    let (Some(operation), Some(first)) = (&explanation.operation, first) else {
        return Ok(explanation);
    };
    let read = match template {
        Some(_) => None,
        None => inspect::template(&clients, &deployed.id).await?,
    };
    // One in YAML tells no dependencies here; the rest is told all the same.
    let read: Value = read
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    let template = template.unwrap_or(&read);
    let cancelled: BTreeSet<&str> = cancelled(operation)
        .map(|event| event.logical_id.as_str())
        .collect();
    explanation.waiting = waiting(&first, template, &operation.events, &cancelled);
    explanation.cancelled = cancelled
        .iter()
        .filter(|id| {
            let waits = |waiting: &Waiting| waiting.logical_id == **id;
            !explanation.waiting.iter().any(waits)
        })
        .map(|id| (*id).to_owned())
        .collect();
    explanation.others = others(&context_there, &first, &operation.events);
    explanation.first_cause = Some(cause(&context_there, first));
    Ok(explanation)
}

/// Returns whether an operation was cut short. One that rolls back what failed before it has nothing to cut.
fn is_cancelled(operation: Option<&Operation>) -> bool {
    operation.is_some_and(|operation| cancelled(operation).next().is_some())
}

/// Returns the events of what CloudFormation had begun with, and cancelled.
fn cancelled(operation: &Operation) -> impl Iterator<Item = &ResourceEvent> {
    operation.events.iter().filter(|event| {
        let reason = event.reason.as_deref().unwrap_or_default();
        event.is_failure() && texts::says_cancelled(reason)
    })
}

/// Says where a rename by import is that was begun and is not done, and what leads on.
async fn renaming(clients: &Clients, deployed: &DeployedStack) -> Result<Vec<String>, AwsError> {
    let Some(renaming) = moves::marked(&deployed.outputs) else {
        return Ok(Vec::new());
    };
    let template = inspect::template(clients, &deployed.id).await?;
    let template = template.and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let name = deployed.name();
    let on = format!("`stackctl deploy {name}` goes on with it");
    Ok(match template.as_ref().and_then(moves::under_way) {
        Some(UnderWay::Away(away)) => (away.moves.iter())
            .map(|(to, it)| {
                format!(
                    "{} left the stack to be renamed, belongs to none at the moment, and is to come back as {to}: {on}",
                    it.told()
                )
            })
            .collect(),
        Some(UnderWay::Back(_)) => vec![format!(
            "a rename by import is done but for what names the resources ({renaming}): {on}"
        )],
        None => vec![format!(
            "a rename by import was begun ({renaming}), and nothing has left the stack: {on}, or takes it back where it is declared no more"
        )],
    })
}

fn cause(context: &Context, resource: FirstCause) -> Cause {
    Cause {
        known: known(context, &resource.resource_type, &resource.reason),
        resource,
    }
}

/// Returns what is known of a failure, with commands that work when they are pasted.
fn known(context: &Context, resource_type: &str, reason: &str) -> Option<Known> {
    failure::known(resource_type, reason).map(|known| Known {
        remedy: hint::complete(context, &known.remedy),
        ..known
    })
}

/// Returns the resources that failed for reasons of their own besides the first, each once.
fn others(context: &Context, first: &FirstCause, events: &[ResourceEvent]) -> Vec<Cause> {
    let mut told: BTreeSet<(&str, &str)> =
        BTreeSet::from([(first.logical_id.as_str(), first.status.as_str())]);
    events
        .iter()
        .filter(|event| !event.is_stack() && FirstCause::is_own(event))
        .filter(|event| told.insert((&event.logical_id, &event.status)))
        .map(|event| cause(context, FirstCause::of(event)))
        .collect()
}

/// Returns what waited for a resource, directly or through others that wait for it, in the order of the waiting.
fn waiting(
    first: &FirstCause,
    template: &Value,
    events: &[ResourceEvent],
    cancelled: &BTreeSet<&str>,
) -> Vec<Waiting> {
    let mut needs = dependencies(template);
    if first.status.starts_with("DELETE") {
        // What is deleted waits for those that need it, and not the other way round.
        needs = turned(&needs);
    }
    let reached: BTreeSet<&str> = events
        .iter()
        .map(|event| event.logical_id.as_str())
        .collect();
    let mut found: Vec<Waiting> = Vec::new();
    let mut behind = BTreeSet::from([first.logical_id.clone()]);
    loop {
        let next: Vec<Waiting> = needs
            .iter()
            .filter(|(id, _)| !behind.contains(*id))
            .filter_map(|(id, needs)| {
                let needs: Vec<String> = needs.intersection(&behind).cloned().collect();
                let outcome = if cancelled.contains(id.as_str()) {
                    WaitingOutcome::Cancelled
                } else if reached.contains(id.as_str()) {
                    return None;
                } else {
                    WaitingOutcome::NotReached
                };
                (!needs.is_empty()).then(|| Waiting {
                    logical_id: id.clone(),
                    needs,
                    outcome,
                })
            })
            .collect();
        if next.is_empty() {
            return found;
        }
        behind.extend(next.iter().map(|waiting| waiting.logical_id.clone()));
        found.extend(next);
    }
}

fn turned(needs: &BTreeMap<String, BTreeSet<String>>) -> BTreeMap<String, BTreeSet<String>> {
    let mut turned: BTreeMap<String, BTreeSet<String>> = needs
        .keys()
        .map(|id| (id.clone(), BTreeSet::new()))
        .collect();
    for (id, needs) in needs {
        for need in needs {
            turned.entry(need.clone()).or_default().insert(id.clone());
        }
    }
    turned
}

/// Returns the change sets of a stack that CloudFormation refused, and what it found.
async fn refused(
    context: &Context,
    clients: &Clients,
    stack: &str,
) -> Result<Vec<Refused>, AwsError> {
    let mut refused = Vec::new();
    let mut next = None;
    loop {
        let page = clients
            .cloudformation
            .list_change_sets()
            .stack_name(stack)
            .set_next_token(next)
            .send()
            .await
            .or_aws(clients, "ListChangeSets")?;
        for summary in page.summaries.unwrap_or_default() {
            let failed = summary
                .status
                .is_some_and(|status| status.as_str() == "FAILED");
            let (Some(id), Some(name), true) =
                (summary.change_set_id, summary.change_set_name, failed)
            else {
                continue;
            };
            let reason = summary.status_reason.unwrap_or_default();
            if texts::says_nothing_to_change(&reason) {
                continue;
            }
            let findings = if failure::says_early(&reason) {
                failure::findings(clients, &id, true).await?
            } else {
                Vec::new()
            };
            refused.push(Refused {
                change_set: name,
                known: known(context, "", &reason),
                reason,
                findings,
            });
        }
        next = page.next_token;
        if next.is_none() {
            return Ok(refused);
        }
    }
}
