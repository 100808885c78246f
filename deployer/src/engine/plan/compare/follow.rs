//! Follows replacements to whatever names what is replaced.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::app::name_text;
use super::super::path::{Path, Trail};
use super::super::references::{self, Reference};
use super::super::traps::{self, Both};
use super::super::{Action, Grade, Knowledge, PropertyChange, ResourceChange};
use super::{Outside, judge, type_of};

/// Something that becomes another, or may: a resource, or one attribute of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct Renewed {
    id: String,
    attribute: Option<&'static str>,
    /// Whether only AWS knows that.
    pub(in super::super) perhaps: bool,
}

impl Renewed {
    fn whole(id: &str, perhaps: bool) -> Self {
        Self {
            id: id.to_owned(),
            attribute: None,
            perhaps,
        }
    }

    /// Returns whether a reference has another value, or may have.
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

/// Something of another stack that becomes another, or may.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct Other {
    /// What it is, as people name it.
    pub(in super::super) name: String,
    /// Whether only AWS knows that.
    pub(in super::super) perhaps: bool,
}

/// Follows references: what names a replaced resource changes too, and may be replaced in turn. First what is certain, then
/// what is so only if AWS replaces what it may.
pub(super) fn follow(
    changes: &mut BTreeMap<String, ResourceChange>,
    both: Both<'_>,
    knowledge: &dyn Knowledge,
    outside: &Outside,
) -> Vec<Renewed> {
    let mut done: BTreeSet<Renewed> = BTreeSet::new();
    let mut references = None;
    for perhaps in [false, true] {
        let mut todo: Vec<Renewed> = changes
            .values()
            .filter_map(|change| begun(change, both, perhaps))
            .collect();
        for (id, body) in standing(both) {
            for (other, paths) in from_outside(body, outside, perhaps) {
                let place = Place { id, body, paths };
                if touch(changes, &place, &other.name, perhaps, both, knowledge) {
                    todo.push(Renewed::whole(id, perhaps));
                }
            }
        }
        while let Some(target) = todo.pop() {
            if !done.insert(target.clone()) {
                continue;
            }
            // Most changes replace nothing, and then nobody asks who refers to what.
            let index = references.get_or_insert_with(|| index(standing(both)));
            for id in index.get(target.id.as_str()).into_iter().flatten() {
                let Some(body) = both.new.get(*id) else {
                    continue;
                };
                let paths = places(body, &target);
                if paths.is_empty() {
                    continue;
                }
                let place = Place { id, body, paths };
                let what = target.to_string();
                if touch(changes, &place, &what, perhaps, both, knowledge) {
                    todo.push(Renewed::whole(id, perhaps));
                }
            }
        }
    }
    done.into_iter().collect()
}

/// Returns what a change itself renews, or what it may.
fn begun(change: &ResourceChange, both: Both<'_>, perhaps: bool) -> Option<Renewed> {
    let id = &change.logical_id;
    if perhaps {
        return change.perhaps.then(|| Renewed::whole(id, true));
    }
    if change.action == Action::Replace {
        return Some(Renewed::whole(id, false));
    }
    traps::renewed(change, both).map(|attribute| Renewed {
        id: id.clone(),
        attribute: Some(attribute),
        perhaps: false,
    })
}

/// Returns the resources that both templates have.
fn standing(both: Both<'_>) -> impl Iterator<Item = (&String, &Value)> {
    both.new
        .iter()
        .filter(move |(id, _)| both.old.contains_key(*id))
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

/// Returns the places where a resource refers to what becomes another in other stacks, or to what may, by what that is.
fn from_outside<'a>(
    body: &Value,
    outside: &'a Outside,
    perhaps: bool,
) -> BTreeMap<&'a Other, BTreeSet<Path>> {
    let mut found: BTreeMap<&Other, BTreeSet<Path>> = BTreeMap::new();
    let Some(properties) = body.get("Properties") else {
        return found;
    };
    let start = Path::new("Properties");
    let start = Trail::Start(&start);
    let is_asked = |other: &&Other| other.perhaps == perhaps;
    if outside.exports.values().any(|other| is_asked(&other)) {
        references::imports(properties, start, &mut |trail, name| {
            if let Some(other) = outside.exports.get(&name_text(name)).filter(is_asked) {
                found.entry(other).or_default().insert(trail.path());
            }
        });
    }
    if outside.parameters.values().any(|other| is_asked(&other)) {
        references::walk(properties, start, &mut |trail, reference| {
            if let Some(other) = outside.parameters.get(reference.name).filter(is_asked) {
                found.entry(other).or_default().insert(trail.path());
            }
        });
    }
    found
}

/// Where a resource refers to something.
struct Place<'a> {
    id: &'a str,
    body: &'a Value,
    paths: BTreeSet<Path>,
}

/// Notes that properties of a resource become others because of what they refer to, or may. Returns whether that replaces
/// it, or may, and nothing did before.
fn touch(
    changes: &mut BTreeMap<String, ResourceChange>,
    place: &Place<'_>,
    what: &str,
    perhaps: bool,
    both: Both<'_>,
    knowledge: &dyn Knowledge,
) -> bool {
    let Place { id, body, paths } = place;
    let old = both.old.get(*id);
    let change = changes
        .entry((*id).to_owned())
        .or_insert_with(|| ResourceChange {
            logical_id: (*id).to_owned(),
            resource_type: type_of(body).to_owned(),
            action: Action::Update,
            grade: Grade::UpdateInPlace,
            ..ResourceChange::default()
        });
    let goes =
        |change: &ResourceChange| change.action == Action::Replace || (perhaps && change.perhaps);
    let went = goes(change);
    for path in paths {
        if change.properties.iter().all(|known| known.path != *path) {
            let after = path.find(body);
            // What does not differ itself is what it was, wherever it stood in a list without an order.
            let differs = change
                .properties
                .iter()
                .any(|known| known.path.touches(path) && !change.possible.contains(&known.path));
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
            if perhaps && !differs {
                change.possible.insert(path.clone());
            }
        }
    }
    change
        .properties
        .sort_by(|left, right| left.path.cmp(&right.path));
    let earlier: Vec<String> = change
        .reasons
        .drain(..)
        .filter(|reason| reason.ends_with(FOLLOWED) || reason.ends_with(POSSIBLY))
        .collect();
    judge(change, old, body, knowledge);
    change.reasons.extend(earlier);
    let ending = if perhaps { POSSIBLY } else { FOLLOWED };
    change.reasons.push(format!("it refers to {what}{ending}"));
    goes(change) && !went
}

/// How a reason ends that comes from another resource.
const FOLLOWED: &str = ", which is replaced";

/// How one ends that comes from a resource of which only AWS knows whether it is replaced.
const POSSIBLY: &str = ", which may be replaced";
