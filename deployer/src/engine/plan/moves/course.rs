//! The course of a rename by import: the templates that a stack goes through while resources leave it under their old
//! logical ids and come back under the new ones.
//!
//! AWS describes the way: retain the resource, update the stack without it, import it
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resource-import-resolve-drift.html>). Nothing but the
//! resource may be new in the template that imports it, and neither outputs nor other resources may differ there, so what
//! names the resource holds texts of the same value meanwhile:
//!
//! 1. [`Course::prepared`]: the resource is retained, and outputs tell what others take from it.
//! 2. [`Course::without`]: it is not in the template any more, and whatever named it says the same as a text.
//! 3. [`under_way`] and [`Away::template`]: it is imported under its new id. What is not imported and [written
//!    over](is_written_over) by another one of the same words is made again in an update of its own, which keeps it where it is
//!    rolled back, as everything on its way is retained. So is what was deleted past CloudFormation: nothing has its name, and
//!    nothing is left that its removal could take from the one that is made.
//! 4. [`restored`]: the template of before, with the new id.
//!
//! Each of these templates but the last says in its metadata what is under way and what was there before. It is what
//! CloudFormation has that counts, so a run that is killed between any two of them is finished by the next.

mod hindrance;
mod note;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

pub(in crate::engine) use hindrance::{Hindrances, Need, hindrances, needs};
pub(in crate::engine) use note::{Move, undone};
use note::{Note, Sections, hash_of, mark};

use super::{is_written_over, renamed, texts};
use crate::engine::identity;
use crate::engine::plan::compare::type_of;
use crate::engine::release::sorted;
use crate::template::referenced;

/// The key of the metadata: of the template, and of a resource. The latter makes every step a change of a resource, as
/// neither outputs nor metadata of a template can be updated alone
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/metadata-section-structure.html>).
const KEY: &str = "stackctl:moving";

/// The output that says that a rename is under way: outputs are known of a stack without its template. Those that tell what
/// others take from a resource begin so.
const OUTPUT: &str = "StackctlMoving";

/// A value that others take from a resource: of `Ref`, or an attribute.
type Taken = (String, Option<String>);

/// What has to be done to rename resources by import.
pub(in crate::engine) struct Course<'a> {
    /// The template without a trace of the course.
    original: Value,
    /// Old to new logical ids.
    moves: &'a BTreeMap<String, String>,
    /// The physical ids, by old logical id.
    ids: &'a BTreeMap<String, String>,
    /// The attributes that are known.
    known: BTreeMap<Taken, String>,
    /// What is gone and is made again, by old logical id.
    anew: &'a BTreeSet<String>,
    missing: BTreeSet<Taken>,
    /// What no output of the original template tells.
    untold: BTreeSet<Taken>,
    is_retained: bool,
}

impl<'a> Course<'a> {
    /// Begins or goes on with the rename of resources that are deployed under their old ids. `outputs` are those of the
    /// stack, and `anew` says which of the resources are gone and are made again.
    pub(in crate::engine) fn new(
        deployed: &Value,
        moves: &'a BTreeMap<String, String>,
        ids: &'a BTreeMap<String, String>,
        outputs: &BTreeMap<String, String>,
        anew: &'a BTreeSet<String>,
    ) -> Self {
        let original = undone(deployed);
        let mut taken = BTreeSet::new();
        let mut collect = |id: &str, attribute: Option<&str>| {
            if moves.contains_key(id) {
                taken.insert((id.to_owned(), attribute.map(str::to_owned)));
            }
            None
        };
        for section in ["Resources", "Outputs"] {
            texts::resolved(&original[section], &mut collect);
        }
        for from in moves.keys().filter(|from| !anew.contains(*from)) {
            taken.extend(identified_by(from, &original, ids).err());
        }
        let mut known: BTreeMap<Taken, String> = ids
            .iter()
            .map(|(from, id)| ((from.clone(), None), id.clone()))
            .collect();
        for one in &taken {
            let value = output_of(one, deployed).and_then(|key| outputs.get(key));
            if let Some(value) = value {
                known.entry(one.clone()).or_insert_with(|| value.clone());
            }
        }
        let missing = taken.iter().filter(|one| !known.contains_key(one));
        let missing = missing.cloned().collect();
        let untold = taken
            .into_iter()
            .filter(|one| one.1.is_some() && output_of(one, &original).is_none())
            .collect();
        let is_retained = moves
            .keys()
            .all(|from| deployed["Resources"][from]["DeletionPolicy"] == "Retain");
        Self {
            original,
            moves,
            ids,
            known,
            anew,
            missing,
            untold,
            is_retained,
        }
    }

    /// Returns whether the stack can be updated without the resources.
    pub(in crate::engine) fn is_prepared(&self) -> bool {
        self.is_retained && self.missing.is_empty()
    }

