//! Traps that are a row of a table each: a file for each kind of table, its rows ordered by type.

mod fixed;
mod gone;
mod limits;
mod protection;
mod retention;
#[cfg(test)]
mod rows;
mod switches;
mod updates;

use serde_json::Value;

use super::super::canonical::same;
use super::super::knowledge::{Knowledge as _, Registry, holds_data};
use super::super::path::{Step, display};
use super::super::{Action, Grade, widen};
use super::{Finding, Seen, Trap, is, is_on, number, shown};

use fixed::FIXED;
pub(super) use fixed::INTERRUPTIONS;
use gone::GONE;
use protection::protections;
use retention::{RETENTIONS, Retention};
#[cfg(test)]
pub(in crate::engine::plan) use rows::{Row, deciding, finding};
use switches::SWITCHES;
pub(super) use updates::{ALLOWED, UPDATES};

/// The page about what a resource that leaves its stack becomes.
const DELETION_POLICY: &str = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html";

/// The page about what updates do.
const UPDATE_BEHAVIORS: &str = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html";

/// The traps of the tables; each row has the page of its own.
pub(super) const TRAPS: &[Trap] = &[
    Trap {
        types: &[],
        source: UPDATE_BEHAVIORS,
        find: tables,
    },
    Trap {
        types: &[],
        source: DELETION_POLICY,
        find: policies,
    },
];

fn tables(seen: &Seen<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let own = seen.change.resource_type.as_str();
    // All that is said of custom resources is said of each of their types.
    let general = if own.starts_with("Custom::") {
        "AWS::CloudFormation::CustomResource"
    } else {
        own
    };
    let leaves = matches!(seen.change.action, Action::Delete | Action::Replace);
    let kept = seen.wanted().or(seen.deployed()).is_some_and(|resource| {
        let policy = if seen.change.action == Action::Replace {
            "UpdateReplacePolicy"
        } else {
            "DeletionPolicy"
        };
        matches!(
            resource.get(policy).and_then(Value::as_str),
            Some("Retain" | "RetainExceptOnCreate")
        )
    });
    if leaves && !kept {
        let rows = GONE.iter().filter(|row| row.resource_type == own);
        found.extend(rows.map(|row| Finding::new(Grade::None, row.says).citing(row.source)));
    }
    let fixed = FIXED.iter().filter(|row| row.resource_type == general);
    let touched = fixed.filter(|row| seen.deployed().is_some() && seen.touches(row.property));
    for row in touched.filter(|row| !says_the_same(seen, general, row.property)) {
        found.push(Finding::new(
            Grade::Impossible,
            format!(
                "{} cannot be changed once the resource is there: give it another logical id, which makes a new one",
                row.property
            ),
        ).citing(row.source));
    }
    // What takes the place of another one is protected as that was, or less.
    if seen.stays() || seen.change.action == Action::Replace {
        found.extend(protection::unprotected(own, seen));
        found.extend(limits::loosened(own, seen));
        found.extend(undeletable(own, seen));
    }
    if !seen.stays() {
        return found;
    }
    for row in INTERRUPTIONS.iter().filter(|row| row.resource_type == own) {
        let touched = row.properties.iter().filter(|name| seen.touches(name));
        found.extend(touched.map(|name| {
            let reason = format!("{name} changes with some interruptions");
            Finding::new(Grade::Interruption, reason).citing(row.source)
        }));
    }
    let retentions = RETENTIONS.iter().filter(|row| row.resource_type == own);
    found.extend(retentions.filter_map(|row| {
        let finding = shortened(row, seen)?;
        Some(finding.citing(row.source))
    }));
    found.extend(kept_shorter(own, seen));
    let switches = SWITCHES.iter().filter(|row| row.resource_type == own);
    for row in switches {
        if !(row.is_off)(seen.before(row.pointer)) && (row.is_off)(seen.after(row.pointer)) {
            found.push(Finding::new(Grade::Interruption, row.says).citing(row.source));
        }
    }
    found
}

/// How properties are called that keep a resource from being deleted, whatever its type.
pub(super) const UNDELETABLE: [&str; 3] = [
    "DeletionProtection",
    "DeletionProtectionEnabled",
    "EnableTerminationProtection",
];

/// Finds the protection from deletion that goes of types that have no row.
fn undeletable(resource_type: &str, seen: &Seen<'_>) -> Vec<Finding> {
    let on = |value: Option<&Value>| is_on(value) || is(value, "ACTIVE") || is(value, "ENABLED");
    let mut found = Vec::new();
    for name in UNDELETABLE {
        let pointer = format!("/{name}");
        let has_row =
            protections().any(|row| row.resource_type == resource_type && row.pointer == pointer);
        if !has_row && on(seen.before(&pointer)) && !on(seen.after(&pointer)) {
            found.push(Finding::new(
                Grade::PermissionWidened,
                format!("{name} is taken away: whoever may delete it may do so"),
            ));
        }
    }
    found
}

