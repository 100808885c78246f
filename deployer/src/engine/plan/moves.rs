//! Renames that a stack declares: the deployed template as it is with the new logical ids.

mod along;
mod course;
mod fixed;
mod lost;
mod names;
pub(in crate::engine) mod sub;
#[cfg(test)]
mod tests;
mod texts;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use stack_model::assembly::StackManifest;

pub(in crate::engine) use along::{
    SECRET_POLICY, Told, Whole, along_by_import, leave, remake, whole,
};
use course::restored;
pub(in crate::engine) use course::{
    Away, Course, Hindrances, Move, Need, UnderWay, hindrances, is_marked, marked, needs,
    under_way, undone, unmarked,
};
pub(in crate::engine) use fixed::{Ground, Way, is_written_over};
pub(super) use lost::{noteless, outside, tell};
pub(in crate::engine) use names::renamed;
pub(in crate::engine) use texts::resolved;

use super::compare::type_of;
use super::knowledge::holds_data;
use super::{Action, Grade, ResourceChange, Side, StackPlan};
use crate::engine::stack::importable::Drifted;

/// The page that says what a rename may and may not do.
const PAGE: &str =
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-refactoring.html";

/// The page that says what an import does.
const IMPORT_PAGE: &str =
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-manually.html";

/// The renames of a stack that are still to be done.
pub(super) struct Moves {
    /// The deployed template, without a trace of a rename that is under way.
    deployed: Option<Value>,
    pending: BTreeMap<String, String>,
    /// What left the stack, or came back and is not named again yet.
    under_way: BTreeMap<String, String>,
    /// What left the stack and is not declared to be renamed any more, with its name, by new logical id.
    given_up: BTreeMap<String, String>,
}

impl Moves {
    pub(super) fn of(manifest: &StackManifest, deployed: &Side<'_>) -> Self {
        let Some(template) = deployed.template else {
            return Self {
                deployed: None,
                pending: BTreeMap::new(),
                under_way: BTreeMap::new(),
                given_up: BTreeMap::new(),
            };
        };
        let given_up = match under_way(template) {
            Some(UnderWay::Away(away)) => away
                .moves
                .into_iter()
                .filter(|(to, it)| manifest.moved.get(&it.from) != Some(to))
                .map(|(to, it)| (to, it.told()))
                .collect(),
            _ => BTreeMap::new(),
        };
        let (template, under_way) = match restored(template) {
            Some(restored) => restored,
            // Of what was begun and is not wanted any more, what it left is shown to go.
            None if pending(&manifest.moved, template).is_empty() => {
                (template.clone(), BTreeMap::new())
            }
            None => (undone(template), BTreeMap::new()),
        };
        Self {
            pending: pending(&manifest.moved, &template),
            deployed: Some(template),
            under_way,
            given_up,
        }
    }

    /// Returns what is deployed as it is with the new names; nothing, where it has them.
    pub(super) fn renamed(&self) -> Option<Value> {
        let is_any = !self.pending.is_empty() || !self.under_way.is_empty();
        let template = self.deployed.as_ref().filter(|_| is_any)?;
        Some(renamed(template, &self.pending))
    }

