//! Operations on one stack, followed to their end, and the errors they end in.

use std::sync::Arc;

use stack_model::assembly::StackManifest;

use super::input::token;
use crate::aws::{AwsError, OrAws, texts};
use crate::engine::{
    Context, FirstCause, StackError, StackStatus,
    activity::{self, Stopped},
    change_set::{self, ChangeSet},
};

/// Deletes a stack and waits until it is gone.
pub(in crate::engine) async fn delete(
    context: &Context,
    stack: &Arc<StackManifest>,
    stack_id: &str,
) -> Result<(), StackError> {
    let token = token(context, &[&stack.name, "delete"], &[]);
    context
        .clients
        .cloudformation
        .delete_stack()
        .stack_name(stack_id)
        .client_request_token(&token)
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
        Err(ended_badly(stack, ended))
    }
}

pub(super) async fn execute(
    context: &Context,
    stack: &Arc<StackManifest>,
    change_set: &ChangeSet,
    token: &str,
) -> Result<(), StackError> {
    change_set::execute(&context.clients, change_set, token)
        .await
        .map_err(|source| match (source.code(), source.message()) {
            // Whoever executes a change set removes all others of the stack.
            (Some("ChangeSetNotFound" | "InvalidChangeSetStatus"), Some(message)) => {
                StackError::ChangeSet {
                    stack: stack.name.clone(),
                    reason: message.to_owned(),
                    hints: vec!["somebody else deployed this stack meanwhile: deploy again".into()],
                }
            }
            _ => aws(stack, source),
        })?;
    let ended = activity::follow(
        context,
        &change_set.stack_id,
        token,
        Some(stack),
        Some(&change_set.id),
    )
    .await
    .map_err(|stopped| stopped_error(stack, stopped))?;
    if ended.status.is_good() {
        Ok(())
    } else {
        Err(ended_badly(stack, ended))
    }
}

/// Removes a change set that is not executed.
pub(super) async fn remove(
    context: &Context,
    stack: &StackManifest,
    change_set: &ChangeSet,
    with_stack: bool,
) -> Result<(), StackError> {
    change_set::remove(&context.clients, change_set, with_stack)
        .await
        .map_err(|source| aws(stack, source))
}

/// Removes the change sets that runs of ours left behind when they were killed.
pub(super) async fn remove_leftovers(
    context: &Context,
    stack: &StackManifest,
) -> Result<(), StackError> {
    let clients = &context.clients;
    let listed = change_set::list(clients, &stack.name)
        .await
        .map_err(|source| aws(stack, source))?;
    let now = context.timing.now();
    for leftover in listed.iter().filter(|listed| listed.is_leftover(now)) {
        clients
            .cloudformation
            .delete_change_set()
            .change_set_name(&leftover.id)
            .send()
            .await
            .or_aws(clients, "DeleteChangeSet")
            .map_err(|source| aws(stack, source))?;
    }
    Ok(())
}

/// Makes the error of a call for a stack.
pub(in crate::engine) fn aws(stack: &StackManifest, source: AwsError) -> StackError {
    StackError::Aws {
        stack: stack.name.clone(),
        source,
    }
}

pub(super) fn refused(stack: &StackManifest, source: AwsError) -> StackError {
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

pub(super) fn stopped_error(stack: &StackManifest, stopped: Stopped) -> StackError {
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

pub(super) fn ended_badly(stack: &StackManifest, ended: activity::Ended) -> StackError {
    StackError::Ended {
        stack: stack.name.clone(),
        cause: FirstCause::find(&ended.events).map(Box::new),
        status: ended.status,
        reason: ended.reason,
    }
}

pub(super) fn interrupted(stack: &StackManifest, running: Option<StackStatus>) -> StackError {
    StackError::Interrupted {
        stack: stack.name.clone(),
        running,
    }
}
