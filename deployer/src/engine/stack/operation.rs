//! Operations on one stack, followed to their end, and the errors they end in.

use std::{collections::BTreeSet, sync::Arc, time::SystemTime};

use stack_model::assembly::StackManifest;

use super::{
    input::token,
    outside,
    settle::{rfc3339, time},
};
use crate::aws::{AwsError, OrAws, texts};
use crate::engine::{
    Context, Event, FirstCause, StackError, StackStatus,
    activity::{self, Stopped},
    change_set::{self, ChangeSet, Listed},
    owner, stuck,
};

/// Deletes a stack and waits until it is gone. Resources are named to be kept where they kept an earlier removal from its
/// end.
pub(in crate::engine) async fn delete(
    context: &Context,
    stack: &Arc<StackManifest>,
    stack_id: &str,
    retain: &BTreeSet<String>,
) -> Result<(), StackError> {
    let token = token(context, &[&stack.name, "delete"], &[]);
    context
        .clients
        .cloudformation
        .delete_stack()
        .stack_name(stack_id)
        .client_request_token(&token)
        .set_retain_resources((!retain.is_empty()).then(|| retain.iter().cloned().collect()))
        .send()
        .await
        .or_aws(&context.clients, "DeleteStack")
        .map_err(|source| match source.message() {
            Some(message) if texts::says_export_in_use(message) => StackError::InUse {
                stack: stack.name.clone(),
                reason: message.to_owned(),
                hints: known_hints(message),
            },
            _ => aws(stack, source),
        })?;
    let ended = activity::follow(context, stack_id, &token, Some(stack), None)
        .await
        .map_err(|stopped| stopped_error(stack, stopped))?;
    if ended.status.is_deleted() {
        Ok(())
    } else {
        Err(ended_badly(context, stack, stack_id, ended).await)
    }
}

/// What became of a change set that was to be executed.
#[derive(Debug)]
pub(in crate::engine) enum Executed {
    /// It was executed to its end, of which AWS told at this time.
    Done(Option<SystemTime>),
    /// Somebody else was first: the change set is not what would be done now.
    Overtaken(StackError),
}

pub(in crate::engine) async fn execute(
    context: &Context,
    stack: &Arc<StackManifest>,
    change_set: &ChangeSet,
    token: &str,
) -> Result<Executed, StackError> {
    if let Err(source) = change_set::execute(&context.clients, change_set, token).await {
        let refused = match (source.code(), source.message()) {
            // Whoever executes a change set removes all others of the stack, and a deploy those that nobody executed for
            // an hour, so that nothing need have changed.
            (Some("ChangeSetNotFound"), Some(message)) => (message, true),
            (Some("InvalidChangeSetStatus"), Some(message)) => (message, false),
            (_, Some(message)) if texts::says_busy(message) => (message, false),
            _ => return Err(aws(stack, source)),
        };
        if let Some(error) = overtaken(context, stack, change_set, token, refused).await? {
            return Ok(Executed::Overtaken(error));
        }
    }
    let ended = activity::follow(
        context,
        &change_set.stack_id,
        token,
        Some(stack),
        Some(&change_set.id),
    )
    .await
    .map_err(|stopped| stopped_error(stack, stopped))?;
    outside::ended(context, stack, &change_set.stack_id, &ended).await;
    if ended.status.is_good() {
        let times = ended.events.iter().filter_map(|event| time(&event.time));
        Ok(Executed::Done(times.max()))
    } else {
        Err(ended_badly(context, stack, &change_set.stack_id, ended).await)
    }
}

/// Says who was first, or why the change set is gone; nothing, where that was this run, whose call was repeated because its answer was lost.
async fn overtaken(
    context: &Context,
    stack: &StackManifest,
    change_set: &ChangeSet,
    token: &str,
    (reason, is_gone): (&str, bool),
) -> Result<Option<StackError>, StackError> {
    let clients = &context.clients;
    let first = activity::running(clients, &change_set.stack_id)
        .await
        .map_err(|source| aws(stack, source))?;
    if first.token.as_deref() == Some(token) {
        return Ok(None);
    }
    let by = owner::name(first.token.as_deref(), clients.identity());
    let since = first
        .since
        .map_or_else(String::new, |since| format!(" since {since}"));
    Ok(Some(StackError::ChangeSet {
        stack: stack.name.clone(),
        reason: reason.to_owned(),
        hints: vec![format!(
            "{}: deploy again, or add `--wait` to compute the changes anew",
            if is_gone {
                format!(
                    "{by} was the last to change this stack{since}, or deploys it and removed this change set because it waited for more than an hour"
                )
            } else {
                format!("{by} changed this stack meanwhile{since}")
            }
        )],
    }))
}

