//! Judges a change by its properties: whether the resource stays, becomes another one, or may.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::canonical::same;
use super::super::knowledge::{Knowledge, Update};
use super::super::path::{Path, Step, display};
use super::super::{Action, Grade, PropertyChange, ResourceChange, grade, traps};

/// Sets action, grade and reasons of a change from its properties.
pub(super) fn judge(
    change: &mut ResourceChange,
    old: Option<&Value>,
    new: &Value,
    knowledge: &dyn Knowledge,
) {
    let mut replacing = Vec::new();
    let mut perhaps = Vec::new();
    let mut same = Vec::new();
    let mut decides = false;
    let mut sources = BTreeSet::new();
    for property in &change.properties {
        if property.path == Path::new("Type") {
            replacing.push("it is of another type".to_owned());
            continue;
        }
        let Some(place) = property.path.property() else {
            continue;
        };
        let path = display(place);
        let (update, unless) = match traps::refined(&change.resource_type, property, old, new) {
            Some(refined) => {
                sources.insert(refined.source);
                (refined.update, refined.unless)
            }
            None => (knowledge.update(&change.resource_type, place), None),
        };
        let unless = unless.map_or_else(String::new, |policy| {
            format!(" unless its UpdatePolicy has `{policy}: true`")
        });
        let follows = change.possible.contains(&property.path);
        match update {
            Update::InPlace => same.extend(default(change, property, place, knowledge)),
            Update::Replacement if follows => {
                perhaps.push(format!(
                    "{path} may change, which needs replacement{unless}"
                ));
            }
            Update::Replacement => {
                replacing.push(format!("{path} cannot change without replacement{unless}"));
            }
            Update::Conditional | Update::Unknown if follows => {
                perhaps.push(format!(
                    "{path} may change, and may need replacement then{unless}"
                ));
            }
            Update::Conditional => perhaps.push(format!("{path} may need replacement{unless}")),
            Update::Unknown if is_custom(&change.resource_type) => decides = true,
            Update::Unknown => {
                perhaps.push(format!(
                    "nothing is known of {path}, which may need replacement"
                ));
            }
        }
    }
    if decides {
        sources.insert(CUSTOM_UPDATES);
        let decision = "its function decides whether another one takes its place";
        perhaps.push(if grade::goes_when_replaced(new) {
            format!("{decision}, and has to delete the earlier one then")
        } else {
            decision.to_owned()
        });
    }
    change.perhaps = replacing.is_empty() && !perhaps.is_empty();
    for source in sources {
        change.cite(source);
    }
    if !replacing.is_empty() {
        let (grade, reason) = grade::replacement(new, &change.resource_type);
        change.action = Action::Replace;
        change.grade = grade;
        change.reasons = reason.into_iter().chain(replacing).chain(perhaps).collect();
    } else if !perhaps.is_empty() {
        let (grade, reason) = grade::replacement(new, &change.resource_type);
        change.grade = grade;
        change.reasons = perhaps;
        change
            .reasons
            .extend(reason.map(|reason| format!("if so, {reason}")));
    } else {
        // CloudFormation updates the resource all the same, and nothing of it becomes another.
        change.grade = if same.len() == change.properties.len() {
            Grade::None
        } else {
            Grade::UpdateInPlace
        };
        change.reasons = same;
    }
}

/// Returns the entries of its update policy with which a resource that is replaced would stay: none, where something else
/// replaces it besides.
pub(in super::super) fn avoidable(
    change: &ResourceChange,
    old: &Value,
    new: &Value,
    knowledge: &dyn Knowledge,
) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    for property in &change.properties {
        let Some(place) = property.path.property() else {
            continue;
        };
        let refined = traps::refined(&change.resource_type, property, Some(old), new);
        let (update, unless) = match refined {
            Some(refined) => (refined.update, refined.unless),
            None => (knowledge.update(&change.resource_type, place), None),
        };
        if update != Update::Replacement || change.possible.contains(&property.path) {
            continue;
        }
        match unless {
            Some(policy) => found.insert(policy),
            None => return BTreeSet::new(),
        };
    }
    found
}

/// What CloudFormation makes of the answer of a custom resource's function to an update: another physical id is another
/// resource, and the earlier one is deleted.
const CUSTOM_UPDATES: &str = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requesttypes-update.html";

/// Returns whether a type is that of resources that a function of the user makes.
pub(in super::super) fn is_custom(resource_type: &str) -> bool {
    resource_type.starts_with("Custom::") || resource_type == "AWS::CloudFormation::CustomResource"
}

/// Says that a property which comes or goes has the value that AWS takes without it, where that is so.
fn default(
    change: &ResourceChange,
    property: &PropertyChange,
    place: &[Step],
    knowledge: &dyn Knowledge,
) -> Option<String> {
    let (value, comes) = match (&property.before, &property.after) {
        (None, Some(value)) => (value, true),
        (Some(value), None) => (value, false),
        _ => return None,
    };
    let path = display(place);
    is_default(&change.resource_type, &mut place.to_vec(), value, knowledge).then(|| {
        if comes {
            format!("{path} is that by default: it stays as it is")
        } else {
            format!("{path} was what it is by default: it stays as it is")
        }
    })
}

/// Returns whether a value is the default, or an object of which every entry is.
fn is_default(
    resource_type: &str,
    place: &mut Vec<Step>,
    value: &Value,
    knowledge: &dyn Knowledge,
) -> bool {
    if let Some(default) = knowledge.default(resource_type, place) {
        return same(&default, value);
    }
    let Value::Object(entries) = value else {
        return false;
    };
    !entries.is_empty()
        && entries.iter().all(|(key, entry)| {
            place.push(Step::Key(key.clone()));
            let is = is_default(resource_type, place, entry, knowledge);
            place.pop();
            is
        })
}
