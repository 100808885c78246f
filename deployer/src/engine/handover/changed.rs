//! Exports whose value a change set would change, whether they keep their name or are given up and kept for importers.
//!
//! CloudFormation finds out at the end of the update that a stack imports one, and rolls all of it back
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html>). Nobody can be handed
//! over here: the importers want the same name before and after.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Texts, name_of};
use crate::{
    aws::{AwsError, Fault},
    engine::{
        Context, DeployedStack, ProposedChanges, Replacement, StackError,
        destroy::importers,
        plan::{Cause, certain, is_dynamic, is_value},
    },
};

/// Says that stacks import what a change set changes; nothing, where none does or nobody may ask.
pub(in crate::engine) async fn refuse(
    context: &Context,
    deployed: &DeployedStack,
    template: &str,
    texts: &Texts,
    changes: &ProposedChanges,
) -> Result<Option<StackError>, AwsError> {
    let template: Value = serde_json::from_str(template).unwrap_or_default();
    let mut reasons = Vec::new();
    let mut hints = Vec::new();
    for (export, cause) in changing(deployed, &template, texts, changes) {
        let importers = match importers::of_export(&context.clients, export).await {
            Err(error) if matches!(error.fault(), Fault::Denied { .. }) => return Ok(None),
            found => found?,
        };
        if importers.is_empty() {
            continue;
        }
        let importers = importers.join(", ");
        reasons.push(cause.reason(export, &importers));
        let hint = cause.hint(export, &importers);
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
    texts: &Texts,
    changes: &ProposedChanges,
) -> BTreeMap<&'a str, Cause> {
    let is_new = |id: &String| {
        changes.changes.iter().any(|change| {
            change.logical_id == *id
                && (change.action == "Add" || change.replacement == Some(Replacement::Always))
        })
    };
    let goes = |id: &String| {
        let mut changes = changes.changes.iter();
        changes.any(|change| change.logical_id == *id && change.action == "Remove")
    };
    let outputs = template.get("Outputs").and_then(Value::as_object);
    let outputs: Vec<_> = outputs.into_iter().flatten().collect();
    let mut found = BTreeMap::new();
    for (old_key, export) in &deployed.exports {
        if let Some(names) = texts.get(export) {
            let anew = names.iter().find(|id| is_new(id)).cloned();
            let cause = anew
                .map(Cause::Stale)
                .or_else(|| names.iter().find(|id| goes(id)).cloned().map(Cause::Gone));
            found.extend(cause.map(|cause| (export.as_str(), cause)));
            continue;
        }
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
                let another = |present: &String| !is_dynamic(text) && !is_value(present, text);
                present.is_some_and(another).then_some(Cause::Text)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::plan::{App, Registry, Side};
    use crate::engine::tests::described;

    /// What an export is taken from, before and after, and whether both say that its value changes.
    #[test]
    fn plan_and_deploy_refuse_the_same_values() {
        let kind = |kind: &str| json!({"Type": kind});
        let stored = kind("AWS::SSM::Parameter::Value<String>");
        let literal = kind("String");
        let named = json!({"Ref": "Named"});
        for (what, parameter, (before, old), (after, new), present, refused) in [
            (
                "as it was",
                &stored,
                (&named, "/a"),
                (&named, "/a"),
                "live",
                false,
            ),
            (
                "another name",
                &stored,
                (&named, "/a"),
                (&named, "/b"),
                "live",
                false,
            ),
            (
                "its value",
                &stored,
                (&named, "/a"),
                (&json!("live"), "/a"),
                "live",
                false,
            ),
            (
                "another value",
                &stored,
                (&named, "/a"),
                (&json!("other"), "/a"),
                "live",
                true,
            ),
            (
                "no ASCII",
                &literal,
                (&json!("Grüße"), ""),
                (&json!("Grüße"), ""),
                "Gr??e",
                false,
            ),
            (
                "no ASCII, new",
                &literal,
                (&json!("Grüße"), ""),
                (&json!("Güte"), ""),
                "Gr??e",
                true,
            ),
            (
                "dynamic",
                &literal,
                (&json!("{{resolve:ssm:/a}}"), ""),
                (&json!("{{resolve:ssm:/b}}"), ""),
                "live",
                false,
            ),
            (
                "text",
                &literal,
                (&json!("one"), ""),
                (&json!("two"), ""),
                "one",
                true,
            ),
        ] {
            let template = |value: &Value| {
                json!({
                    "Parameters": {"Named": parameter},
                    "Outputs": {"Value": {"Value": value, "Export": {"Name": "data-dev-a"}}},
                })
            };
            let (before, after) = (template(before), template(after));
            let side = |template, name: &str| Side {
                template: Some(template),
                parameters: [("Named".to_owned(), name.to_owned())].into(),
                ..Side::default()
            };
            let (old, new) = (side(&before, old), side(&after, new));
            let mut found = described("UPDATE_COMPLETE");
            found.exports = [("Value".to_owned(), "data-dev-a".to_owned())].into();
            found.outputs = [("Value".to_owned(), present.to_owned())].into();
            let manifest = serde_json::from_value(
                json!({"name": "data-dev", "id": "data", "template": "data.json", "sha256": ""}),
            )
            .expect("reads");
            let mut app = App::default();
            let plan = app.compare(&manifest, &BTreeMap::new(), &old, &new, &Registry);
            app.exported(&manifest, (&found, &old), &new, &plan);
            assert_eq!(
                app.changing("data-dev").count() > 0,
                refused,
                "plan: {what}"
            );
            let changes = ProposedChanges {
                stack: "data-dev".to_owned(),
                create: false,
                partial: false,
                change_set: "deploy".to_owned(),
                changes: Vec::new(),
                findings: Vec::new(),
                hooks: Vec::new(),
            };
            let own = changing(&found, &after, &Texts::new(), &changes);
            assert_eq!(!own.is_empty(), refused, "deploy: {what}");
        }
    }
}