/// Finds times to keep that become shorter, of types that have no row: the registry calls them so.
fn kept_shorter(resource_type: &str, seen: &Seen<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for property in &seen.change.properties {
        let Some(place) = property.path.property() else {
            continue;
        };
        let Some(Step::Key(name)) = place.last() else {
            continue;
        };
        let has_row = RETENTIONS.iter().any(|row| {
            let (_, own) = row.pointer.rsplit_once('/').unwrap_or_default();
            row.resource_type == resource_type && own == name
        });
        if has_row || !name.contains("Retention") {
            continue;
        }
        let default = || Registry.default(resource_type, place);
        let before = property.before.clone().or_else(default);
        let after = property.after.clone().or_else(default);
        let path = display(place);
        let reason = match (number(before.as_ref()), number(after.as_ref())) {
            (Some(before), Some(after)) if after < before => {
                format!(
                    "{path} becomes shorter, {after} after {before}: what is older may be deleted"
                )
            }
            (Some(_), None) if after.is_none() => {
                format!("{path} is no longer said: what is kept by default may be less")
            }
            (None, Some(after)) if before.is_none() => {
                format!(
                    "{path} becomes {after}, and was not said: what is kept by default, or for ever, may be more, and what is older may be deleted"
                )
            }
            (Some(_) | None, None) | (None, Some(_)) => {
                let unknown = |side: &'_ Option<Value>| side.clone().filter(widen::is_unknown);
                let (value, verb) = match (unknown(&after), unknown(&before)) {
                    (Some(after), _) => (after, "is"),
                    (None, Some(before)) => (before, "was"),
                    (None, None) => continue,
                };
                format!(
                    "{path} may become shorter, as nobody knows what {} {verb}: what is older may be deleted",
                    widen::text(&value)
                )
            }
            (Some(_), Some(_)) => continue,
        };
        found.push(Finding::new(Grade::DataLoss, reason));
    }
    found
}

/// Returns whether a property is only written otherwise: with the value that it has by default, or in another order. What
/// is written as before is touched because what it refers to is replaced.
fn says_the_same(seen: &Seen<'_>, resource_type: &str, property: &str) -> bool {
    let pointer = format!("/{property}");
    let (before, after) = (seen.before(&pointer), seen.after(&pointer));
    if before
        .zip(after)
        .is_some_and(|(before, after)| same(before, after))
    {
        return false;
    }
    let meant = |value: Option<&Value>| {
        let place = [Step::Key(property.to_owned())];
        let default = || Registry.default(resource_type, &place);
        let mut value = value.cloned().or_else(default)?;
        if let Value::Array(elements) = &mut value {
            elements.sort_by_cached_key(Value::to_string);
        }
        Some(value)
    };
    let (before, after) = (meant(before), meant(after));
    before
        .zip(after)
        .is_some_and(|(before, after)| same(&before, &after))
}

/// Says what a shorter time deletes.
fn shortened(row: &Retention, seen: &Seen<'_>) -> Option<Finding> {
    let time = |value: Option<&Value>| match value {
        None => Some(row.default),
        // For archives nothing and zero are the same.
        Some(value) => number(Some(value)).map(|time| (time > 0.0).then_some(time)),
    };
    let (before, after) = (seen.before(row.pointer), seen.after(row.pointer));
    // Without an archive there is nothing to keep.
    let none = row.default == Some(0.0);
    let amount = |time: f64| format!("{time} {}", row.unit);
    let path = shown(row.pointer);
    if let Some(unknown) = unknown(before, after) {
        let was = time(before);
        let kept_nothing = none && was == Some(Some(0.0));
        // What is kept for ever is kept for no less time than before.
        let for_ever = time(after) == Some(None);
        return (!kept_nothing && !for_ever).then(|| {
            let verb = if after.is_some_and(widen::is_unknown) { "is" } else { "was" };
            Finding::new(
                Grade::DataLoss,
                format!("{path} may become shorter, as nobody knows what {} {verb}: what is older is deleted", widen::text(unknown)),
            )
        });
    }
    let (old, new) = (time(before)?, time(after)?);
    match (old, new) {
        (None, Some(new)) => Some(Finding::new(
            Grade::DataLoss,
            format!(
                "{path} ends what was kept for ever: what is older than {} is deleted",
                amount(new)
            ),
        )),
        (Some(old), Some(new)) if new < old => Some(if none && new <= 0.0 {
            Finding::new(
                Grade::DataLoss,
                format!("{path} goes, and all that is kept with it"),
            )
        } else {
            Finding::new(
                Grade::DataLoss,
                format!(
                    "{path} becomes shorter, {} after {}: what is older is deleted",
                    amount(new),
                    amount(old)
                ),
            )
        }),
        _ => None,
    }
}

/// Returns what nobody knows of a value that differs: what it becomes, or else what it was.
fn unknown<'a>(before: Option<&'a Value>, after: Option<&'a Value>) -> Option<&'a Value> {
    if before
        .zip(after)
        .is_some_and(|(before, after)| same(before, after))
    {
        return None;
    }
    let mut sides = [after, before].into_iter().flatten();
    sides.find(|side| widen::is_unknown(side))
}

/// Finds policies that no longer keep what holds data.
fn policies(seen: &Seen<'_>) -> Vec<Finding> {
    let (Some(old), Some(new)) = (seen.deployed(), seen.wanted()) else {
        return Vec::new();
    };
    let is_judged = matches!(seen.change.action, Action::Update | Action::Replace);
    if !is_judged || !holds_data(&seen.change.resource_type) {
        return Vec::new();
    }
    let keeps = |resource: &Value, policy: &str| {
        matches!(
            resource.get(policy).and_then(Value::as_str),
            Some("Retain" | "RetainExceptOnCreate" | "Snapshot")
        )
    };
    [
        (
            "DeletionPolicy",
            "its data goes where the resource is taken out of the stack",
        ),
        (
            "UpdateReplacePolicy",
            "its data goes where the resource is replaced",
        ),
    ]
    .into_iter()
    .filter(|(policy, _)| keeps(old, policy) && !keeps(new, policy))
    .map(|(policy, without)| {
        Finding::new(
            Grade::PermissionWidened,
            format!("{policy} is taken away: {without}"),
        )
    })
    .collect()
}
