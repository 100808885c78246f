//! Traps of settings of which their owner has one, under another logical id: CloudFormation makes the new one first, which writes
//! over the old one, and then deletes the old one, which takes away what the new one wrote.
//!
//! It deletes last what an update removes:
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html>.
//! The policy of a bucket is none of these: a second one is refused while the first is there. A permission of a function is a
//! statement of its own.

use serde_json::Value;

use super::super::canonical::same;
use super::super::compare::type_of;
use super::super::{Action, Grade, widen};
use super::{Finding, Seen, Trap};
use crate::engine::plan::moves::SECRET_POLICY;

pub(super) const TRAPS: &[Trap] = &[
    Trap {
        types: &["AWS::SQS::QueuePolicy"],
        source: "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html",
        find: |seen| taken_away(seen, "Queues"),
    },
    Trap {
        types: &["AWS::SNS::TopicPolicy"],
        source: "https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html",
        find: |seen| taken_away(seen, "Topics"),
    },
    Trap {
        types: &[SECRET_POLICY],
        source: "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteResourcePolicy.html",
        find: |seen| taken_away(seen, "SecretId"),
    },
];

/// Finds what a deleted policy takes away from others of the same owner, which `place` names. What is retained takes nothing.
fn taken_away(seen: &Seen<'_>, place: &str) -> Vec<Finding> {
    let change = seen.change;
    let Some(old) = seen.deployed().filter(|_| change.action == Action::Delete) else {
        return Vec::new();
    };
    let owners = |policy: &Value| -> Vec<Value> {
        let owners = policy.get("Properties").and_then(|all| all.get(place));
        widen::elements(owners).into_iter().cloned().collect()
    };
    let id = &change.logical_id;
    let mut found = Vec::new();
    for owner in owners(old) {
        for (heir, policy) in seen.both.of_type(type_of(old)) {
            if !owners(policy).iter().any(|one| same(one, &owner)) {
                continue;
            }
            // What it denied before, nothing denies any more.
            let before = seen.both.old.get(heir);
            let advice = if before.is_some() {
                format!(
                    "let {id} be retained when it leaves, and {heir} say what the policy is to be"
                )
            } else if type_of(old) == SECRET_POLICY {
                format!("keep the logical id {id}")
            } else {
                format!("keep the logical id {id}, or declare `moved(\"{id}\", ..)` for {heir}")
            };
            let reason = format!(
                "{} has one policy, which {heir} writes too, and CloudFormation deletes {id} last, which takes away what {heir} says: \
                 {advice}",
                widen::text(&owner)
            );
            let opens = before.is_some_and(|before| {
                !widen::left(before, None, seen.both.old, seen.both.new).is_empty()
            });
            let grade = if opens {
                Grade::ExposureWidened
            } else {
                Grade::Interruption
            };
            found.push(Finding::new(grade, reason));
        }
    }
    found
}
