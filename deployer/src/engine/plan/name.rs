//! Finds what CloudFormation refuses to do, before it is asked.
//!
//! A replacement creates the new resource before it deletes the old one, so both need names of their own. See
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html>. The same goes for what
//! has the name under another logical id: whatever leaves a stack leaves it when all else is done, and what is to be made
//! while something has its name is refused. See
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html> and
//! <https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/contract-tests.html>.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::canonical::{alike, same};
use super::compare::{avoidable, type_of};
use super::knowledge::is_own_name;
use super::known::Known;
use super::traps::Both;
use super::{Action, Grade, Knowledge, ResourceChange, references};

/// Gives every change that cannot be deployed its grade, with what to do about it as the first reason. `known` has what is
/// known of the values on both sides.
pub(super) fn refuse(
    changes: &mut BTreeMap<String, ResourceChange>,
    both: Both<'_>,
    known: [Known<'_>; 2],
    knowledge: &dyn Knowledge,
) {
    refuse_held(changes, both, known, knowledge);
    let Both { old, new, .. } = both;
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
            let policies: Vec<String> = avoidable(change, before, after, knowledge)
                .into_iter()
                .map(|policy| format!("`{policy}: true`"))
                .collect();
            let other = format!("give it another {property} than {name}, or none");
            // Another name makes another resource, and what is in this one goes.
            let advice = if policies.is_empty() {
                other
            } else {
                let policies = policies.join(" and ");
                format!(
                    "give it an UpdatePolicy with {policies}, which changes the one that is there, or, for an empty one, {other}"
                )
            };
            change.grade = Grade::Impossible;
            change.reasons.insert(
                0,
                format!("CloudFormation does not replace a resource that keeps its name: {advice}"),
            );
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
    let is_elsewhere =
        among(type_of(after)).any(|name| !alike(property(before, name), property(after, name)));
    if is_elsewhere {
        return None;
    }
    let mut own = None;
    for name in names {
        let (earlier, value) = match (property(before, name), property(after, name)) {
            // Among what it is one is not said, before or after: that is the same.
            (None, None) if own.is_some() => continue,
            (earlier, value) => (earlier?, value?),
        };
        let (mut made, mut renamed) = (false, false);
        for id in references::names(value) {
            made |= new.contains_key(&id);
            renamed |= replaced.contains(&id);
        }
        // What is made from a replaced resource becomes another name, whatever the template says.
        let is_same = same(
            &folded(type_of(after), name, earlier),
            &folded(type_of(after), name, value),
        );
        if renamed || !is_same || (own.is_none() && made) {
            return None;
        }
        own.get_or_insert((name, value));
    }
    own
}

/// Does so where what is to be made has a name that something else in the stack has at that moment.
fn refuse_held(
    changes: &mut BTreeMap<String, ResourceChange>,
    both: Both<'_>,
    known: [Known<'_>; 2],
    knowledge: &dyn Knowledge,
) {
    let mut found = Vec::new();
    for change in changes.values() {
        let certain = matches!(change.action, Action::Create | Action::Replace);
        if !certain && !change.perhaps {
            continue;
        }
        let Some(wanted) = Wanted::of(change, both, known, knowledge) else {
            continue;
        };
        let told = match wanted.holder(changes, both) {
            Some(holder) => Some(wanted.told(&holder, certain)),
            None if certain => wanted.rival(changes, both).map(|told| (true, told)),
            None => None,
        };
        found.extend(told.map(|told| (change.logical_id.clone(), told)));
    }
    for (id, (refused, reason)) in found {
        let Some(change) = changes.get_mut(&id) else {
            continue;
        };
        if refused {
            change.grade = Grade::Impossible;
            change.reasons.insert(0, reason);
        } else {
            change.reasons.push(reason);
        }
    }
}

/// Types of which two may agree in what CloudFormation identifies them by: registering a definition again makes another
/// revision of it.
///
/// See <https://docs.aws.amazon.com/batch/latest/APIReference/API_RegisterJobDefinition.html>.
const REPEATED: &[&str] = &["AWS::Batch::JobDefinition"];

/// Types whose names are free where another property differs, which CloudFormation does not identify them by.
///
/// See <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule.html> and
/// <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html>.
pub(super) const AMONG: &[(&str, &str)] = &[
    ("AWS::Events::Rule", "EventBusName"),
    ("AWS::Scheduler::Schedule", "GroupName"),
];

/// Names of which the service takes no notice whether their letters are small or capital.
///
/// See <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html>.
const FOLDED: &[(&str, &str)] = &[("AWS::EC2::SecurityGroup", "GroupName")];

/// Returns a name as the service compares it.
fn folded<'a>(resource_type: &str, property: &str, name: &'a Value) -> Cow<'a, Value> {
    match name {
        Value::String(text) if FOLDED.contains(&(resource_type, property)) => {
            Cow::Owned(text.to_lowercase().into())
        }
        other => Cow::Borrowed(other),
    }
}

/// Returns the properties that such names are free by.
fn among(resource_type: &str) -> impl Iterator<Item = &'static str> {
    let rows = AMONG.iter().filter(move |(of, _)| *of == resource_type);
    rows.map(|(_, property)| *property)
}

/// The name that a resource is to be made with.
struct Wanted<'a> {
    id: &'a str,
    body: &'a Value,
    names: Vec<&'static str>,
    known: [Known<'a>; 2],
}

/// What has a name already.
struct Holder<'a> {
    id: &'a str,
    /// Whether it has the name for sure when the other one is made.
    certain: bool,
    /// Whether it leaves the stack, so that the other one may be the same under another logical id.
    leaves: bool,
}

