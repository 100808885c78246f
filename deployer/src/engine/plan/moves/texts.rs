//! References that are replaced by texts; see
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html>.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::sub;

/// Says which text stands for a resource, or for one of its attributes; nothing leaves the reference as it is.
pub(in crate::engine) type Lookup<'a> = dyn FnMut(&str, Option<&str>) -> Option<String> + 'a;

/// Returns a value in which references are texts.
pub(in crate::engine) fn resolved(value: &Value, lookup: &mut Lookup<'_>) -> Value {
    let entries = match value {
        Value::Array(elements) => {
            return elements
                .iter()
                .map(|element| resolved(element, lookup))
                .collect();
        }
        Value::Object(entries) => entries,
        other => return other.clone(),
    };
    let only = entries.iter().next().filter(|_| entries.len() == 1);
    if let Some((function, argument)) = only
        && let Some(text) = text(function, argument, lookup)
    {
        return text;
    }
    entries
        .iter()
        .map(|(key, value)| (key.clone(), resolved(value, lookup)))
        .collect::<Map<_, _>>()
        .into()
}

/// Returns what stands for a function, where that is another value.
fn text(function: &str, argument: &Value, lookup: &mut Lookup<'_>) -> Option<Value> {
    match (function, argument) {
        ("Ref", Value::String(name)) => lookup(name, None).map(Value::String),
        ("Fn::GetAtt", Value::String(path)) => {
            let (id, attribute) = path.split_once('.')?;
            lookup(id, Some(attribute)).map(Value::String)
        }
        ("Fn::GetAtt", Value::Array(parts)) => match parts.as_slice() {
            [Value::String(id), Value::String(attribute)] => {
                lookup(id, Some(attribute)).map(Value::String)
            }
            _ => None,
        },
        ("Fn::Sub", Value::String(text)) => {
            let resolved = substituted(text, &BTreeSet::new(), lookup);
            if resolved == *text {
                None
            } else if resolved.contains("${") {
                let entry = ("Fn::Sub".to_owned(), resolved.into());
                Some(Value::Object([entry].into_iter().collect()))
            } else {
                Some(resolved.into())
            }
        }
        ("Fn::Sub", Value::Array(parts)) => {
            let [Value::String(text), Value::Object(variables)] = parts.as_slice() else {
                return None;
            };
            let text = Value::String(substituted(text, &sub::own(parts), lookup));
            let variables = variables
                .iter()
                .map(|(name, value)| (name.clone(), resolved(value, lookup)));
            let parts = vec![text, Value::Object(variables.collect())];
            let entry = ("Fn::Sub".to_owned(), Value::Array(parts));
            Some(Value::Object([entry].into_iter().collect()))
        }
        _ => None,
    }
}

/// Replaces `${Name}` and `${Name.Attribute}` by texts that mean themselves.
fn substituted(text: &str, own: &BTreeSet<&str>, lookup: &mut Lookup<'_>) -> String {
    sub::replaced(text, own, &mut |id, attribute| {
        Some(lookup(id, attribute)?.replace("${", "${!"))
    })
}

/// Takes away that a resource waits for others that leave the template.
pub(super) fn independent(resource: &mut Value, gone: &BTreeMap<String, String>) {
    let is_gone = |name: &Value| name.as_str().is_some_and(|name| gone.contains_key(name));
    let Some(entries) = resource.as_object_mut() else {
        return;
    };
    let is_alone = match entries.get_mut("DependsOn") {
        Some(Value::Array(names)) => {
            let before = names.len();
            names.retain(|name| !is_gone(name));
            names.is_empty() && before > 0
        }
        Some(name) => is_gone(name),
        None => false,
    };
    if is_alone {
        entries.remove("DependsOn");
    }
}
