//! Traps of secrets.

use super::super::Grade;
use super::super::canonical::same;
use super::super::references::refers;
use super::{Finding, Seen, Trap};

pub(super) const TRAPS: &[Trap] = &[Trap {
    types: &["AWS::SecretsManager::Secret"],
    source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html",
    find: another,
}];

/// A change of what a secret is, or of how it is generated, makes another version of it.
fn another(seen: &Seen<'_>) -> Vec<Finding> {
    if !seen.stays() {
        return Vec::new();
    }
    let becomes = |pointer: &str| match (seen.before(pointer), seen.after(pointer)) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(before), Some(after)) => !same(before, after),
    };
    let what = if becomes("/GenerateSecretString") {
        "another secret is generated"
    } else if becomes("/SecretString") {
        "another value takes its place"
    } else {
        return Vec::new();
    };
    let id = &seen.change.logical_id;
    let rotated = seen
        .both
        .of_type("AWS::SecretsManager::RotationSchedule")
        .filter_map(|(_, body)| body.get("Properties")?.get("SecretId"))
        .any(|secret| refers(secret, id));
    let lost = if rotated {
        ", and the value that its rotation made is no longer the present one"
    } else {
        ""
    };
    vec![Finding::new(
        Grade::Interruption,
        format!("{what}: who holds the present one is refused until it is read anew{lost}"),
    )]
}
