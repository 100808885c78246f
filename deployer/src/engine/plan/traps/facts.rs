//! Traps that are a row of a table each: a file for each kind of table, its rows ordered by type.

mod fixed;
mod gone;
mod protection;
mod retention;
mod switches;
mod updates;

use serde_json::Value;

use super::super::canonical::same;
use super::super::knowledge::holds_data;
use super::super::{Action, Grade, widen};
use super::{Finding, Seen, Trap, number, shown};

pub(super) use fixed::{FIXED, INTERRUPTIONS};
pub(super) use gone::GONE;
pub(super) use protection::PROTECTIONS;
pub(super) use retention::RETENTIONS;
use retention::Retention;
pub(super) use switches::SWITCHES;
pub(super) use updates::UPDATES;

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
    for row in fixed.filter(|row| seen.deployed().is_some() && seen.touches(row.property)) {
        found.push(Finding::new(
            Grade::Impossible,
            format!(
                "{} cannot be changed once the resource is there: give it another logical id, which makes a new one",
                row.property
            ),
        ).citing(row.source));
    }
    if !seen.stays() {
        return found;
    }
    let interrupted = INTERRUPTIONS.iter().filter(|row| row.resource_type == own);
    for row in interrupted.filter(|row| seen.touches(row.property)) {
        found.push(
            Finding::new(
                Grade::Interruption,
                format!("{} changes with some interruptions", row.property),
            )
            .citing(row.source),
        );
    }
    let retentions = RETENTIONS.iter().filter(|row| row.resource_type == own);
    found.extend(retentions.filter_map(|row| {
        let finding = shortened(row, seen)?;
        Some(finding.citing(row.source))
    }));
    let protections = PROTECTIONS.iter().filter(|row| row.resource_type == own);
    for row in protections {
        let (before, after) = (seen.before(row.pointer), seen.after(row.pointer));
        // What was a protection or none before is that still.
        if before
            .zip(after)
            .is_some_and(|(before, after)| same(before, after))
        {
            continue;
        }
        // What only the deployment decides may be no protection.
        let unknown = after.filter(|after| widen::is_unknown(after));
        if (row.protects)(before) && (unknown.is_some() || !(row.protects)(after)) {
            let path = shown(row.pointer);
            let reason = match unknown {
                Some(value) => format!(
                    "{path} may be taken away, as nobody knows what {} is: {}",
                    widen::text(value),
                    row.without
                ),
                None => format!("{path} is taken away: {}", row.without),
            };
            found.push(Finding::new(Grade::PermissionWidened, reason).citing(row.source));
        }
    }
    let switches = SWITCHES.iter().filter(|row| row.resource_type == own);
    for row in switches {
        if !(row.is_off)(seen.before(row.pointer)) && (row.is_off)(seen.after(row.pointer)) {
            found.push(Finding::new(Grade::Interruption, row.says).citing(row.source));
        }
    }
    found
}

/// Says what a shorter time deletes.
fn shortened(row: &Retention, seen: &Seen<'_>) -> Option<Finding> {
    let time = |value: Option<&Value>| match value {
        None => Some(row.default),
        // For archives nothing and zero are the same.
        Some(value) => number(Some(value)).map(|time| (time > 0.0).then_some(time)),
    };
    let (before, after) = (seen.before(row.pointer), seen.after(row.pointer));
    let (old, new) = (time(before)?, time(after)?);
    // Without an archive there is nothing to keep.
    let none = row.default == Some(0.0);
    let amount = |time: f64| format!("{time} {}", row.unit);
    let path = shown(row.pointer);
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

/// Finds policies that no longer keep what holds data.
fn policies(seen: &Seen<'_>) -> Vec<Finding> {
    let (Some(old), Some(new)) = (seen.deployed(), seen.wanted()) else {
        return Vec::new();
    };
    if !seen.stays() || !holds_data(&seen.change.resource_type) {
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
