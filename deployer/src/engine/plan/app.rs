//! Compares the stacks of an app one after the other, and follows changes from one to the next.
//!
//! A stack knows a resource of another one by an export, or by an output that the deploy hands it as a parameter. Where
//! the resource is replaced, both become other values.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use stack_model::assembly::{Contract, StackManifest};

use super::canonical::{canonical, same};
use super::compare::{Other, Outside, Renewed, compare_among};
use super::imported::{Cause, Lead, changing, is_own_arn};
use super::moves::{Moves, Told, leave, whole};
use super::needs::needs;
use super::order::Order;
use super::path::{Path, Trail};
use super::stored::{holds_dynamic, is_dynamic, is_value, looked_up};
use super::traps::{Certificates, Handed};
use super::{Action, Grade, Knowledge, Plan, Side, StackPlan, references};
use crate::engine::DeployedStack;

/// The name of an export in its region; no region is that of the stage.
pub(super) type Export = (Option<String>, String);

/// The stacks that were compared so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct App {
    /// What becomes another, or may: the resource that an export stands for, as people name it.
    exports: BTreeMap<Export, Other>,
    /// The same of outputs, by stack and key.
    outputs: BTreeMap<(String, String), Other>,
    /// The values of the exports that stay what they are.
    values: BTreeMap<Export, String>,
    /// Where certificates stand that stacks hand on, by the region of the stage that they do it in.
    certificates: BTreeMap<Option<String>, Certificates>,
    /// The same of outputs, by stack and key.
    certified: BTreeMap<(String, String), String>,
    /// The exports that stacks give up.
    given_up: Vec<(String, Export)>,
    /// The exports of stacks that get another value under their name, or that cannot be kept where they are given up.
    changing: BTreeMap<(String, Export), Cause>,
    /// What the order of the stacks follows from.
    order: Order,
    /// Who imports what, as it is deployed.
    importers: BTreeMap<Export, BTreeSet<String>>,
    /// Those of them that import it no more, once they are deployed.
    leaving: BTreeMap<Export, BTreeSet<String>>,
    /// What the stacks export or exported: its values are no others than the plan says.
    own: BTreeSet<Export>,
    /// Whether the stacks are earlier releases, which nobody writes anew.
    released: bool,
}

impl App {
    /// Begins to compare earlier releases.
    pub(super) fn of_releases() -> Self {
        Self {
            released: true,
            ..Self::default()
        }
    }

    /// Compares the next stack: each has to come after those that it depends on.
    ///
    /// `contracts` says what functions need, by the name of their asset.
    pub fn compare(
        &mut self,
        manifest: &StackManifest,
        contracts: &BTreeMap<String, Contract>,
        deployed: &Side<'_>,
        wanted: &Side<'_>,
        knowledge: &dyn Knowledge,
    ) -> StackPlan {
        // Who asked CloudFormation has said already what goes along with a rename.
        let none = Value::Null;
        let whole = whole(
            manifest,
            deployed.template.unwrap_or(&none),
            wanted.template,
            Told::nothing(),
        );
        let manifest = &whole.manifest;
        let moves = Moves::of(manifest, deployed);
        let renamed = moves.renamed();
        let deployed = &Side {
            template: renamed.as_ref().or(deployed.template),
            ..deployed.clone()
        };
        let (deployed, wanted) = (&*looked_up(deployed), &*looked_up(wanted));
        let region = &manifest.region;
        let mut outside = Outside {
            needs: needs(manifest, contracts, wanted.template),
            released: self.released,
            ..Outside::default()
        };
        for ((at, name), what) in &self.exports {
            if at == region {
                outside.exports.insert(name.clone(), what.clone());
            }
        }
        for ((at, name), value) in &self.values {
            if at == region {
                outside.values.insert(name.clone(), value.clone());
            }
        }
        outside.certificates = self.certificates.get(region).cloned().unwrap_or_default();
        for (parameter, reference) in &manifest.references {
            let output = (reference.stack.clone(), reference.output.clone());
            if let Some(place) = self.certified.get(&output) {
                let expression = json!({ "Ref": parameter }).to_string();
                outside.certificates.insert(expression, place.clone());
            }
            if let Some(what) = self.outputs.get(&output) {
                outside.parameters.insert(parameter.clone(), what.clone());
            }
        }
        let (mut plan, renewed) = compare_among(
            &manifest.name,
            deployed,
            wanted,
            &manifest.resources,
            knowledge,
            &outside,
        );
        moves.note(&mut plan, manifest, wanted);
        leave(&mut plan, &whole.left);
        plan.before = deployed.template.cloned();
        self.renew(manifest, wanted, &renewed);
        self.certify(manifest, wanted);
        let before = exports(deployed);
        let after = exports(wanted);
        self.given_up.extend(
            before
                .difference(&after)
                .map(|name| (manifest.name.clone(), (region.clone(), name.clone()))),
        );
        for name in before.union(&after) {
            self.own.insert((region.clone(), name.clone()));
        }
        self.order.export(manifest, &before, &after);
        for (name, cause) in changing(deployed, wanted, &plan, &renewed) {
            let export = (region.clone(), name);
            self.changing.insert((manifest.name.clone(), export), cause);
        }
        let after = imports(wanted);
        self.order.import(manifest, &after);
        for name in imports(deployed) {
            let leaves = !after.contains(&name);
            let export = (region.clone(), name);
            if leaves {
                let leaving = self.leaving.entry(export.clone()).or_default();
                leaving.insert(manifest.name.clone());
            }
            let importers = self.importers.entry(export).or_default();
            importers.insert(manifest.name.clone());
        }
        plan
    }

