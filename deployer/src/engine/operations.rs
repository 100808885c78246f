//! The operations that a stack went through, as its events tell them.

use std::cell::{Cell, OnceCell};

use aws_sdk_cloudformation::types::StackEvent;
use serde::Serialize;
use stack_model::assembly::StackManifest;

use super::{
    Context, Origin, ResourceEvent, StackStatus, StackTarget,
    activity::{self, is_end, is_passing},
    inspect::{present, says_absent},
    origin,
};
use crate::aws::AwsError;

/// One operation on a stack.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Operation {
    /// The stack.
    pub stack: String,
    /// What was done: `create`, `update`, `delete`, `import`, `rename` for a step of a rename, `rollback`.
    pub operation: String,
    /// The last status of the stack.
    pub status: StackStatus,
    /// When it began, in RFC 3339.
    pub began: String,
    /// When it ended, where it did.
    pub ended: Option<String>,
    /// Who began it, with what.
    #[serde(flatten)]
    pub origin: Origin,
    /// What happened, the oldest first.
    #[serde(skip)]
    pub events: Vec<ResourceEvent>,
}

/// Returns the newest operations of a stack, the oldest first; none, where there is no such stack.
///
/// AWS keeps events for 90 days, and those of a deleted stack under its ARN only.
pub async fn operations(
    context: &Context,
    stack: &StackTarget,
    manifest: Option<&StackManifest>,
    limit: usize,
) -> Result<Vec<Operation>, AwsError> {
    let clients = context.clients.in_region(stack.region.as_deref());
    let newest = OnceCell::new();
    let boundaries = Cell::new(0_usize);
    let read = activity::read_until(&clients, &stack.name, |event| {
        if is_end(event) {
            boundaries.set(boundaries.get() + 1);
        }
        let running = newest.get_or_init(|| !is_end(event));
        // One that still runs has no end yet.
        boundaries.get() + usize::from(*running) > limit
    })
    .await;
    let events = match read {
        Ok(events) => events,
        Err(error) if says_absent(&error) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut operations = split(events, manifest);
    let surplus = operations.len().saturating_sub(limit);
    operations.drain(..surplus);
    Ok(operations)
}

/// An operation whose events are being collected.
struct Group {
    key: Option<String>,
    ended: bool,
    events: Vec<ResourceEvent>,
}

/// Splits the events of a stack, the oldest first, into its operations.
///
/// Those of one operation carry the token that it was begun with, or the id that AWS gave it. Where there is neither,
/// the end of one is the beginning of the next.
fn split(events: Vec<StackEvent>, manifest: Option<&StackManifest>) -> Vec<Operation> {
    let mut groups: Vec<Group> = Vec::new();
    for event in events {
        let key = present(event.client_request_token.clone())
            .or_else(|| present(event.operation_id.clone()));
        let ends = is_end(&event);
        let event = activity::resource(event, manifest);
        let group = groups
            .iter_mut()
            .rev()
            .find(|group| group.key == key && (key.is_some() || !group.ended));
        match group {
            Some(group) => {
                group.ended |= ends;
                group.events.push(event);
            }
            None => groups.push(Group {
                key,
                ended: ends,
                events: vec![event],
            }),
        }
    }
    groups.into_iter().filter_map(operation).collect()
}

/// Makes the operation of a group; none, where it was no operation: a change set that is being looked at.
fn operation(group: Group) -> Option<Operation> {
    let stack_events = || group.events.iter().filter(|event| event.is_stack());
    let first = stack_events().find(|event| event.status != "REVIEW_IN_PROGRESS")?;
    let last = stack_events().next_back()?;
    let status = StackStatus::new(&*last.status);
    let ended = status.is_settled() && !is_passing(&status);
    Some(Operation {
        stack: first.stack.clone(),
        operation: match word(&first.status) {
            "update" | "import" if group.key.as_deref().is_some_and(origin::is_renaming) => {
                "rename".to_owned()
            }
            word => word.to_owned(),
        },
        status,
        began: first.time.clone(),
        ended: ended.then(|| last.time.clone()),
        origin: Origin::read(group.key.as_deref()),
        events: group.events,
    })
}

/// Returns what an operation does that begins with a status.
fn word(status: &str) -> &'static str {
    match status {
        _ if status.contains("ROLLBACK") => "rollback",
        _ if status.starts_with("CREATE") => "create",
        _ if status.starts_with("DELETE") => "delete",
        _ if status.starts_with("IMPORT") => "import",
        _ => "update",
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudformation::types::ResourceStatus;
    use aws_smithy_types::DateTime;

    use super::*;

    fn event(second: i64, logical_id: &str, status: &str, token: Option<&str>) -> StackEvent {
        StackEvent::builder()
            .event_id(second.to_string())
            .stack_id("arn")
            .stack_name("intake-dev")
            .logical_resource_id(logical_id)
            .resource_type(if logical_id == "intake-dev" {
                "AWS::CloudFormation::Stack"
            } else {
                "AWS::SQS::Queue"
            })
            .timestamp(DateTime::from_secs(1_790_000_000 + second))
            .resource_status(ResourceStatus::from(status))
            .set_client_request_token(token.map(str::to_owned))
            .build()
    }

    #[test]
    fn events_are_split_by_token_and_late_ones_belong_to_theirs() {
        let (one, two) = (Some("stackctl-1"), Some("stackctl-2"));
        let operations = split(
            vec![
                event(0, "intake-dev", "REVIEW_IN_PROGRESS", None),
                event(1, "intake-dev", "CREATE_IN_PROGRESS", one),
                event(2, "Orders", "CREATE_FAILED", one),
                event(3, "intake-dev", "ROLLBACK_IN_PROGRESS", one),
                event(4, "intake-dev", "ROLLBACK_COMPLETE", one),
                event(5, "intake-dev", "DELETE_IN_PROGRESS", two),
                event(6, "Orders", "DELETE_COMPLETE", one),
            ],
            None,
        );
        let told: Vec<_> = operations
            .iter()
            .map(|operation| {
                (
                    operation.operation.as_str(),
                    operation.status.as_str(),
                    operation.ended.is_some(),
                    operation.events.len(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("create", "ROLLBACK_COMPLETE", true, 5),
                ("delete", "DELETE_IN_PROGRESS", false, 1),
            ]
        );
    }

    #[test]
    fn the_steps_of_a_rename_are_told_apart() {
        let step = Some("stackctl-0123456789abcdef0123-rename-v0-1-0-by--kdev");
        let update = Some("stackctl-0123456789abcdef0123-v0-1-0-by--krename");
        let operations = split(
            vec![
                event(1, "intake-dev", "UPDATE_IN_PROGRESS", step),
                event(2, "intake-dev", "UPDATE_COMPLETE", step),
                event(3, "intake-dev", "UPDATE_IN_PROGRESS", update),
                event(4, "intake-dev", "UPDATE_COMPLETE", update),
            ],
            None,
        );
        let told = operations
            .iter()
            .map(|it| (it.operation.as_str(), it.origin.by.as_deref()));
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                ("rename", Some("user/dev")),
                ("update", Some("user/rename"))
            ]
        );
    }

    #[test]
    fn without_tokens_the_end_of_one_is_the_beginning_of_the_next() {
        let operations = split(
            vec![
                event(1, "intake-dev", "UPDATE_IN_PROGRESS", None),
                event(2, "Orders", "UPDATE_FAILED", None),
                event(3, "intake-dev", "UPDATE_FAILED", None),
                event(4, "intake-dev", "UPDATE_ROLLBACK_IN_PROGRESS", None),
                event(5, "intake-dev", "UPDATE_ROLLBACK_COMPLETE", None),
                event(6, "intake-dev", "UPDATE_IN_PROGRESS", None),
                event(7, "intake-dev", "UPDATE_COMPLETE", None),
            ],
            None,
        );
        let told: Vec<_> = operations
            .iter()
            .map(|operation| (operation.status.as_str(), operation.events.len()))
            .collect();
        assert_eq!(
            told,
            [("UPDATE_ROLLBACK_COMPLETE", 5), ("UPDATE_COMPLETE", 2)]
        );
    }
}