    /// Returns the template of the first update.
    pub(in crate::engine) fn prepared(&self) -> Value {
        let mut template = self.original.clone();
        edit(&mut template, "Resources", |resources| {
            for (from, to) in self.moves {
                if let Some(entry) = resources.get_mut(from) {
                    mark(entry, to);
                }
            }
        });
        let mut keys = Vec::new();
        edit(&mut template, "Outputs", |outputs| {
            let mut names = (1..).map(|at| format!("{OUTPUT}{at}"));
            for (from, attribute) in &self.untold {
                let key = names.find(|name| !outputs.contains_key(name));
                let output = json!({"Value": {"Fn::GetAtt": [from, attribute]}});
                if let Some(key) = key {
                    outputs.insert(key.clone(), output);
                    keys.push(key);
                }
            }
        });
        let none = BTreeMap::new();
        let before = self.before(false);
        self.note(&mut template, None, (before, none), keys);
        template
    }

    /// Returns the template of the second update, which holds the resources no more, or why there is none.
    pub(in crate::engine) fn without(&self) -> Result<Value, String> {
        let mut template = self.original.clone();
        let mut lookup = |id: &str, attribute: Option<&str>| {
            let one = (id.to_owned(), attribute.map(str::to_owned));
            self.known.get(&one).cloned()
        };
        for name in ["Resources", "Outputs"] {
            if let Some(entries) = template.get_mut(name).and_then(Value::as_object_mut) {
                for entry in entries.values_mut() {
                    *entry = texts::resolved(entry, &mut lookup);
                    texts::independent(entry, self.moves);
                }
            }
        }
        let mut entries = BTreeMap::new();
        edit(&mut template, "Resources", |resources| {
            for (from, to) in self.moves {
                let mut entry = resources.remove(from).unwrap_or_default();
                mark(&mut entry, to);
                entries.insert(from.as_str(), entry);
            }
        });
        let left = [&template["Resources"], &template["Outputs"]];
        let left = left.into_iter().chain(entries.values());
        let names: BTreeSet<String> = left.flat_map(referenced).collect();
        if let Some(from) = self.moves.keys().find(|from| names.contains(*from)) {
            return Err(format!(
                "something refers to {from} in a way that no text can stand for meanwhile"
            ));
        }
        let before = self.before(true);
        let mut written = Sections::new();
        for (section, ids) in &before {
            for id in ids.keys() {
                if let Some(entry) = template[section.as_str()].get(id) {
                    let hashes = written.entry(section.clone()).or_default();
                    hashes.insert(id.clone(), hash_of(entry));
                }
            }
        }
        self.note(&mut template, Some(&entries), (before, written), Vec::new());
        Ok(template)
    }

    /// Returns what is to be as it was at the end: the resources, and what names them, where that is asked for.
    fn before(&self, with_names: bool) -> Sections<Value> {
        let mut before = Sections::new();
        let names = |entry: &Value| {
            let names = referenced(entry);
            self.moves.keys().any(|from| names.contains(from))
        };
        for name in ["Resources", "Outputs"] {
            let entries = self.original.get(name).and_then(Value::as_object);
            for (id, entry) in entries.into_iter().flatten() {
                let is_moved = name == "Resources" && self.moves.contains_key(id);
                if is_moved || with_names && names(entry) {
                    let section = before.entry(name.to_owned()).or_default();
                    section.insert(id.clone(), entry.clone());
                }
            }
        }
        before
    }

    /// Writes down what is under way, what was there before, and what was written instead.
    fn note(
        &self,
        template: &mut Value,
        entries: Option<&BTreeMap<&str, Value>>,
        (before, written): (Sections<Value>, Sections<String>),
        outputs: Vec<String>,
    ) {
        let moves = self.moves.iter().map(|(from, to)| {
            let identified = identified_by(from, &self.original, self.ids);
            let (property, value) = identified.unwrap_or_else(|taken| {
                let value = self.known.get(&taken).cloned().unwrap_or_default();
                (taken.1.unwrap_or_default(), value)
            });
            let entry = entries.and_then(|entries| entries.get(from.as_str()));
            let resource_type = type_of(&self.original["Resources"][from]);
            let by = if is_written_over(resource_type) || self.anew.contains(from) {
                BTreeMap::new()
            } else {
                [(property, value)].into()
            };
            let it = Move {
                from: from.clone(),
                resource_type: resource_type.to_owned(),
                id: entry
                    .and_then(|_| self.ids.get(from).cloned())
                    .unwrap_or_default(),
                by: entry.map_or_else(BTreeMap::new, |_| by),
                entry: entry.map(|it| sorted(it).to_string()).unwrap_or_default(),
            };
            (to.clone(), it)
        });
        let note = Note {
            moves: moves.collect(),
            before: sorted(&json!(before)).to_string(),
            written,
            outputs,
        };
        let mark: Vec<String> = self
            .moves
            .iter()
            .map(|(from, to)| format!("{from} becomes {to}"))
            .collect();
        let mark = json!({"Value": mark.join(", ")});
        edit(template, "Outputs", |outputs| {
            outputs.insert(OUTPUT.to_owned(), mark)
        });
        let note = sorted(&json!(note));
        edit(template, "Metadata", |it| it.insert(KEY.to_owned(), note));
    }
}

