//! What leaves a stack and what comes to it may be one and the same under another logical id: nobody but its owner knows.

use std::collections::BTreeMap;

use serde_json::Value;

use super::canonical::same;
use super::compare::type_of;
use super::knowledge::holds_data;
use super::traps::Both;
use super::{Action, Grade, ResourceChange};

/// Says of what leaves with its data which new resources say the same, with the declaration that keeps it. One that has its
/// name is told of besides, as CloudFormation refuses it.
pub(super) fn tell(changes: &mut BTreeMap<String, ResourceChange>, both: Both<'_>) {
    let mut found = Vec::new();
    for (id, change) in changes.iter() {
        let leaves = matches!(change.action, Action::Delete | Action::Retain);
        let Some(old) = both.old.get(id).filter(|_| leaves) else {
            continue;
        };
        if !holds_data(type_of(old)) {
            continue;
        }
        let alike = changes.values().filter(|it| {
            it.action == Action::Create
                && it.grade != Grade::Impossible
                && both
                    .new
                    .get(&it.logical_id)
                    .is_some_and(|new| says_the_same(old, new))
        });
        let alike: Vec<&str> = alike.map(|it| it.logical_id.as_str()).collect();
        let who = match alike.as_slice() {
            [] => continue,
            [one] => format!("{one} is new and says the same: if it"),
            several => format!(
                "{} are new and say the same: if one of them",
                several.join(", ")
            ),
        };
        let reason = format!(
            "{who} is what {id} was, declare `moved(\"{id}\", ..)` for it, and it keeps what it holds"
        );
        found.push((id.clone(), reason));
    }
    for (id, reason) in found {
        if let Some(change) = changes.get_mut(&id) {
            change.reasons.push(reason);
        }
    }
}

/// Returns whether two resources are of one type and have the same properties.
fn says_the_same(old: &Value, new: &Value) -> bool {
    let empty = Value::Object(serde_json::Map::new());
    let properties = |side: &Value| side.get("Properties").unwrap_or(&empty).clone();
    type_of(old) == type_of(new) && same(&properties(old), &properties(new))
}