    /// Enters the values of a stack's exports, where its plan lets them be what they are: the output stays as it is
    /// written, and so does every resource that it names.
    pub(in crate::engine) fn exported(
        &mut self,
        manifest: &StackManifest,
        deployed: (&DeployedStack, &Side<'_>),
        wanted: &Side<'_>,
        plan: &StackPlan,
    ) {
        let (found, old) = deployed;
        let (old, wanted) = (&*looked_up(old), &*looked_up(wanted));
        for (key, name) in &found.exports {
            let value = |side: &Side<'_>| {
                let output = side.template?.get("Outputs")?.get(key)?;
                Some(canonical(output.get("Value")?, &side.parameters))
            };
            let (Some(before), Some(after)) = (value(old), value(wanted)) else {
                continue;
            };
            if let (Some(present), Value::String(text)) = (found.outputs.get(key), &after)
                && !same(&before, &after)
                && !is_dynamic(text)
                && !is_value(present, text)
            {
                let export = (manifest.region.clone(), name.clone());
                self.changing
                    .insert((manifest.name.clone(), export), Cause::Text);
            }
            let names = references::names(&after);
            let moves = plan
                .changes
                .iter()
                .any(|change| names.contains(&change.logical_id));
            if let Some(text) = found.outputs.get(key)
                && !moves
                && same(&before, &after)
                // What is looked up may have become another value meanwhile.
                && !holds_dynamic(&after)
                && !self
                    .outputs
                    .contains_key(&(manifest.name.clone(), key.clone()))
            {
                let export = (manifest.region.clone(), name.clone());
                self.values.insert(export, text.clone());
            }
        }
        self.hand_on(manifest, (found, old), wanted, plan);
    }

