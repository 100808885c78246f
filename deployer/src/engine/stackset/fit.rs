//! What cannot be a stack set.

use serde_json::Value;
use stack_model::assembly::StackManifest;

use super::{StackSetSettings, Targets};
use crate::engine::publish::MAX_BODY;

/// Returns why a stack cannot be a stack set with these settings, one reason each; nothing, where it can.
pub fn misfits(
    manifest: &StackManifest,
    template: &Value,
    bytes: usize,
    settings: &StackSetSettings,
) -> Vec<String> {
    let mut reasons = Vec::new();
    if !manifest.artifacts.is_empty() {
        reasons.push(
            "it has functions: Lambda takes code from a bucket of its own region that the target account may read, and \
             the artifact bucket is one account's"
                .to_owned(),
        );
    }
    if !manifest.contents.is_empty() {
        reasons.push(
            "a folder fills one of its buckets, which stackctl does for the stage's own account alone".to_owned(),
        );
    }
    if let Some(region) = &manifest.region {
        reasons.push(format!(
            "it names its region, {region}, and a stack set has its own"
        ));
    }
    if !manifest.references.is_empty() || imports(template) {
        reasons.push(
            "it takes values of other stacks, and nothing orders the stacks of two stack sets"
                .to_owned(),
        );
    }
    if matches!(settings.targets, Targets::Units { .. }) && template.get("Transform").is_some() {
        // <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStackSet.html>, `Capabilities`.
        reasons
            .push("it has a transform, which service-managed permissions do not allow".to_owned());
    }
    if bytes > MAX_BODY {
        reasons.push(format!(
            "its template has {bytes} bytes, of {MAX_BODY} that are allowed"
        ));
    }
    reasons
}

/// Returns whether anything is imported.
fn imports(value: &Value) -> bool {
    match value {
        Value::Object(entries) => entries
            .iter()
            .any(|(key, value)| key == "Fn::ImportValue" || imports(value)),
        Value::Array(elements) => elements.iter().any(imports),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_reason_is_told() {
        let manifest: StackManifest = serde_json::from_value(json!({
            "name": "guard-org", "id": "guard", "template": "guard-org.template.json", "sha256": "",
            "region": "us-east-1", "artifacts": {"CodeArtifact": "code"},
        }))
        .expect("reads");
        let settings = StackSetSettings {
            targets: Targets::Units {
                units: vec!["ou-ab12-12345678".into()],
                auto_deploy: false,
                retain: false,
            },
            regions: vec!["us-east-1".into()],
            concurrency: 1,
            failures: 0,
            parallel_regions: false,
            delegated: false,
        };
        let template = json!({
            "Transform": "AWS::LanguageExtensions",
            "Resources": {"Role": {"Properties": {"Arn": [{"Fn::ImportValue": "x"}]}}},
        });
        let reasons = misfits(&manifest, &template, MAX_BODY + 1, &settings);
        for part in [
            "functions",
            "its region, us-east-1",
            "values of other stacks",
            "transform",
            "51201 bytes",
        ] {
            assert!(
                reasons.iter().any(|reason| reason.contains(part)),
                "{part}: {reasons:?}"
            );
        }
        let plain: StackManifest = serde_json::from_value(json!({
            "name": "guard-org", "id": "guard", "template": "guard-org.template.json", "sha256": "",
        }))
        .expect("reads");
        assert!(misfits(&plain, &json!({"Resources": {}}), MAX_BODY, &settings).is_empty());
    }
}
