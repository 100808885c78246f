//! Renames that a stack declares: the deployed template as it is with the new logical ids.

mod course;
mod fixed;
mod names;
mod sub;
mod texts;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use stack_model::assembly::StackManifest;

use course::restored;
pub(in crate::engine) use course::{
    Away, Course, Hindrances, Move, Need, UnderWay, hindrances, is_marked, marked, needs,
    under_way, undone, unmarked,
};
pub(in crate::engine) use fixed::{Ground, Way};
pub(in crate::engine) use names::renamed;

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
        let mut note = |to: &str, resource_type: &str, (grade, reason, page): Said| {
            let changes = &mut plan.changes;
            match changes.iter_mut().find(|change| change.logical_id == to) {
                Some(change) => change.add(grade, reason, page),
                None => changes.push(ResourceChange {
                    logical_id: to.to_owned(),
                    resource_type: resource_type.to_owned(),
                    action: Action::Update,
                    grade,
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
                note(from, resource_type, reverted(from, to, resource_type));
            }
            if manifest.moved.contains_key(to) {
                // It goes on under the name that comes next.
                continue;
            }
            if let Some(left) = self.given_up.get(to) {
                note(to, resource_type, given_up(left, to, resource_type, wanted));
                continue;
            }
            let reason = format!(
                "it was {from}, and its rename by import was begun: that is finished first, and it stays what it is"
            );
            note(
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
            note(to, resource_type, said);
        }
        let imported = by_import(&self.pending, deployed, Ground::Free);
        for (from, reason) in hindrances(deployed, &imported).reasons {
            if let Some(to) = self.pending.get(&from) {
                let resource_type = type_of(&deployed["Resources"][from.as_str()]);
                note(to, resource_type, (Grade::Impossible, reason, IMPORT_PAGE));
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
) {
    for (from, drifted) in drifted {
        let grade = match drifted {
            Drifted::Gone => Grade::Impossible,
            Drifted::Changed(_) => Grade::Interruption,
        };
        let to = imported.get(from);
        let changes = plan.changes.iter_mut();
        for change in changes.filter(|change| Some(&change.logical_id) == to) {
            change.add(grade, drifted.told(from), IMPORT_PAGE);
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::plan::{App, Registry};

    fn moves(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let pairs = pairs.iter();
        pairs
            .map(|(from, to)| ((*from).to_owned(), (*to).to_owned()))
            .collect()
    }

    fn deployed() -> Value {
        json!({
            "Parameters": {"Old": {"Type": "String"}},
            "Resources": {
                "Old": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 5}},
                "Alarm": {
                    "Type": "AWS::CloudWatch::Alarm",
                    "DependsOn": ["Old", "Other"],
                    "Properties": {
                        "A": {"Fn::GetAtt": ["Old", "Arn"]},
                        "B": {"Fn::GetAtt": "Old.Arn"},
                        "C": {"Fn::Sub": "${Old.Arn} ${Old} ${!Old} ${Older} Old"},
                        "D": {"Fn::Sub": ["${Old} ${Other}", {"Old": {"Ref": "Old"}}]},
                        "E": "Old",
                    },
                },
                "Other": {"Type": "AWS::SNS::Topic", "DependsOn": "Old"},
            },
            "Outputs": {"Url": {"Value": {"Ref": "Old"}}},
        })
    }

    #[test]
    fn every_reference_follows_and_nothing_else_does() {
        let wanted = json!({
            "Parameters": {"Old": {"Type": "String"}},
            "Resources": {
                "New": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 5}},
                "Alarm": {
                    "Type": "AWS::CloudWatch::Alarm",
                    "DependsOn": ["New", "Other"],
                    "Properties": {
                        "A": {"Fn::GetAtt": ["New", "Arn"]},
                        "B": {"Fn::GetAtt": "New.Arn"},
                        "C": {"Fn::Sub": "${New.Arn} ${New} ${!Old} ${Older} Old"},
                        "D": {"Fn::Sub": ["${Old} ${Other}", {"Old": {"Ref": "New"}}]},
                        "E": "Old",
                    },
                },
                "Other": {"Type": "AWS::SNS::Topic", "DependsOn": "New"},
            },
            "Outputs": {"Url": {"Value": {"Ref": "New"}}},
        });
        assert_eq!(renamed(&deployed(), &moves(&[("Old", "New")])), wanted);
    }

    /// Plans a rename of `Old` to `New` in what is deployed, after a change to the new template.
    fn planned(change: impl FnOnce(&mut Value)) -> Vec<ResourceChange> {
        let declared = moves(&[("Old", "New"), ("Gone", "Other")]);
        let manifest: StackManifest = serde_json::from_value(json!({
            "name": "orders-dev", "id": "orders", "template": "orders.json", "sha256": "",
            "moved": declared,
        }))
        .expect("reads");
        let old = deployed();
        let mut new = renamed(&old, &declared);
        change(&mut new);
        compared(&manifest, &old, &new)
    }

    fn compared(manifest: &StackManifest, old: &Value, new: &Value) -> Vec<ResourceChange> {
        let side = |template| Side {
            template: Some(template),
            ..Side::default()
        };
        let none = BTreeMap::new();
        App::default()
            .compare(manifest, &none, &side(old), &side(new), &Registry)
            .changes
    }

    #[test]
    fn what_left_and_is_not_declared_any_more_may_be_made_anew() {
        let old =
            json!({"Resources": {"Old": {"Type": "AWS::SQS::Queue", "DeletionPolicy": "Retain"}}});
        let (declared, ids) = (moves(&[("Old", "New")]), moves(&[("Old", "https://q")]));
        let none = BTreeMap::new();
        let away = Course::new(&old, &declared, &ids, &none).without();
        let away = away.expect("it leaves");
        let new = renamed(&old, &declared);
        for (declared, grade, part) in [
            (declared, Grade::UpdateInPlace, "finished first"),
            (none, Grade::DataLoss, "an empty one is made"),
        ] {
            let manifest: StackManifest = serde_json::from_value(json!({
                "name": "orders-dev", "id": "orders", "template": "orders.json", "sha256": "",
                "moved": declared,
            }))
            .expect("reads");
            let changes = compared(&manifest, &away, &new);
            let change = changes.iter().find(|change| change.logical_id == "New");
            let change = change.expect("is planned");
            assert_eq!(change.grade, grade, "{change:?}");
            assert!(change.reasons[0].contains(part), "{change:?}");
        }
    }

    #[test]
    fn who_takes_a_rename_back_is_told_what_becomes_of_the_data() {
        let old =
            json!({"Resources": {"Old": {"Type": "AWS::SQS::Queue", "DeletionPolicy": "Retain"}}});
        let (declared, ids) = (moves(&[("Old", "New")]), moves(&[("Old", "https://q")]));
        let none = BTreeMap::new();
        let away = Course::new(&old, &declared, &ids, &none).without();
        let away = away.expect("it leaves");
        let manifest = |declared: &BTreeMap<String, String>| -> StackManifest {
            serde_json::from_value(json!({
                "name": "orders-dev", "id": "orders", "template": "orders.json", "sha256": "",
                "moved": declared,
            }))
            .expect("reads")
        };
        let changes = compared(&manifest(&none), &away, &old);
        let [new, old_id] = changes.as_slice() else {
            panic!("{changes:#?}");
        };
        assert_eq!(
            (new.action, new.reasons.len()),
            (Action::Retain, 1),
            "{new:?}"
        );
        assert!(new.reasons[0].contains("belongs to nobody"), "{new:?}");
        assert_eq!(
            (old_id.action, old_id.grade),
            (Action::Create, Grade::DataLoss)
        );
        assert_eq!(old_id.dangers, [Grade::DataLoss]);
        assert!(
            old_id.reasons[0].ends_with("declare that New is renamed to Old"),
            "{old_id:?}"
        );
        // That is a rename like any other, once the first is finished.
        let back = moves(&[("New", "Old")]);
        let changes = compared(&manifest(&back), &away, &old);
        assert_eq!(changes.len(), 1, "{changes:#?}");
        assert!(changes[0].grade < Grade::Replacement, "{changes:#?}");
    }

    #[test]
    fn a_rename_is_no_replacement() {
        let changes = planned(|_| ());
        assert_eq!(changes.len(), 1, "{changes:#?}");
        assert_eq!(changes[0].logical_id, "New");
        assert_eq!(changes[0].action, Action::Update);
        assert_eq!(changes[0].grade, Grade::None);
        assert_eq!(
            changes[0].reasons,
            ["it was Old: it is renamed first, and stays what it is"]
        );
    }

    #[test]
    fn what_changes_besides_is_graded_as_ever() {
        let changes = planned(|new| {
            new["Resources"]["New"]["Properties"]["QueueName"] = json!("orders");
        });
        let change = changes.iter().find(|change| change.logical_id == "New");
        let change = change.expect("is planned");
        assert_eq!(change.action, Action::Replace);
        assert_eq!(change.grade, Grade::DataLoss);
        assert!(
            change
                .reasons
                .iter()
                .any(|reason| reason.starts_with("it was Old"))
        );
    }

    #[test]
    fn another_type_is_no_rename() {
        let changes = planned(|new| {
            new["Resources"]["New"] = json!({"Type": "AWS::SNS::Topic"});
        });
        let change = changes.iter().find(|change| change.logical_id == "New");
        assert_eq!(change.expect("is planned").grade, Grade::Impossible);
        let both = json!({"Resources": {"Old": {"Type": "A"}, "New": {"Type": "A"}}});
        assert!(refused("Old", "New", &both, None).is_some());
    }
}
