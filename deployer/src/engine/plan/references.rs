//! Finds what a template value refers to.

use serde_json::Value;

use super::canonical::intrinsic;
use super::path::Path;

/// Calls `visit` with the path of every reference in a canonical value and the logical id that it names.
///
/// The path of an intrinsic is that of the property it stands for, however deep in it the reference is.
pub(super) fn walk(value: &Value, path: &Path, visit: &mut dyn FnMut(&Path, &str)) {
    match value {
        Value::Array(elements) => {
            for (position, element) in elements.iter().enumerate() {
                walk(element, &path.position(position), visit);
            }
        }
        Value::Object(entries) => match intrinsic(entries) {
            Some(("Ref", Value::String(name))) => visit(path, name),
            Some(("Fn::GetAtt", Value::Array(parts))) => {
                if let Some(name) = parts.first().and_then(Value::as_str) {
                    visit(path, name);
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

fn walk_inside(value: &Value, path: &Path, visit: &mut dyn FnMut(&Path, &str)) {
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