    /// Adds the renames to a plan that was made with the new names.
    pub(super) fn note(&self, plan: &mut StackPlan, manifest: &StackManifest, wanted: &Side<'_>) {
        let Some(deployed) = &self.deployed else {
            return;
        };
        let mut note =
            |from: Option<&str>, to: &str, resource_type: &str, (grade, reason, page): Said| {
                let changes = &mut plan.changes;
                let moved_from = from.map(str::to_owned);
                match changes.iter_mut().find(|change| change.logical_id == to) {
                    Some(change) => {
                        change.add(grade, reason, page);
                        change.moved_from = moved_from.or(change.moved_from.take());
                    }
                    None => changes.push(ResourceChange {
                        logical_id: to.to_owned(),
                        resource_type: resource_type.to_owned(),
                        action: Action::Update,
                        grade,
                        moved_from,
                        reasons: vec![reason],
                        sources: vec![page],
                        source: manifest
                            .resources
                            .get(to)
                            .map(|resource| resource.source.clone()),
                        ..ResourceChange::default()
                    }),
                }
            };
        for (from, to) in &self.under_way {
            let resource_type = type_of(&deployed["Resources"][to.as_str()]);
            if self.is_reverted(manifest, wanted, (from, to)) {
                note(None, from, resource_type, reverted(from, to, resource_type));
            }
            if manifest.moved.contains_key(to) {
                // It goes on under the name that comes next.
                continue;
            }
            if let Some(left) = self.given_up.get(to) {
                note(
                    None,
                    to,
                    resource_type,
                    given_up(left, to, resource_type, wanted),
                );
                continue;
            }
            let reason = format!(
                "it was {from}, and its rename by import was begun: that is finished first, and it stays what it is"
            );
            note(
                Some(from),
                to,
                resource_type,
                (Grade::UpdateInPlace, reason, IMPORT_PAGE),
            );
        }
        for (from, to) in &self.pending {
            let resource_type = type_of(&deployed["Resources"][from.as_str()]);
            let said = match refused(from, to, deployed, wanted.template) {
                Some(reason) => (Grade::Impossible, reason, PAGE),
                None => said(from, resource_type, Ground::Free),
            };
            note(Some(from), to, resource_type, said);
        }
        let imported = by_import(&self.pending, deployed, Ground::Free);
        for (from, reason) in hindrances(deployed, &imported).reasons {
            if let Some(to) = self.pending.get(&from) {
                let resource_type = type_of(&deployed["Resources"][from.as_str()]);
                note(
                    Some(&from),
                    to,
                    resource_type,
                    (Grade::Impossible, reason, IMPORT_PAGE),
                );
            }
        }
        for (to, left) in &self.given_up {
            let mut changes = plan.changes.iter_mut();
            let retained =
                changes.find(|change| change.logical_id == *to && change.action == Action::Retain);
            if let Some(change) = retained {
                // All that is said of it alone comes to this.
                change.reasons = vec![format!(
                    "{left} left the stack to be renamed, and nothing declares that any more: its policy retains it outside of the stack, where it belongs to nobody"
                )];
            }
        }
        plan.changes.sort_by(|a, b| a.logical_id.cmp(&b.logical_id));
    }

    /// Returns whether the source has the old name again of what was being renamed, and the new one no more.
    fn is_reverted(
        &self,
        manifest: &StackManifest,
        wanted: &Side<'_>,
        (from, to): (&String, &String),
    ) -> bool {
        let resource = |template: Option<&Value>, id: &str| {
            template.is_some_and(|template| template["Resources"].get(id).is_some())
        };
        manifest.moved.get(from) != Some(to)
            && manifest.moved.get(to) != Some(from)
            && resource(wanted.template, from)
            && !resource(wanted.template, to)
            && !resource(self.deployed.as_ref(), from)
    }
}

/// Says that another resource is made in place of one that was being renamed.
fn reverted(from: &str, to: &str, resource_type: &str) -> Said {
    let reason = format!(
        "what it was is being renamed to {to}, and nothing declares that any more: another one is made, and is empty. To have it back, declare that {to} is renamed to {from}"
    );
    (replaced(resource_type), reason, IMPORT_PAGE)
}

/// Returns how dangerous it is that another resource of a type takes the place of one.
fn replaced(resource_type: &str) -> Grade {
    if holds_data(resource_type) {
        Grade::DataLoss
    } else {
        Grade::Replacement
    }
}

