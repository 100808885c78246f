//! Exports that a stack gives up while other stacks still import them.
//!
//! CloudFormation neither deletes nor changes what is imported
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html>), and what imports it
//! may need the new version of the exporting stack before it can let go. So such a stack is updated twice: first with
//! everything that is new and with what others still need, then, once they were updated, without that. Where importers
//! are not part of the deploy, the second update is left to a later one.
//!
//! A resource that the new template does not have any more is kept with everything that it refers to. The export of a
//! resource that goes on holds its present value as text. Where that resource is replaced, the value would be of what is
//! gone: then the update is refused, as is one that changes the value of an export that keeps its name.
//!
//! None of this is needed where the importers let go before: they are deployed first, where the plan says so.

mod changed;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use serde_json::{Map, Value, json};

use super::{
    Context, DeployedStack,
    deploy::StackReport,
    destroy::importers::{self, Importers},
    inspect,
};
use crate::{
    aws::{AwsError, Fault},
    template::{is_hidden, referenced},
};
pub(super) use changed::refuse;

/// The sections of a template whose entries others refer to by name.
const SECTIONS: [&str; 4] = ["Resources", "Parameters", "Conditions", "Mappings"];

/// What a stack is updated to as long as others import what it gives up.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Kept {
    /// Who imports what, by the name of the export.
    pub(super) importers: Importers,
    /// The new template, with what is kept.
    pub(super) template: String,
    /// The values of the parameters that only what is kept needs.
    pub(super) parameters: BTreeMap<String, String>,
    /// What the exports were taken from that hold their value as a text, by the name of the export.
    pub(super) texts: Texts,
}

/// Resources by the name of an export.
pub(super) type Texts = BTreeMap<String, BTreeSet<String>>;

/// Returns whether a value that an old template takes from these names can be kept beside a new one.
pub(super) fn can_keep(new: &Value, old: &Value, names: BTreeSet<String>) -> bool {
    additions(new, old, &BTreeMap::new(), names).is_some()
}

/// Looks for exports that a new template gives up and that stacks import. Nobody is asked where it gives up none.
pub(super) async fn find(
    context: &Context,
    deployed: &DeployedStack,
    template: &str,
) -> Result<Option<Kept>, AwsError> {
    let clients = &context.clients;
    // A template that cannot be read is refused by CloudFormation, which says more about it.
    let Ok(new) = serde_json::from_str::<Value>(template) else {
        return Ok(None);
    };
    let mut imported = Importers::new();
    for export in given_up(deployed, &new) {
        match importers::of_export(clients, export).await {
            Ok(importers) if importers.is_empty() => {}
            Ok(importers) => {
                imported.insert(export.to_owned(), importers);
            }
            // Whoever may not ask deploys as before: CloudFormation refuses what cannot be.
            Err(error) if matches!(error.fault(), Fault::Denied { .. }) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    if imported.is_empty() {
        return Ok(None);
    }
    let old = inspect::template(clients, &deployed.id)
        .await?
        // Of a template in YAML only the values are kept.
        .and_then(|old| serde_json::from_str(&old).ok())
        .unwrap_or(Value::Null);
    Ok(Some(keep(new, &old, deployed, imported)))
}

/// Returns the names of the exports of a stack that a template does not have any more.
pub(super) fn given_up<'a>(deployed: &'a DeployedStack, new: &Value) -> Vec<&'a str> {
    let outputs = new.get("Outputs").and_then(Value::as_object);
    let names: Vec<(&String, &Value)> = outputs
        .into_iter()
        .flatten()
        .filter_map(|(key, output)| Some((key, name_of(output)?)))
        .collect();
    deployed
        .exports
        .iter()
        .filter(|(old_key, old)| {
            !names.iter().any(|(key, name)| match name {
                Value::String(name) => name == *old,
                // CloudFormation makes the name; the key says whose it is.
                _ => key == old_key,
            })
        })
        .map(|(_, name)| name.as_str())
        .collect()
}

/// Returns the name under which an output is exported, where it is.
fn name_of(output: &Value) -> Option<&Value> {
    output.get("Export")?.get("Name")
}

/// Adds to a template what others import.
fn keep(mut new: Value, old: &Value, deployed: &DeployedStack, importers: Importers) -> Kept {
    let imported = deployed
        .exports
        .iter()
        .filter(|(_, name)| importers.contains_key(*name));
    let mut outputs = Vec::new();
    let mut parameters = BTreeMap::new();
    let mut texts = Texts::new();
    for (key, export) in imported {
        let output = &old["Outputs"][key.as_str()];
        let names = referenced(&output["Value"]);
        // A value that AWS hides cannot be given again: then the resources that need it go, and the text alone stays.
        let added = additions(&new, old, &deployed.parameters, names.clone()).unwrap_or_default();
        if added.entries.is_empty() {
            texts.insert(export.clone(), names);
        }
        let mut entry = Map::new();
        if let Some(description) = output.get("Description") {
            entry.insert("Description".to_owned(), description.clone());
        }
        let value = if added.entries.is_empty() {
            deployed
                .outputs
                .get(key)
                .cloned()
                .unwrap_or_default()
                .into()
        } else {
            output["Value"].clone()
        };
        entry.insert("Value".to_owned(), value);
        entry.insert("Export".to_owned(), json!({"Name": export}));
        outputs.push((key.clone(), Value::Object(entry), added));
    }
    for (mut key, output, added) in outputs {
        for (section, name, entry) in added.entries {
            insert(&mut new, section, name, entry);
        }
        parameters.extend(added.parameters);
        while new["Outputs"].get(&key).is_some() {
            key.push_str("Kept");
        }
        insert(&mut new, "Outputs", key, output);
    }
    Kept {
        importers,
        template: new.to_string(),
        parameters,
        texts,
    }
}

