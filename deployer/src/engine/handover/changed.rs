//! Exports that keep their name, whose value a change set would change.
//!
//! CloudFormation finds out at the end of the update that a stack imports one, and rolls all of it back
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html>). Nobody can be handed
//! over here: the importers want the same name before and after.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::name_of;
use crate::{
    aws::{AwsError, Fault},
    engine::{
        Context, DeployedStack, ProposedChanges, Replacement, StackError, destroy::importers,
    },
    template::referenced,
};

/// Why an export gets another value.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Cause {
    /// The template says another one.
    Text,
    /// A resource that it is taken from is made anew.
    Resource(String),
}

/// Says that stacks import what a change set changes; nothing, where none does or nobody may ask.
pub(in crate::engine) async fn refuse(
    context: &Context,
    deployed: &DeployedStack,
    template: &str,
    changes: &ProposedChanges,
) -> Result<Option<StackError>, AwsError> {
    let template: Value = serde_json::from_str(template).unwrap_or_default();
    let mut reasons = Vec::new();
    let mut hints = Vec::new();
    for (export, cause) in changing(deployed, &template, changes) {
        let importers = match importers::of_export(&context.clients, export).await {
            Err(error) if matches!(error.fault(), Fault::Denied { .. }) => return Ok(None),
            found => found?,
        };
        if importers.is_empty() {
            continue;
        }
        let importers = importers.join(", ");
        let (what, hint) = match cause {
            Cause::Text => (
                "the template gives it another value".to_owned(),
                format!("export the new value under another name than {export}"),
            ),
            Cause::Resource(id) => (
                format!("{id}, from which it is taken, is made anew"),
                format!(
                    "give {id} another logical id, which gives its exports other names: one deploy then makes the new one beside \
                     the old one, hands the importers over, and removes the old one"
                ),
            ),
        };
        reasons.push(format!(
            "the value of its export {export} would change ({what}), and {importers} imports it"
        ));
        if !hints.contains(&hint) {
            hints.push(hint);
        }
    }
    Ok((!reasons.is_empty()).then(|| StackError::Imported {
        stack: changes.stack.clone(),
        reason: format!("{}; the stack is as it was", reasons.join("; ")),
        hints,
    }))
}

/// Returns the exports whose value changes with all that is known of it, each with the reason.
fn changing<'a>(
    deployed: &'a DeployedStack,
    template: &Value,
    changes: &ProposedChanges,
) -> BTreeMap<&'a str, Cause> {
    let is_new = |id: &String| {
        changes.changes.iter().any(|change| {
            change.logical_id == *id
                && (change.action == "Add" || change.replacement == Some(Replacement::Always))
        })
    };
    let outputs = template.get("Outputs").and_then(Value::as_object);
    let outputs: Vec<_> = outputs.into_iter().flatten().collect();
    let mut found = BTreeMap::new();
    for (old_key, export) in &deployed.exports {
        let output = outputs.iter().find(|(key, output)| match name_of(output) {
            Some(Value::String(name)) => name == export,
            Some(_) => *key == old_key,
            None => false,
        });
        let Some(value) = output.and_then(|(_, output)| output.get("Value")) else {
            continue;
        };
        let present = deployed.outputs.get(old_key);
        let cause = match value {
            Value::String(text) => {
                (present.is_some_and(|present| present != text)).then_some(Cause::Text)
            }
            value => {
                let mut names = certain(value).into_iter();
                names.find(is_new).map(Cause::Resource)
            }
        };
        if let Some(cause) = cause {
            found.insert(export.as_str(), cause);
        }
    }
    found
}

/// Returns the names whose values are a part of a value, whatever conditions choose and functions leave of it. Nothing for a
/// value that may stay the same: that is left to CloudFormation.
fn certain(value: &Value) -> BTreeSet<String> {
    if is_text(value) {
        referenced(value)
    } else {
        BTreeSet::new()
    }
}

/// Returns whether all that a value names is a part of its text.
fn is_text(value: &Value) -> bool {
    match value {
        Value::Array(elements) => elements.iter().all(is_text),
        Value::Object(entries) => entries.iter().all(|(key, argument)| {
            let joins = matches!(key.as_str(), "Ref" | "Fn::GetAtt" | "Fn::Sub" | "Fn::Join");
            (joins || !key.starts_with("Fn::")) && is_text(argument)
        }),
        // The zone of a load balancer or a website is one for all of a region.
        Value::String(text) => !text.to_ascii_lowercase().contains("zoneid"),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_a_part_of_the_text_is_certain_to_change_it() {
        let new = json!({"Ref": "New"});
        let chosen = json!({"Fn::If": ["IsNew", new, {"Ref": "Old"}]});
        for (value, names) in [
            (new.clone(), &["New"][..]),
            (json!({"Fn::GetAtt": ["New", "Arn"]}), &["New"]),
            (json!({"Fn::Sub": "${New.Arn}/*"}), &["New"]),
            (json!({"Fn::Sub": ["${It}", {"It": new}]}), &["It", "New"]),
            (
                json!({"Fn::Join": ["-", [{"Ref": "Old"}, new]]}),
                &["New", "Old"],
            ),
            (chosen.clone(), &[]),
            (json!({"Fn::Join": ["-", [{"Ref": "Old"}, chosen]]}), &[]),
            (json!({"Fn::Select": [0, {"Fn::Split": [":", new]}]}), &[]),
            (json!({"Fn::GetAtt": ["New", "CanonicalHostedZoneID"]}), &[]),
        ] {
            assert_eq!(Vec::from_iter(certain(&value)), names, "{value}");
        }
    }
}