/// What is said of a rename: how dangerous it is, why, and the page.
type Said = (Grade, String, &'static str);

/// Says what becomes of a resource that left the stack, and that nobody declares to be renamed any more: the deploy does not
/// insist on its import, so the worse of what may come counts.
fn given_up(left: &str, to: &str, resource_type: &str, wanted: &Side<'_>) -> Said {
    let is_wanted = wanted
        .template
        .is_some_and(|template| template["Resources"].get(to).is_some());
    if !is_wanted {
        let reason = format!(
            "{left} left the stack to be renamed, and is imported first; where that is refused, it stays outside"
        );
        return (Grade::UpdateInPlace, reason, IMPORT_PAGE);
    }
    let reason = format!(
        "{left} left the stack to be renamed, and is imported first; where that is refused, an empty one is made, and it stays outside: \
         declare the rename again, and a deploy ends instead"
    );
    (replaced(resource_type), reason, IMPORT_PAGE)
}

/// Says how a resource that may be renamed is.
fn said(from: &str, resource_type: &str, ground: Ground) -> Said {
    match Way::of(from, resource_type, ground) {
        Ok(Way::Refactor) => (
            Grade::None,
            format!("it was {from}: it is renamed first, and stays what it is"),
            PAGE,
        ),
        Ok(Way::Import) if is_written_over(resource_type) => (
            Grade::UpdateInPlace,
            format!(
                "it was {from}: it is renamed first, by being made again in up to five updates, and what it says counts all the while; \
                 between two of them it belongs to no stack"
            ),
            IMPORT_PAGE,
        ),
        Ok(Way::Import) => (
            Grade::UpdateInPlace,
            format!(
                "it was {from}: it is renamed first, by import in up to four updates, and stays what it is; between two of them it \
                 belongs to no stack"
            ),
            IMPORT_PAGE,
        ),
        Err(reason) => (Grade::Impossible, reason, PAGE),
    }
}

/// Says anew how resources are renamed of a stack that is not refactored.
pub(super) fn hold(
    plan: &mut StackPlan,
    pending: &BTreeMap<String, String>,
    deployed: &Value,
    ground: Ground,
) {
    for (from, to) in pending {
        let resource_type = type_of(&deployed["Resources"][from.as_str()]);
        let (_, free, _) = said(from, resource_type, Ground::Free);
        let (grade, reason, page) = said(from, resource_type, ground);
        for change in &mut plan.changes {
            // What is refused for another reason stays so.
            if change.logical_id == *to && change.reasons.contains(&free) && reason != free {
                change.reasons.retain(|told| *told != free);
                change.sources.retain(|told| *told != PAGE);
                change.add(grade, reason.clone(), page);
            }
        }
    }
}

/// Notes in a plan why resources cannot be renamed by import, which those are that are to be renamed so.
pub(super) fn refuse(
    plan: &mut StackPlan,
    imported: &BTreeMap<String, String>,
    reasons: &BTreeMap<String, String>,
) {
    for (from, to) in imported {
        let Some(reason) = reasons.get(from) else {
            continue;
        };
        for change in &mut plan.changes {
            if change.logical_id == *to && !change.reasons.contains(reason) {
                change.add(Grade::Impossible, reason.clone(), IMPORT_PAGE);
            }
        }
    }
}

/// Notes in a plan what was changed past CloudFormation about resources that are renamed by import.
pub(super) fn warn(
    plan: &mut StackPlan,
    imported: &BTreeMap<String, String>,
    drifted: &BTreeMap<String, Drifted>,
    way_back: &str,
) {
    for (from, drifted) in drifted {
        let grade = match drifted {
            Drifted::Gone => Grade::Impossible,
            Drifted::Changed(_) => Grade::Interruption,
        };
        let to = imported.get(from);
        let changes = plan.changes.iter_mut();
        for change in changes.filter(|change| Some(&change.logical_id) == to) {
            change.add(grade, drifted.told(from, way_back), IMPORT_PAGE);
        }
    }
}

/// Returns the resources that a plan renames by import.
pub(in crate::engine) fn imported_in(changes: &[ResourceChange]) -> BTreeSet<String> {
    let imported = changes
        .iter()
        .filter(|change| change.sources.contains(&IMPORT_PAGE));
    imported.map(|change| change.logical_id.clone()).collect()
}

/// Returns those of the renames that are done by import.
pub(in crate::engine) fn by_import(
    pending: &BTreeMap<String, String>,
    deployed: &Value,
    ground: Ground,
) -> BTreeMap<String, String> {
    let is_imported = |from: &String| {
        let resource_type = type_of(&deployed["Resources"][from.as_str()]);
        Way::of(from, resource_type, ground) == Ok(Way::Import)
    };
    let pending = pending.iter().filter(|(from, _)| is_imported(from));
    pending
        .map(|(from, to)| (from.clone(), to.clone()))
        .collect()
}

/// Returns the renames, old to new, that are still to be done: those of resources that are deployed under the old name.
pub(in crate::engine) fn pending(
    moved: &BTreeMap<String, String>,
    deployed: &Value,
) -> BTreeMap<String, String> {
    let resources = &deployed["Resources"];
    moved
        .iter()
        .filter(|(from, _)| resources.get(from.as_str()).is_some())
        .map(|(from, to)| (from.clone(), to.clone()))
        .collect()
}

/// Says why a rename is none.
pub(in crate::engine) fn refused(
    from: &str,
    to: &str,
    deployed: &Value,
    wanted: Option<&Value>,
) -> Option<String> {
    let resources = &deployed["Resources"];
    let before = type_of(&resources[from]);
    if resources.get(to).is_some() {
        return Some(format!(
            "{from} cannot be renamed to {to}, which is deployed too: remove the rename, and {from} is deleted"
        ));
    }
    let after = type_of(&wanted?["Resources"][to]);
    if before != after {
        return Some(format!(
            "{from} is {before}, and cannot be renamed to {to}, which is {after}: remove the rename"
        ));
    }
    None
}
