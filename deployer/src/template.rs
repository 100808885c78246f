//! What the parts of a template name, whoever asks.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

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

/// Returns every name that a part of a template refers to: resources, parameters, conditions and mappings.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html>.
pub(crate) fn referenced(part: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    collect(part, &mut names);
    names
}

/// Returns the parameters whose values AWS hides (`NoEcho`).
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html>.
pub(crate) fn hidden(template: &Value) -> BTreeSet<&str> {
    let parameters = template.get("Parameters").and_then(Value::as_object);
    parameters
        .into_iter()
        .flatten()
        .filter(|(_, parameter)| is_hidden(parameter))
        .map(|(name, _)| name.as_str())
        .collect()
}

/// Returns whether AWS hides the values of a parameter that is declared so. What nobody understands counts as hidden.
pub(crate) fn is_hidden(parameter: &Value) -> bool {
    let no_echo = parameter.get("NoEcho");
    no_echo.is_some_and(|no_echo| *no_echo != Value::Bool(false) && *no_echo != "false")
}

/// Returns whether a property of a resource gets its value, or a part of it, from a hidden parameter or from where secrets
/// are kept. The path is a JSON pointer into the properties; where it leads past what the template says, the last that the
/// template says counts.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html>.
pub(crate) fn is_secret(template: &Value, logical_id: &str, path: &str) -> bool {
    let properties = &template["Resources"][logical_id]["Properties"];
    let mut part = properties;
    for step in path.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        // Elements of a list that was changed stand elsewhere now.
        match part.get(&step).filter(|_| !part.is_array()) {
            Some(inner) => part = inner,
            None => break,
        }
    }
    // Properties that the template does not have come from nowhere in it.
    if std::ptr::eq(part, properties) {
        return false;
    }
    let text = part.to_string();
    let resolved = ["{{resolve:secretsmanager:", "{{resolve:ssm-secure:"];
    resolved.iter().any(|start| text.contains(start))
        || referenced(part)
            .iter()
            .any(|name| hidden(template).contains(name.as_str()))
}

fn collect(value: &Value, names: &mut BTreeSet<String>) {
    let entries = match value {
        Value::Array(elements) => {
            return elements.iter().for_each(|element| collect(element, names));
        }
        Value::Object(entries) => entries,
        _ => return,
    };
    for (key, argument) in entries {
        let first = || argument.get(0).and_then(Value::as_str);
        match (key.as_str(), argument) {
            ("Ref" | "Condition" | "DependsOn", Value::String(name)) => {
                names.insert(name.clone());
            }
            ("DependsOn", Value::Array(all)) => {
                names.extend(all.iter().filter_map(Value::as_str).map(str::to_owned));
            }
            ("Fn::GetAtt", Value::String(path)) => {
                names.extend(path.split('.').next().map(str::to_owned));
            }
            ("Fn::GetAtt" | "Fn::If" | "Fn::FindInMap", Value::Array(_)) => {
                names.extend(first().map(str::to_owned));
            }
            ("Fn::Sub", Value::String(text)) => substituted(text, None, names),
            ("Fn::Sub", Value::Array(_)) => {
                let own = argument.get(1).and_then(Value::as_object);
                substituted(first().unwrap_or_default(), own, names);
            }
            _ => {}
        }
        collect(argument, names);
    }
}

/// Collects the names of `${Name}` and `${Name.Attribute}`; `${!Name}` is a text, and what is named as a whole by one of its own
/// variables is that.
fn substituted(text: &str, own: Option<&Map<String, Value>>, names: &mut BTreeSet<String>) {
    for piece in text.split("${").skip(1) {
        let name = piece.split('}').next().unwrap_or_default();
        let is_own = own.is_some_and(|own| own.contains_key(name));
        if !is_own && !name.starts_with('!') {
            names.extend(name.split('.').next().map(str::to_owned));
        }
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

    #[test]
    fn what_comes_from_where_secrets_are_kept_is_secret() {
        let template = json!({
            "Parameters": {
                "Password": {"Type": "String", "NoEcho": true},
                "Token": {"Type": "String", "NoEcho": "true"},
                "Name": {"Type": "String", "NoEcho": false},
            },
            "Resources": {"Function": {"Properties": {
                "Description": {"Fn::Sub": "${Name}"},
                "Environment": {"Variables": {
                    "A/B": {"Ref": "Password"},
                    "Plain": "{{resolve:ssm:/plain}}",
                    "Secret": {"Fn::Join": ["", ["{{resolve:secretsmanager:", {"Ref": "Name"}, "}}"]]},
                }},
                "Secure": "{{resolve:ssm-secure:/secure}}",
                "Tags": [{"Key": "a", "Value": "b"}, {"Key": "token", "Value": {"Ref": "Token"}}],
            }}},
        });
        assert_eq!(Vec::from_iter(hidden(&template)), ["Password", "Token"]);
        for (path, secret) in [
            ("/Description", false),
            ("/Environment", true),
            ("/Environment/Variables/A~1B", true),
            ("/Environment/Variables/Plain", false),
            ("/Environment/Variables/Secret", true),
            ("/Secure/0", true),
            ("/Tags/0", true),
            ("/Absent", false),
        ] {
            assert_eq!(is_secret(&template, "Function", path), secret, "{path}");
        }
        assert!(!is_secret(&template, "Other", "/Description"));
    }

    #[test]
    fn every_way_to_refer_to_something_is_known() {
        let part = json!({
            "Condition": "IsLive",
            "DependsOn": ["Table"],
            "Properties": {
                "A": {"Fn::If": ["HasKey", {"Fn::GetAtt": "Key.Arn"}, {"Ref": "AWS::NoValue"}]},
                "B": {"Fn::FindInMap": ["Sizes", {"Ref": "Size"}, "Memory"]},
                "C": {"Fn::Sub": ["${Bucket.Arn}/${!Literal}/${Part}", {"Part": {"Ref": "Prefix"}}]},
                "D": {"Fn::GetAtt": ["Role", "Arn"]},
                "Statement": {"Condition": {"Bool": {"aws:SecureTransport": "true"}}},
            },
        });
        let names = referenced(&part);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "AWS::NoValue",
                "Bucket",
                "HasKey",
                "IsLive",
                "Key",
                "Prefix",
                "Role",
                "Size",
                "Sizes",
                "Table",
            ]
        );
    }
}
