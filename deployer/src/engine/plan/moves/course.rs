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
//! 3. [`under_way`] and [`Away::template`]: it is imported under its new id.
//! 4. [`restored`]: the template of before, with the new id.
//!
//! Each of these templates but the last says in its metadata what is under way and what was there before. It is what
//! CloudFormation has that counts, so a run that is killed between any two of them is finished by the next.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{renamed, texts};
use crate::engine::destroy::advice::identifier;
use crate::engine::inspect::DeployedResource;
use crate::engine::plan::compare::type_of;
use crate::engine::release::sorted;
use crate::template::referenced;

/// The key of the metadata: of the template, and of a resource. The latter makes every step a change of a resource, as
/// neither outputs nor metadata of a template can be updated alone
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/metadata-section-structure.html>).
const KEY: &str = "stackctl:moving";

/// How the outputs begin that tell what others take from a resource. The one of this very name says that a rename is under
/// way: outputs are known of a stack without its template.
const OUTPUT: &str = "StackctlMoving";

/// What the metadata of a template tells of a course.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    /// By new logical id.
    moves: BTreeMap<String, Move>,
    /// The entries that differ meanwhile as they were, as a text: a reference in it is none of the template.
    before: String,
}

/// A resource on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::engine) struct Move {
    /// The old logical id.
    pub(in crate::engine) from: String,
    /// The resource type.
    #[serde(rename = "type")]
    pub(in crate::engine) resource_type: String,
    /// The physical id; nothing before it left the stack.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    id: String,
    /// The property that identifies it, and its value; nothing before it left the stack.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::engine) by: BTreeMap<String, String>,
    /// Its entry in the template that imports it, as a text; nothing before it left the stack.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    entry: String,
}

impl Move {
    /// Returns the resource under a logical id.
    pub(in crate::engine) fn resource(&self, logical_id: &str) -> DeployedResource {
        DeployedResource {
            logical_id: logical_id.to_owned(),
            resource_type: self.resource_type.clone(),
            physical_id: self.id().to_owned(),
        }
    }

    /// Names the resource.
    pub(in crate::engine) fn told(&self) -> String {
        format!("{} ({} {})", self.from, self.resource_type, self.id())
    }

    fn id(&self) -> &str {
        let by = self.by.values().next().map_or("", String::as_str);
        if self.id.is_empty() { by } else { &self.id }
    }
}

impl Note {
    /// Reads what a template tells. What is not ours tells nothing.
    fn of(template: &Value) -> Option<Self> {
        serde_json::from_value(template.get("Metadata")?.get(KEY)?.clone()).ok()
    }

    fn before(&self) -> BTreeMap<String, BTreeMap<String, Value>> {
        serde_json::from_str(&self.before).unwrap_or_default()
    }
}

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
    missing: BTreeSet<Taken>,
    is_retained: bool,
}

impl<'a> Course<'a> {
    /// Begins or goes on with the rename of resources that are deployed under their old ids. `outputs` are those of the
    /// stack.
    pub(in crate::engine) fn new(
        deployed: &Value,
        moves: &'a BTreeMap<String, String>,
        ids: &'a BTreeMap<String, String>,
        outputs: &BTreeMap<String, String>,
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
        for from in moves.keys() {
            taken.extend(identified_by(from, &original, ids).err());
        }
        let mut known: BTreeMap<Taken, String> = ids
            .iter()
            .map(|(from, id)| ((from.clone(), None), id.clone()))
            .collect();
        for one in &taken {
            let value = deployed["Outputs"]
                .as_object()
                .into_iter()
                .flatten()
                .filter(|(_, output)| output.get("Condition").is_none())
                .find(|(_, output)| is_exactly(&output["Value"], one))
                .and_then(|(key, _)| outputs.get(key));
            if let Some(value) = value {
                known.entry(one.clone()).or_insert_with(|| value.clone());
            }
        }
        let missing = taken
            .into_iter()
            .filter(|one| !known.contains_key(one))
            .collect();
        let is_retained = moves
            .keys()
            .all(|from| deployed["Resources"][from]["DeletionPolicy"] == "Retain");
        Self {
            original,
            moves,
            ids,
            known,
            missing,
            is_retained,
        }
    }

    /// Returns whether the stack can be updated without the resources.
    pub(in crate::engine) fn is_prepared(&self) -> bool {
        self.is_retained && self.missing.is_empty()
    }

    /// Says what keeps the rename from its end though it can be begun; nothing, where nothing does.
    pub(in crate::engine) fn hindrance(&self) -> Option<String> {
        self.missing.iter().find_map(|(from, attribute)| {
            let attribute = attribute.as_deref()?;
            // A text in a template is read by whoever may read the template.
            (attribute.contains("Secret") && !attribute.ends_with("Arn")).then(|| {
                format!(
                    "others take {attribute} of {from}, and a secret is not written into a template"
                )
            })
        })
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
        for (from, attribute) in &self.missing {
            let Some(attribute) = attribute else {
                continue;
            };
            let name: String = attribute
                .chars()
                .filter(char::is_ascii_alphanumeric)
                .collect();
            let key = format!("{OUTPUT}{from}{name}");
            let output = json!({"Value": {"Fn::GetAtt": [from, attribute]}});
            edit(&mut template, "Outputs", |outputs| {
                outputs.insert(key, output)
            });
        }
        self.note(&mut template, None);
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
        self.note(&mut template, Some(&entries));
        Ok(template)
    }

