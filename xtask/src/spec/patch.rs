//! Corrections of the registry, as data with reasons.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::pinned;

/// Why the patches could not be read or applied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Read(#[from] pinned::Error),
    #[error(
        "the patch of `{resource_type}` at `{at}` does not fit the schema any more; its reason was: {reason}"
    )]
    Outdated {
        resource_type: String,
        at: String,
        reason: String,
    },
}

/// One correction.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Patch {
    /// The resource types, or one of them.
    types: Vec<String>,
    /// What is wrong in the registry and how we know.
    reason: String,
    /// A JSON pointer to an object of the schema, such as `/properties/Name`; empty for the whole schema.
    at: String,
    /// The keywords to set in that object; `null` takes a keyword away.
    #[serde(default)]
    set: serde_json::Map<String, Value>,
    /// Attributes that the registry does not list as read-only properties; `*` makes every property one.
    #[serde(default)]
    attributes: Vec<String>,
    /// Pointers to properties whose change replaces the resource, which the registry does not list as such.
    #[serde(default)]
    create_only: Vec<String>,
    /// The same of properties whose change may replace it.
    #[serde(default)]
    maybe_create_only: Vec<String>,
}

impl Patch {
    /// Returns the types, and the pointers to what it says that replaces them, and that may.
    pub(crate) fn replacing(&self) -> (&[String], &[String], &[String]) {
        (&self.types, &self.create_only, &self.maybe_create_only)
    }
}

/// Reads all files of a directory, in the order of their names.
pub(crate) fn read(dir: &Path) -> Result<Vec<Patch>, Error> {
    let mut patches = Vec::new();
    for path in pinned::files(dir, "json")? {
        patches.extend(pinned::json::<Vec<Patch>>(&path)?);
    }
    Ok(patches)
}

/// Changes the schemas; a patch that changes nothing is outdated and refused, so that none outlives its reason.
pub(crate) fn apply(patches: &[Patch], schemas: &mut BTreeMap<String, Value>) -> Result<(), Error> {
    for patch in patches {
        for name in &patch.types {
            let outdated = || Error::Outdated {
                resource_type: name.clone(),
                at: patch.at.clone(),
                reason: patch.reason.clone(),
            };
            let schema = schemas.get_mut(name).ok_or_else(outdated)?;
            let target = schema
                .pointer_mut(&patch.at)
                .and_then(Value::as_object_mut)
                .ok_or_else(outdated)?;
            let before = target.clone();
            for (keyword, value) in &patch.set {
                if value.is_null() {
                    target.remove(keyword);
                } else {
                    target.insert(keyword.clone(), value.clone());
                }
            }
            if !patch.attributes.is_empty() {
                target.insert("attributes".to_owned(), json!(patch.attributes));
            }
            for (keyword, pointers) in [
                ("createOnlyProperties", &patch.create_only),
                ("conditionalCreateOnlyProperties", &patch.maybe_create_only),
            ] {
                add(target, keyword, pointers).ok_or_else(outdated)?;
            }
            if *target == before {
                return Err(outdated());
            }
        }
    }
    Ok(())
}

/// Adds pointers to a list of the schema; nothing, where it has one of them already.
fn add(
    target: &mut serde_json::Map<String, Value>,
    keyword: &str,
    pointers: &[String],
) -> Option<()> {
    if pointers.is_empty() {
        return Some(());
    }
    let list = target.entry(keyword).or_insert_with(|| json!([]));
    let list = list.as_array_mut()?;
    for pointer in pointers {
        let pointer = json!(pointer);
        if list.contains(&pointer) {
            return None;
        }
        list.push(pointer);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::{Error, Patch, apply};

    fn patch(at: &str) -> Vec<Patch> {
        let patch = json!([{
            "types": ["A::B::C"],
            "reason": "it is so",
            "at": at,
            "set": {"type": "string", "enum": null},
            "attributes": ["Arn"],
        }]);
        serde_json::from_value(patch).unwrap()
    }

    #[test]
    fn sets_and_takes_away() {
        let mut schemas = BTreeMap::from([(
            "A::B::C".to_owned(),
            json!({"p": {"enum": [1], "minimum": 2}}),
        )]);
        apply(&patch("/p"), &mut schemas).unwrap();
        assert_eq!(
            schemas["A::B::C"],
            json!({"p": {"minimum": 2, "type": "string", "attributes": ["Arn"]}})
        );
    }

    #[test]
    fn adds_what_replaces_to_what_the_registry_lists() {
        let patch = json!([{
            "types": ["A::B::C"], "reason": "it is so", "at": "",
            "create_only": ["/properties/Key"], "maybe_create_only": ["/properties/Port"],
        }]);
        let patches: Vec<Patch> = serde_json::from_value(patch).unwrap();
        let schema = json!({"createOnlyProperties": ["/properties/Name"]});
        let mut schemas = BTreeMap::from([("A::B::C".to_owned(), schema)]);
        apply(&patches, &mut schemas).unwrap();
        assert_eq!(
            schemas["A::B::C"],
            json!({
                "createOnlyProperties": ["/properties/Name", "/properties/Key"],
                "conditionalCreateOnlyProperties": ["/properties/Port"],
            })
        );
        // The registry has learned it.
        assert!(matches!(
            apply(&patches, &mut schemas),
            Err(Error::Outdated { .. })
        ));
    }

    #[test]
    fn a_patch_without_effect_is_outdated() {
        let done = json!({"p": {"type": "string", "attributes": ["Arn"]}});
        for (name, at, schema) in [
            ("A::B::C", "/p", done.clone()),
            ("A::B::C", "/q", done.clone()),
            ("A::B::D", "/p", done),
        ] {
            let mut schemas = BTreeMap::from([(name.to_owned(), schema)]);
            assert!(
                matches!(apply(&patch(at), &mut schemas), Err(Error::Outdated { .. })),
                "{name} {at}"
            );
        }
    }
}
