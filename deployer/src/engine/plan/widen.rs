//! Finds who may do more than before, and what more of the world can reach.
//!
//! The comparison works on canonical values: lists of actions, resources and principals are lists, and sorted. Where it
//! cannot tell whether something is covered, it says widened: a false alarm costs a look, a silent one an incident.

mod exposure;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use super::canonical::intrinsic;

pub(super) use exposure::{exposures, lost};

/// Returns what an update of a resource allows that was not allowed before, one line each.
pub(super) fn permissions(old: &Value, new: &Value) -> Vec<String> {
    let before = documents(old);
    let mut found = BTreeSet::new();
    let denials: Vec<&Value> = documents(new)
        .into_iter()
        .filter(|s| is(s, "Deny"))
        .collect();
    for statement in before.iter().filter(|statement| is(statement, "Deny")) {
        if !denials
            .iter()
            .any(|other| without_sid(other) == without_sid(statement))
        {
            found.insert("a statement that denies is removed or changed".to_owned());
        }
    }
    let allowed: Vec<&Value> = before.into_iter().filter(|s| is(s, "Allow")).collect();
    for statement in documents(new).into_iter().filter(|s| is(s, "Allow")) {
        found.extend(more(statement, &allowed));
    }
    for arn in managed(new).difference(&managed(old)) {
        found.insert(format!("managed policy {arn} is attached"));
    }
    found.extend(bounds(old, new));
    found.extend(callers(old, new));
    found.into_iter().collect()
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

/// Returns who else may call a function by its permission, which is a statement written as properties.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-permission.html>.
fn callers(old: &Value, new: &Value) -> Vec<String> {
    if new.get("Type").and_then(Value::as_str) != Some("AWS::Lambda::Permission") {
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
        Value::Object(entries) => {
            if let Some(Value::Array(statements)) = entries.get("Statement") {
                found.extend(statements);
            } else {
                entries.values().for_each(|entry| collect(entry, found));
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, found)),
        _ => {}
    }
}

fn is(statement: &Value, effect: &str) -> bool {
    statement.get("Effect").and_then(Value::as_str) == Some(effect)
}

fn without_sid(statement: &Value) -> Value {
    let mut statement = statement.clone();
    if let Value::Object(entries) = &mut statement {
        entries.remove("Sid");
    }
    statement
}

/// Returns what a statement allows that none of the earlier ones does.
fn more(statement: &Value, earlier: &[&Value]) -> Vec<String> {
    if earlier
        .iter()
        .any(|other| without_sid(other) == without_sid(statement))
    {
        return Vec::new();
    }
    let inverted = ["NotAction", "NotResource", "NotPrincipal"]
        .iter()
        .any(|key| statement.get(key).is_some());
    if inverted {
        return vec!["a statement allows everything but some things".to_owned()];
    }
    let covering: Vec<&&Value> = earlier
        .iter()
        .filter(|other| {
            // A condition narrows: another one, or none where there was one, is not covered.
            other.get("Condition").is_none() || other.get("Condition") == statement.get("Condition")
        })
        .collect();
    let mut found = Vec::new();
    for action in elements(statement.get("Action")) {
        for resource in elements_or_any(statement.get("Resource")) {
            for principal in principals(statement) {
                let covered = covering.iter().any(|other| {
                    elements(other.get("Action"))
                        .iter()
                        .any(|wide| matches(wide, action, true))
                        && elements_or_any(other.get("Resource"))
                            .iter()
                            .any(|wide| matches(wide, resource, false))
                        && principals(other).iter().any(|(kind, wide)| {
                            *kind == principal.0 && matches(wide, principal.1, false)
                        })
                });
                if !covered {
                    let mut line = format!("{} on {}", text(action), text(resource));
                    if !principal.0.is_empty() {
                        // Writing to a String cannot fail.
                        let _ = write!(line, " by {} {}", principal.0, text(principal.1));
                    }
                    found.push(line);
                }
            }
        }
    }
    found
}

/// Stands for a part that a statement does not have.
static ANY: Value = Value::Null;

fn elements(value: Option<&Value>) -> Vec<&Value> {
    match value {
        Some(Value::Array(elements)) => elements.iter().collect(),
        Some(other) => vec![other],
        None => Vec::new(),
    }
}

fn elements_or_any(value: Option<&Value>) -> Vec<&Value> {
    match value {
        None => vec![&ANY],
        some => elements(some),
    }
}

/// Returns the principals of a statement with their kinds. A policy of an identity has none.
fn principals(statement: &Value) -> Vec<(&str, &Value)> {
    match statement.get("Principal") {
        None => vec![("", &ANY)],
        Some(Value::Object(kinds)) => kinds
            .iter()
            .flat_map(|(kind, names)| {
                elements(Some(names))
                    .into_iter()
                    .map(move |name| (kind.as_str(), name))
            })
            .collect(),
        Some(other) => vec![("AWS", other)],
    }
}

/// Returns whether a pattern covers a value. Intrinsics cover only themselves.
fn matches(wide: &Value, narrow: &Value, ignore_case: bool) -> bool {
    if wide == narrow {
        return true;
    }
    let (Some(wide), Some(narrow)) = (wide.as_str(), narrow.as_str()) else {
        return wide.as_str() == Some("*");
    };
    if ignore_case {
        covers(
            wide.to_ascii_lowercase().as_bytes(),
            narrow.to_ascii_lowercase().as_bytes(),
        )
    } else {
        covers(wide.as_bytes(), narrow.as_bytes())
    }
}

/// Matches `*` and `?` as IAM does. A narrow text with wildcards of its own is covered where the wide one takes them
/// literally, which is right: `s3:*` covers `s3:Get*`.
fn covers(wide: &[u8], narrow: &[u8]) -> bool {
    let (mut at, mut of) = (0, 0);
    let mut star = None;
    while let Some(byte) = narrow.get(of) {
        match wide.get(at) {
            Some(b'*') => {
                star = Some((at, of));
                at += 1;
            }
            Some(b'?') if *byte != b'*' => (at, of) = (at + 1, of + 1),
            Some(other) if other == byte => (at, of) = (at + 1, of + 1),
            _ => match &mut star {
                Some((start, reached)) => {
                    *reached += 1;
                    (at, of) = (*start + 1, *reached);
                }
                None => return false,
            },
        }
    }
    wide.get(at..)
        .is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
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

/// Returns what an update of a resource allows no more, and what it denies besides, one line each.
pub(super) fn narrowed(old: &Value, new: &Value) -> Vec<String> {
    let after = documents(new);
    let allowed: Vec<&Value> = after.iter().copied().filter(|s| is(s, "Allow")).collect();
    let mut found = BTreeSet::new();
    for statement in documents(old).into_iter().filter(|s| is(s, "Allow")) {
        let lines = more(statement, &allowed).into_iter();
        found.extend(lines.map(|line| format!("allows no more: {line}")));
    }
    let denied = documents(old);
    for statement in after.iter().filter(|statement| is(statement, "Deny")) {
        if !denied
            .iter()
            .any(|other| without_sid(other) == without_sid(statement))
        {
            found.insert("denies more: a statement is new or changed".to_owned());
        }
    }
    found.into_iter().collect()
}

/// Returns whether a value holds statements of a policy, of which lines as these tell more than the value itself.
pub(super) fn is_policy(value: &Value) -> bool {
    match value {
        Value::Object(entries) => {
            let effect = entries.get("Effect").and_then(Value::as_str);
            matches!(effect, Some("Allow" | "Deny")) || entries.values().any(is_policy)
        }
        Value::Array(elements) => elements.iter().any(is_policy),
        _ => false,
    }
}

/// Writes a canonical value for people: what refers to a resource is its logical id.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "the resource itself".to_owned(),
        Value::Object(entries) => match intrinsic(entries) {
            Some(("Ref", Value::String(name))) if name.starts_with("AWS::") => {
                format!("${{{name}}}")
            }
            Some(("Ref", Value::String(name))) => name.clone(),
            Some(("Fn::GetAtt", Value::Array(parts))) => {
                parts.first().map(text).unwrap_or_default()
            }
            Some(("Fn::ImportValue", Value::String(name))) => format!("export {name}"),
            Some(("Fn::Join", Value::Array(arguments))) => match arguments.as_slice() {
                [Value::String(between), Value::Array(parts)] => {
                    let parts: Vec<String> = parts.iter().map(text).collect();
                    parts.join(between)
                }
                _ => value.to_string(),
            },
            _ => value.to_string(),
        },
        other => other.to_string(),
    }
}
