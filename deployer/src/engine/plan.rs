//! Compares the assembly with what is deployed, and says how dangerous each difference is.
//!
//! The comparison needs two templates and the values of their parameters and calls nobody. Intrinsics are compared by
//! what they mean: `Fn::Join` with an empty delimiter and the `Fn::Sub` of the same text are the same, so are a policy's
//! actions in another order, and a parameter is its value.

mod app;
mod basis;
mod canonical;
mod compare;
mod conditions;
mod digest;
mod files;
mod grade;
mod imported;
mod knowledge;
mod known;
mod live;
mod macros;
mod mappings;
pub(super) mod moves;
mod name;
mod needs;
mod online;
mod order;
mod path;
mod picture;
#[cfg(test)]
pub(crate) mod random;
mod references;
mod said;
mod seal;
mod stored;
#[cfg(test)]
mod tests;
mod text;
mod traps;
mod twins;
mod unplanned;
mod widen;

use std::collections::{BTreeMap, BTreeSet};

use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::engine::CodeChange;
use crate::template::hidden;

pub use app::App;
pub use basis::{Basis, Deployed, Snapshot};
pub(super) use canonical::{canonical, intrinsic};
pub use compare::compare;
pub(super) use imported::{Cause, certain};
pub(crate) use knowledge::holds_data;
pub use knowledge::{Knowledge, Registry, Update};
pub use known::pseudo_parameters;
pub use live::{Fate, Live, LiveProperty, LiveResource};
pub(super) use online::plan_anew;
pub use online::{PlanError, Wanted, plan, plan_releases};
pub use path::{Path, Step};
pub use picture::picture;
pub use said::Said;
pub use seal::{Seal, SealedChange};
pub(super) use stored::{is_dynamic, is_value};
#[cfg(test)]
pub(crate) use tests::corpus_plans;
pub use text::{Hunk, Line, TextChange};
pub(crate) use unplanned::{Beyond, beyond};
pub(super) use widen::covers;
pub(crate) use widen::lets_in;

/// The version of the JSON form of plans: it rises when a field goes or means something else, not when one is added.
///
/// `docs/plan.schema.json` describes the form.
pub const VERSION: u32 = 1;

/// What a deploy would do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The stacks, each after those it depends on.
    pub stacks: Vec<StackPlan>,
}

impl Serialize for Plan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_struct("Plan", 2)?;
        document.serialize_field("version", &VERSION)?;
        document.serialize_field("stacks", &self.stacks)?;
        document.end()
    }
}

/// What a deploy would do to one stack.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct StackPlan {
    /// The name of the stack, with the stage.
    pub stack: String,
    /// The resources that change, by logical id.
    pub changes: Vec<ResourceChange>,
    /// What changes besides resources: outputs, conditions, tags of the stack. Paths begin with the section.
    pub other: Vec<PropertyChange>,
    /// What stands between this and its deploy, where the status of the stack does not allow an update, and which functions
    /// are live in another version than was deployed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The stacks that are deployed before it because they let go of what it exports.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// Why CloudFormation would refuse the stack as a whole, where it is no change of a resource that it would refuse.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<String>,
    /// What CloudFormation says of the stack, once there is a change set.
    #[serde(flatten)]
    pub said: Said,
    /// What is live otherwise than it was deployed, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<Live>,
    /// Whether the stack is new.
    #[serde(skip)]
    pub create: bool,
    /// What it was made from, where it was compared with what is deployed.
    #[serde(skip)]
    pub basis: Option<Basis>,
    /// The template that it is compared with, with what is renamed under its new name.
    #[serde(skip)]
    pub before: Option<Value>,
}

/// What a deploy would do to one resource.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ResourceChange {
    /// The logical id.
    pub logical_id: String,
    /// The resource type.
    pub resource_type: String,
    /// What happens to it.
    pub action: Action,
    /// How dangerous that is.
    pub grade: Grade,
    /// The logical id that it had, where it is declared to be renamed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<String>,
    /// Whether it stays or another one takes its place, which only AWS knows. The grade is that of the replacement.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub perhaps: bool,
    /// What of it is dangerous enough to be asked for in a protected stage, the least dangerous first: data that is
    /// lost, or that the resource which takes its place does not have, and whatever is widened.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dangers: Vec<Grade>,
    /// Why, the weightiest first.
    pub reasons: Vec<String>,
    /// The pages of AWS that reasons rest on, beyond the registry.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<&'static str>,
    /// The properties that differ, by path.
    pub properties: Vec<PropertyChange>,
    /// Because of what the code of a function changes, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<CodeChange>,
    /// How definitions of state machines and templates of mappings differ, line by line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<TextChange>,
    /// What CloudFormation says of it, once there is a change set.
    #[serde(flatten)]
    pub said: Said,
    /// Where the resource is declared in the Rust source.
    #[serde(skip)]
    pub source: Option<String>,
    /// The properties that change only if something that they refer to becomes another, by path.
    #[serde(skip)]
    pub(crate) possible: BTreeSet<Path>,
}

