//! Says what an update left outside of its stack: nobody else remembers it.

use stack_model::assembly::StackManifest;

use crate::engine::{
    Context, Event, ProposedChanges, Retained, change_set::Change, inspect::DeployedResource,
};

/// Warns of the resources that a change set took out of the stack and left in the account, with the commands that remove them.
pub(super) fn tell(context: &Context, stack: &StackManifest, changes: &ProposedChanges) {
    for change in changes.changes.iter().filter(|change| stays(change)) {
        let Some(physical_id) = &change.physical_id else {
            continue;
        };
        let retained = Retained::new(
            context,
            &DeployedResource {
                logical_id: change.logical_id.clone(),
                resource_type: change.resource_type.clone(),
                physical_id: physical_id.clone(),
            },
        );
        let mut message = format!(
            "{} ({}, {physical_id}) belongs to no stack from now on, because its policy retains it",
            change.logical_id, change.resource_type
        );
        if !retained.remove.is_empty() {
            message += "; to remove it: ";
            message += &retained.remove.join(" && ");
        }
        context.emit(Event::Warning {
            stack: stack.name.clone(),
            message,
        });
    }
}

/// Returns whether what a change removes or replaces stays in the account; see `PolicyAction` in
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html>.
fn stays(change: &Change) -> bool {
    matches!(
        change.policy_action.as_deref(),
        Some("Retain" | "ReplaceAndRetain")
    )
}