/// What a template gets back, and the values of the parameters among it.
#[derive(Debug, Default)]
struct Additions {
    /// Sections, names and what stands there.
    entries: Vec<(&'static str, String, Value)>,
    parameters: BTreeMap<String, String>,
}

/// Returns what the names lead to in the old template and the new one lacks; nothing, where a value is hidden.
fn additions(
    new: &Value,
    old: &Value,
    parameters: &BTreeMap<String, String>,
    mut waiting: BTreeSet<String>,
) -> Option<Additions> {
    let mut seen = BTreeSet::new();
    let mut added = Additions::default();
    while let Some(name) = waiting.pop_first() {
        if !seen.insert(name.clone()) {
            continue;
        }
        for section in SECTIONS {
            let Some(entry) = old.get(section).and_then(|section| section.get(&name)) else {
                continue;
            };
            if new
                .get(section)
                .is_some_and(|section| section.get(&name).is_some())
            {
                continue;
            }
            if section == "Parameters" {
                if is_hidden(entry) {
                    return None;
                }
                if let Some(value) = parameters.get(&name) {
                    added.parameters.insert(name.clone(), value.clone());
                }
            }
            waiting.extend(referenced(entry));
            added.entries.push((section, name.clone(), entry.clone()));
        }
    }
    Some(added)
}

fn insert(template: &mut Value, section: &str, name: String, entry: Value) {
    if let Some(template) = template.as_object_mut()
        && let Some(section) = template
            .entry(section)
            .or_insert_with(|| Value::Object(Map::new()))
            .as_object_mut()
    {
        section.insert(name, entry);
    }
}

/// The stacks of one deploy that keep what others import.
#[derive(Debug, Default)]
pub(super) struct Handovers {
    /// All stacks of the deploy.
    stacks: BTreeSet<String>,
    /// All stacks of the assembly.
    assembly: BTreeSet<String>,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    /// Who imports from a stack.
    kept: BTreeMap<String, Importers>,
    /// The stacks that are updated in parts.
    parts: BTreeSet<String>,
    /// Whether what is still kept stays kept: its importers were deployed, and import it all the same.
    is_settled: bool,
}

impl Handovers {
    /// Begins with none in a deploy of these stacks, where the assembly has these.
    pub(super) fn among(
        stacks: impl IntoIterator<Item = String>,
        assembly: BTreeSet<String>,
    ) -> Self {
        Self {
            stacks: stacks.into_iter().collect(),
            assembly,
            entries: Mutex::default(),
        }
    }

    /// Returns whether what is kept goes in this deploy, should all go well: everybody who imports it is part of it.
    pub(super) fn passes(&self, importers: &Importers) -> bool {
        let mut importers = importers.values().flatten();
        importers.all(|stack| self.stacks.contains(stack)) && !self.entries().is_settled
    }

    /// Takes it that what is kept now stays so: who imports it was deployed, as its source says, and did not let go.
    pub(super) fn settle_for_what_is_kept(&self) {
        self.entries().is_settled = true;
    }

    /// Splits the importers of what a stack keeps: those of the assembly, which a command may name, and the others.
    pub(super) fn own<'a>(&self, importers: &'a Importers) -> (Vec<&'a str>, Vec<&'a str>) {
        let importers: BTreeSet<&str> = importers.values().flatten().map(String::as_str).collect();
        importers
            .into_iter()
            .partition(|stack| self.stacks.contains(*stack) || self.assembly.contains(*stack))
    }

    /// Enters a stack that keeps something, and returns whether it did not before.
    pub(super) fn add(&self, stack: &str, importers: Importers) -> bool {
        let mut entries = self.entries();
        entries.kept.insert(stack.to_owned(), importers);
        entries.parts.insert(stack.to_owned())
    }

    /// Returns whether a stack is updated in parts, each of which does less than what was planned.
    pub(super) fn in_parts(&self, stack: &str) -> bool {
        self.entries().parts.contains(stack)
    }

    /// Takes out the stacks from which nobody should import any more, with those who did: every importer was updated by this
    /// deploy.
    pub(super) fn due(&self, reports: &[StackReport]) -> BTreeMap<String, Importers> {
        let mut entries = self.entries();
        if entries.is_settled {
            return BTreeMap::new();
        }
        let good = |name: &String| {
            reports
                .iter()
                .any(|report| report.stack == *name && report.outcome.is_good())
        };
        let is_due = |stack: &String, importers: &Importers| {
            good(stack) && importers.values().flatten().all(good)
        };
        let kept = std::mem::take(&mut entries.kept);
        let (due, kept) = kept
            .into_iter()
            .partition(|(stack, importers)| is_due(stack, importers));
        entries.kept = kept;
        due
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
