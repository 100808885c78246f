//! Known traps: what a change does beyond what the registry's facts say of its properties.
//!
//! A trap is a row of a table in [`facts`] or a function for a service. Each names the AWS page that it rests on.

mod api;
mod certificate;
mod cloudfront;
mod cognito;
mod condition;
mod dynamodb;
mod facts;
mod lambda;
mod nested;
mod s3;
mod secret;
mod sqs;
mod ssm;
mod wafv2;
mod written_over;

use std::collections::BTreeMap;

use serde_json::Value;

use super::compare::type_of;
use super::conditions::ways;
use super::known::Known;
use super::path::{Path, Step};
use super::{Action, Grade, PropertyChange, ResourceChange, Update};

pub(super) use certificate::{Certificates, Handed};
#[cfg(test)]
pub(super) use facts::{Row, deciding, finding};

/// What a trap says of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// How dangerous it makes the change.
    pub(super) grade: Grade,
    /// Why.
    pub(super) reason: String,
    /// The page of AWS that says so, where it is not that of the trap.
    pub(super) source: Option<&'static str>,
}

impl Finding {
    fn new(grade: Grade, reason: impl Into<String>) -> Self {
        Self {
            grade,
            reason: reason.into(),
            source: None,
        }
    }

    /// Returns the finding with the page of a row.
    fn citing(self, source: &'static str) -> Self {
        Self {
            source: Some(source),
            ..self
        }
    }
}

/// A trap that looks at values.
pub(super) struct Trap {
    /// The types that can fall into it.
    pub(super) types: &'static [&'static str],
    /// The page of AWS that says so.
    pub(super) source: &'static str,
    /// Finds it in a change.
    find: fn(&Seen<'_>) -> Vec<Finding>,
}

/// All traps that look at values.
pub(super) const TRAPS: &[&[Trap]] = &[
    api::TRAPS,
    certificate::TRAPS,
    cloudfront::TRAPS,
    cognito::TRAPS,
    condition::TRAPS,
    dynamodb::TRAPS,
    facts::TRAPS,
    lambda::TRAPS,
    nested::TRAPS,
    s3::TRAPS,
    secret::TRAPS,
    sqs::TRAPS,
    ssm::TRAPS,
    wafv2::TRAPS,
    written_over::TRAPS,
];

/// The canonical resources of both templates.
#[derive(Clone, Copy)]
pub(super) struct Both<'a> {
    pub(super) old: &'a BTreeMap<String, Value>,
    pub(super) new: &'a BTreeMap<String, Value>,
    /// The region that the stack is wanted in, where it is known.
    pub(super) region: Option<&'a str>,
    /// What is known of values.
    pub(super) known: Known<'a>,
    /// Where certificates stand that the stack is handed.
    pub(super) certificates: &'a Certificates,
}

impl<'a> Both<'a> {
    /// Returns the resources of a type that the new template has.
    fn of_type(self, resource_type: &'a str) -> impl Iterator<Item = (&'a String, &'a Value)> {
        self.new
            .iter()
            .filter(move |(_, body)| type_of(body) == resource_type)
    }
}

/// One change, as traps see it.
pub(super) struct Seen<'a> {
    change: &'a ResourceChange,
    both: Both<'a>,
    /// The resource as it is deployed, in one of the ways that it may be.
    old: Option<&'a Value>,
    /// The resource as it is wanted, in the same way.
    new: Option<&'a Value>,
}

impl<'a> Seen<'a> {
    fn deployed(&self) -> Option<&'a Value> {
        self.old
    }

    fn wanted(&self) -> Option<&'a Value> {
        self.new
    }

    /// Returns whether the resource goes on as the one that it is.
    fn stays(&self) -> bool {
        self.change.action == Action::Update
    }

    /// Returns what stands at a pointer below the properties that are deployed.
    fn before(&self, pointer: &str) -> Option<&'a Value> {
        self.deployed()?.get("Properties")?.pointer(pointer)
    }

    /// Returns what stands at a pointer below the properties that are wanted.
    fn after(&self, pointer: &str) -> Option<&'a Value> {
        self.wanted()?.get("Properties")?.pointer(pointer)
    }

    /// Returns whether a property differs, or has another value because what it refers to is replaced.
    fn touches(&self, property: &str) -> bool {
        let mut changes = self.changes_of(property);
        changes.any(|change| !self.change.possible.contains(&change.path))
    }

    /// Returns whether a property differs, or may.
    fn changes(&self, property: &str) -> bool {
        self.changes_of(property).next().is_some()
    }

    fn changes_of(&self, property: &str) -> impl Iterator<Item = &'a PropertyChange> {
        let all = self.change.properties.iter();
        all.filter(move |change| {
            matches!(change.path.property(), Some([Step::Key(first), ..]) if first == property)
        })
    }
}

