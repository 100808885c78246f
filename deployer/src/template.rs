//! What the parts of a template name, whoever asks.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Returns, for every resource of a template, the resources of the same template that it waits for: those that it names
/// anywhere, and those that it is said to depend on.
pub(crate) fn dependencies(template: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let Some(resources) = template.get("Resources").and_then(Value::as_object) else {
        return BTreeMap::new();
    };
    resources
        .iter()
        .map(|(id, resource)| {
            let mut needs = referenced(resource);
            needs.retain(|need| need != id && resources.contains_key(need));
            (id.clone(), needs)
        })
        .collect()
}

/// Returns every logical id that something in a template names.
pub(crate) fn referenced(template: &Value) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    collect(template, &mut ids);
    ids
}

fn collect(value: &Value, ids: &mut BTreeSet<String>) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, ids)),
        Value::Object(entries) => {
            for (key, value) in entries {
                match (key.as_str(), value) {
                    ("Ref" | "DependsOn", Value::String(id)) => {
                        ids.insert(id.clone());
                    }
                    ("Fn::GetAtt", Value::String(path)) => {
                        ids.extend(path.split('.').next().map(str::to_owned));
                    }
                    ("Fn::GetAtt" | "DependsOn", Value::Array(parts)) => {
                        ids.extend(parts.iter().filter_map(Value::as_str).map(str::to_owned));
                    }
                    ("Fn::Sub", Value::String(text)) => substituted(text, ids),
                    ("Fn::Sub", Value::Array(parts)) => {
                        if let Some(Value::String(text)) = parts.first() {
                            substituted(text, ids);
                        }
                        collect(value, ids);
                    }
                    _ => collect(value, ids),
                }
            }
        }
        _ => {}
    }
}

/// Collects the ids of `${Id}` and `${Id.Attribute}`.
fn substituted(text: &str, ids: &mut BTreeSet<String>) {
    for piece in text.split("${").skip(1) {
        let name = piece.split(['}', '.']).next().unwrap_or_default();
        ids.insert(name.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn resources_wait_for_what_they_name_and_for_what_they_depend_on() {
        let template = json!({"Resources": {
            "Role": {"Type": "AWS::IAM::Role"},
            "Table": {"Type": "AWS::DynamoDB::Table"},
            "Function": {
                "DependsOn": "Table",
                "Properties": {
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Bucket": {"Ref": "ArtifactBucket"},
                }
            },
            "Alarm": {
                "DependsOn": ["Function"],
                "Properties": {"Name": {"Fn::Sub": "${AWS::StackName}-${Table.Arn}-${Alarm}"}}
            },
        }});
        let needs = dependencies(&template);
        let of = |id: &str| needs[id].iter().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(of("Role"), Vec::<&str>::new());
        assert_eq!(of("Function"), ["Role", "Table"]);
        assert_eq!(of("Alarm"), ["Function", "Table"]);
        assert!(dependencies(&json!(null)).is_empty());
    }
}
