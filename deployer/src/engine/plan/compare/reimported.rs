//! Imports that have another name and the same value: what a rename makes of the exports of a stack.
//!
//! The names of exports carry the logical id of what they are taken from. Whoever imports the value of a resource that is
//! renamed gets what it had, so its permissions stay what they are. CloudFormation updates it all the same.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::app::name_text;
use super::super::canonical::{intrinsic, same, sorted_policies};
use super::super::known::Known;
use super::super::path::{Path, Trail};
use super::super::references;
use super::super::{Action, Grade, PropertyChange, ResourceChange};
use super::type_of;

/// What is said of a resource that imports the same value under another name.
pub(in super::super) const SAME: &str =
    "it imports the same value as before, which is exported under another name";

/// The imports of one resource that have another name: the later name with the earlier one.
pub(super) type Reimported = BTreeMap<String, (Value, Value)>;

/// Writes the imports of a resource as the other side names them, where both names are known to stand for one value. Returns
/// which they are.
pub(super) fn rename(
    old: &mut Value,
    new: &Value,
    before: Known<'_>,
    after: Known<'_>,
) -> Reimported {
    let (had, has) = (imports(old, before), imports(new, after));
    let mut come: BTreeSet<&String> = has.keys().filter(|name| !had.contains_key(*name)).collect();
    let mut found = Reimported::new();
    for (name, was) in had.iter().filter(|(name, _)| !has.contains_key(*name)) {
        let Some(text) = before.export(name) else {
            continue;
        };
        let equal = come
            .iter()
            .find(|other| after.export(other) == Some(text))
            .copied();
        if let Some(equal) = equal
            && let Some(is) = has.get(equal)
        {
            come.remove(equal);
            found.insert(equal.clone(), (is.clone(), was.clone()));
        }
    }
    if !found.is_empty() {
        let names: Vec<_> = found.values().map(|(is, was)| (was, is)).collect();
        // Another name has another place among the resources of a policy.
        *old = sorted_policies(written(old, &names));
    }
    found
}

/// Tells of those imports, wherever both sides are the same once they have the same names.
pub(super) fn tell(
    changes: &mut BTreeMap<String, ResourceChange>,
    reimported: &BTreeMap<String, Reimported>,
    old: &BTreeMap<String, Value>,
    new: &BTreeMap<String, Value>,
) {
    for (id, found) in reimported {
        let (Some(old), Some(new)) = (old.get(id), new.get(id)) else {
            continue;
        };
        let Some(properties) = new.get("Properties") else {
            continue;
        };
        let mut paths = BTreeSet::new();
        let start = Path::new("Properties");
        references::imports(properties, Trail::Start(&start), &mut |trail, name| {
            if found.values().any(|(is, _)| is == name) {
                paths.insert(trail.path());
            }
        });
        let earlier: Vec<_> = found.values().map(|(is, was)| (is, was)).collect();
        let told: Vec<PropertyChange> = paths
            .into_iter()
            .filter_map(|path| {
                let after = path.find(new)?;
                let is_same = path.find(old).is_some_and(|before| same(before, after));
                is_same.then(|| PropertyChange {
                    before: Some(written(after, &earlier)),
                    after: Some(after.clone()),
                    path,
                })
            })
            .collect();
        if told.is_empty() {
            continue;
        }
        let change = changes.entry(id.clone()).or_insert_with(|| ResourceChange {
            logical_id: id.clone(),
            resource_type: type_of(new).to_owned(),
            action: Action::Update,
            grade: Grade::None,
            ..ResourceChange::default()
        });
        for property in told {
            let mut known = change.properties.iter();
            if !known.any(|known| known.path.touches(&property.path)) {
                change.properties.push(property);
            }
        }
        change
            .properties
            .sort_by(|left, right| left.path.cmp(&right.path));
        change.reasons.push(SAME.to_owned());
    }
}

/// Returns the imports of a canonical resource, as they are written, by the name that they have once all is known.
fn imports(resource: &Value, known: Known<'_>) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    if let Some(properties) = resource.get("Properties") {
        let nowhere = Path::default();
        references::imports(properties, Trail::Start(&nowhere), &mut |_, name| {
            found.insert(name_text(&known.resolve(name)), name.clone());
        });
    }
    found
}

/// Writes imports under other names.
fn written(value: &Value, names: &[(&Value, &Value)]) -> Value {
    match value {
        Value::Array(elements) => elements.iter().map(|it| written(it, names)).collect(),
        Value::Object(entries) => {
            if let Some(("Fn::ImportValue", name)) = intrinsic(entries) {
                let other = names.iter().find(|(from, _)| *from == name);
                json!({ "Fn::ImportValue": other.map_or(name, |(_, to)| *to) })
            } else {
                let entries = entries.iter();
                let entries = entries.map(|(key, it)| (key.clone(), written(it, names)));
                Value::Object(entries.collect())
            }
        }
        other => other.clone(),
    }
}
