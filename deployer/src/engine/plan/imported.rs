//! Exports that stacks import, and whose value would change, whether they keep their name or are given up.
//!
//! CloudFormation finds out at the end of the update that a stack imports one, and rolls all of it back
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html>). Nobody can be handed
//! over there: the importers want the same name before and after. An export that is given up is kept until they let go,
//! and cannot be where what it is taken from does not stay.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use stack_model_cfn::facts;

use super::canonical::{canonical, intrinsic, same};
use super::compare::{Renewed, is_custom};
use super::name::AMONG;
use super::stored::is_dynamic;
use super::{Action, Grade, Side, StackPlan, app};
use crate::engine::handover;
use crate::template::referenced;

/// Why an export gets another value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Cause {
    /// The template says another one.
    Text,
    /// A resource that it is taken from is made anew.
    Resource(String),
    /// A resource that it is taken from may be made anew, which only AWS knows.
    Perhaps(String),
    /// It is given up, and a resource that it is taken from is made anew.
    Stale(String),
    /// It is given up, and a resource that it is taken from goes and cannot be kept.
    Gone(String),
}

/// What leads on where importers are in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lead {
    /// They are deployed before: they import nothing of it any more then.
    Before,
    /// What the cause says.
    Hint,
    /// Nothing that this stack could say: an earlier release says what it says.
    Nothing,
}

impl Cause {
    /// Says that importers are in the way.
    pub(in crate::engine) fn reason(&self, export: &str, importers: &str) -> String {
        let change = match self {
            Self::Text => {
                "the value of its export {} would change (the template gives it another value)"
                    .to_owned()
            }
            Self::Resource(id) => format!(
                "the value of its export {{}} would change ({id}, from which it is taken, is made anew)"
            ),
            Self::Perhaps(id) => format!(
                "the value of its export {{}} would change, if {id}, from which it is taken, is made anew"
            ),
            Self::Stale(id) => format!(
                "its export {{}} cannot be kept ({id}, from which it is taken, is made anew)"
            ),
            Self::Gone(id) => format!(
                "its export {{}} cannot be kept ({id}, from which it is taken, needs a value that nobody may read)"
            ),
        };
        format!(
            "{}, and {importers} imports it",
            change.replacen("{}", export, 1)
        )
    }

    /// Says what leads on.
    pub(in crate::engine) fn hint(&self, export: &str, importers: &str) -> String {
        match self {
            // Whoever wrote the source gave the export up: nobody is to import it.
            Self::Stale(_) | Self::Gone(_) => {
                format!("deploy {importers} first, so that it imports {export} no more")
            }
            Self::Text => format!("export the new value under another name than {export}"),
            Self::Resource(id) | Self::Perhaps(id) => format!(
                "give {id} another logical id, which gives its exports other names: one deploy then makes the new one beside \
                 the old one, hands the importers over, and removes the old one"
            ),
        }
    }
}

/// Returns the exports that keep their name and get another value, and those that are given up and cannot be kept, with all that
/// templates tell of it, each with the reason.
///
/// `renewed` is what of the stack becomes another.
pub(super) fn changing(
    deployed: &Side<'_>,
    wanted: &Side<'_>,
    plan: &StackPlan,
    renewed: &[Renewed],
) -> BTreeMap<String, Cause> {
    let value = |side: &Side<'_>, output: &Value| {
        let value = output.get("Value").unwrap_or(&Value::Null);
        canonical(value, &side.parameters)
    };
    let before: BTreeMap<String, Value> = app::section(deployed)
        .filter_map(|(_, output)| Some((app::export(output, deployed)?, value(deployed, output))))
        .collect();
    let mut found = BTreeMap::new();
    let mut given_up = before.clone();
    for (_, output) in app::section(wanted) {
        let Some(name) = app::export(output, wanted) else {
            continue;
        };
        given_up.remove(&name);
        let Some(old) = before.get(&name) else {
            continue;
        };
        let new = value(wanted, output);
        let cause = if let (Value::String(before), Value::String(after)) = (old, &new) {
            // Two names may stand for one value: only CloudFormation knows.
            let known = !is_dynamic(before) && !is_dynamic(after);
            (known && !same(old, &new)).then_some(Cause::Text)
        } else {
            let another = || is_another(old, &new, deployed, wanted).then_some(Cause::Text);
            of_resource(&new, plan, renewed).or_else(another)
        };
        found.extend(cause.map(|cause| (name, cause)));
    }
    for (name, old) in given_up {
        let cause = match of_resource(&old, plan, renewed) {
            Some(Cause::Resource(id)) => Some(Cause::Stale(id)),
            None => unkept(&old, deployed, wanted, plan),
            other => other,
        };
        found.extend(cause.map(|cause| (name, cause)));
    }
    found
}

