//! Names the releases of functions.
//!
//! A function that is released under an alias gets a version with every release, and CloudFormation publishes one when
//! the name of the release changes. The name ends with a fingerprint of all that the function is: its code, its
//! configuration, and whatever that names in the template, because a table that is replaced has another name. So the
//! name changes when the function does, and at no other time.
//!
//! The name begins with the time. Lambda publishes no version of a function that is as in its last version, and a
//! deploy that was rolled back may have left such a version behind: with the time, the same content released again
//! differs from what was left.

pub(super) mod by_hand;
pub(super) mod failed;
pub(super) mod mark;
pub(super) mod record;
pub(super) mod renames;
pub(super) mod settled;
pub(super) mod unproven;
pub(super) mod versions;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::SystemTime,
};

use serde_json::Value;
use sha2::{Digest, Sha256};
use stack_model::assembly::StackManifest;

use super::{DeployedStack, inspect::DeployedResource, plan};
use crate::{template::referenced, text::hex};

/// How many characters of a fingerprint a name has.
const FINGERPRINT: usize = 16;

/// Gives the parameters of the releases of a stack their values. The other parameters have theirs.
///
/// What is released as it should be keeps its name.
pub(super) fn name(
    now: SystemTime,
    stack: &StackManifest,
    template: &Value,
    deployed: Option<&DeployedStack>,
    parameters: &mut BTreeMap<String, String>,
) {
    if stack.releases.is_empty() {
        return;
    }
    let mut given = plan::every_default(template);
    given.extend(parameters.clone());
    for parameter in stack.releases.keys() {
        given.remove(parameter);
    }
    for (parameter, function) in &stack.releases {
        let fingerprint = fingerprint(template, function, &given);
        let earlier = deployed
            .and_then(|stack| stack.parameters.get(parameter))
            .filter(|name| name.ends_with(&format!("-{fingerprint}")));
        let name = match earlier {
            Some(name) => name.clone(),
            None => format!("{}-{fingerprint}", written(now)),
        };
        parameters.insert(parameter.clone(), name);
    }
}

/// Returns the version of a released function that its stack deployed last, under the name that the model gives it.
pub(super) fn deployed_version<'a>(
    resources: &'a [DeployedResource],
    function: &str,
) -> Option<&'a str> {
    let version = format!("{function}Version");
    let version = resources.iter().find(|it| it.logical_id == version)?;
    version.physical_id.rsplit(':').next()
}

/// Returns a text that changes with a function and with everything in the template that it names, directly or by way
/// of others.
fn fingerprint(template: &Value, function: &str, parameters: &BTreeMap<String, String>) -> String {
    let resources = template.get("Resources");
    let mut hash = Sha256::new();
    let mut seen = BTreeSet::new();
    let mut named = BTreeSet::from([function.to_owned()]);
    while let Some(next) = named.pop_first() {
        if !seen.insert(next.clone()) {
            continue;
        }
        let Some(resource) = resources.and_then(|resources| resources.get(&next)) else {
            continue;
        };
        let resource = plan::canonical(resource, parameters);
        named.extend(referenced(&resource["Properties"]));
        let text = sorted(&resource).to_string();
        for part in [&next, &text] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
    }
    let mut text = hex(&hash.finalize());
    text.truncate(FINGERPRINT);
    text
}

/// Returns the same value with the keys of its maps in order, which a map of `serde_json` may or may not keep.
pub(super) fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(elements) => elements.iter().map(sorted).collect(),
        Value::Object(entries) => {
            let ordered: BTreeMap<&String, &Value> = entries.iter().collect();
            ordered
                .into_iter()
                .map(|(key, value)| (key.clone(), sorted(value)))
                .collect()
        }
        other => other.clone(),
    }
}

/// Writes the time so that names sort by it: `20250131T093000.125Z`.
fn written(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time)
        .unwrap_or_default()
        .strftime("%Y%m%dT%H%M%S.%3fZ")
        .to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::engine::{StackStatus, tests::stack};

    fn template() -> Value {
        json!({
            "Parameters": {
                "Level": {"Type": "String", "Default": "info"},
                "Hidden": {"Type": "String", "Default": "a", "NoEcho": true},
                "WorkArtifact": {"Type": "String"},
                "WorkRelease": {"Type": "String"},
            },
            "Resources": {
                "Work": {"Type": "AWS::Lambda::Function", "Properties": {
                    "Code": {"S3Key": {"Ref": "WorkArtifact"}},
                    "Environment": {"Variables": {
                        "HIDDEN": {"Ref": "Hidden"},
                        "LEVEL": {"Ref": "Level"},
                        "STACKCTL_RELEASE": {"Ref": "WorkRelease"},
                        "TABLE": {"Fn::Sub": "${Table}"},
                    }},
                    "Timeout": 3,
                }},
                "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "a"}},
                "Other": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 1}},
            },
        })
    }

    /// Names the release of a template at a second, with an artifact, on top of what is deployed.
    fn named(second: u64, template: &Value, artifact: &str, deployed: Option<&str>) -> String {
        let mut manifest = stack("intake-dev", &[]).manifest;
        let releases = [("WorkRelease".to_owned(), "Work".to_owned())];
        manifest.releases = releases.into();
        let deployed = deployed.map(|name| DeployedStack {
            id: "arn".into(),
            status: StackStatus::new("UPDATE_COMPLETE"),
            reason: None,
            changed: None,
            parameters: [("WorkRelease".to_owned(), name.to_owned())].into(),
            tags: BTreeMap::new(),
            outputs: BTreeMap::new(),
            exports: BTreeMap::new(),
            termination_protection: false,
            express: false,
            removed: None,
        });
        let artifact = ("WorkArtifact".to_owned(), artifact.to_owned());
        let mut parameters = BTreeMap::from([artifact]);
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(second);
        name(now, &manifest, template, deployed.as_ref(), &mut parameters);
        parameters.remove("WorkRelease").expect("is named")
    }

    #[test]
    fn what_is_as_it_was_keeps_its_name() {
        let first = named(0, &template(), "a.zip", None);
        assert!(first.starts_with("19700101T000000.000Z-"), "{first}");
        assert_eq!(named(9, &template(), "a.zip", Some(&first)), first);
        let mut elsewhere = template();
        elsewhere["Resources"]["Other"]["Properties"]["DelaySeconds"] = json!(2);
        assert_eq!(named(9, &elsewhere, "a.zip", Some(&first)), first);
    }

    #[test]
    fn code_configuration_and_what_it_names_make_a_release() {
        let first = named(0, &template(), "a.zip", None);
        assert_ne!(named(0, &template(), "b.zip", Some(&first)), first);
        for (pointer, value) in [
            ("/Resources/Work/Properties/Timeout", json!(4)),
            ("/Parameters/Level/Default", json!("debug")),
            ("/Parameters/Hidden/Default", json!("b")),
            // The table is replaced, and the function must not go on with the name of the old one.
            ("/Resources/Table/Properties/TableName", json!("b")),
        ] {
            let mut changed = template();
            *changed.pointer_mut(pointer).expect("is there") = value;
            assert_ne!(
                named(0, &changed, "a.zip", Some(&first)),
                first,
                "{pointer}"
            );
        }
    }

    #[test]
    fn what_was_rolled_back_gets_another_name_when_it_is_released_again() {
        let first = named(0, &template(), "a.zip", None);
        let failed = named(5, &template(), "b.zip", Some(&first));
        // CloudFormation went back to the first; a version of the second may still be there.
        let again = named(7, &template(), "b.zip", Some(&first));
        assert_ne!(again, failed);
        assert_eq!(again[20..], failed[20..]);
    }
}
