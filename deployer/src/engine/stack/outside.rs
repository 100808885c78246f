//! Says what an operation left outside of its stack: nobody else remembers it.

use std::collections::BTreeSet;

use stack_model::assembly::StackManifest;

use crate::engine::{
    Context, Event, ProposedChanges, Retained,
    activity::Ended,
    change_set::Change,
    destroy::is_part,
    inspect::{self, DeployedResource},
};

/// Tells of the resources that a change set took out of the stack and left in the account, and writes them down. What ends with
/// another resource, such as the versions of a function, stays no longer than that does.
pub(super) fn tell(context: &Context, stack: &StackManifest, changes: &ProposedChanges) {
    let retained = changes.changes.iter().filter(|change| stays(change));
    let retained = retained.filter(|change| !is_part(&change.resource_type));
    let retained = retained.filter_map(|change| {
        let resource = DeployedResource {
            logical_id: change.logical_id.clone(),
            resource_type: change.resource_type.clone(),
            physical_id: change.physical_id.clone()?,
        };
        Some(Retained::new(context, &resource))
    });
    stay(context, stack, retained.collect());
}

/// Returns whether what a change removes or replaces stays in the account; see `PolicyAction` in
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html>.
fn stays(change: &Change) -> bool {
    matches!(
        change.policy_action.as_deref(),
        Some("Retain" | "ReplaceAndRetain")
    )
}

/// Tells of what stays in the account outside of its stack, and writes it down.
pub(super) fn stay(context: &Context, stack: &StackManifest, kept: Vec<Retained>) {
    warn(context, stack, &kept);
    write_down(context, stack, kept);
}

/// Writes down what belongs to no stack from now on.
pub(super) fn write_down(context: &Context, stack: &StackManifest, left: Vec<Retained>) {
    if left.is_empty() {
        return;
    }
    if let Err(error) = context.leave_aside(&stack.name, left) {
        context.emit(Event::Warning {
            stack: stack.name.clone(),
            message: format!("what stays outside is not written down: {error}"),
        });
    }
}

/// Tells of what a failed update made that its rollback kept, and writes it down.
///
/// A rollback deletes what is new, but for what its template says `Retain` of: it stays, and the stack does not have it any
/// more, which the events alone say
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateStack.html>, `RetainExceptOnCreate`). What a
/// failed creation kept, its stack has as long as it is there.
pub(in crate::engine) async fn rolled_back(
    context: &Context,
    stack: &StackManifest,
    stack_id: &str,
    ended: &Ended,
) {
    if !ended.status.as_str().starts_with("UPDATE_ROLLBACK") {
        return;
    }
    let skipped = ended.events.iter();
    let skipped = skipped.filter(|it| it.status == "DELETE_SKIPPED");
    let skipped: BTreeSet<(&str, &str, &str)> = skipped
        .filter_map(|it| {
            let physical_id = it.physical_id.as_deref()?;
            Some((&*it.logical_id, &*it.resource_type, physical_id))
        })
        .collect();
    if skipped.is_empty() {
        return;
    }
    let has = match inspect::resources(&context.clients, stack_id).await {
        Ok(has) => has,
        Err(error) => {
            let names: Vec<&str> = skipped.iter().map(|(_, _, id)| *id).collect();
            context.emit(Event::Warning {
                stack: stack.name.clone(),
                message: format!(
                    "its rollback kept {}, and nobody knows whether the stack still has that: {error}",
                    names.join(", ")
                ),
            });
            return;
        }
    };
    let left = skipped.into_iter().filter(|(_, kind, id)| {
        let is_same = |own: &DeployedResource| own.resource_type == *kind && own.physical_id == *id;
        !has.iter().any(is_same)
    });
    let left = left.map(|(logical_id, resource_type, physical_id)| {
        let resource = DeployedResource {
            logical_id: logical_id.to_owned(),
            resource_type: resource_type.to_owned(),
            physical_id: physical_id.to_owned(),
        };
        Retained::new(context, &resource)
    });
    stay(context, stack, left.collect());
}

fn warn(context: &Context, stack: &StackManifest, retained: &[Retained]) {
    for it in retained {
        let mut message = format!(
            "{} ({}, {}) belongs to no stack from now on, because its policy retains it",
            it.logical_id, it.resource_type, it.physical_id
        );
        if !it.remove.is_empty() {
            message += "; to remove it: ";
            message += &it.remove.join(" && ");
        }
        context.emit(Event::Warning {
            stack: stack.name.clone(),
            message,
        });
    }
}
