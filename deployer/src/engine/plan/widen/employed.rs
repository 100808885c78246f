//! Finds who may do more because it takes another role, or because a policy is given to somebody else.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::canonical::intrinsic;
use super::super::compare::type_of;
use super::super::references::names;
use super::granted::ATTACHED;
use super::people::newcomers;
use super::{elements, permissions, text};

/// How the names of properties end that say as whom something acts.
const ENDINGS: [&str; 6] = [
    "CallerArn",
    "Credentials",
    "CredentialsArn",
    "Role",
    "RoleARN",
    "RoleArn",
];

/// How the names of properties end that list as whom something acts.
const LISTS: [&str; 3] = ["RoleARNs", "RoleArns", "IamRoles"];

/// The properties that say as whom something acts, also where they have the name of a role rather than its ARN.
const ROLES: [&str; 10] = [
    "CloudWatchRoleArn",
    "ExecutionRole",
    "ExecutionRoleArn",
    "Role",
    "RoleARN",
    "RoleArn",
    "ServiceRole",
    "ServiceRoleArn",
    "TargetRoleArn",
    "TaskRoleArn",
];

/// Returns what a resource may do that it could not before, because it takes another role, one line each.
///
/// `before` and `after` are the resources of both templates.
pub(in super::super) fn employed(
    old: &Value,
    new: &Value,
    before: &BTreeMap<String, Value>,
    after: &BTreeMap<String, Value>,
) -> Vec<String> {
    let (had, has) = (roles(old), roles(new));
    let gained: Vec<&Value> = has.into_iter().filter(|role| !had.contains(role)).collect();
    if gained.is_empty() {
        return Vec::new();
    }
    let known: Vec<Value> = had
        .iter()
        .filter_map(|role| allowed(role, before))
        .collect();
    let mut found = Vec::new();
    for role in gained {
        match allowed(role, after) {
            Some(allowed) => found.extend(permissions(&json!(known), &allowed, "")),
            None => found.push(format!(
                "allows more: it acts as {}, and what that may do is not known here",
                text(role)
            )),
        }
    }
    found.sort();
    found.dedup();
    found
}

/// Returns the roles that a resource takes.
pub(super) fn roles(resource: &Value) -> Vec<&Value> {
    let mut found = Vec::new();
    if let Some(properties) = resource.get("Properties") {
        collect(properties, &mut found);
        // Here the roles are a map or a list; those of a policy are whom it is given to.
        match (type_of(resource), properties.get("Roles")) {
            ("AWS::Cognito::IdentityPoolRoleAttachment", Some(Value::Object(roles))) => {
                found.extend(roles.values());
            }
            ("AWS::IAM::InstanceProfile", roles) => found.extend(elements(roles)),
            _ => {}
        }
    }
    found
}

/// Returns whether a property says as whom something acts. Where its name only ends so, a text has to be an ARN: there are
/// roles of other kinds.
fn is_role(key: &str, value: &Value) -> bool {
    // A number or a map of something else that is called so.
    let one = value.is_string() || value.as_object().is_some_and(|it| it.len() == 1);
    let arn = value
        .as_str()
        .is_none_or(|text| text.starts_with("arn:") || text.starts_with("{{resolve:"));
    let intrinsic = value.as_object().is_none_or(|it| intrinsic(it).is_some());
    one && (ROLES.contains(&key)
        || (arn && intrinsic && ENDINGS.iter().any(|ending| key.ends_with(ending))))
}

fn collect<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(entries) => {
            for (key, entry) in entries {
                if is_role(key, entry) {
                    found.push(entry);
                } else if LISTS.iter().any(|ending| key.ends_with(ending)) {
                    found.extend(elements(Some(entry)));
                } else {
                    collect(entry, found);
                }
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, found)),
        _ => {}
    }
}

/// Returns the policies of a role of the template, where it is one.
fn allowed(role: &Value, resources: &BTreeMap<String, Value>) -> Option<Value> {
    let id = names(role).into_iter().find(|id| {
        let role = resources.get(id).map(type_of);
        role == Some("AWS::IAM::Role")
    })?;
    let properties = resources.get(&id)?.get("Properties");
    let part = |name: &str| properties.and_then(|all| all.get(name)).cloned();
    let attached: Vec<&Value> = resources
        .values()
        .filter(|body| {
            ATTACHED
                .iter()
                .filter(|(kind, _)| type_of(body) == *kind)
                .flat_map(|(_, places)| *places)
                .filter_map(|place| body.get("Properties")?.get(place))
                .any(|value| names(value).contains(&id))
        })
        .collect();
    Some(json!({"Properties": {
        "Policies": part("Policies"),
        "ManagedPolicyArns": part("ManagedPolicyArns").unwrap_or_else(|| json!([])),
        "Attached": attached,
    }}))
}

/// Returns whom else a policy is given to that was there before, one line each.
pub(in super::super) fn given(
    old: &Value,
    new: &Value,
    before: &BTreeMap<String, Value>,
) -> Vec<String> {
    let kind = type_of(new);
    let places = ATTACHED
        .iter()
        .filter(|(attached, _)| *attached == kind)
        .flat_map(|(_, places)| *places);
    // Who is let in is told otherwise.
    let told = !newcomers(&Value::Null, new).is_empty();
    if told || permissions(&Value::Null, new, "").is_empty() {
        return Vec::new();
    }
    let of = |resource: &'_ Value, place: &str| resource.get("Properties")?.get(place).cloned();
    let mut found = Vec::new();
    for place in places {
        let had = of(old, place);
        let had = elements(had.as_ref());
        let has = of(new, place);
        for one in elements(has.as_ref()) {
            let named = names(one);
            let there = named.is_empty() || named.iter().any(|name| before.contains_key(name));
            if there && !had.contains(&one) {
                found.push(format!("allows more: all of it to {} too", text(one)));
            }
        }
    }
    found
}
