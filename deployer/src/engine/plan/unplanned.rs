//! Judges what only a change set says of a resource.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Grade, Registry, ResourceChange, Side, Step, compare, lets_in};

/// What a change set does to a resource beyond its plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Beyond {
    /// What of it is dangerous, the least first.
    pub(crate) dangers: Vec<Grade>,
    /// Why, where it is known.
    pub(crate) reasons: Vec<String>,
}

/// Returns what properties become that the plan leaves alone: nothing, where they become nothing else. `names` are the
/// properties that the change set changes, and `values` all of them before and after, where they are told; where they are
/// not, whatever lets somebody in by its type may let in somebody else.
///
/// Properties that a macro writes and parameters that are looked up in Systems Manager are in no template. See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/systems-manager-parameter-types.html>.
pub(crate) fn beyond(
    planned: Option<&ResourceChange>,
    resource_type: &str,
    names: &[String],
    values: Option<&[Value; 2]>,
) -> Option<Beyond> {
    let known: BTreeSet<&str> = planned
        .into_iter()
        .flat_map(|planned| &planned.properties)
        .filter_map(|property| match property.path.property()?.first()? {
            Step::Key(name) => Some(name.as_str()),
            Step::Position(_) => None,
        })
        .collect();
    let names = names.iter().map(String::as_str);
    let names: BTreeSet<&str> = names.filter(|name| !known.contains(name)).collect();
    if names.is_empty() {
        return None;
    }
    let Some([before, after]) = values.filter(|sides| !sides.iter().any(|it| hides(it, &names)))
    else {
        return Some(Beyond {
            dangers: lets_in(resource_type).into_iter().collect(),
            reasons: Vec::new(),
        });
    };
    // What stays, or was planned, says what the rest means: whom a policy is given to, and what it allows.
    let of = |side: &Value| side.as_object().cloned().unwrap_or_default();
    let mut wanted = of(before);
    for name in &names {
        match after.get(name) {
            Some(value) => wanted.insert((*name).to_owned(), value.clone()),
            None => wanted.remove(*name),
        };
    }
    let template = |properties: Map<String, Value>| json!({"Resources": {"It": {"Type": resource_type, "Properties": properties}}});
    let (before, after) = (template(of(before)), template(wanted));
    let side = |template| Side {
        template: Some(template),
        ..Side::default()
    };
    let none = BTreeMap::new();
    let plan = compare("", &side(&before), &side(&after), &none, &Registry);
    let change = plan.changes.into_iter().next()?;
    Some(Beyond {
        dangers: change.dangers,
        reasons: change.reasons,
    })
}

/// Returns whether `CloudFormation` hides something of some properties: then nobody knows whether it differs.
fn hides(properties: &Value, names: &BTreeSet<&str>) -> bool {
    let properties = properties.as_object().into_iter().flatten();
    let mut asked = properties.filter(|(name, _)| names.contains(name.as_str()));
    asked.any(|(_, value)| is_hidden(value))
}

fn is_hidden(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(super::canonical::MASK),
        Value::Array(elements) => elements.iter().any(is_hidden),
        Value::Object(entries) => entries.values().any(is_hidden),
        _ => false,
    }
}
