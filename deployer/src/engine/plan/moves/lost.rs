//! Renames by import whose note is lost: while a resource was outside of its stack, somebody deployed another template past us.
//!
//! What the resource was, the events of the stack tell, for as long as AWS keeps them. Nothing is guessed from that: whether
//! somebody removed it since, or imported it elsewhere, nobody here knows, so it is told and not taken back.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::course::is_noted;
use super::{IMPORT_PAGE, replaced};
use crate::engine::ResourceEvent;
use crate::engine::inspect::DeployedResource;
use crate::engine::plan::compare::type_of;
use crate::engine::plan::{Grade, StackPlan};

/// Returns the renames, old to new, of which a resource may be outside without a note: nothing has the new name yet, and
/// nothing the old one, or only what is still to be renamed by import.
pub(in crate::engine::plan) fn noteless(
    moved: &BTreeMap<String, String>,
    deployed: &Value,
    wanted: &Value,
    imported: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    if is_noted(deployed) {
        return BTreeMap::new();
    }
    let has = |template: &Value, id: &str| template["Resources"].get(id).is_some();
    let noteless = moved.iter().filter(|(from, to)| {
        has(wanted, to)
            && !has(deployed, to)
            && (!has(deployed, from) || imported.contains_key(*from))
    });
    noteless
        .map(|(from, to)| (from.clone(), to.clone()))
        .collect()
}

/// Returns what left a stack last under each logical id and was kept, and is none of its resources. `events` are those of the
/// stack, the oldest first.
///
/// CloudFormation says so with `DELETE_SKIPPED`
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackEvent.html>). What was done to it in the stack
/// later is told by a later event, such as one of its import. What another one took the place of under the logical id before
/// it was kept was replaced, and did not leave under that name.
pub(in crate::engine::plan) fn outside(
    events: &[ResourceEvent],
    own: &[DeployedResource],
) -> BTreeMap<String, DeployedResource> {
    let own = own
        .iter()
        .map(|it| (it.resource_type.as_str(), it.physical_id.as_str()));
    let mut known: BTreeSet<(&str, &str)> = own.collect();
    let mut found = BTreeMap::new();
    for (position, event) in events.iter().enumerate().rev() {
        let Some(physical_id) = event.physical_id.as_deref() else {
            continue;
        };
        let is_last = known.insert((&event.resource_type, physical_id));
        if is_last
            && event.status == "DELETE_SKIPPED"
            && !is_replaced(event, physical_id, &events[..position])
        {
            found
                .entry(event.logical_id.clone())
                .or_insert_with(|| DeployedResource {
                    logical_id: event.logical_id.clone(),
                    resource_type: event.resource_type.clone(),
                    physical_id: physical_id.to_owned(),
                });
        }
    }
    found
}

/// Returns whether another resource had the logical id of an event already when it happened: an update makes the new one before
/// it cleans up the one whose place it took.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html>.
fn is_replaced(event: &ResourceEvent, physical_id: &str, earlier: &[ResourceEvent]) -> bool {
    let mut of_id = earlier.iter().rev().filter(|it| {
        it.logical_id == event.logical_id
            && it.resource_type == event.resource_type
            && !it.status.starts_with("DELETE_")
    });
    let last = of_id.find_map(|it| it.physical_id.as_deref());
    last.is_some_and(|last| last != physical_id)
}

/// Notes in a plan what may be outside of its stack, and what becomes of it.
pub(in crate::engine::plan) fn tell(
    plan: &mut StackPlan,
    noteless: &BTreeMap<String, String>,
    outside: &BTreeMap<String, DeployedResource>,
    deployed: &Value,
) {
    for (from, to) in noteless {
        let Some(left) = outside.get(from) else {
            continue;
        };
        let kind = left.resource_type.as_str();
        let now = type_of(&deployed["Resources"][from.as_str()]);
        let mut changes = plan.changes.iter_mut();
        let change = changes.find(|it| it.logical_id == *to && it.resource_type == kind);
        let Some(change) = change else {
            continue;
        };
        let (grade, what) = if now.is_empty() {
            (replaced(kind), "an empty one is made beside it")
        } else {
            (
                Grade::UpdateInPlace,
                "what is renamed is the one that is there now",
            )
        };
        change.add(
            grade,
            format!(
                "{from} ({kind} {}) was kept outside when it left the stack, which has no note of a rename any more: {what}. To \
                 have that one, import it as {to} first",
                left.physical_id
            ),
            IMPORT_PAGE,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::tests::event;

    #[test]
    fn what_was_kept_last_is_outside() {
        let own = [DeployedResource {
            logical_id: "Other".to_owned(),
            resource_type: "AWS::SQS::Queue".to_owned(),
            physical_id: "own".to_owned(),
        }];
        let kept = |id: &str, physical_id: &str| event(id, physical_id, "DELETE_SKIPPED");
        let told = |events: &[ResourceEvent]| -> Vec<(String, String)> {
            let found = outside(events, &own).into_iter();
            found.map(|(id, it)| (id, it.physical_id)).collect()
        };
        let pair = |id: &str, physical_id: &str| (id.to_owned(), physical_id.to_owned());
        assert_eq!(
            told(&[kept("Inbox", "first"), kept("Inbox", "second")]),
            [pair("Inbox", "second")]
        );
        // It came back since, under whatever name; it was deleted; it is in the stack.
        for after in [
            event("Orders", "first", "IMPORT_COMPLETE"),
            event("Inbox", "first", "DELETE_COMPLETE"),
        ] {
            assert_eq!(told(&[kept("Inbox", "first"), after]), []);
        }
        assert_eq!(told(&[kept("Inbox", "own")]), []);
        // Another one took its place, and is what left later.
        let replaced = [
            event("Inbox", "first", "UPDATE_IN_PROGRESS"),
            event("Inbox", "second", "UPDATE_COMPLETE"),
            event("Inbox", "first", "DELETE_IN_PROGRESS"),
            kept("Inbox", "first"),
        ];
        assert_eq!(told(&replaced), []);
        let left = [
            &replaced[..],
            &[
                event("Inbox", "second", "DELETE_IN_PROGRESS"),
                kept("Inbox", "second"),
            ],
        ]
        .concat();
        assert_eq!(told(&left), [pair("Inbox", "second")]);
        assert_eq!(told(&[event("Inbox", "first", "DELETE_COMPLETE")]), []);
    }
}
