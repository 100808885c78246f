//! Follows one operation of one stack through its events.

use std::{collections::BTreeSet, sync::Arc, time::SystemTime};

use aws_sdk_cloudformation::types::StackEvent;
use aws_smithy_types::date_time::Format;
use stack_model::assembly::StackManifest;

use super::{
    Context, Event, ResourceEvent, StackStatus, StackTarget,
    inspect::{self, present, says_absent, time},
    timing::Polls,
};
use crate::aws::{AwsError, Clients, OrAws};

/// How many looks without any event pass before the change set, or the stack that is deleted, is asked what became of it.
const SILENT_LOOKS: usize = 10;

/// Returns what happened to the resources of a stack since a time, the oldest first; nothing, where there is no such
/// stack.
///
/// AWS keeps events for 90 days
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackEvents.html>).
pub async fn events(
    context: &Context,
    stack: &StackTarget,
    since: Option<SystemTime>,
) -> Result<Vec<ResourceEvent>, AwsError> {
    let clients = context.clients.in_region(stack.region.as_deref());
    let read = read_until(&clients, &stack.name, |event| {
        match (since, event.timestamp.and_then(time)) {
            (Some(since), Some(at)) => at < since,
            _ => false,
        }
    })
    .await;
    match read {
        Ok(events) => Ok(events
            .into_iter()
            .map(|event| resource(event, None))
            .collect()),
        Err(error) if says_absent(&error) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Returns all that AWS still tells of the resources of a stack that is there, the oldest first.
pub(super) async fn events_of(
    clients: &Clients,
    stack: &str,
) -> Result<Vec<ResourceEvent>, AwsError> {
    let events = read_until(clients, stack, |_| false).await?.into_iter();
    Ok(events.map(|event| resource(event, None)).collect())
}

/// How an operation ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    /// The status of the stack.
    pub(super) status: StackStatus,
    /// Why, where AWS says so.
    pub(super) reason: Option<String>,
    /// All events of the operation, the oldest first.
    pub(super) events: Vec<ResourceEvent>,
}

/// Why following an operation stopped before its end.
#[derive(Debug)]
pub(super) enum Stopped {
    /// The run was stopped; the operation goes on at AWS, in the status that was seen last.
    Cancelled(Option<StackStatus>),
    /// The change set was not executed, although AWS had accepted to.
    NotStarted(String),
    /// A call failed.
    Aws(AwsError),
}

impl From<AwsError> for Stopped {
    fn from(error: AwsError) -> Self {
        Self::Aws(error)
    }
}

/// Follows the operation with a token until the stack says that it ended, and hands its events on as they come.
///
/// All events of an operation carry the token that it was begun with, so no clock is compared. The end is the event of
/// the stack itself and not its described status, which lags behind: right after the start it may still be the one
/// from before. After the end the events are read once more, because the last ones may come late.
///
/// Somebody else may take the operation over, by cancelling an update for instance: what follows then carries another
/// token. So where nothing comes for a while, the stack itself is asked.
pub(super) async fn follow(
    context: &Context,
    stack_id: &str,
    token: &str,
    manifest: Option<&Arc<StackManifest>>,
    change_set_id: Option<&str>,
) -> Result<Ended, Stopped> {
    let clients = &context.clients;
    let mut seen = BTreeSet::new();
    let mut all: Vec<ResourceEvent> = Vec::new();
    let mut silent = 0;
    let mut polls = Polls::begin(context.pace, &context.followers);
    loop {
        let mut news = news(context, stack_id, token, &mut seen, manifest).await?;
        if let Some(status) = end(&news) {
            news.extend(self::news(context, stack_id, token, &mut seen, manifest).await?);
            let reason = news
                .iter()
                .rev()
                .find(|event| event.is_stack())
                .and_then(|event| event.reason.clone());
            all.append(&mut news);
            return Ok(Ended {
                status,
                reason,
                events: all,
            });
        }
        silent = if news.is_empty() { silent + 1 } else { 0 };
        let wait = polls.after(!news.is_empty());
        all.append(&mut news);
        if silent >= SILENT_LOOKS {
            silent = 0;
            if !all.is_empty() {
                if let Some((status, reason)) = settled(clients, stack_id).await? {
                    return Ok(Ended {
                        status,
                        reason,
                        events: all,
                    });
                }
            } else if let Some(change_set) = change_set_id {
                if let Some(reason) = execution_failure(clients, change_set).await? {
                    return Err(Stopped::NotStarted(reason));
                }
            } else if let Some(status) = deleted(clients, stack_id).await? {
                return Ok(Ended {
                    status,
                    reason: None,
                    events: all,
                });
            }
        }
        tokio::select! {
            () = context.timing.sleep(wait) => {}
            () = context.cancel.cancelled() => {
                let last = all.iter().rev().find(|event| event.is_stack());
                return Err(Stopped::Cancelled(
                    last.map(|event| StackStatus::new(&*event.status)),
                ));
            }
        }
    }
}

/// An operation that a stack is busy with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Running {
    /// The token that it was begun with, where there was one.
    pub(super) token: Option<String>,
    /// Since when, in RFC 3339, where the events tell.
    pub(super) since: Option<String>,
}

/// Finds out from its events what a stack is busy with.
pub(super) async fn running(clients: &Clients, stack_id: &str) -> Result<Running, AwsError> {
    let page = clients
        .cloudformation
        .describe_stack_events()
        .stack_name(stack_id)
        .send()
        .await
        .or_aws(clients, "DescribeStackEvents")?;
    let events = page.stack_events.unwrap_or_default();
    let token = events
        .first()
        .and_then(|event| present(event.client_request_token.clone()));
    // The newest events are those of the running operation; its beginning is the oldest of them.
    let since = events
        .into_iter()
        .take_while(|event| present(event.client_request_token.clone()) == token)
        .filter(|event| event.resource_type.as_deref() == Some("AWS::CloudFormation::Stack"))
        .last()
        .and_then(|event| event.timestamp)
        .and_then(|time| time.fmt(Format::DateTime).ok());
    Ok(Running { token, since })
}

