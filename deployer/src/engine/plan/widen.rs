//! Finds who may do more than before, and what more of the world can reach.
//!
//! The comparison works on canonical values: lists of actions, resources and principals are lists, and sorted. Where it
//! cannot tell whether something is covered, it says widened: a false alarm costs a look, a silent one an incident.
//!
//! The lines of [`permissions`] and [`narrowed`] together tell all that differs between the policies of a resource:
//! whatever a statement allows or denies that the other side does not, with its condition. So people need not read the
//! policies beside them.

mod employed;
mod exposure;
mod granted;
mod kinds;
mod moved;
mod people;
mod reworded;
mod statement;
#[cfg(test)]
mod tests;
mod text;
mod unknown;
mod whose;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::canonical::{intrinsic, json_text};
use super::compare::type_of;
use super::references::names;
use exposure::lost;
use statement::{Effect, dropped, equal, gained, matches, principals};
use text::json;

pub(super) use employed::{employed, given};
pub(super) use exposure::{elsewhere, exposures, is_asked_before, made, sets, unasked};
pub(super) use granted::{granted, reaches, withdrawn};
pub(crate) use kinds::lets_in;
pub(super) use kinds::{OPENED, inside};
pub(super) use moved::left;
#[cfg(test)]
pub(super) use reworded::SAME;
pub(super) use reworded::tell as tell_reworded;
pub(in crate::engine) use statement::covers;
pub(super) use statement::elements;
pub(super) use text::text;
pub(super) use unknown::is_unknown;
pub(super) use whose::Whose;

/// How lines begin that tell what differs between policies.
const TOLD: [&str; 2] = ["allows ", "denies "];

/// Returns whether a reason is a line of [`permissions`] or [`narrowed`].
pub(super) fn is_told(reason: &str) -> bool {
    reason != reworded::SAME && TOLD.iter().any(|label| reason.starts_with(label))
}

/// Returns what an update of a resource allows that was not allowed before, or was denied, one line each. `to` says who is
/// given the policies of an identity, where anybody is.
pub(super) fn permissions(old: &Value, new: &Value, to: &str) -> Vec<String> {
    let (before, after) = (documents(old), documents(new));
    let mut found = BTreeSet::new();
    for statement in missing(&after, &before) {
        match Effect::of(statement) {
            Effect::Allow => found.extend(gained(statement, &before, to)),
            Effect::Unknown => {
                found.insert(format!("allows or denies more: {}", json(statement)));
            }
            Effect::Deny | Effect::None => {}
        }
    }
    for statement in missing(&before, &after) {
        match Effect::of(statement) {
            Effect::Deny => found.extend(dropped(statement, &after, to)),
            Effect::Unknown => {
                found.insert(format!("allows or denies no more: {}", json(statement)));
            }
            Effect::Allow | Effect::None => {}
        }
    }
    let (had, has) = (managed(old), managed(new));
    let attached = has
        .difference(&had)
        .map(|arn| format!("managed policy {arn} is attached{}", whose(to)));
    let others = attached.chain(bounds(old, new)).chain(callers(old, new));
    let others = others.chain(listed(old, new));
    let others = others.chain(people::newcomers(old, new));
    found.extend(others.map(|line| format!("allows more: {line}")));
    found.into_iter().collect()
}

/// Returns what an update of a resource allows no more, and what it denies besides, one line each.
pub(super) fn narrowed(old: &Value, new: &Value, to: &str) -> Vec<String> {
    let (before, after) = (documents(old), documents(new));
    let mut found = BTreeSet::new();
    for statement in missing(&before, &after) {
        if Effect::of(statement) == Effect::Allow {
            found.extend(dropped(statement, &after, to));
        }
    }
    for statement in missing(&after, &before) {
        if Effect::of(statement) == Effect::Deny {
            found.extend(gained(statement, &before, to));
        }
    }
    let detached = managed(old)
        .difference(&managed(new))
        .cloned()
        .collect::<Vec<_>>();
    let detached = detached.into_iter();
    found.extend(detached.map(|arn| {
        format!(
            "allows no more: managed policy {arn} is detached{}",
            whose(to)
        )
    }));
    found.into_iter().collect()
}

/// Writes who is given something, where anybody is.
fn whose(to: &str) -> String {
    if to.is_empty() {
        String::new()
    } else {
        format!(", for {to}")
    }
}

