//! Holds a step of a rename by import to what it is for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    engine::{Change, Replacement, Replacing, plan::holds_data},
    template::dependencies,
};

/// What a step is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Prepare,
    Remove,
    Import,
    Make,
    Restore,
}

impl Step {
    /// Says what is done, as a fragment.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Prepare => "retaining what is renamed",
            Self::Remove => "taking it out of the stack",
            Self::Import => "importing it under its new name",
            Self::Make => "making it again under its new name",
            Self::Restore => "naming it where it was named",
        }
    }
}

/// Returns the resources that two templates say different things of, and those that refer to them: CloudFormation lists what
/// takes a value of a resource that changes.
pub(super) fn differing(before: &Value, next: &Value) -> BTreeSet<String> {
    let resources = next.get("Resources").and_then(Value::as_object);
    let mut found: BTreeSet<String> = resources
        .into_iter()
        .flatten()
        .filter(|(id, entry)| before["Resources"].get(id.as_str()) != Some(entry))
        .map(|(id, _)| id.clone())
        .collect();
    let dependencies = dependencies(next);
    loop {
        let count = found.len();
        for (id, needs) in &dependencies {
            if !needs.is_disjoint(&found) {
                found.insert(id.clone());
            }
        }
        if found.len() == count {
            return found;
        }
    }
}

/// Says what a change set of a step would do that the step is not for; nothing, where it does what it should.
pub(super) fn objection(
    step: Step,
    changes: &[Change],
    moves: &BTreeMap<String, String>,
    differing: &BTreeSet<String>,
) -> Option<String> {
    let is_meant = |change: &Change| {
        let id = change.logical_id.as_str();
        match (step, change.action.as_str()) {
            (Step::Prepare | Step::Remove | Step::Restore, "Modify") => {
                // Every update lists the stacks in a stack, whether anything is another in them or not.
                let is_listed = change.is_automatic || differing.contains(id);
                is_listed && stays(step, change, differing)
            }
            (Step::Remove, "Remove") => {
                moves.contains_key(id) && change.policy_action.as_deref() == Some("Retain")
            }
            (Step::Import, "Import") | (Step::Make, "Add") => moves.values().any(|to| to == id),
            _ => false,
        }
    };
    if let Some(change) = changes.iter().find(|change| !is_meant(change)) {
        let word = match (change.action.as_str(), change.policy_action.as_deref()) {
            ("Modify", _) if !stays(step, change, differing) => "replace",
            ("Modify", _) => "change",
            ("Remove", Some("Retain")) => "take out of the stack",
            ("Remove", _) => "delete",
            ("Add", _) => "make",
            _ => "do something else with",
        };
        return Some(format!(
            "{} would not go alone: CloudFormation would {word} {} ({})",
            step.word(),
            change.logical_id,
            change.resource_type
        ));
    }
    let wanted: BTreeSet<&String> = match step {
        Step::Remove => moves.keys().collect(),
        Step::Import | Step::Make => moves.values().collect(),
        Step::Prepare | Step::Restore => BTreeSet::new(),
    };
    let left = wanted.into_iter().find(|id| {
        !changes.iter().any(|change| {
            change.logical_id == **id
                && matches!(change.action.as_str(), "Remove" | "Import" | "Add")
        })
    });
    left.map(|id| {
        format!(
            "{} would not be done: CloudFormation leaves {id} as it is",
            step.word()
        )
    })
}