impl<'a> Wanted<'a> {
    fn of(
        change: &'a ResourceChange,
        both: Both<'a>,
        known: [Known<'a>; 2],
        knowledge: &dyn Knowledge,
    ) -> Option<Self> {
        let (id, body) = both.new.get_key_value(&change.logical_id)?;
        let kind = type_of(body);
        let mut names = knowledge.name(kind);
        if names.is_empty() || REPEATED.contains(&kind) {
            return None;
        }
        names.extend(among(kind));
        Some(Self {
            id,
            body,
            names,
            known,
        })
    }

    /// Returns the other resource that is deployed with the name.
    fn holder(
        &self,
        changes: &BTreeMap<String, ResourceChange>,
        both: Both<'a>,
    ) -> Option<Holder<'a>> {
        let alike = both.old.iter().filter(|(id, other)| {
            id.as_str() != self.id
                && type_of(other) == type_of(self.body)
                && self.is_named_as(other)
        });
        let holders = alike.filter_map(|(id, other)| {
            let stays = both.new.get(id);
            // What it is made from becomes another name where that is made anew.
            let made = self
                .names
                .iter()
                .filter_map(|name| property(self.body, name));
            let (mut certain, mut renewed) = (true, false);
            for change in made
                .flat_map(references::names)
                .filter_map(|name| changes.get(&name))
            {
                renewed |= matches!(change.action, Action::Create | Action::Replace);
                certain &= !change.perhaps;
            }
            // A condition that nobody knows decides about what may be instead of the other.
            certain &= [self.body, other]
                .iter()
                .all(|side| side.get("Condition").is_none());
            // What gets another name as it is may be first.
            certain &= stays.is_none_or(|stays| {
                let replaced = changes
                    .get(id)
                    .is_some_and(|it| it.action == Action::Replace);
                replaced || self.is_named_as_wanted(stays)
            });
            let leaves = stays.is_none();
            (!renewed).then_some(Holder {
                id,
                certain,
                leaves,
            })
        });
        holders.max_by_key(|holder| holder.certain)
    }

    /// Says that something else is to be made with the name as well. Two of which a condition makes one may both have it.
    fn rival(&self, changes: &BTreeMap<String, ResourceChange>, both: Both<'a>) -> Option<String> {
        let is_certain = |body: &Value| body.get("Condition").is_none();
        let mut others = both.new.iter().filter(|(id, other)| {
            let change = changes.get(*id).map(|change| change.action);
            *id != self.id
                && matches!(change, Some(Action::Create | Action::Replace))
                && type_of(other) == type_of(self.body)
                && is_certain(other)
                && self.is_named_as_wanted(other)
        });
        let (who, _) = others.next().filter(|_| is_certain(self.body))?;
        let property_name = self.names.first().copied().unwrap_or_default();
        let name = property(self.body, property_name).unwrap_or(&Value::Null);
        let advice = if is_own_name(type_of(self.body), property_name) {
            format!("give it another {property_name}")
        } else {
            format!("there can be one of that {property_name}")
        };
        Some(format!(
            "CloudFormation refuses one of two that have the {property_name} {name}, and {who} is made with it as well: {advice}"
        ))
    }

    /// Returns whether a resource that is deployed has the name.
    fn is_named_as(&self, other: &Value) -> bool {
        let [before, after] = self.known;
        self.agrees(other, |own, other| {
            same(&after.resolve(own), &before.resolve(other))
        })
    }

    /// Returns whether one of the same template has it.
    fn is_named_as_wanted(&self, other: &Value) -> bool {
        self.agrees(other, same)
    }

    fn agrees(&self, other: &Value, same: impl Fn(&Value, &Value) -> bool) -> bool {
        // The first is its own name, without which CloudFormation makes one up.
        let is_named = self
            .names
            .first()
            .is_some_and(|name| property(self.body, name).is_some());
        is_named
            && self.names.iter().all(|name| {
                let of = |side: &Value| {
                    let value = property(side, name)?;
                    Some(folded(type_of(self.body), name, value).into_owned())
                };
                match (of(self.body), of(other)) {
                    (Some(own), Some(other)) => same(&own, &other),
                    (own, other) => own.is_none() && other.is_none(),
                }
            })
    }

    /// Says who has the name, and whether that is why the other one cannot be made.
    fn told(&self, holder: &Holder<'_>, certain: bool) -> (bool, String) {
        let property_name = self.names.first().copied().unwrap_or_default();
        let name = property(self.body, property_name).unwrap_or(&Value::Null);
        let is_own = is_own_name(type_of(self.body), property_name);
        let advice = match (holder.leaves, is_own) {
            (true, true) => {
                format!("declare the rename with `moved`, or give it another {property_name}")
            }
            (true, false) => "declare the rename with `moved`".to_owned(),
            (false, true) => format!("give it another {property_name}"),
            (false, false) => format!("there can be one of that {property_name}"),
        };
        let who = holder.id;
        if certain && holder.certain {
            let reason = format!(
                "CloudFormation refuses to make it while {who} has the {property_name} {name}: {advice}"
            );
            (true, reason)
        } else {
            let reason = format!(
                "where it is made while {who} has the {property_name} {name}, CloudFormation refuses: {advice}"
            );
            (false, reason)
        }
    }
}

fn property<'a>(resource: &'a Value, name: &str) -> Option<&'a Value> {
    resource.get("Properties")?.get(name)
}