/// Returns whether a value is certainly another one because it is taken in the same way from another resource, which is there
/// already.
fn is_another(old: &Value, new: &Value, deployed: &Side<'_>, wanted: &Side<'_>) -> bool {
    let kind = |side: &Side<'_>, id: &str| {
        let resource = side.template?.get("Resources")?.get(id)?;
        Some(resource.get("Type")?.as_str()?.to_owned())
    };
    let other = |before: &str, after: &str| {
        let there = kind(deployed, before).filter(|_| before != after)?;
        let is_there = |side| kind(side, after).is_some_and(|kind| kind == there);
        (is_there(deployed) && is_there(wanted)).then_some(there)
    };
    let (Value::Object(before), Value::Object(after)) = (old, new) else {
        return false;
    };
    match (intrinsic(before), intrinsic(after)) {
        (Some(("Ref", Value::String(before))), Some(("Ref", Value::String(after)))) => {
            other(before, after).is_some_and(|kind| is_named_alone(&kind))
        }
        (Some(("Fn::GetAtt", Value::Array(before))), Some(("Fn::GetAtt", Value::Array(after)))) => {
            let both = before.as_slice().first().zip(after.first());
            let names = both.and_then(|(before, after)| Some((before.as_str()?, after.as_str()?)));
            let attribute = before.get(1).and_then(Value::as_str).unwrap_or_default();
            let kind = names.and_then(|(before, after)| other(before, after));
            before.get(1) == after.get(1) && kind.is_some_and(|kind| is_own_arn(&kind, attribute))
        }
        (Some(("Fn::Join", Value::Array(before))), Some(("Fn::Join", Value::Array(after)))) => {
            let ([between, Value::Array(before)], [other, Value::Array(after)]) =
                (before.as_slice(), after.as_slice())
            else {
                return false;
            };
            // One part of a text that is another makes another text, where all else of it is the same.
            let mut changed = before
                .iter()
                .zip(after)
                .filter(|(one, other)| !same(one, other));
            let (first, second) = (changed.next(), changed.next());
            between == other
                && before.len() == after.len()
                && second.is_none()
                && first.is_some_and(|(old, new)| is_another(old, new, deployed, wanted))
        }
        _ => false,
    }
}

/// Returns whether no two resources of a type have the same `Ref`: where several properties identify one, that may be a part of
/// them, such as the name of a stage, of which each API has its own. What a function of the user makes is called as that says.
fn is_named_alone(resource_type: &str) -> bool {
    if is_custom(resource_type) {
        return false;
    }
    let is_among = AMONG.iter().any(|(kind, _)| *kind == resource_type);
    facts::resource_type(resource_type)
        .is_some_and(|resource| !is_among && resource.primary_identifier().count() == 1)
}

/// Returns whether an attribute is the ARN of the resource itself, and not of something else that it has, such as a key.
pub(super) fn is_own_arn(resource_type: &str, attribute: &str) -> bool {
    attribute
        .strip_suffix("Arn")
        .is_some_and(|noun| noun.is_empty() || resource_type.ends_with(&format!("::{noun}")))
}

