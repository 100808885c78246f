//! Finds policies that are only written in another way.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::canonical::same;
use super::super::path::Path;
use super::super::{Action, Grade, PropertyChange, ResourceChange};
use super::{documents, narrowed, permissions};

/// What is said of policies that are written in another way: statements that are split, joined or doubled, names of actions
/// in other letters.
///
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html>.
pub(in super::super) const SAME: &str = "allows and denies the same as before";

/// Says so of a change of which nothing was found that is allowed or denied more or less. CloudFormation updates the resource
/// all the same.
pub(in super::super) fn tell(change: &mut ResourceChange, old: &Value, new: &Value) {
    let mut policies = change
        .properties
        .iter()
        .filter(|property| property.is_policy())
        .peekable();
    let is_silent = change.action == Action::Update
        && policies.peek().is_some()
        && policies.all(|property| {
            // What it refers to becomes another one, and the words stay.
            let follows = property.before == property.after;
            !follows && !change.possible.contains(&property.path) && says(&property.path, old, new)
        });
    if !is_silent {
        return;
    }
    let is_all = change.properties.iter().all(PropertyChange::is_policy);
    if is_all && !change.perhaps && change.reasons.is_empty() && change.dangers.is_empty() {
        change.grade = Grade::None;
    }
    change.reasons.push(SAME.to_owned());
}

/// Returns whether the policy that a path leads into says the same on both sides, in other words.
fn says(path: &Path, old: &Value, new: &Value) -> bool {
    let policy = path.before("Statement");
    let sides = policy.find(old).zip(policy.find(new));
    sides.is_some_and(|(old, new)| {
        // The rules of a firewall have statements that are none of a policy, and another version of the language reads the
        // same words in another way.
        !same(old, new)
            && !documents(old).is_empty()
            && versions(old) == versions(new)
            && permissions(old, new, "").is_empty()
            && narrowed(old, new, "").is_empty()
    })
}

/// Returns the versions of the language that policies are written in.
fn versions(value: &Value) -> BTreeSet<Option<&str>> {
    match value {
        Value::Object(entries) if entries.contains_key("Statement") => {
            BTreeSet::from([entries.get("Version").and_then(Value::as_str)])
        }
        Value::Object(entries) => entries.values().flat_map(versions).collect(),
        Value::Array(elements) => elements.iter().flat_map(versions).collect(),
        _ => BTreeSet::new(),
    }
}
