//! What the metadata of a template tells of a course, and the template without it.
//!
//! Whoever changes the stack between two steps changes what the course wrote. What is not as it wrote it stays as somebody
//! made it, and is renamed at most; what is, becomes what it was before.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{KEY, OUTPUT, edit, is_written_over};
use crate::engine::inspect::DeployedResource;
use crate::engine::release::sorted;
use crate::text::hex;

/// Something by logical id or key, for each section of a template.
pub(super) type Sections<T> = BTreeMap<String, BTreeMap<String, T>>;

/// What the metadata of a template tells of a course.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    /// By new logical id.
    pub(super) moves: BTreeMap<String, Move>,
    /// The entries that differ meanwhile as they were, as a text: a reference in it is none of the template.
    pub(super) before: String,
    /// The hashes of the others of these than the resources themselves, as the course wrote them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) written: Sections<String>,
    /// The outputs that tell what others take from the resources.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) outputs: Vec<String>,
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
    pub(super) id: String,
    /// The property that identifies it, and its value; nothing before it left the stack.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::engine) by: BTreeMap<String, String>,
    /// Its entry in the template that imports it, as a text; nothing before it left the stack.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) entry: String,
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

    /// Returns whether what left the stack is made again: nothing is looked for that could be imported.
    pub(super) fn is_made(&self) -> bool {
        self.by.is_empty()
    }

    /// Returns whether it was deleted past CloudFormation before it left the stack: what is made again is there otherwise.
    pub(in crate::engine) fn is_gone(&self) -> bool {
        self.is_made() && !is_written_over(&self.resource_type)
    }

    /// Returns whether it left the stack at some time.
    pub(super) fn has_left(&self) -> bool {
        !self.entry.is_empty()
    }
}

impl Note {
    /// Reads what a template tells. What is not ours tells nothing.
    pub(super) fn of(template: &Value) -> Option<Self> {
        serde_json::from_value(template.get("Metadata")?.get(KEY)?.clone()).ok()
    }

    fn before(&self) -> Sections<Value> {
        serde_json::from_str(&self.before).unwrap_or_default()
    }

    /// Returns an entry as it was, where the one that is there is as the course wrote it.
    fn entry(&self, section: &str, id: &str, now: Option<&Value>, before: Value) -> Option<Value> {
        let hash = self.written.get(section)?.get(id)?;
        (*hash == hash_of(now?)).then_some(before)
    }
}

/// Returns the hash of an entry, whatever the order of its keys.
pub(super) fn hash_of(entry: &Value) -> String {
    let hash = Sha256::digest(sorted(entry).to_string());
    hex(hash.get(..12).unwrap_or_default())
}

/// Returns a template without a trace of the course that it tells of. Resources that left the stack have their old names.
pub(in crate::engine) fn undone(deployed: &Value) -> Value {
    let Some(note) = Note::of(deployed) else {
        return deployed.clone();
    };
    let mut template = deployed.clone();
    for (section, entries) in note.before() {
        edit(&mut template, &section, |all| {
            for (id, before) in entries {
                let on_its_way = note.moves.iter().find(|(_, it)| it.from == id);
                if let Some((to, it)) = on_its_way.filter(|_| section == "Resources") {
                    // Somebody may have made another one of the old name since.
                    if it.has_left() && all.contains_key(&id) {
                        continue;
                    }
                    let now = all.remove(if it.has_left() { to } else { &id });
                    if let Some(entry) = returned(it, to, now, before) {
                        all.insert(id, entry);
                    }
                } else if let Some(entry) = note.entry(&section, &id, all.get(&id), before) {
                    all.insert(id, entry);
                }
            }
        });
    }
    if let Some(outputs) = template.get_mut("Outputs").and_then(Value::as_object_mut) {
        outputs.retain(|key, _| key != OUTPUT && !note.outputs.contains(key));
    }
    edit(&mut template, "Metadata", |metadata| metadata.remove(KEY));
    if let Value::Object(sections) = &mut template {
        let is_empty = |it: &Value| it.as_object().is_some_and(Map::is_empty);
        sections.retain(|name, it| !(matches!(&**name, "Metadata" | "Outputs") && is_empty(it)));
    }
    template
}

/// Returns the entry of a resource on its way without a trace of the course; nothing, where somebody took it away.
fn returned(it: &Move, to: &str, now: Option<Value>, before: Value) -> Option<Value> {
    let Some(mut now) = now else {
        return it.has_left().then_some(before);
    };
    let written = serde_json::from_str(&it.entry).unwrap_or_else(|_| {
        let mut marked = before.clone();
        mark(&mut marked, to);
        marked
    });
    if now == written {
        return Some(before);
    }
    let Value::Object(entry) = &mut now else {
        return Some(now);
    };
    if entry.get("DeletionPolicy") == written.get("DeletionPolicy") {
        entry.remove("DeletionPolicy");
        let policy = before.get("DeletionPolicy").cloned();
        entry.extend(policy.map(|policy| ("DeletionPolicy".to_owned(), policy)));
    }
    if let Some(Value::Object(metadata)) = entry.get_mut("Metadata") {
        metadata.remove(KEY);
        if metadata.is_empty() {
            entry.remove("Metadata");
        }
    }
    Some(now)
}

/// Has a resource retained, whatever becomes of its entry.
pub(super) fn mark(entry: &mut Value, to: &str) {
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