impl ResourceChange {
    /// Returns whether it changes only if something that it refers to becomes another, which only AWS knows.
    pub(crate) fn only_follows(&self) -> bool {
        let mut properties = self.properties.iter();
        !self.possible.is_empty()
            && properties.all(|property| self.possible.contains(&property.path))
    }

    /// Returns whether it gets another logical id and nothing else.
    pub(crate) fn is_rename(&self) -> bool {
        self.moved_from.is_some() && self.action == Action::Update && self.properties.is_empty()
    }

    /// Adds a reason, and what it makes of the grade: one that makes the change more dangerous than the others comes
    /// first.
    fn add(&mut self, grade: Grade, reason: String, source: &'static str) {
        self.cite(source);
        if grade > self.grade {
            self.grade = grade;
            self.reasons.insert(0, reason);
        } else {
            self.reasons.push(reason);
        }
        self.endanger(grade);
    }

    /// Notes the page of AWS that a reason rests on.
    fn cite(&mut self, source: &'static str) {
        if !self.sources.contains(&source) {
            self.sources.push(source);
        }
    }

    /// Notes a grade among the dangers, where it is one. A replacement is one where the new resource lacks the data of the
    /// earlier one, and says nothing more where that data is lost.
    pub(crate) fn endanger(&mut self, grade: Grade) {
        let is_danger = match grade {
            Grade::Replacement => {
                holds_data(&self.resource_type) && !self.dangers.contains(&Grade::DataLoss)
            }
            _ => Grade::DANGERS.contains(&grade),
        };
        if is_danger && !self.dangers.contains(&grade) {
            self.dangers.push(grade);
            self.dangers.sort_unstable();
        }
        if grade == Grade::DataLoss {
            self.dangers.retain(|danger| *danger != Grade::Replacement);
        }
    }

    /// Returns whether a danger is among those of the change, or said by one of them: lost data is missing as well.
    #[cfg(test)]
    pub(crate) fn holds(&self, danger: Grade) -> bool {
        let lost = danger == Grade::Replacement && self.dangers.contains(&Grade::DataLoss);
        lost || self.dangers.contains(&danger)
    }

    /// Returns the reasons that people have to read: that a new resource is new goes without saying.
    pub fn told_reasons(&self) -> impl Iterator<Item = &String> {
        let silent = self.action == Action::Create && self.grade == Grade::None;
        let told = move |reason: &&String| !silent || *reason != compare::NEW;
        self.reasons.iter().filter(told)
    }

    /// Returns the properties that differ, but for policies of which the reasons tell all that changes.
    pub fn untold_properties(&self) -> impl Iterator<Item = &PropertyChange> {
        let told = self.reasons.iter().any(|reason| widen::is_told(reason));
        self.properties
            .iter()
            .filter(move |property| !(told && property.is_policy()))
    }

    /// Returns the others: what policies say, of which the reasons tell all that changes.
    pub fn told_properties(&self) -> impl Iterator<Item = &PropertyChange> {
        let told = self.reasons.iter().any(|reason| widen::is_told(reason));
        self.properties
            .iter()
            .filter(move |property| told && property.is_policy())
    }

    /// Returns the same as [`Self::untold_properties`] without those that the texts show line by line.
    pub fn beside_texts(&self) -> impl Iterator<Item = &PropertyChange> {
        self.untold_properties().filter(|property| {
            let mut texts = self.texts.iter();
            !texts.any(|text| property.path.is_in(&text.path))
        })
    }
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PropertyChange {
    /// Where it is.
    pub path: Path,
    /// What is deployed, where there is anything.
    pub before: Option<Value>,
    /// What it becomes, where there is anything.
    pub after: Option<Value>,
}

impl PropertyChange {
    /// Returns whether this is in a policy, or a policy itself.
    fn is_policy(&self) -> bool {
        let sides: Vec<&Value> = self.before.iter().chain(&self.after).collect();
        self.path.has_key("Statement") || widen::is_policy(&sides)
    }
}

/// What happens to a resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is created.
    Create,
    /// It is changed and stays the same resource.
    #[default]
    Update,
    /// A new one takes its place.
    Replace,
    /// It is deleted.
    Delete,
    /// It becomes part of the stack as it is.
    Import,
    /// It leaves the stack and stays.
    Retain,
}