/// Returns whether a resource that is modified stays the same one: it is not replaced, or only if a value became another that
/// it takes from one which stays itself, or by values that are what they were; of the latter nobody relies on what holds data.
///
/// What names a resource again held a text of the same value before, as the course wrote it, and nobody changed that: where
/// CloudFormation does not know the value yet, it finds the same one.
fn stays(step: Step, change: &Change, differing: &BTreeSet<String>) -> bool {
    let of_ours = |ids: &[String]| !ids.is_empty() && ids.iter().all(|id| differing.contains(id));
    let follows = of_ours(&change.follows) || of_ours(&change.led_by);
    let is_same = change.replacing == Replacing::Same && !holds_data(&change.resource_type);
    match change.replacement {
        None | Some(Replacement::Never) => true,
        Some(Replacement::Conditional) => {
            follows || is_same || step == Step::Restore && change.replacing != Replacing::Other
        }
        Some(Replacement::Always) => is_same,
        Some(Replacement::Unknown) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(action: &str, id: &str) -> Change {
        Change {
            logical_id: id.to_owned(),
            resource_type: "AWS::Lambda::Permission".to_owned(),
            action: action.to_owned(),
            replacement: (action == "Modify").then_some(Replacement::Never),
            ..Change::default()
        }
    }

    fn told(step: Step, changes: &[Change]) -> Option<String> {
        let moves = BTreeMap::from([("Old".to_owned(), "New".to_owned())]);
        let differing = BTreeSet::from(["New", "Reader"].map(str::to_owned));
        objection(step, changes, &moves, &differing)
    }

    #[test]
    fn what_takes_a_value_of_what_changes_may_be_listed() {
        let template = |retained: bool| {
            let mut template = serde_json::json!({"Resources": {
                "New": {"Type": "AWS::SQS::Queue"},
                "Other": {"Type": "AWS::SQS::Queue"},
                "Reader": {"Properties": {"Queue": {"Fn::GetAtt": ["New", "Arn"]}}},
                "Second": {"Properties": {"Reader": {"Ref": "Reader"}}},
            }});
            if retained {
                template["Resources"]["New"]["DeletionPolicy"] = "Retain".into();
            }
            template
        };
        let found = differing(&template(false), &template(true));
        assert_eq!(Vec::from_iter(found), ["New", "Reader", "Second"]);
        assert!(differing(&template(true), &template(true)).is_empty());
    }

    #[test]
    fn a_step_does_what_it_is_for() {
        let reader = change("Modify", "Reader");
        let retained = Change {
            policy_action: Some("Retain".to_owned()),
            ..change("Remove", "Old")
        };
        let follows = Change {
            replacement: Some(Replacement::Conditional),
            follows: vec!["New".to_owned()],
            ..reader.clone()
        };
        let led = Change {
            replacement: Some(Replacement::Conditional),
            led_by: vec!["New".to_owned()],
            ..reader.clone()
        };
        let open = Change {
            replacement: Some(Replacement::Conditional),
            replacing: Replacing::Open,
            ..reader.clone()
        };
        let same = Change {
            replacement: Some(Replacement::Always),
            replacing: Replacing::Same,
            ..reader.clone()
        };
        let nested = Change {
            is_automatic: true,
            ..change("Modify", "Nested")
        };
        for (step, changes) in [
            (Step::Remove, vec![retained.clone(), same.clone()]),
            (Step::Restore, vec![same]),
            (Step::Prepare, vec![reader.clone()]),
            (Step::Remove, vec![retained, reader]),
            (Step::Import, vec![change("Import", "New")]),
            (Step::Make, vec![change("Add", "New")]),
            (Step::Prepare, vec![change("Modify", "New"), led]),
            (Step::Restore, vec![change("Modify", "New"), follows]),
            (Step::Restore, vec![open]),
            (Step::Prepare, vec![change("Modify", "New"), nested]),
        ] {
            assert_eq!(told(step, &changes), None, "{step:?}");
        }
    }

    #[test]
    fn a_step_that_does_anything_else_is_not_taken() {
        let untold = change("Remove", "Old");
        let gone = Change {
            policy_action: Some("Retain".to_owned()),
            ..untold.clone()
        };
        let deleted = Change {
            policy_action: Some("Delete".to_owned()),
            ..gone.clone()
        };
        let replaced = Change {
            replacement: Some(Replacement::Always),
            ..change("Modify", "Reader")
        };
        let perhaps = Change {
            replacement: Some(Replacement::Conditional),
            ..change("Modify", "Reader")
        };
        let open = Change {
            replacing: Replacing::Open,
            ..perhaps.clone()
        };
        let precious = Change {
            resource_type: "AWS::SQS::Queue".to_owned(),
            replacing: Replacing::Same,
            ..replaced.clone()
        };
        let import = change("Import", "New");
        for (step, changes, part) in [
            (Step::Prepare, vec![untold.clone()], "would delete Old"),
            (Step::Remove, vec![untold], "would delete Old"),
            (Step::Remove, vec![deleted], "would delete Old"),
            (
                Step::Remove,
                vec![gone.clone(), replaced],
                "would replace Reader",
            ),
            (
                Step::Remove,
                vec![gone.clone(), change("Modify", "Other")],
                "would change Other",
            ),
            (
                Step::Remove,
                vec![gone.clone(), change("Remove", "Other")],
                "would delete Other",
            ),
            (
                Step::Remove,
                vec![gone.clone(), precious],
                "would replace Reader",
            ),
            (Step::Remove, vec![], "leaves Old as it is"),
            (
                Step::Import,
                vec![import.clone(), gone.clone()],
                "would take out of the stack Old",
            ),
            (
                Step::Import,
                vec![import, change("Add", "Other")],
                "would make Other",
            ),
            (Step::Import, vec![], "leaves New as it is"),
            (Step::Make, vec![], "leaves New as it is"),
            (Step::Make, vec![change("Add", "Other")], "would make Other"),
            (Step::Import, vec![change("Add", "New")], "would make New"),
            (
                Step::Prepare,
                vec![Change {
                    led_by: vec!["Stranger".to_owned()],
                    ..perhaps.clone()
                }],
                "would replace Reader",
            ),
            (Step::Restore, vec![perhaps], "would replace Reader"),
            (Step::Remove, vec![gone, open], "would replace Reader"),
            (
                Step::Restore,
                vec![change("Dynamic", "Reader")],
                "something else with Reader",
            ),
        ] {
            let told = told(step, &changes).unwrap_or_default();
            assert!(told.contains(part), "{step:?}: {told}");
        }
    }
}
