//! What leaves a stack and what comes to it may be one and the same under another logical id: nobody but its owner knows.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::app::section;
use super::canonical::{canonical, same};
use super::compare::type_of;
use super::knowledge::holds_data;
use super::references::refers;
use super::traps::Both;
use super::{Action, Grade, ResourceChange, Side};
use crate::text::choice;

/// Says of what leaves with its data which new resources say the same, with the declaration that keeps it. One that has its
/// name is told of besides, as CloudFormation refuses it. Of several that may be meant the first one says it for all. Of what is
/// `known` to take the place of another that was said.
pub(super) fn tell(
    changes: &mut BTreeMap<String, ResourceChange>,
    both: Both<'_>,
    known: &BTreeSet<(String, String)>,
) {
    let mut found: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
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
                && !known.contains(&(id.clone(), it.logical_id.clone()))
                && both
                    .new
                    .get(&it.logical_id)
                    .is_some_and(|new| says_the_same(old, new))
        });
        let alike: Vec<String> = alike.map(|it| it.logical_id.clone()).collect();
        if !alike.is_empty() {
            found.entry(alike).or_default().push(id.clone());
        }
    }
    for (alike, left) in found {
        let who = match alike.as_slice() {
            [one] => format!("{one} is new and says the same: if it"),
            several => format!(
                "{} are new and say the same: if one of them",
                several.join(", ")
            ),
        };
        let declared: Vec<String> = left
            .iter()
            .map(|id| format!("`moved(\"{id}\", ..)`"))
            .collect();
        let reason = format!(
            "{who} is what {} was, declare {} for it, and it keeps what it holds",
            choice(&left),
            choice(&declared)
        );
        if let Some(change) = left.first().and_then(|id| changes.get_mut(id)) {
            change.reasons.push(reason);
        }
    }
}

/// The page that says what becomes of a resource that has another logical id.
const PAGE: &str = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html";

/// Says of what is new and empty whose place it takes: what names it named another one of its type before, which leaves with its
/// data. That is a replacement, whatever it is called. Where nothing names the new one in place of the old one, nobody knows.
/// Of an earlier release, `released`, nobody declares anything. Returns what was found, old and new.
pub(super) fn replace(
    changes: &mut BTreeMap<String, ResourceChange>,
    both: Both<'_>,
    sides: [&Side<'_>; 2],
    released: bool,
) -> BTreeSet<(String, String)> {
    let leaves = |change: &&ResourceChange| {
        matches!(change.action, Action::Delete | Action::Retain)
            && holds_data(&change.resource_type)
    };
    let comes = |change: &&ResourceChange| {
        change.action == Action::Create && change.grade != Grade::Impossible
    };
    let mut found = Vec::new();
    for old in changes.values().filter(leaves) {
        let id = &old.logical_id;
        for new in changes.values().filter(comes) {
            if new.resource_type == old.resource_type
                && is_named_instead(id, &new.logical_id, both, sides)
            {
                // Of what is deleted with its data, that says so already, and is asked for.
                let is_lost = old.dangers.contains(&Grade::DataLoss);
                let (grade, fate) = match old.action {
                    Action::Retain => (
                        Grade::Replacement,
                        "which stays outside the stack under its name",
                    ),
                    _ if is_lost => (Grade::None, "which is deleted with its data"),
                    _ => (Grade::Replacement, "of which a snapshot is kept"),
                };
                found.push((id.clone(), new.logical_id.clone(), grade, fate));
            }
        }
    }
    let pairs = found
        .iter()
        .map(|(old, new, ..)| (old.clone(), new.clone()));
    let pairs = pairs.collect();
    for (old, new, grade, fate) in found {
        let advice = if released {
            String::new()
        } else {
            format!(
                ". If it is what {old} was, declare `moved(\"{old}\", ..)` for it, and it keeps what it holds"
            )
        };
        let reason = format!(
            "it takes the place of {old}, {fate}: what named that one names this one, which is empty{advice}"
        );
        if let Some(change) = changes.get_mut(&new) {
            change.add(grade, reason, PAGE);
        }
    }
    pairs
}

/// Returns whether a resource or an output that stays names one resource in place of another.
fn is_named_instead(old: &str, new: &str, both: Both<'_>, sides: [&Side<'_>; 2]) -> bool {
    let turns = |before: &Value, after: &Value| {
        refers(before, old) && refers(after, new) && !refers(after, old) && !refers(before, new)
    };
    let mut resources = both.old.iter();
    if resources.any(|(id, before)| both.new.get(id).is_some_and(|after| turns(before, after))) {
        return true;
    }
    let [before, after] = sides;
    section(before).any(|(key, output)| {
        let later = section(after).find(|(other, _)| *other == key);
        later.is_some_and(|(_, later)| {
            turns(
                &canonical(output, &before.parameters),
                &canonical(later, &after.parameters),
            )
        })
    })
}

/// Returns whether two resources are of one type and have the same properties.
fn says_the_same(old: &Value, new: &Value) -> bool {
    let empty = Value::Object(serde_json::Map::new());
    let properties = |side: &Value| side.get("Properties").unwrap_or(&empty).clone();
    type_of(old) == type_of(new) && same(&properties(old), &properties(new))
}