    /// Enters the values of exports that a stack gives up: whoever imports one has that value until it lets go. One that is new
    /// has it too where it is taken from the same, which may have another logical id by a declared rename.
    fn hand_on(
        &mut self,
        manifest: &StackManifest,
        (found, old): (&DeployedStack, &Side<'_>),
        wanted: &Side<'_>,
        plan: &StackPlan,
    ) {
        let after = exports(wanted);
        let export_of = |name: &str| (manifest.region.clone(), name.to_owned());
        for (key, name) in &found.exports {
            let (false, Some(text)) = (after.contains(name), found.outputs.get(key)) else {
                continue;
            };
            self.values.insert(export_of(name), text.clone());
            let before = plan.before.as_ref().or(old.template);
            let Some(before) =
                before.and_then(|template| template["Outputs"][key.as_str()].get("Value"))
            else {
                continue;
            };
            let before = canonical(before, &old.parameters);
            for (key, output) in section(wanted) {
                let is = |name: &String| !found.exports.values().any(|had| had == name);
                let Some(new) = export(output, wanted).filter(is) else {
                    continue;
                };
                let value = output.get("Value").unwrap_or(&Value::Null);
                let output = (manifest.name.clone(), key.clone());
                if same(&before, &canonical(value, &wanted.parameters))
                    && !holds_dynamic(&before)
                    && !self.outputs.contains_key(&output)
                    && plan.keeps_value(&before)
                {
                    self.values.insert(export_of(&new), text.clone());
                }
            }
        }
    }

    /// Enters who imports an export of a stack, as CloudFormation tells it.
    pub(super) fn imported(
        &mut self,
        manifest: &StackManifest,
        export: String,
        importers: Vec<String>,
    ) {
        let export = (manifest.region.clone(), export);
        self.importers.entry(export).or_default().extend(importers);
    }

    /// Returns the exports of a stack that get another value, or cannot be kept.
    pub(in crate::engine) fn changing<'a>(
        &'a self,
        stack: &'a str,
    ) -> impl Iterator<Item = &'a str> {
        let changing = self.changing.keys().filter(move |(of, _)| of == stack);
        changing.map(|(_, (_, export))| export.as_str())
    }

    /// Returns the exports that only one side of a stack imports and that no stack exports which was compared: whether their
    /// values change anything is not known yet.
    pub(super) fn foreign(
        &self,
        manifest: &StackManifest,
        deployed: &Side<'_>,
        wanted: &Side<'_>,
    ) -> BTreeSet<String> {
        let (before, after) = (imports(deployed), imports(wanted));
        let mut names: BTreeSet<String> = before.symmetric_difference(&after).cloned().collect();
        names.retain(|name| {
            let export = (manifest.region.clone(), name.clone());
            !self.own.contains(&export) && !self.values.contains_key(&export)
        });
        names
    }

    /// Enters the values of exports that stacks of nobody's plan have.
    pub(super) fn known(
        &mut self,
        manifest: &StackManifest,
        values: impl IntoIterator<Item = (String, String)>,
    ) {
        let values = values.into_iter();
        self.values
            .extend(values.map(|(name, value)| ((manifest.region.clone(), name), value)));
    }

    /// Enters which exports and outputs become others.
    fn renew(&mut self, manifest: &StackManifest, wanted: &Side<'_>, renewed: &[Renewed]) {
        for (key, output) in section(wanted) {
            let value = canonical(
                output.get("Value").unwrap_or(&Value::Null),
                &wanted.parameters,
            );
            let mut what = None;
            references::walk(
                &value,
                Trail::Start(&Path::default()),
                &mut |_, reference| {
                    let concerning = renewed.iter().filter(|it| it.concerns(reference));
                    // What is certain counts before what is possible.
                    let found = concerning.min_by_key(|renewed| renewed.perhaps);
                    if let Some(found) = found
                        && what
                            .as_ref()
                            .is_none_or(|what: &Other| what.perhaps || !found.perhaps)
                    {
                        what = Some(Other {
                            name: format!("{found} of {}", manifest.name),
                            perhaps: found.perhaps,
                        });
                    }
                },
            );
            let Some(what) = what else {
                continue;
            };
            if let Some(name) = export(output, wanted) {
                let export = (manifest.region.clone(), name);
                self.exports.insert(export, what.clone());
            }
            let output = (manifest.name.clone(), key.clone());
            self.outputs.insert(output, what);
        }
    }

    /// Enters where the certificates stand that a stack hands on.
    fn certify(&mut self, manifest: &StackManifest, wanted: &Side<'_>) {
        let handed = Handed::of(
            wanted,
            |value| canonical(value, &wanted.parameters),
            |output| export(output, wanted),
        );
        let certificates = self
            .certificates
            .entry(manifest.region.clone())
            .or_default();
        certificates.extend(handed.expressions);
        let outputs = handed.outputs.into_iter();
        self.certified
            .extend(outputs.map(|(key, region)| ((manifest.name.clone(), key), region)));
    }

    /// Returns the plan of the stacks that were compared.
    ///
    /// What imports an export that is given up, or gets another value, goes first where it lets go and needs nothing that is new
    /// of the stack. Else an export that is given up goes in a second update, once its importers have let go, unless what it is
    /// taken from does not stay; and one that keeps its name cannot get another value meanwhile.
    pub fn finish(mut self, mut stacks: Vec<StackPlan>) -> Plan {
        let mut exports: BTreeMap<(String, Export), Option<Cause>> = BTreeMap::new();
        exports.extend(self.given_up.iter().map(|export| (export.clone(), None)));
        exports.extend(
            std::mem::take(&mut self.changing)
                .into_iter()
                .map(|(export, cause)| (export, Some(cause))),
        );
        for ((name, export), cause) in exports {
            let importers = self.importers.get(&export);
            let importers = importers.filter(|importers| !importers.is_empty());
            let stack = stacks.iter_mut().find(|stack| stack.stack == name);
            let (Some(importers), Some(stack)) = (importers, stack) else {
                continue;
            };
            let leave = self.leaving.get(&export) == Some(importers);
            if leave && self.order.put_before(&name, importers) {
                stack.goes_after(&export.1, importers);
            } else if let Some(cause) = cause {
                // Who needs what is new of the stack cannot be deployed alone.
                let leave = leave && !self.order.needs_new(importers, &name);
                let lead = if leave {
                    Lead::Before
                } else if self.released {
                    Lead::Nothing
                } else {
                    Lead::Hint
                };
                stack.refuse(&export.1, &cause, importers, lead);
            } else {
                stack.keeps(&export.1, importers.iter().map(String::as_str));
            }
        }
        Plan { stacks }
    }
}

