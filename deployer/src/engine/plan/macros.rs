//! Macros: what CloudFormation makes of a template before it deploys anything, which nobody else knows.
//!
//! See <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-macros.html>.

use std::collections::BTreeSet;

use serde_json::Value;

/// Says that macros make something else of a template, where it names any.
pub(super) fn told(template: &Value) -> Option<String> {
    let mut names = BTreeSet::new();
    match template.get("Transform") {
        Some(Value::Array(all)) => names.extend(all.iter().map(name)),
        Some(transform) => drop(names.insert(name(transform))),
        None => {}
    }
    inside(template, &mut names);
    if names.is_empty() {
        return None;
    }
    let names: Vec<String> = names.into_iter().collect();
    let (verb, list) = match &*names {
        [one] => ("makes", one.clone()),
        all => ("make", all.join(" and ")),
    };
    Some(format!(
        "{list} {verb} something else of the template, which only CloudFormation knows: what is said here is about the template \
         before that, and `--change-set` shows what comes of it"
    ))
}

/// Finds the macros that are called within a template.
fn inside(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| inside(element, names)),
        Value::Object(entries) => {
            if let Some(call) = entries.get("Fn::Transform") {
                names.insert(name(call));
            }
            entries.values().for_each(|entry| inside(entry, names));
        }
        _ => {}
    }
}

/// Returns the name of a macro, which may stand alone or with parameters.
fn name(call: &Value) -> String {
    let name = call.get("Name").unwrap_or(call);
    name.as_str()
        .map_or_else(|| name.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_macro_of_a_template_is_named() {
        let include = json!({"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://a/b"}}});
        for (template, names) in [
            (json!({"Resources": {}}), None),
            (
                json!({"Transform": "AWS::Serverless-2016-10-31"}),
                Some("AWS::Serverless-2016-10-31 makes "),
            ),
            (
                json!({"Transform": ["Own", {"Name": "AWS::Include"}]}),
                Some("AWS::Include and Own make "),
            ),
            (
                json!({"Resources": {"A": {"Properties": {"Parts": [include]}}}}),
                Some("AWS::Include makes "),
            ),
        ] {
            let told = told(&template);
            assert_eq!(told.is_some(), names.is_some(), "{template}");
            if let (Some(told), Some(names)) = (told, names) {
                assert!(told.starts_with(names), "{told}");
            }
        }
    }
}