/// Removes a change set that is not executed.
pub(in crate::engine) async fn remove(
    context: &Context,
    stack: &StackManifest,
    change_set: &ChangeSet,
    with_stack: bool,
) -> Result<(), StackError> {
    change_set::remove(&context.clients, change_set, with_stack)
        .await
        .map_err(|source| aws(stack, source))
}

/// Removes a change set that an error keeps from being executed, and returns the error: it counts for more than what is left.
pub(super) async fn given_up(
    context: &Context,
    stack: &StackManifest,
    change_set: &ChangeSet,
    error: StackError,
) -> StackError {
    if let Err(left) = remove(context, stack, change_set, false).await {
        context.emit(Event::Warning {
            stack: stack.name.clone(),
            message: format!("its change set stays until the next deploy: {left}"),
        });
    }
    error
}

/// Removes the change sets that runs of ours left behind when they were killed, and tells of those that other callers
/// are about to execute.
pub(super) async fn remove_leftovers(
    context: &Context,
    stack: &StackManifest,
) -> Result<(), StackError> {
    let clients = &context.clients;
    let listed = change_set::list(clients, &stack.name)
        .await
        .map_err(|source| aws(stack, source))?;
    let now = context.timing.now();
    let caller = clients.identity();
    for other in listed.iter().filter(|listed| {
        listed.is_ours() && listed.is_waiting() && !owner::is_ours(&listed.name, caller)
    }) {
        if !other.is_leftover(now) {
            context.emit(Event::StackContended {
                stack: stack.name.clone(),
                by: owner::name(Some(&other.name), caller),
                since: other.created.map(rfc3339).unwrap_or_default(),
            });
        }
    }
    let leftover = listed.iter().filter(|listed| listed.is_leftover(now));
    change_set::remove_all(clients, leftover)
        .await
        .map_err(|source| aws(stack, source))
}

/// Removes the change sets that earlier runs of this caller left on a stack that holds nothing else. CloudFormation does
/// the same when it executes another one.
pub(super) async fn remove_waiting(
    context: &Context,
    stack: &StackManifest,
    waiting: &[Listed],
) -> Result<(), StackError> {
    let clients = &context.clients;
    let ours = waiting
        .iter()
        .filter(|found| found.is_waiting() && owner::is_ours(&found.name, clients.identity()));
    change_set::remove_all(clients, ours)
        .await
        .map_err(|source| aws(stack, source))
}

/// Makes the error of a call for a stack.
pub(in crate::engine) fn aws(stack: &StackManifest, source: AwsError) -> StackError {
    StackError::Aws {
        stack: stack.name.clone(),
        source,
    }
}

pub(in crate::engine) fn refused(stack: &StackManifest, source: AwsError) -> StackError {
    // A template that CloudFormation does not like is refused at once, and not as a failed change set.
    match (source.code(), source.message()) {
        (Some("ValidationError" | "InsufficientCapabilitiesException"), Some(message)) => {
            StackError::ChangeSet {
                stack: stack.name.clone(),
                reason: message.to_owned(),
                hints: known_hints(message),
            }
        }
        _ => aws(stack, source),
    }
}

pub(super) fn known_hints(reason: &str) -> Vec<String> {
    crate::engine::failure::hints("", reason)
}

pub(in crate::engine) fn stopped_error(stack: &StackManifest, stopped: Stopped) -> StackError {
    match stopped {
        Stopped::Cancelled(status) => interrupted(
            stack,
            Some(status.unwrap_or_else(|| StackStatus::new("about to begin"))),
        ),
        Stopped::NotStarted(reason) => StackError::ChangeSet {
            stack: stack.name.clone(),
            hints: known_hints(&reason),
            reason,
        },
        Stopped::Aws(source) => aws(stack, source),
    }
}

/// Makes the error of an operation that ended badly, with the way on from where it ended.
pub(in crate::engine) async fn ended_badly(
    context: &Context,
    stack: &StackManifest,
    stack_id: &str,
    ended: activity::Ended,
) -> StackError {
    let cause = FirstCause::find(&ended.events);
    let hints = match ended.status.way() {
        Some(way) => {
            let (_, hints) = stuck::hints(context, &stack.name, stack_id, way).await;
            way.pointed(hints, cause.as_ref())
        }
        None => Vec::new(),
    };
    StackError::Ended {
        stack: stack.name.clone(),
        cause: cause.map(Box::new),
        status: ended.status,
        reason: ended.reason,
        hints,
    }
}

pub(in crate::engine) fn interrupted(
    stack: &StackManifest,
    running: Option<StackStatus>,
) -> StackError {
    StackError::Interrupted {
        stack: stack.name.clone(),
        running,
    }
}
