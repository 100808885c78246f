//! Conditions that nobody knows: a resource goes where its condition does not hold.

use super::super::canonical::same;
use super::super::{Action, grade};
use super::{Finding, Seen, Trap};

pub(super) const TRAPS: &[Trap] = &[Trap {
    types: &[],
    source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/conditions-section-structure.html",
    find: conditional,
}];

/// A resource that another condition decides about, or one at all.
fn conditional(seen: &Seen<'_>) -> Vec<Finding> {
    let (Some(old), Some(new)) = (seen.deployed(), seen.wanted()) else {
        return Vec::new();
    };
    let decided = match (old.get("Condition"), new.get("Condition")) {
        (_, None) => true,
        (Some(before), Some(after)) => same(before, after),
        (None, Some(_)) => false,
    };
    let (action, grade, reason) = grade::removal(old, &seen.change.resource_type);
    if decided || !seen.stays() || action != Action::Delete {
        return Vec::new();
    }
    let reason = format!("only its condition says whether it stays: if it does not hold, {reason}");
    vec![Finding::new(grade, reason)]
}
