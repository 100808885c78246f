//! Compares what a stack has besides resources.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::canonical::canonical;
use super::super::known::{Known, align, declared};
use super::super::mappings::Mappings;
use super::super::path::Path;
use super::super::{PropertyChange, Registry, Side};
use super::Difference;
use crate::engine::recover::APP_TAG;

/// The sections of a template that are compared as they are. Parameters are not: their values are, wherever they are
/// used.
const SECTIONS: &[&str] = &[
    "Description",
    "Conditions",
    "Mappings",
    "Outputs",
    "Rules",
    "Transform",
    "Hooks",
];

/// How the tags begin that a deploy itself adds to a stack, and that go without saying; that of the app does not.
const OWN_TAGS: &str = "stackctl:";

/// Compares what is not a resource.
pub(super) fn other(deployed: &Side<'_>, wanted: &Side<'_>) -> Vec<PropertyChange> {
    let mut found = Vec::new();
    if deployed.template.is_none() {
        // All of a new stack is new.
        return found;
    }
    let nothing = Registry;
    let mut difference = Difference {
        resource_type: "",
        knowledge: &nothing,
        found: &mut found,
    };
    for section in SECTIONS {
        let of = |side: &Side<'_>| {
            let value = side.template.and_then(|template| template.get(section))?;
            let value = Mappings::of_texts(side).look_up(value);
            Some(canonical(&value, &declared(&side.parameters)))
        };
        let (mut before, after) = (of(deployed), of(wanted));
        if let (Some(before), Some(after)) = (&mut before, &after) {
            let known = Known::parameters;
            align(
                before,
                after,
                known(&deployed.parameters),
                known(&wanted.parameters),
            );
        }
        // An absent section and an empty one are the same.
        let empty = Value::Object(Map::new());
        let (before, after) = match (before, after) {
            (None, Some(Value::Object(after))) => (Some(empty), Some(Value::Object(after))),
            (Some(Value::Object(before)), None) => (Some(Value::Object(before)), Some(empty)),
            sides => sides,
        };
        difference.entry(&Path::new(section), before.as_ref(), after.as_ref());
    }
    parameter_types(&mut difference, deployed, wanted);
    let tags = |tags: &BTreeMap<String, String>| {
        Value::Object(
            tags.iter()
                .filter(|(key, _)| !key.starts_with(OWN_TAGS) || *key == APP_TAG)
                .map(|(key, value)| (key.clone(), Value::String(value.clone())))
                .collect(),
        )
    };
    difference.entry(
        &Path::new("Tags"),
        Some(&tags(&deployed.tags)),
        Some(&tags(&wanted.tags)),
    );
    found
}

/// Compares what kind of value parameters are: one of another kind makes something else of the same text.
fn parameter_types(difference: &mut Difference<'_>, deployed: &Side<'_>, wanted: &Side<'_>) {
    let declared = |side: &Side<'_>| {
        let section = side
            .template
            .and_then(|template| template.get("Parameters"));
        section
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default()
    };
    let (before, after) = (declared(deployed), declared(wanted));
    for (name, parameter) in &before {
        if let (Some(old), Some(new)) = (
            parameter.get("Type"),
            after.get(name).and_then(|parameter| parameter.get("Type")),
        ) {
            let path = Path::new("Parameters").key(name).key("Type");
            difference.entry(&path, Some(old), Some(new));
        }
    }
}
