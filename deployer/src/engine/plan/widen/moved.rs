//! Finds what is left without a guard that moves to something else.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::canonical::same;
use super::super::references::names;
use super::granted::ATTACHED;
use super::{elements, lost, text};

/// Types that guard another resource and are no policies, with where they name it.
const GUARDS: &[(&str, &[&str])] = &[
    ("AWS::WAFRegional::WebACLAssociation", &["ResourceArn"]),
    ("AWS::WAFv2::WebACLAssociation", &["ResourceArn"]),
];

/// The same, with where they name what guards it.
const GUARDIANS: &[(&str, &str)] = &[
    ("AWS::WAFRegional::WebACLAssociation", "WebACLId"),
    ("AWS::WAFv2::WebACLAssociation", "WebACLArn"),
];

/// Returns what stays and is no longer guarded as it was, because the guard turned to something else. `before` and
/// `after` are the resources of both templates.
pub(in super::super) fn left(
    old: &Value,
    new: &Value,
    before: &BTreeMap<String, Value>,
    after: &BTreeMap<String, Value>,
) -> Vec<String> {
    let kind = new.get("Type").and_then(Value::as_str).unwrap_or_default();
    let part = |side: &'_ Value, name: &str| side.get("Properties")?.get(name).cloned();
    let mut found = Vec::new();
    let guardian = GUARDIANS.iter().find(|(of, _)| *of == kind);
    if let Some((_, name)) = guardian
        && let (Some(was), Some(is)) = (part(old, name), part(new, name))
        && !same(&was, &is)
    {
        found.push(format!(
            "requests are filtered by {} in place of {}",
            text(&is),
            text(&was)
        ));
    }
    let Some(message) = lost(kind, old) else {
        return found;
    };
    let places = GUARDS.iter().chain(ATTACHED).filter(|(of, _)| *of == kind);
    for place in places.flat_map(|(_, places)| *places) {
        let (was, is) = (part(old, place), part(new, place));
        let still = elements(is.as_ref());
        for one in elements(was.as_ref()) {
            let own: Vec<String> = names(one)
                .into_iter()
                .filter(|name| before.contains_key(name))
                .collect();
            // What goes itself needs no guard.
            let stays = own.is_empty() || own.iter().any(|name| after.contains_key(name));
            if stays && !still.iter().any(|still| same(still, one)) {
                found.push(format!("{message}, of {}", text(one)));
            }
        }
    }
    found
}
