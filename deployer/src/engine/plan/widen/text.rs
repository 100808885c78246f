//! Writes what policies say for people.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::canonical::intrinsic;
use super::statement::elements;

/// Writes a canonical value for people: what refers to a resource is its logical id.
pub(in super::super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "the resource itself".to_owned(),
        Value::Object(entries) => match intrinsic(entries) {
            Some(("Ref", Value::String(name))) if name.starts_with("AWS::") => {
                format!("${{{name}}}")
            }
            Some(("Ref", Value::String(name))) => name.clone(),
            // What else a resource has is not itself.
            Some(("Fn::GetAtt", Value::Array(parts))) => {
                parts.iter().map(text).collect::<Vec<_>>().join(".")
            }
            Some(("Fn::ImportValue", Value::String(name))) => format!("export {name}"),
            Some(("Fn::Join", Value::Array(arguments))) => match arguments.as_slice() {
                [Value::String(between), Value::Array(parts)] => {
                    let parts: Vec<String> = parts.iter().map(text).collect();
                    parts.join(between)
                }
                _ => json(value),
            },
            _ => json(value),
        },
        other => json(other),
    }
}

/// Writes a condition for people: `aws:SourceArn ArnEquals Topic and aws:SourceAccount StringEquals [1, 2]`.
pub(super) fn condition(condition: &Value) -> String {
    let Value::Object(operators) = condition else {
        return json(condition);
    };
    let mut tests = BTreeMap::new();
    for (operator, keys) in operators {
        let Value::Object(keys) = keys else {
            return json(condition);
        };
        for (key, values) in keys {
            tests.insert((key, operator), list(values));
        }
    }
    let tests: Vec<String> = tests
        .into_iter()
        .map(|((key, operator), values)| format!("{key} {operator} {values}"))
        .collect();
    tests.join(" and ")
}

/// Writes one value, or several in brackets.
pub(super) fn list(values: &Value) -> String {
    let values: Vec<String> = elements(Some(values)).into_iter().map(text).collect();
    match values.as_slice() {
        [one] => one.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}

/// Writes JSON with the keys of its maps sorted: whether a map sorts them itself depends on how `serde_json` was built.
pub(super) fn json(value: &Value) -> String {
    match value {
        Value::Object(entries) => {
            let entries: BTreeMap<&String, &Value> = entries.iter().collect();
            let entries: Vec<String> = entries
                .into_iter()
                .map(|(key, entry)| format!("{}:{}", Value::from(key.as_str()), json(entry)))
                .collect();
            format!("{{{}}}", entries.join(","))
        }
        Value::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(json).collect();
            format!("[{}]", elements.join(","))
        }
        other => other.to_string(),
    }
}
