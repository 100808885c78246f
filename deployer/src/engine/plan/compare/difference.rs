//! Finds what differs between two values of one resource.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::canonical::{intrinsic, same};
use super::super::path::{Path, Step};
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
        match (before, after) {
            (None, None) => {}
            (Some(before), Some(after)) if same(before, after) => {}
            (Some(Value::Object(before)), Some(Value::Object(after)))
                if intrinsic(before).is_none() && intrinsic(after).is_none() =>
            {
                for key in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
                    self.entry(&path.key(key), before.get(key), after.get(key));
                }
            }
            (Some(Value::Array(old)), Some(Value::Array(new))) => {
                let unordered = path
                    .property()
                    .is_some_and(|place| self.knowledge.is_unordered(self.resource_type, place));
                if unordered && same_set(old, new) {
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
            _ => match definitions(path, before, after) {
                // Another order of entries or other blanks are another text that says the same.
                Some((old, new)) if old == new => {}
                Some((old, new)) => {
                    let known = self.found.len();
                    self.entry(path, Some(&old), Some(&new));
                    if self.found.len() == known {
                        self.found(path, before, after);
                    }
                }
                None => self.found(path, before, after),
            },
        }
    }

    fn found(&mut self, path: &Path, before: Option<&Value>, after: Option<&Value>) {
        self.found.push(PropertyChange {
            path: path.clone(),
            before: before.cloned(),
            after: after.cloned(),
        });
    }
}

/// Reads both definitions of a state machine, which a template holds as text, so that a change shows where it is.
fn definitions(
    path: &Path,
    before: Option<&Value>,
    after: Option<&Value>,
) -> Option<(Value, Value)> {
    let [Step::Key(name)] = path.property()? else {
        return None;
    };
    let read = |value: Option<&Value>| {
        let definition: Value = serde_json::from_str(value?.as_str()?).ok()?;
        definition.is_object().then_some(definition)
    };
    (name == "DefinitionString").then_some(())?;
    Some((read(before)?, read(after)?))
}

fn same_set(before: &[Value], after: &[Value]) -> bool {
    before.len() == after.len()
        && before
            .iter()
            .all(|left| after.iter().any(|right| same(left, right)))
        && after
            .iter()
            .all(|right| before.iter().any(|left| same(left, right)))
}