/// How dangerous a change is, the least first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Nothing that exists is touched.
    #[default]
    None,
    /// It changes without being interrupted.
    UpdateInPlace,
    /// It is away for a while, or for good without holding data.
    Interruption,
    /// A new one with another identity takes its place.
    Replacement,
    /// Somebody may do more than before.
    PermissionWidened,
    /// More of the world can reach it.
    ExposureWidened,
    /// Data is deleted.
    DataLoss,
    /// CloudFormation refuses it, so it cannot be deployed.
    Impossible,
}

impl Grade {
    /// The grades that a protected stage asks for one by one: a replacement only of what holds data, as the new one is
    /// empty.
    pub const DANGERS: [Self; 4] = [
        Self::Replacement,
        Self::PermissionWidened,
        Self::ExposureWidened,
        Self::DataLoss,
    ];
}

/// A template with the values that it is deployed with.
#[derive(Clone, Debug, Default)]
pub struct Side<'a> {
    /// The template.
    pub template: Option<&'a Value>,
    /// The values of its parameters, as far as they are known.
    pub parameters: BTreeMap<String, String>,
    /// The tags of the stack.
    pub tags: BTreeMap<String, String>,
}

impl Plan {
    /// Returns whether nothing would change.
    pub fn is_empty(&self) -> bool {
        self.stacks.iter().all(StackPlan::is_empty)
    }

    /// Returns what CloudFormation would refuse, each as a text with the weightiest reason.
    pub fn impossible(&self) -> Vec<String> {
        let changes = self.of_grade(Grade::Impossible).map(|(stack, change)| {
            let reason = change
                .reasons
                .first()
                .map_or("it is refused", String::as_str);
            format!("{}/{}: {reason}", stack.stack, change.logical_id)
        });
        let stacks = self.stacks.iter().flat_map(|stack| {
            let reasons = stack.refused.iter();
            reasons.map(|reason| format!("{}: {reason}", stack.stack))
        });
        changes.chain(stacks).collect()
    }

    /// Returns the changes of a grade, with their stacks.
    pub fn of_grade(&self, grade: Grade) -> impl Iterator<Item = (&StackPlan, &ResourceChange)> {
        self.stacks.iter().flat_map(move |stack| {
            stack
                .changes
                .iter()
                .filter(move |change| change.grade == grade)
                .map(move |change| (stack, change))
        })
    }
}

impl StackPlan {
    /// Returns a plan that nobody agreed to: it says after which stacks this one is deployed, and nothing else.
    #[must_use]
    pub fn order_only(&self) -> Self {
        Self {
            stack: self.stack.clone(),
            after: self.after.clone(),
            ..Self::default()
        }
    }

    /// Returns what gets another logical id, old to new, of what a template has.
    pub(in crate::engine) fn renames(&self, template: &Value) -> BTreeMap<String, String> {
        let renamed = self.changes.iter().filter_map(|change| {
            let from = change.moved_from.as_ref()?;
            template["Resources"].get(from.as_str())?;
            Some((from.clone(), change.logical_id.clone()))
        });
        renamed.collect()
    }

    /// Returns whether CloudFormation refuses it, as far as it was asked.
    pub fn is_refused(&self) -> bool {
        let said = self.changes.iter().map(|change| &change.said);
        let mut findings = said.chain([&self.said]).flat_map(|said| &said.findings);
        findings.any(|finding| !finding.warns())
    }

    /// Puts a note before those that there are.
    pub(crate) fn note_first(&mut self, note: Option<String>) {
        self.note = match (note, self.note.take()) {
            (Some(note), Some(more)) => Some(format!("{note}; {more}")),
            (note, more) => note.or(more),
        };
    }

    /// Returns whether nothing would change.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.other.is_empty()
    }
}

/// Returns the default values of a template's parameters, as far as they may be shown.
pub fn defaults(template: &Value) -> BTreeMap<String, String> {
    let hidden = hidden(template);
    let mut defaults = every_default(template);
    defaults.retain(|name, _| !hidden.contains(name.as_str()));
    defaults
}

/// Returns the default values of all parameters of a template, those included that nobody may be shown.
pub(super) fn every_default(template: &Value) -> BTreeMap<String, String> {
    template
        .get("Parameters")
        .and_then(Value::as_object)
        .map(|parameters| {
            parameters
                .iter()
                .filter_map(|(name, parameter)| {
                    let text = match parameter.get("Default")? {
                        Value::String(text) => text.clone(),
                        other => other.to_string(),
                    };
                    Some((name.clone(), text))
                })
                .collect()
        })
        .unwrap_or_default()
}
