//! Finds what a template value refers to.

use std::collections::BTreeSet;

use serde_json::Value;

use super::canonical::intrinsic;
use super::path::{Path, Trail};

/// What a template value refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reference<'a> {
    /// The logical id, or the name of a parameter.
    pub(super) name: &'a str,
    /// The attribute, where it is not the resource itself that is meant.
    pub(super) attribute: Option<&'a str>,
}

/// Calls `visit` with the way to every reference in a canonical value.
///
/// The way to an intrinsic is that to the property it stands for, however deep in it the reference is.
pub(super) fn walk<'a>(
    value: &'a Value,
    trail: Trail<'_>,
    visit: &mut dyn FnMut(Trail<'_>, Reference<'a>),
) {
    match value {
        Value::Array(elements) => {
            for (position, element) in elements.iter().enumerate() {
                walk(element, Trail::Position(&trail, position), visit);
            }
        }
        Value::Object(entries) => match intrinsic(entries) {
            Some(("Ref", Value::String(name))) => {
                let attribute = None;
                visit(trail, Reference { name, attribute });
            }
            Some(("Fn::GetAtt", Value::Array(parts))) => {
                if let Some(name) = parts.first().and_then(Value::as_str) {
                    let attribute = parts.get(1).and_then(Value::as_str);
                    visit(trail, Reference { name, attribute });
                }
            }
            Some((_, argument)) => walk_inside(argument, trail, visit),
            None => {
                for (key, entry) in entries {
                    walk(entry, Trail::Key(&trail, key), visit);
                }
            }
        },
        _ => {}
    }
}

fn walk_inside<'a>(
    value: &'a Value,
    trail: Trail<'_>,
    visit: &mut dyn FnMut(Trail<'_>, Reference<'a>),
) {
    match value {
        Value::Array(elements) => elements
            .iter()
            .for_each(|element| walk_inside(element, trail, visit)),
        Value::Object(entries) if intrinsic(entries).is_none() => entries
            .values()
            .for_each(|entry| walk_inside(entry, trail, visit)),
        other => walk(other, trail, visit),
    }
}

/// Returns the names that a value refers to, each once.
pub(super) fn names(value: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    walk(
        value,
        Trail::Start(&Path::default()),
        &mut |_, reference| {
            names.insert(reference.name.to_owned());
        },
    );
    names
}

/// Returns whether a value refers to a resource.
pub(super) fn refers(value: &Value, name: &str) -> bool {
    let mut found = false;
    walk(
        value,
        Trail::Start(&Path::default()),
        &mut |_, reference| {
            found |= reference.name == name;
        },
    );
    found
}

/// Calls `visit` with the way to every import in a canonical value and what it names.
pub(super) fn imports<'a>(
    value: &'a Value,
    trail: Trail<'_>,
    visit: &mut dyn FnMut(Trail<'_>, &'a Value),
) {
    match value {
        Value::Array(elements) => {
            for (position, element) in elements.iter().enumerate() {
                imports(element, Trail::Position(&trail, position), visit);
            }
        }
        Value::Object(entries) => match intrinsic(entries) {
            Some(("Fn::ImportValue", name)) => visit(trail, name),
            Some((_, argument)) => imports(argument, trail, &mut |_, name| visit(trail, name)),
            None => {
                for (key, entry) in entries {
                    imports(entry, Trail::Key(&trail, key), visit);
                }
            }
        },
        _ => {}
    }
}