/// Resources that left their stack and are to come back.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::engine) struct Away {
    /// By new logical id.
    pub(in crate::engine) moves: BTreeMap<String, Move>,
    /// The template that imports them, or makes them again.
    pub(in crate::engine) template: Value,
    /// Whether they are made again: what they belong to is in the stack.
    pub(in crate::engine) is_made: bool,
}

/// Where a course is.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::engine) enum UnderWay {
    /// Resources belong to no stack at the moment.
    Away(Away),
    /// They are back, and what names them holds texts. This template is the one without a trace of the course.
    Back(Value),
}

/// Returns whether the outputs of a stack tell of a course that was begun.
pub(in crate::engine) fn is_marked(outputs: &BTreeMap<String, String>) -> bool {
    outputs.contains_key(OUTPUT)
}

/// Returns what the outputs of a stack tell of a course that was begun: what becomes what.
pub(in crate::engine) fn marked(outputs: &BTreeMap<String, String>) -> Option<&str> {
    outputs.get(OUTPUT).map(String::as_str)
}

/// Leaves out the outputs of a stack that are there for a course only.
pub(in crate::engine) fn unmarked(
    mut outputs: BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    if is_marked(&outputs) {
        outputs.retain(|key, _| {
            let rest = key.strip_prefix(OUTPUT);
            !rest.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
        });
    }
    outputs
}

/// Returns whether a deployed template tells of a course at all.
pub(super) fn is_noted(deployed: &Value) -> bool {
    Note::of(deployed).is_some()
}

/// Returns what a deployed template tells of a course that has to be finished: resources left the stack.
pub(in crate::engine) fn under_way(deployed: &Value) -> Option<UnderWay> {
    let note = Note::of(deployed)?;
    let resources = &deployed["Resources"];
    if note
        .moves
        .values()
        .any(|it| resources.get(&it.from).is_some())
    {
        return None;
    }
    let missing = note.moves.into_iter();
    let mut moves: BTreeMap<String, Move> = missing
        .filter(|(to, _)| resources.get(to).is_none())
        .collect();
    if moves.is_empty() {
        return Some(UnderWay::Back(restored(deployed)?.0));
    }
    let is_made = moves.values().all(Move::is_made);
    moves.retain(|_, it| is_made || !it.is_made());
    let mut template = deployed.clone();
    for (to, it) in &moves {
        let entry: Value = serde_json::from_str(&it.entry).ok()?;
        edit(&mut template, "Resources", |all| {
            all.insert(to.clone(), entry)
        });
    }
    Some(UnderWay::Away(Away {
        moves,
        template,
        is_made,
    }))
}

/// Returns a deployed template as it is once the course is done that it tells of, with the renames that are then done,
/// old to new; nothing, where no resource left the stack.
pub(in crate::engine) fn restored(deployed: &Value) -> Option<(Value, BTreeMap<String, String>)> {
    let note = Note::of(deployed)?;
    let is_begun = (note.moves.values())
        .all(|it| it.has_left() && deployed["Resources"].get(&it.from).is_none());
    let done = note.moves.into_iter().map(|(to, it)| (it.from, to));
    let done: BTreeMap<String, String> = done.collect();
    is_begun.then(|| (renamed(&undone(deployed), &done), done))
}

/// Returns the property that identifies a resource with its value, or the attribute that tells it.
fn identified_by(
    from: &str,
    template: &Value,
    ids: &BTreeMap<String, String>,
) -> Result<(String, String), Taken> {
    let resource = &template["Resources"][from];
    let property = identity::property(type_of(resource)).unwrap_or_default();
    if let Some(said) = identity::said(resource, property, |id| ids.get(id).cloned()) {
        return Ok((property.to_owned(), said));
    }
    let id = ids.get(from).map(String::as_str).unwrap_or_default();
    // The physical id of a few types is a name where an ARN identifies them.
    if property.ends_with("Arn") && !id.starts_with("arn:") {
        return Err((from.to_owned(), Some(property.to_owned())));
    }
    Ok((property.to_owned(), id.to_owned()))
}

/// Returns the output that tells a value in any case.
fn output_of<'a>(one: &Taken, template: &'a Value) -> Option<&'a String> {
    let outputs = template["Outputs"].as_object().into_iter().flatten();
    outputs
        .filter(|(_, output)| output.get("Condition").is_none())
        .find(|(_, output)| is_exactly(&output["Value"], one))
        .map(|(key, _)| key)
}

/// Returns whether an output holds exactly a value.
fn is_exactly(value: &Value, (id, attribute): &Taken) -> bool {
    match attribute {
        None => *value == json!({"Ref": id}),
        Some(attribute) => {
            *value == json!({"Fn::GetAtt": [id, attribute]})
                || *value == json!({"Fn::GetAtt": format!("{id}.{attribute}")})
        }
    }
}

/// Edits a section of a template, which is made where there is none.
fn edit<T>(
    template: &mut Value,
    name: &str,
    edit: impl FnOnce(&mut Map<String, Value>) -> T,
) -> Option<T> {
    let section = template
        .as_object_mut()?
        .entry(name)
        .or_insert_with(|| Value::Object(Map::new()));
    section.as_object_mut().map(edit)
}

#[cfg(test)]
mod tests;
