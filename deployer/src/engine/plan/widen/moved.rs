//! Finds what is left without a guard that moves to something else.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::canonical::same;
use super::super::compare::type_of;
use super::super::grade;
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

/// Types that a policy is attached to in [`ATTACHED`], and that hold one of their own besides: it goes with them, and what
/// it denied was asked of them alone.
const HOLDERS: &[&str] = &["AWS::Logs::Destination", "AWS::S3::AccessPoint"];

/// Returns what stays and is no longer guarded as it was, because the guard turned to something else, or goes where `new` is
/// nothing. `before` and `after` are the resources of both templates.
pub(in super::super) fn left(
    old: &Value,
    new: Option<&Value>,
    before: &BTreeMap<String, Value>,
    after: &BTreeMap<String, Value>,
) -> Vec<String> {
    let kind = type_of(old);
    let part = |side: &'_ Value, name: &str| side.get("Properties")?.get(name).cloned();
    let mut found = Vec::new();
    let guardian = GUARDIANS.iter().find(|(of, _)| *of == kind);
    if let (Some((_, name)), Some(new)) = (guardian, new)
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
    if new.is_none() && HOLDERS.contains(&kind) {
        return found;
    }
    let places = GUARDS.iter().chain(ATTACHED).filter(|(of, _)| *of == kind);
    let mut guards_any = false;
    for place in places.flat_map(|(_, places)| *places) {
        let (was, is) = (part(old, place), new.and_then(|new| part(new, place)));
        let still = elements(is.as_ref());
        for one in elements(was.as_ref()) {
            guards_any = true;
            // What goes itself needs no guard.
            if stays(one, before, after) && !still.iter().any(|still| same(still, one)) {
                found.push(format!("{message}, of {}", text(one)));
            }
        }
    }
    // Of what names nobody whom it is for, or is not known here, only the type says that it is for others.
    let is_for_others = kind.ends_with("Policy") || kind == "AWS::IAM::Group";
    if new.is_none() && !guards_any && is_for_others && stays(old, before, after) {
        found.push(message.to_owned());
    }
    found
}

/// Returns whether what a value names is there afterwards: in the stack, outside it because its policy retains it, or
/// somewhere else as ever.
pub(super) fn stays(
    value: &Value,
    before: &BTreeMap<String, Value>,
    after: &BTreeMap<String, Value>,
) -> bool {
    let named = names(value);
    // A parameter or the account is no resource, and goes with none.
    let mut own = named
        .iter()
        .filter_map(|name| Some((name, before.get(name)?)))
        .peekable();
    own.peek().is_none()
        || own.any(|(name, resource)| after.contains_key(name) || grade::is_retained(resource))
}