    /// Writes down what is under way, and what was there before.
    fn note(&self, template: &mut Value, entries: Option<&BTreeMap<&str, Value>>) {
        let moves = self.moves.iter().map(|(from, to)| {
            let identified = identified_by(from, &self.original, self.ids);
            let (property, value) = identified.unwrap_or_else(|taken| {
                let value = self.known.get(&taken).cloned().unwrap_or_default();
                (taken.1.unwrap_or_default(), value)
            });
            let entry = entries.and_then(|entries| entries.get(from.as_str()));
            let by = [(property, value)].into();
            let it = Move {
                from: from.clone(),
                resource_type: type_of(&self.original["Resources"][from]).to_owned(),
                id: entry
                    .and_then(|_| self.ids.get(from).cloned())
                    .unwrap_or_default(),
                by: entry.map_or_else(BTreeMap::new, |_| by),
                entry: entry.map(|it| sorted(it).to_string()).unwrap_or_default(),
            };
            (to.clone(), it)
        });
        let mut before: BTreeMap<&str, BTreeMap<String, Value>> = BTreeMap::new();
        let names = |entry: &Value| {
            let names = referenced(entry);
            self.moves.keys().any(|from| names.contains(from))
        };
        for name in ["Resources", "Outputs"] {
            let entries = self.original.get(name).and_then(Value::as_object);
            for (id, entry) in entries.into_iter().flatten() {
                let is_moved = name == "Resources" && self.moves.contains_key(id);
                if is_moved || names(entry) {
                    let section = before.entry(name).or_default();
                    section.insert(id.clone(), entry.clone());
                }
            }
        }
        let note = Note {
            moves: moves.collect(),
            before: sorted(&json!(before)).to_string(),
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
    /// The template that imports them.
    pub(in crate::engine) template: Value,
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
    let mut template = deployed.clone();
    let mut moves = BTreeMap::new();
    for (to, it) in note.moves {
        if resources.get(&to).is_none() {
            let entry: Value = serde_json::from_str(&it.entry).ok()?;
            edit(&mut template, "Resources", |all| {
                all.insert(to.clone(), entry)
            });
            moves.insert(to, it);
        }
    }
    if moves.is_empty() {
        Some(UnderWay::Back(restored(deployed)?.0))
    } else {
        Some(UnderWay::Away(Away { moves, template }))
    }
}

/// Returns a deployed template as it is once the course is done that it tells of, with the renames that are then done,
/// old to new; nothing, where no resource left the stack.
pub(in crate::engine) fn restored(deployed: &Value) -> Option<(Value, BTreeMap<String, String>)> {
    let note = Note::of(deployed)?;
    let done: BTreeMap<String, String> = note
        .moves
        .into_iter()
        .map(|(to, it)| (it.from, to))
        .collect();
    let is_begun = done
        .keys()
        .all(|from| deployed["Resources"].get(from).is_none());
    is_begun.then(|| (renamed(&undone(deployed), &done), done))
}

/// Returns a template without a trace of the course that it tells of.
pub(in crate::engine) fn undone(deployed: &Value) -> Value {
    let Some(note) = Note::of(deployed) else {
        return deployed.clone();
    };
    let mut template = deployed.clone();
    if let Some(resources) = template.get_mut("Resources").and_then(Value::as_object_mut) {
        resources.retain(|id, _| !note.moves.contains_key(id));
    }
    if let Some(outputs) = template.get_mut("Outputs").and_then(Value::as_object_mut) {
        outputs.retain(|key, _| !key.starts_with(OUTPUT));
    }
    for (name, entries) in note.before() {
        edit(&mut template, &name, |section| section.extend(entries));
    }
    edit(&mut template, "Metadata", |metadata| metadata.remove(KEY));
    if let Value::Object(sections) = &mut template {
        let is_empty = |it: &Value| it.as_object().is_some_and(Map::is_empty);
        sections.retain(|name, it| !(matches!(&**name, "Metadata" | "Outputs") && is_empty(it)));
    }
    template
}

/// Returns the property that identifies a resource with its value, or the attribute that tells it.
fn identified_by(
    from: &str,
    template: &Value,
    ids: &BTreeMap<String, String>,
) -> Result<(String, String), Taken> {
    let property = identifier(type_of(&template["Resources"][from])).unwrap_or_default();
    let id = ids.get(from).map(String::as_str).unwrap_or_default();
    // The physical id of a few types is a name where an ARN identifies them.
    if property.ends_with("Arn") && !id.starts_with("arn:") {
        return Err((from.to_owned(), Some(property.to_owned())));
    }
    Ok((property.to_owned(), id.to_owned()))
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

/// Has a resource retained, whatever becomes of its entry.
fn mark(entry: &mut Value, to: &str) {
    if let Value::Object(entry) = entry {
        entry.insert("DeletionPolicy".to_owned(), "Retain".into());
        let metadata = entry
            .entry("Metadata")
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(metadata) = metadata {
            metadata.insert(KEY.to_owned(), to.into());
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
