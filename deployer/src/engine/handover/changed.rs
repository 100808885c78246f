//! Exports that keep their name, whose value a change set would change.
//!
//! CloudFormation finds out at the end of the update that a stack imports one, and rolls all of it back
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html>). Nobody can be handed
//! over here: the importers want the same name before and after.

use std::collections::BTreeMap;

use serde_json::Value;

use super::name_of;
use crate::{
    aws::{AwsError, Fault},
    engine::{
        Context, DeployedStack, ProposedChanges, Replacement, StackError,
        destroy::importers,
        plan::{Cause, certain},
    },
};

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
        reasons.push(cause.reason(export, &importers));
        let hint = cause.hint(export);
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
