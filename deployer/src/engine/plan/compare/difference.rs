//! Finds what differs between two values of one resource.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::canonical::{intrinsic, json_text, same};
use super::super::path::Path;
use super::super::{Knowledge, PropertyChange};

/// Finds what differs in one resource.
pub(super) struct Difference<'a> {
    pub(super) resource_type: &'a str,
    pub(super) knowledge: &'a dyn Knowledge,
    pub(super) found: &'a mut Vec<PropertyChange>,
}

impl Difference<'_> {
    /// Compares what stands at one path.
    pub(super) fn entry(&mut self, path: &Path, before: Option<&Value>, after: Option<&Value>) {
        if !agree(before, after) {
            self.differing(path, before, after);
        }
    }

    /// Finds what of two values that are not the same differs.
    fn differing(&mut self, path: &Path, before: Option<&Value>, after: Option<&Value>) {
        match (before, after) {
            (Some(Value::Object(before)), Some(Value::Object(after)))
                if intrinsic(before).is_none() && intrinsic(after).is_none() =>
            {
                for key in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
                    let (before, after) = (before.get(key), after.get(key));
                    // Most entries are the same, and need no path.
                    if !agree(before, after) {
                        self.differing(&path.key(key), before, after);
                    }
                }
            }
            (Some(Value::Array(old)), Some(Value::Array(new))) => {
                let unordered = path
                    .property()
                    .is_some_and(|place| self.knowledge.is_unordered(self.resource_type, place));
                if unordered && self.same_set(path, old, new) {
                    return;
                }
                if old.len() == new.len() && !unordered {
                    for (position, (old, new)) in old.iter().zip(new).enumerate() {
                        self.entry(&path.position(position), Some(old), Some(new));
                    }
                } else {
                    self.found(path, before, after);
                }
            }
            (Some(old), Some(new)) => match (json_text(old), json_text(new)) {
                (Some(old), Some(new)) => self.exactly(path, old, new),
                _ => self.found(path, before, after),
            },
            _ => self.found(path, before, after),
        }
    }

    /// Compares what two texts of JSON say, in which everything is what it is.
    fn exactly(&mut self, path: &Path, before: &Value, after: &Value) {
        match (before, after) {
            _ if before == after => {}
            (Value::Object(old), Value::Object(new))
                if intrinsic(old).is_none() && intrinsic(new).is_none() =>
            {
                for key in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
                    match (old.get(key), new.get(key)) {
                        (Some(old), Some(new)) => self.exactly(&path.key(key), old, new),
                        (old, new) => self.found(&path.key(key), old, new),
                    }
                }
            }
            (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
                for (position, (old, new)) in old.iter().zip(new).enumerate() {
                    self.exactly(&path.position(position), old, new);
                }
            }
            _ => self.found(path, Some(before), Some(after)),
        }
    }

    /// Returns whether each element of one list is one of the other.
    fn same_set(&self, path: &Path, before: &[Value], after: &[Value]) -> bool {
        let among = |one: &Value, others: &[Value]| {
            others.iter().any(|other| same(one, other))
                || others.iter().any(|other| self.is_alike(path, one, other))
        };
        before.len() == after.len()
            && before.iter().all(|left| among(left, after))
            && after.iter().all(|right| among(right, before))
    }

    /// Returns whether elements of a list say the same, where lists in them may have another order.
    fn is_alike(&self, path: &Path, left: &Value, right: &Value) -> bool {
        let mut found = Vec::new();
        let mut inner = Difference {
            resource_type: self.resource_type,
            knowledge: self.knowledge,
            found: &mut found,
        };
        inner.entry(&path.position(0), Some(left), Some(right));
        found.is_empty()
    }

    fn found(&mut self, path: &Path, before: Option<&Value>, after: Option<&Value>) {
        self.found.push(PropertyChange {
            path: path.clone(),
            before: before.map(shown),
            after: after.map(shown),
        });
    }
}

/// Returns whether both sides of a place are the same.
fn agree(before: Option<&Value>, after: Option<&Value>) -> bool {
    match (before, after) {
        (Some(before), Some(after)) => same(before, after),
        (None, None) => true,
        _ => false,
    }
}

/// Returns a value as it is told: what a text of JSON says.
fn shown(value: &Value) -> Value {
    json_text(value).unwrap_or(value).clone()
}