/// Returns why a value cannot be kept though what it is taken from could stay as it is.
fn unkept(
    value: &Value,
    deployed: &Side<'_>,
    wanted: &Side<'_>,
    plan: &StackPlan,
) -> Option<Cause> {
    let names = referenced(value);
    let gone = plan
        .changes
        .iter()
        .find(|it| it.action == Action::Delete && names.contains(&it.logical_id))?;
    let (old, new) = (deployed.template?, wanted.template?);
    (!handover::can_keep(new, old, names)).then(|| Cause::Gone(gone.logical_id.clone()))
}

fn of_resource(value: &Value, plan: &StackPlan, renewed: &[Renewed]) -> Option<Cause> {
    if !is_text(value) {
        return None;
    }
    let names = referenced(value);
    let changes = || {
        let changes = plan.changes.iter();
        changes.filter(|change| names.contains(&change.logical_id))
    };
    let anew = changes().find(|change| matches!(change.action, Action::Create | Action::Replace));
    if let Some(change) = anew {
        return Some(Cause::Resource(change.logical_id.clone()));
    }
    let mut renewing = None;
    super::references::walk(
        value,
        super::path::Trail::Start(&super::Path::default()),
        &mut |_, reference| {
            let mut certain = renewed.iter().filter(|renewed| !renewed.perhaps);
            if certain.any(|renewed| renewed.concerns(reference)) {
                renewing = Some(Cause::Resource(reference.name.to_owned()));
            }
        },
    );
    renewing.or_else(|| {
        let change = changes().find(|change| change.perhaps)?;
        Some(Cause::Perhaps(change.logical_id.clone()))
    })
}

/// Returns the names whose values are a part of a value, whatever conditions choose and functions leave of it. Nothing for a
/// value that may stay the same: that is left to CloudFormation.
pub(in crate::engine) fn certain(value: &Value) -> BTreeSet<String> {
    if is_text(value) {
        referenced(value)
    } else {
        BTreeSet::new()
    }
}

/// Returns whether all that a value names is a part of its text.
fn is_text(value: &Value) -> bool {
    match value {
        Value::Array(elements) => elements.iter().all(is_text),
        Value::Object(entries) => entries.iter().all(|(key, argument)| {
            let joins = matches!(key.as_str(), "Ref" | "Fn::GetAtt" | "Fn::Sub" | "Fn::Join");
            (joins || !key.starts_with("Fn::")) && is_text(argument)
        }),
        // The zone of a load balancer or a website is one for all of a region.
        Value::String(text) => !text.to_ascii_lowercase().contains("zoneid"),
        _ => true,
    }
}