/// Reads the events of an operation that were not read before, and hands them on.
async fn news(
    context: &Context,
    stack_id: &str,
    token: &str,
    seen: &mut BTreeSet<String>,
    manifest: Option<&Arc<StackManifest>>,
) -> Result<Vec<ResourceEvent>, AwsError> {
    let is_ours = |event: &StackEvent| event.client_request_token.as_deref() == Some(token);
    let mut fresh = read_until(&context.clients, stack_id, |event| {
        event.event_id.as_ref().is_some_and(|id| seen.contains(id))
            || (!is_ours(event) && is_end(event))
    })
    .await?;
    fresh.retain(is_ours);
    let mut events = Vec::with_capacity(fresh.len());
    for event in fresh {
        if let Some(id) = &event.event_id {
            seen.insert(id.clone());
        }
        let event = resource(event, manifest.map(AsRef::as_ref));
        context.emit(Event::Resource(event.clone()));
        events.push(event);
    }
    Ok(events)
}

/// Reads events from the newest back to the first that matches, which is left out; returns the oldest first.
pub(super) async fn read_until(
    clients: &Clients,
    stack: &str,
    stop: impl Fn(&StackEvent) -> bool,
) -> Result<Vec<StackEvent>, AwsError> {
    let mut events = Vec::new();
    let mut next = None;
    'pages: loop {
        let page = clients
            .cloudformation
            .describe_stack_events()
            .stack_name(stack)
            .set_next_token(next)
            .send()
            .await
            .or_aws(clients, "DescribeStackEvents")?;
        for event in page.stack_events.unwrap_or_default() {
            if stop(&event) {
                break 'pages;
            }
            events.push(event);
        }
        next = page.next_token;
        if next.is_none() {
            break;
        }
    }
    events.reverse();
    Ok(events)
}

/// Returns whether an event ends an operation of the stack, or comes before the first one.
pub(super) fn is_end(event: &StackEvent) -> bool {
    event.resource_type.as_deref() == Some("AWS::CloudFormation::Stack")
        && event.logical_resource_id == event.stack_name
        && event.resource_status.as_ref().is_some_and(|status| {
            let status = StackStatus::new(status.as_str());
            !status.is_in_progress() && !is_passing(&status)
        })
}

fn end(events: &[ResourceEvent]) -> Option<StackStatus> {
    events
        .iter()
        .rev()
        .filter(|event| event.is_stack())
        .map(|event| StackStatus::new(&*event.status))
        .find(|status| status.is_settled() && !is_passing(status))
}

/// Returns whether a failed status is only passed through: CloudFormation goes on to roll back.
///
/// `UPDATE_FAILED` and `CREATE_FAILED` end an operation only where rollback is disabled, and change sets of ours never
/// disable it.
pub(super) fn is_passing(status: &StackStatus) -> bool {
    matches!(status.as_str(), "CREATE_FAILED" | "UPDATE_FAILED")
}

/// Returns the status of a stack in which nothing runs any more, and why it has it.
async fn settled(
    clients: &Clients,
    stack_id: &str,
) -> Result<Option<(StackStatus, Option<String>)>, AwsError> {
    Ok(match inspect::describe(clients, stack_id).await? {
        None => Some((StackStatus::new("DELETE_COMPLETE"), None)),
        Some(stack) if stack.status.is_settled() => Some((stack.status, stack.reason)),
        Some(_) => None,
    })
}

/// Returns the status of a stack that is gone: one that held nothing may go without an event.
async fn deleted(clients: &Clients, stack_id: &str) -> Result<Option<StackStatus>, AwsError> {
    Ok(match inspect::describe(clients, stack_id).await? {
        None => Some(StackStatus::new("DELETE_COMPLETE")),
        Some(stack) => Some(stack.status).filter(StackStatus::is_deleted),
    })
}

async fn execution_failure(
    clients: &Clients,
    change_set: &str,
) -> Result<Option<String>, AwsError> {
    let answer = clients
        .cloudformation
        .describe_change_set()
        .change_set_name(change_set)
        .send()
        .await
        .or_aws(clients, "DescribeChangeSet");
    match answer {
        Ok(answer) => Ok(answer
            .execution_status
            .filter(|status| matches!(status.as_str(), "EXECUTE_FAILED" | "OBSOLETE"))
            .map(|status| {
                present(answer.status_reason).unwrap_or_else(|| status.as_str().to_owned())
            })),
        // Change sets are removed once they are executed, so a missing one says nothing.
        Err(error) if error.code() == Some("ChangeSetNotFound") => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) fn resource(event: StackEvent, manifest: Option<&StackManifest>) -> ResourceEvent {
    let logical_id = event.logical_resource_id.unwrap_or_default();
    ResourceEvent {
        source: manifest
            .and_then(|manifest| manifest.resources.get(&logical_id))
            .map(|resource| resource.source.clone()),
        stack: event.stack_name.unwrap_or_default(),
        logical_id,
        resource_type: event.resource_type.unwrap_or_default(),
        physical_id: present(event.physical_resource_id),
        status: event
            .resource_status
            .map(|status| status.as_str().to_owned())
            .unwrap_or_default(),
        reason: present(event.resource_status_reason),
        time: event
            .timestamp
            .and_then(|time| time.fmt(Format::DateTime).ok())
            .unwrap_or_default(),
    }
}
