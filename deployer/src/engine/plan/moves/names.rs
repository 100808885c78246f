//! A template in which resources have other logical ids.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::sub;

/// Returns a template in which resources have other logical ids, wherever they are named; all else is as it was.
pub(in crate::engine) fn renamed(template: &Value, moves: &BTreeMap<String, String>) -> Value {
    let Value::Object(sections) = template else {
        return template.clone();
    };
    let sections = sections.iter().map(|(section, content)| {
        let content = match (section.as_str(), content) {
            ("Resources", Value::Object(resources)) => resources
                .iter()
                .map(|(id, resource)| (new_name(id, moves), replaced(resource, moves)))
                .collect::<Map<_, _>>()
                .into(),
            ("Outputs", outputs) => replaced(outputs, moves),
            (_, other) => other.clone(),
        };
        (section.clone(), content)
    });
    Value::Object(sections.collect())
}

fn new_name(id: &str, moves: &BTreeMap<String, String>) -> String {
    moves.get(id).cloned().unwrap_or_else(|| id.to_owned())
}

/// Gives references other names; see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html>.
fn replaced(value: &Value, moves: &BTreeMap<String, String>) -> Value {
    let entries = match value {
        Value::Array(elements) => {
            return elements
                .iter()
                .map(|element| replaced(element, moves))
                .collect();
        }
        Value::Object(entries) => entries,
        other => return other.clone(),
    };
    let entries = entries.iter().map(|(key, argument)| {
        let argument = match (key.as_str(), argument) {
            ("Ref" | "DependsOn", Value::String(name)) => new_name(name, moves).into(),
            ("DependsOn", Value::Array(names)) => names
                .iter()
                .map(|name| match name {
                    Value::String(name) => new_name(name, moves).into(),
                    other => other.clone(),
                })
                .collect(),
            ("Fn::GetAtt", Value::String(path)) => match path.split_once('.') {
                Some((id, attribute)) => format!("{}.{attribute}", new_name(id, moves)).into(),
                None => argument.clone(),
            },
            ("Fn::GetAtt", Value::Array(parts)) => {
                let mut parts: Vec<Value> =
                    parts.iter().map(|part| replaced(part, moves)).collect();
                if let Some(Value::String(id)) = parts.first_mut() {
                    *id = new_name(id, moves);
                }
                parts.into()
            }
            ("Fn::Sub", Value::String(text)) => substituted(text, &BTreeSet::new(), moves).into(),
            ("Fn::Sub", Value::Array(parts)) => {
                let own = sub::own(parts);
                let mut parts: Vec<Value> =
                    parts.iter().map(|part| replaced(part, moves)).collect();
                if let Some(Value::String(text)) = parts.first_mut() {
                    *text = substituted(text, &own, moves);
                }
                parts.into()
            }
            _ => replaced(argument, moves),
        };
        (key.clone(), argument)
    });
    Value::Object(entries.collect())
}

/// Renames in `${Name}` and `${Name.Attribute}`.
fn substituted(text: &str, own: &BTreeSet<&str>, moves: &BTreeMap<String, String>) -> String {
    sub::replaced(text, own, &mut |id, attribute| {
        let new = moves.get(id)?;
        Some(match attribute {
            Some(attribute) => format!("${{{new}.{attribute}}}"),
            None => format!("${{{new}}}"),
        })
    })
}
