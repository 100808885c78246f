//! Traps of secrets.

use super::super::Grade;
use super::{Finding, Seen, Trap};

pub(super) const TRAPS: &[Trap] = &[Trap {
    types: &["AWS::SecretsManager::Secret"],
    source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html",
    find: generated,
}];

/// A change of how a secret is generated generates another one.
fn generated(seen: &Seen<'_>) -> Vec<Finding> {
    let anew = seen.stays()
        && seen.touches("GenerateSecretString")
        && seen.before("/GenerateSecretString").is_some()
        && seen.after("/GenerateSecretString").is_some();
    let finding = Finding::new(
        Grade::Interruption,
        "another secret is generated: who holds the present one is refused until it is read anew",
    );
    anew.then_some(finding).into_iter().collect()
}
