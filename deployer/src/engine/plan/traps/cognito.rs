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
                    attribute.clone(),
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