/// Adds to each change what traps say of it.
pub(super) fn apply(changes: &mut BTreeMap<String, ResourceChange>, both: Both<'_>) {
    for change in changes.values_mut() {
        let id = &change.logical_id;
        let mut found: Vec<(Finding, &'static str)> = Vec::new();
        for (old, new) in &ways(both.old.get(id), both.new.get(id)) {
            let seen = Seen {
                change,
                both,
                old: old.as_deref(),
                new: new.as_deref(),
            };
            let new_ones: Vec<(Finding, &'static str)> = TRAPS
                .iter()
                .flat_map(|traps| traps.iter())
                .filter(|trap| {
                    let types = trap.types;
                    types.is_empty() || types.contains(&change.resource_type.as_str())
                })
                .flat_map(|trap| {
                    let found = (trap.find)(&seen).into_iter();
                    found.map(|finding| (finding, trap.source))
                })
                .filter(|one| !found.contains(one))
                .collect();
            found.extend(new_ones);
        }
        for (finding, general) in found {
            let source = finding.source.unwrap_or(general);
            change.add(finding.grade, finding.reason, source);
        }
    }
}

/// How a change of a property is applied, as a page of AWS says.
pub(super) struct Refined {
    pub(super) update: Update,
    /// The page.
    pub(super) source: &'static str,
    /// The entry of the update policy that would let the resource stay, where there is one and it does not.
    pub(super) unless: Option<&'static str>,
}

/// Returns how a change of a property is applied, where a page of AWS says more than the registry.
pub(super) fn refined(
    resource_type: &str,
    property: &PropertyChange,
    old: Option<&Value>,
    new: &Value,
) -> Option<Refined> {
    let place = property.path.property()?;
    let [Step::Key(first), ..] = place else {
        return None;
    };
    let attribute = |resource: Option<&Value>| {
        resource
            .and_then(|resource| resource.get("Properties"))
            .and_then(|properties| properties.get(first))
            .cloned()
    };
    let (before, after) = (attribute(old), attribute(Some(new)));
    let mut rows = facts::UPDATES.iter();
    let row = rows.find(|row| row.resource_type == resource_type && row.property == first);
    let said = row.map(|row| Refined {
        update: (row.update)(before.as_ref(), after.as_ref()),
        source: row.source,
        unless: None,
    });
    let mut rows = facts::ALLOWED.iter();
    let row = rows.find(|row| row.resource_type == resource_type && row.property == first);
    said.or_else(|| {
        let row = row?;
        let update = row.update(new);
        Some(Refined {
            update,
            source: row.source,
            unless: (update != Update::InPlace).then_some(row.policy),
        })
    })
}

/// Returns the streams that a change of a resource renews although it stays: the attributes that become others.
pub(super) fn renewed(change: &ResourceChange, both: Both<'_>) -> Option<&'static str> {
    dynamodb::renewed(&Seen {
        change,
        both,
        old: both.old.get(&change.logical_id),
        new: both.new.get(&change.logical_id),
    })
}

/// Returns a whole number, also where a template writes it as text.
fn number(value: Option<&Value>) -> Option<f64> {
    match value? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// Returns whether a value is a switch that is on, also where a template writes it as text.
fn is_on(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(value)) => *value,
        Some(Value::String(text)) => text == "true",
        _ => false,
    }
}

/// Returns whether a value is a text.
fn is(value: Option<&Value>, text: &str) -> bool {
    value.and_then(Value::as_str) == Some(text)
}

/// Returns the path of a property.
fn shown(pointer: &str) -> String {
    let path = pointer
        .split('/')
        .filter(|step| !step.is_empty())
        .fold(Path::default(), |path, step| path.key(step));
    path.to_string()
}

/// Returns the properties that change with some interruptions: the type, their names, and the page.
#[cfg(test)]
pub(super) fn interruptions()
-> impl Iterator<Item = (&'static str, &'static [&'static str], &'static str)> {
    let rows = facts::INTERRUPTIONS.iter();
    rows.map(|row| (row.resource_type, row.properties, row.source))
}

/// Returns the pages of AWS that all traps rest on.
#[cfg(test)]
pub(super) fn sources() -> impl Iterator<Item = &'static str> {
    let values = TRAPS
        .iter()
        .flat_map(|traps| traps.iter().map(|trap| trap.source));
    let rows = facts::INTERRUPTIONS.iter().map(|row| row.source);
    let rows = rows.chain(finding().map(|row| row.source));
    values
        .chain(rows)
        .chain(deciding().map(|(_, _, source)| source))
}
