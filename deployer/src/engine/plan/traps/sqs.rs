//! Traps of queues.

use serde_json::Value;

use super::super::{Grade, widen};
use super::{Finding, Seen, Trap, is_on};

pub(super) const TRAPS: &[Trap] = &[Trap {
    types: &["AWS::SQS::Queue"],
    source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queue.html",
    find: plain,
}];

/// A queue encrypts with a key of KMS or with one of SQS, and does neither where both are off. Where nothing is said, it does
/// with one of SQS.
fn plain(seen: &Seen<'_>) -> Vec<Finding> {
    const OWN: &str = "/SqsManagedSseEnabled";
    const KEY: &str = "/KmsMasterKeyId";
    let encrypts = |key: Option<&Value>, own: Option<&Value>| {
        key.is_some_and(|key| key.as_str() != Some("")) || own.is_none() || is_on(own)
    };
    let own = seen.after(OWN);
    let unknown = own.filter(|own| widen::is_unknown(own));
    let before = encrypts(seen.before(KEY), seen.before(OWN));
    // What only the deployment decides is no switch that is on, so it counts as off.
    if !seen.stays() || !before || encrypts(seen.after(KEY), own) {
        return Vec::new();
    }
    let reason = match unknown {
        Some(value) => format!(
            "messages may be kept without encryption, as nobody knows what {} is",
            widen::text(value)
        ),
        None => "messages are kept without encryption".to_owned(),
    };
    vec![Finding::new(Grade::PermissionWidened, reason)]
}
