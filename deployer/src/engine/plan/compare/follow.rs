//! Follows replacements to whatever names what is replaced.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::app::name_text;
use super::super::path::{Path, Trail};
use super::super::references::{self, Reference};
use super::super::traps::{self, Both};
use super::super::{Action, Grade, Knowledge, PropertyChange, ResourceChange};
use super::{Outside, judge, type_of};

/// Something that becomes another: a resource, or one attribute of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct Renewed {
    id: String,
    attribute: Option<&'static str>,
}

impl Renewed {
    fn whole(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            attribute: None,
        }
    }

    /// Returns whether a reference has another value.
    pub(in super::super) fn concerns(&self, reference: Reference<'_>) -> bool {
        self.id == reference.name
            && (self.attribute.is_none() || self.attribute == reference.attribute)
    }
}

impl std::fmt::Display for Renewed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.id)?;
        match self.attribute {
            Some(attribute) => write!(f, ".{attribute}"),
            None => Ok(()),
        }
    }
}

/// Follows references: what names a replaced resource changes too, and may be replaced in turn.
pub(super) fn follow(
    changes: &mut BTreeMap<String, ResourceChange>,
    both: Both<'_>,
    knowledge: &dyn Knowledge,
    outside: &Outside,
) -> Vec<Renewed> {
    let mut todo: Vec<Renewed> = changes
        .values()
        .filter_map(|change| match change.action {
            Action::Replace => Some(Renewed::whole(&change.logical_id)),
            _ => traps::renewed(change, both).map(|attribute| Renewed {
                id: change.logical_id.clone(),
                attribute: Some(attribute),
            }),
        })
        .collect();
    let standing = || both.new.iter().filter(|(id, _)| both.old.contains_key(*id));
    for (id, body) in standing() {
        for (what, paths) in from_outside(body, outside) {
            let reason = format!("it refers to {what}{FOLLOWED}");
            if touch(changes, id, body, &paths, reason, both, knowledge) {
                todo.push(Renewed::whole(id));
            }
        }
    }
    // Most changes replace nothing, and then nobody asks who refers to what.
    let index = if todo.is_empty() {
        Index::new()
    } else {
        index(standing())
    };
    let mut done: BTreeSet<Renewed> = BTreeSet::new();
    while let Some(target) = todo.pop() {
        if !done.insert(target.clone()) {
            continue;
        }
        for id in index.get(target.id.as_str()).into_iter().flatten() {
            let Some(body) = both.new.get(*id) else {
                continue;
            };
            let paths = places(body, &target);
            if paths.is_empty() {
                continue;
            }
            let reason = format!("it refers to {target}{FOLLOWED}");
            if touch(changes, id, body, &paths, reason, both, knowledge) {
                todo.push(Renewed::whole(id));
            }
        }
    }
    done.into_iter().collect()
}

/// The resources that refer to something, by the name of that.
type Index<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// Finds what all resources refer to, in one walk.
fn index<'a>(resources: impl Iterator<Item = (&'a String, &'a Value)>) -> Index<'a> {
    let mut index = Index::new();
    let nowhere = Path::default();
    for (id, body) in resources {
        if let Some(properties) = body.get("Properties") {
            references::walk(properties, Trail::Start(&nowhere), &mut |_, reference| {
                index.entry(reference.name).or_default().insert(id);
            });
        }
    }
    index
}

/// Returns the places where a resource refers to what becomes another.
fn places(body: &Value, target: &Renewed) -> BTreeSet<Path> {
    let mut paths = BTreeSet::new();
    if let Some(properties) = body.get("Properties") {
        let start = Path::new("Properties");
        references::walk(properties, Trail::Start(&start), &mut |trail, reference| {
            if target.concerns(reference) {
                paths.insert(trail.path());
            }
        });
    }
    paths
}

/// Returns the places where a resource refers to what becomes another in other stacks, by what that is.
fn from_outside<'a>(body: &Value, outside: &'a Outside) -> BTreeMap<&'a str, BTreeSet<Path>> {
    let mut found: BTreeMap<&str, BTreeSet<Path>> = BTreeMap::new();
    let Some(properties) = body.get("Properties") else {
        return found;
    };
    let start = Path::new("Properties");
    let start = Trail::Start(&start);
    if !outside.exports.is_empty() {
        references::imports(properties, start, &mut |trail, name| {
            if let Some(what) = outside.exports.get(&name_text(name)) {
                found.entry(what).or_default().insert(trail.path());
            }
        });
    }
    if !outside.parameters.is_empty() {
        references::walk(properties, start, &mut |trail, reference| {
            if let Some(what) = outside.parameters.get(reference.name) {
                found.entry(what).or_default().insert(trail.path());
            }
        });
    }
    found
}

/// Notes that properties of a resource become others because of what they refer to. Returns whether that replaces it,
/// and nothing did before.
fn touch(
    changes: &mut BTreeMap<String, ResourceChange>,
    id: &str,
    body: &Value,
    paths: &BTreeSet<Path>,
    reason: String,
    both: Both<'_>,
    knowledge: &dyn Knowledge,
) -> bool {
    let old = both.old.get(id);
    let change = changes
        .entry(id.to_owned())
        .or_insert_with(|| ResourceChange {
            logical_id: id.to_owned(),
            resource_type: type_of(body).to_owned(),
            action: Action::Update,
            grade: Grade::UpdateInPlace,
            ..ResourceChange::default()
        });
    let was_replaced = change.action == Action::Replace;
    for path in paths {
        if change.properties.iter().all(|known| known.path != *path) {
            let after = path.find(body);
            // What does not differ itself is what it was, wherever it stood in a list without an order.
            let differs = change
                .properties
                .iter()
                .any(|known| known.path.touches(path));
            let before = if differs {
                old.and_then(|old| path.find(old))
            } else {
                after
            };
            change.properties.push(PropertyChange {
                path: path.clone(),
                before: before.cloned(),
                after: after.cloned(),
            });
        }
    }
    change
        .properties
        .sort_by(|left, right| left.path.cmp(&right.path));
    let earlier: Vec<String> = change
        .reasons
        .drain(..)
        .filter(|reason| reason.ends_with(FOLLOWED))
        .collect();
    judge(change, old, body, knowledge);
    change.reasons.extend(earlier);
    change.reasons.push(reason);
    change.action == Action::Replace && !was_replaced
}

/// How a reason ends that comes from another resource.
const FOLLOWED: &str = ", which is replaced";