impl StackPlan {
    /// Returns whether a value is what it was, as far as it is taken from resources of the stack: none of them changes, or it
    /// gets another logical id and is the same resource. What else changes about that one is not its name or its ARN.
    fn keeps_value(&self, value: &Value) -> bool {
        let mut keeps = true;
        references::walk(
            value,
            Trail::Start(&Path::default()),
            &mut |_, reference| {
                let mut changes = self.changes.iter();
                let Some(change) = changes.find(|it| it.logical_id == reference.name) else {
                    return;
                };
                let identifies = reference
                    .attribute
                    .is_none_or(|attribute| is_own_arn(&change.resource_type, attribute));
                keeps &= change.moved_from.is_some()
                    && change.action == Action::Update
                    && change.grade != Grade::Impossible
                    && !change.perhaps
                    && (change.is_rename() || identifies);
            },
        );
        keeps
    }

    /// Notes that stacks are deployed before this one, because they let go of an export.
    fn goes_after(&mut self, export: &str, importers: &BTreeSet<String>) {
        for importer in importers {
            if !self.after.contains(importer) {
                self.after.push(importer.clone());
            }
        }
        let list: Vec<&str> = importers.iter().map(String::as_str).collect();
        self.add_note(format!(
            "it is deployed after {}, which imports its export {export} no more",
            list.join(" and ")
        ));
    }

    fn add_note(&mut self, note: String) {
        self.note = Some(match self.note.take() {
            Some(before) => format!("{before}; {note}"),
            None => note,
        });
    }

    /// Notes that an export stays while stacks import it.
    pub(super) fn keeps<'a>(&mut self, export: &str, importers: impl Iterator<Item = &'a str>) {
        let importers: Vec<&str> = importers.collect();
        self.add_note(format!(
            "it keeps the export {export} as long as {} imports it, and gives it up in a second update",
            importers.join(" or ")
        ));
    }
}

/// Returns the outputs of a side.
pub(super) fn section<'a>(side: &Side<'a>) -> impl Iterator<Item = (&'a String, &'a Value)> {
    side.template
        .and_then(|template| template.get("Outputs"))
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

/// Returns the name of an output's export, as far as the template and its parameters tell it.
pub(super) fn export(output: &Value, side: &Side<'_>) -> Option<String> {
    let name = output.get("Export")?.get("Name")?;
    Some(name_text(&canonical(name, &side.parameters)))
}

pub(super) fn name_text(name: &Value) -> String {
    name.as_str()
        .map_or_else(|| name.to_string(), str::to_owned)
}

fn exports(side: &Side<'_>) -> BTreeSet<String> {
    section(side)
        .filter_map(|(_, output)| export(output, side))
        .collect()
}

/// Returns the names of the exports that a template imports.
fn imports(side: &Side<'_>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for name in ["Resources", "Outputs"] {
        let section = side.template.and_then(|template| template.get(name));
        if let Some(section) = section {
            let section = canonical(section, &side.parameters);
            references::imports(&section, Trail::Start(&Path::default()), &mut |_, name| {
                found.insert(name_text(name));
            });
        }
    }
    found
}