impl StackPlan {
    /// Notes that importers are in the way of a change: CloudFormation would roll it back.
    pub(super) fn refuse(
        &mut self,
        export: &str,
        cause: &Cause,
        importers: &BTreeSet<String>,
        lead: Lead,
    ) {
        let list = importers.iter().cloned().collect::<Vec<_>>().join(", ");
        let reason = cause.reason(export, &list);
        let reason = match lead {
            Lead::Before => format!("{reason}: deploy {list} first, which then imports it no more"),
            Lead::Hint => format!("{reason}: {}", cause.hint(export, &list)),
            Lead::Nothing => reason,
        };
        let change = match cause {
            Cause::Text => None,
            Cause::Resource(id) | Cause::Perhaps(id) | Cause::Stale(id) | Cause::Gone(id) => {
                let mut changes = self.changes.iter_mut();
                changes.find(|change| change.logical_id == *id)
            }
        };
        match (change, cause) {
            // It has the grade of a replacement already.
            (Some(change), Cause::Perhaps(_)) => change.reasons.push(reason),
            (Some(change), _) => {
                change.grade = Grade::Impossible;
                change.reasons.insert(0, reason);
            }
            (None, _) => self.refused.push(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_a_part_of_the_text_is_certain_to_change_it() {
        let new = json!({"Ref": "New"});
        let chosen = json!({"Fn::If": ["IsNew", new, {"Ref": "Old"}]});
        for (value, names) in [
            (new.clone(), &["New"][..]),
            (json!({"Fn::GetAtt": ["New", "Arn"]}), &["New"]),
            (json!({"Fn::Sub": "${New.Arn}/*"}), &["New"]),
            (json!({"Fn::Sub": ["${It}", {"It": new}]}), &["New"]),
            (
                json!({"Fn::Join": ["-", [{"Ref": "Old"}, new]]}),
                &["New", "Old"],
            ),
            (chosen.clone(), &[]),
            (json!({"Fn::Join": ["-", [{"Ref": "Old"}, chosen]]}), &[]),
            (json!({"Fn::Select": [0, {"Fn::Split": [":", new]}]}), &[]),
            (json!({"Fn::GetAtt": ["New", "CanonicalHostedZoneID"]}), &[]),
        ] {
            assert_eq!(Vec::from_iter(certain(&value)), names, "{value}");
        }
    }

    #[test]
    fn what_is_taken_from_another_resource_that_is_there_is_another_value() {
        let template = |value: &Value| {
            json!({
                "Resources": {
                    "A": {"Type": "AWS::SQS::Queue"},
                    "B": {"Type": "AWS::SQS::Queue"},
                    "Topic": {"Type": "AWS::SNS::Topic"},
                    "News": {"Type": "AWS::SNS::Topic"},
                    "StageA": {"Type": "AWS::ApiGateway::Stage"},
                    "StageB": {"Type": "AWS::ApiGateway::Stage"},
                    "DatabaseA": {"Type": "AWS::RDS::DBInstance"},
                    "DatabaseB": {"Type": "AWS::RDS::DBInstance"},
                    "ThingA": {"Type": "Custom::Thing"},
                    "ThingB": {"Type": "Custom::Thing"},
                },
                "Outputs": {"Out": {"Value": value, "Export": {"Name": "orders"}}},
            })
        };
        let arn = |id: &str| json!({"Fn::GetAtt": [id, "Arn"]});
        let name = |id: &str| json!({"Ref": id});
        for (old, new, expected) in [
            (name("A"), name("B"), true),
            (arn("A"), arn("B"), true),
            (
                json!({"Fn::Sub": "${A.Arn}/x"}),
                json!({"Fn::Sub": "${B.Arn}/x"}),
                true,
            ),
            (
                json!({"Fn::Sub": "${A.Arn}/x"}),
                json!({"Fn::Sub": "${B.Arn}/y"}),
                false,
            ),
            (name("A"), name("A"), false),
            // Nobody knows whether they are called alike, or how one of them is.
            (name("A"), name("Topic"), false),
            (name("A"), arn("B"), false),
            (
                json!({"Fn::GetAtt": ["A", "QueueName"]}),
                json!({"Fn::GetAtt": ["B", "QueueName"]}),
                false,
            ),
            // Both stages of two APIs may be called alike, and what a function of the user makes may be one thing.
            (name("StageA"), name("StageB"), false),
            (name("ThingA"), name("ThingB"), false),
            (
                json!({"Fn::GetAtt": ["Topic", "TopicArn"]}),
                json!({"Fn::GetAtt": ["News", "TopicArn"]}),
                true,
            ),
            // One secret may be that of both.
            (
                json!({"Fn::GetAtt": ["DatabaseA", "MasterUserSecret.SecretArn"]}),
                json!({"Fn::GetAtt": ["DatabaseB", "MasterUserSecret.SecretArn"]}),
                false,
            ),
            (
                json!({"Fn::GetAtt": ["DatabaseA", "DBInstanceArn"]}),
                json!({"Fn::GetAtt": ["DatabaseB", "DBInstanceArn"]}),
                true,
            ),
            (
                name("A"),
                json!({"Fn::If": ["Other", name("B"), name("A")]}),
                false,
            ),
        ] {
            let [old, new] = [old, new].map(|value| template(&value));
            let side = |template| Side {
                template: Some(template),
                ..Side::default()
            };
            let found = changing(&side(&old), &side(&new), &StackPlan::default(), &[]);
            let text = found.get("orders") == Some(&Cause::Text);
            assert_eq!(text, expected, "{} {}", old["Outputs"], new["Outputs"]);
        }
    }
}
