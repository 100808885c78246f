//! Traps of user pools.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::Grade;
use super::super::canonical::same;
use super::{Finding, Seen, Trap};

pub(super) const TRAPS: &[Trap] = &[Trap {
    types: &["AWS::Cognito::UserPool"],
    source: "https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-attributes.html",
    find: schema,
}];

/// Attributes can be added, and neither changed nor removed; what is added cannot be required.
fn schema(seen: &Seen<'_>) -> Vec<Finding> {
    if !seen.stays() {
        return Vec::new();
    }
    let of = |list: Option<&Value>| -> BTreeMap<String, Value> {
        list.and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|attribute| {
                Some((
                    attribute.get("Name")?.as_str()?.to_owned(),
                    meant(attribute),
                ))
            })
            .collect()
    };
    let (before, after) = (of(seen.before("/Schema")), of(seen.after("/Schema")));
    let mut found: Vec<Finding> = before
        .iter()
        .filter_map(|(name, old)| match after.get(name) {
            None => Some(format!(
                "the attribute {name} of the users cannot be removed: leave it where it is"
            )),
            Some(new) if !same(old, new) => Some(format!(
                "the attribute {name} of the users cannot be changed: add one of another name"
            )),
            Some(_) => None,
        })
        .map(|reason| Finding::new(Grade::Impossible, reason))
        .collect();
    let required = after.iter().filter(|(name, attribute)| {
        !before.contains_key(*name) && super::is_on(attribute.get("Required"))
    });
    found.extend(required.map(|(name, _)| {
        Finding::new(
            Grade::Impossible,
            format!("the attribute {name} cannot be required: the users that are there have none"),
        )
    }));
    found
}

/// What an attribute is where nothing is said; see
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_SchemaAttributeType.html>.
const DEFAULTS: [(&str, bool); 3] = [
    ("DeveloperOnlyAttribute", false),
    ("Mutable", true),
    ("Required", false),
];

/// Returns an attribute without what it is anyway.
fn meant(attribute: &Value) -> Value {
    let mut attribute = attribute.clone();
    if let Value::Object(entries) = &mut attribute {
        for (name, default) in DEFAULTS {
            let is = entries
                .get(name)
                .is_some_and(|it| same(it, &Value::Bool(default)));
            if is {
                entries.remove(name);
            }
        }
    }
    attribute
}
