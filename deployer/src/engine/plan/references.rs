//! Finds what a template value refers to.

use std::collections::BTreeSet;

use serde_json::Value;

use super::canonical::intrinsic;
use super::path::Path;

/// What a template value refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reference<'a> {
    /// The logical id, or the name of a parameter.
    pub(super) name: &'a str,
    /// The attribute, where it is not the resource itself that is meant.
    pub(super) attribute: Option<&'a str>,
}

/// Calls `visit` with the path of every reference in a canonical value.
///
/// The path of an intrinsic is that of the property it stands for, however deep in it the reference is.
pub(super) fn walk(value: &Value, path: &Path, visit: &mut dyn FnMut(&Path, Reference<'_>)) {
    match value {
        Value::Array(elements) => {
            for (position, element) in elements.iter().enumerate() {
                walk(element, &path.position(position), visit);
            }
        }
        Value::Object(entries) => match intrinsic(entries) {
            Some(("Ref", Value::String(name))) => {
                let attribute = None;
                visit(path, Reference { name, attribute });
            }
            Some(("Fn::GetAtt", Value::Array(parts))) => {
                if let Some(name) = parts.first().and_then(Value::as_str) {
                    let attribute = parts.get(1).and_then(Value::as_str);
                    visit(path, Reference { name, attribute });
                }
            }
            Some((_, argument)) => walk_inside(argument, path, visit),
            None => {
                for (key, entry) in entries {
                    walk(entry, &path.key(key), visit);
                }
            }
        },
        _ => {}
    }
}

fn walk_inside(value: &Value, path: &Path, visit: &mut dyn FnMut(&Path, Reference<'_>)) {
    match value {
        Value::Array(elements) => elements
            .iter()
            .for_each(|element| walk_inside(element, path, visit)),
        Value::Object(entries) if intrinsic(entries).is_none() => entries
            .values()
            .for_each(|entry| walk_inside(entry, path, visit)),
        other => walk(other, path, visit),
    }
}

/// Returns the names that a value refers to, each once.
pub(super) fn names(value: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    walk(value, &Path::default(), &mut |_, reference| {
        names.insert(reference.name.to_owned());
    });
    names
}

/// Returns whether a value refers to a resource.
pub(super) fn refers(value: &Value, name: &str) -> bool {
    names(value).contains(name)
}

/// Calls `visit` with the path of every import in a canonical value and what it names.
pub(super) fn imports(value: &Value, path: &Path, visit: &mut dyn FnMut(&Path, &Value)) {
    match value {
        Value::Array(elements) => {
            for (position, element) in elements.iter().enumerate() {
                imports(element, &path.position(position), visit);
            }
        }
        Value::Object(entries) => match intrinsic(entries) {
            Some(("Fn::ImportValue", name)) => visit(path, name),
            Some((_, argument)) => imports(argument, path, &mut |_, name| visit(path, name)),
            None => {
                for (key, entry) in entries {
                    imports(entry, &path.key(key), visit);
                }
            }
        },
        _ => {}
    }
}
