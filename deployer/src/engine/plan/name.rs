//! Finds what CloudFormation refuses to do, before it is asked.
//!
//! A replacement creates the new resource before it deletes the old one, so both need names of their own. See
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html>.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::canonical::same;
use super::compare::type_of;
use super::{Action, Grade, Knowledge, ResourceChange, references};

/// Gives every change that cannot be deployed its grade, with what to do about it as the first reason.
pub(super) fn refuse(
    changes: &mut BTreeMap<String, ResourceChange>,
    old: &BTreeMap<String, Value>,
    new: &BTreeMap<String, Value>,
    knowledge: &dyn Knowledge,
) {
    let replaced: BTreeSet<String> = changes
        .values()
        .filter(|change| change.action == Action::Replace)
        .map(|change| change.logical_id.clone())
        .collect();
    for change in changes.values_mut() {
        let (Some(before), Some(after)) =
            (old.get(&change.logical_id), new.get(&change.logical_id))
        else {
            continue;
        };
        if type_of(before) != type_of(after) {
            change.grade = Grade::Impossible;
            change.reasons.insert(0, format!(
                "CloudFormation does not make a {} of a {}: give the new resource another logical id",
                type_of(after),
                type_of(before)
            ));
            continue;
        }
        let certain = change.action == Action::Replace;
        if !certain && !change.perhaps {
            continue;
        }
        let Some((property, name)) = kept(before, after, new, &replaced, knowledge) else {
            continue;
        };
        if certain {
            change.grade = Grade::Impossible;
            change.reasons.insert(0, format!(
                "CloudFormation does not replace a resource that keeps its name: give it another {property} than {name}, or none"
            ));
        } else {
            change.reasons.push(format!(
                "if so, CloudFormation refuses, because it keeps the {property} {name}"
            ));
        }
    }
}

/// Returns the name that a resource keeps, with its property: one that the template writes and that is not made from
/// other resources.
fn kept<'a>(
    before: &Value,
    after: &'a Value,
    new: &BTreeMap<String, Value>,
    replaced: &BTreeSet<String>,
    knowledge: &dyn Knowledge,
) -> Option<(&'static str, &'a Value)> {
    let names = knowledge.name(type_of(after));
    let mut own = None;
    for name in names {
        let value = after.get("Properties")?.get(name)?;
        let earlier = before.get("Properties")?.get(name)?;
        let (mut made, mut renamed) = (false, false);
        for id in references::names(value) {
            made |= new.contains_key(&id);
            renamed |= replaced.contains(&id);
        }
        // What is made from a replaced resource becomes another name, whatever the template says.
        if renamed || !same(earlier, value) || (own.is_none() && made) {
            return None;
        }
        own.get_or_insert((name, value));
    }
    own
}