/// Returns the statements that are not among others.
fn missing<'a>(statements: &[&'a Value], others: &[&'a Value]) -> Vec<&'a Value> {
    let known = |statement: &&&Value| !others.iter().any(|other| equal(other, statement));
    statements.iter().filter(known).copied().collect()
}

/// Returns whether two sides of a property hold nothing but policies whose differences the lines tell. A choice between
/// policies is none: the lines do not tell when which is chosen.
pub(super) fn is_policy(sides: &[&Value]) -> bool {
    sides.iter().any(|side| !documents(side).is_empty())
        && !sides.iter().any(|side| chooses_policy(side))
}

fn chooses_policy(value: &Value) -> bool {
    match value {
        Value::Object(entries) => {
            // A text of a policy is one.
            (json_text(value).is_none()
                && intrinsic(entries).is_some()
                && !documents(value).is_empty())
                || entries.values().any(chooses_policy)
        }
        Value::Array(elements) => elements.iter().any(chooses_policy),
        _ => false,
    }
}

/// Returns whether a role or a user may go beyond what bounded it. What another policy allows is not known here.
///
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html>.
fn bounds(old: &Value, new: &Value) -> Option<String> {
    let of = |side: &'_ Value| side.get("Properties")?.get("PermissionsBoundary").cloned();
    let before = of(old)?;
    match of(new) {
        None => Some(format!(
            "the permissions boundary {} is removed",
            text(&before)
        )),
        Some(after) if after != before => {
            Some(format!("the permissions boundary becomes {}", text(&after)))
        }
        Some(_) => None,
    }
}

/// Returns which service a list of access lets into a bucket that has a name; whom else one lets in is told as open to the world.
///
/// See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl>.
fn listed(old: &Value, new: &Value) -> Option<String> {
    let of = |side: &'_ Value| {
        let is_bucket = type_of(side) == "AWS::S3::Bucket";
        let list = side.get("Properties")?.get("AccessControl")?.as_str()?;
        is_bucket.then(|| list.to_owned())
    };
    let after = of(new).filter(|after| of(old).as_ref() != Some(after))?;
    let says = match after.as_str() {
        "AwsExecRead" => "EC2 reads images in it (ACL)",
        "LogDeliveryWrite" => "the log delivery of S3 writes to it and reads its list (ACL)",
        _ => return None,
    };
    Some(says.to_owned())
}

/// Returns who else may call a function by its permission, which is a statement written as properties.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-permission.html>.
fn callers(old: &Value, new: &Value) -> Vec<String> {
    if type_of(new) != "AWS::Lambda::Permission" {
        return Vec::new();
    }
    let property = |name: &str| {
        let of = |side: &'_ Value| side.get("Properties")?.get(name).cloned();
        Some((of(old)?, of(new)?))
    };
    [
        ("Action", "", true),
        ("PrincipalOrgID", "calls from ", false),
        ("Principal", "calls by ", false),
        ("SourceAccount", "calls from ", false),
        ("SourceArn", "calls from ", false),
    ]
    .into_iter()
    .filter_map(|(name, what, ignore_case)| {
        let (before, after) = property(name)?;
        let widened = !matches(&before, &after, ignore_case);
        widened.then(|| format!("{what}{}", text(&after)))
    })
    .collect()
}

/// Returns the statements of all policies in a value.
fn documents(value: &Value) -> Vec<&Value> {
    let mut found = Vec::new();
    collect(value, &mut found);
    found
}

fn collect<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(entries) => match entries.get("Statement") {
            // Rules of a firewall have statements too, which are none of a policy.
            Some(Value::Array(statements))
                if statements.iter().any(|it| Effect::of(it) != Effect::None) =>
            {
                found.extend(statements);
            }
            _ => entries.values().for_each(|entry| collect(entry, found)),
        },
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, found)),
        _ => {}
    }
}

fn is(statement: &Value, effect: Effect) -> bool {
    Effect::of(statement) == effect
}

/// Returns the managed policies that a role, user or group is given.
fn managed(resource: &Value) -> BTreeSet<String> {
    elements(
        resource
            .get("Properties")
            .and_then(|properties| properties.get("ManagedPolicyArns")),
    )
    .into_iter()
    .map(text)
    .collect()
}

/// What policies say of one action on one resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Access {
    /// Whether a statement allows it, perhaps only under a condition.
    pub(super) allowed: bool,
    /// Whether one allows it without a condition.
    pub(super) always: bool,
    /// Whether one denies it, perhaps only under a condition.
    pub(super) denied: bool,
}

impl Access {
    /// What allows everything, as far as anybody knows.
    pub(super) const UNKNOWN: Self = Self {
        allowed: true,
        always: true,
        denied: false,
    };

    pub(super) fn and(self, other: Self) -> Self {
        Self {
            allowed: self.allowed || other.allowed,
            always: self.always || other.always,
            denied: self.denied || other.denied,
        }
    }
}

/// Returns what policies say of an action on a resource of the template, or on anything. What only CloudFormation decides
/// may allow it.
pub(super) fn access(
    policies: &Value,
    action: &str,
    target: Option<&str>,
    resources: &BTreeMap<String, Value>,
) -> Access {
    let action = Value::String(action.to_owned());
    // What names other resources of the template only is not about this one.
    let about = |resource: &Value| {
        let named = names(resource);
        let mut own = named.iter().filter(|name| resources.contains_key(*name));
        target.is_none_or(|target| named.contains(target) || own.next().is_none())
    };
    let mut found = Access::default();
    for statement in documents(policies) {
        let effect = Effect::of(statement);
        if effect == Effect::Unknown {
            found = found.and(Access::UNKNOWN);
            continue;
        }
        let named = |key: &str| {
            let actions = elements(statement.get(key)).into_iter();
            actions.into_iter().any(|wide| matches(wide, &action, true))
        };
        let inverted = statement.get("NotAction").is_some();
        let of_action = named("Action") || (inverted && !named("NotAction"));
        let listed = elements(statement.get("Resource"));
        let of_resource = listed.is_empty() || listed.into_iter().any(about);
        if !(of_action && of_resource) {
            continue;
        }
        match effect {
            Effect::Allow => {
                found.allowed = true;
                found.always |= statement.get("Condition").is_none();
            }
            Effect::Deny => found.denied = true,
            Effect::Unknown | Effect::None => {}
        }
    }
    found
}
