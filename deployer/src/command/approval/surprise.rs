//! Where a change set and the plan that was shown disagree.

use std::fmt;

use crate::engine::plan::{self, Action, Grade, Plan, ResourceChange, StackPlan};
use crate::engine::{Change, ProposedChanges, Replacement};

/// Says what was planned for a stack in which CloudFormation finds nothing to change; nothing, where that is nothing.
pub(super) fn nothing_changes(plan: &Plan, stack: &str) -> Option<String> {
    let planned = plan.stacks.iter().find(|planned| planned.stack == stack)?;
    let changes = planned.changes.iter();
    let names: Vec<String> = changes
        .map(|change| format!("{} ({})", change.logical_id, change.resource_type))
        .chain(planned.other.iter().map(|change| change.path.to_string()))
        .collect();
    (!names.is_empty()).then(|| {
        format!(
            "CloudFormation finds nothing to change in {stack}, and leaves as they are: {}",
            names.join(", ")
        )
    })
}

/// A disagreement between a change set and the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Surprise {
    /// The logical id of the resource.
    pub(super) logical_id: String,
    /// Its type.
    resource_type: String,
    /// What would happen, in words: `would be replaced`.
    pub(super) word: &'static str,
    /// Whether it may destroy what the plan keeps, so that the consent to the plan does not cover it.
    pub(super) dangerous: bool,
    /// How dangerous it is.
    pub(super) grade: Grade,
}

/// What is said of a resource of which a change set does not know whether it is replaced.
const POSSIBLY: &str = "may be replaced";

impl Surprise {
    /// Returns whether it is no more than that a change set does not know what the plan knows.
    pub(super) fn is_guessed(&self, plan: &StackPlan) -> bool {
        let mut planned = plan.changes.iter();
        self.word == POSSIBLY
            && planned.any(|it| it.logical_id == self.logical_id && it.action == Action::Update)
    }
}

impl fmt::Display for Surprise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({}) {}",
            self.logical_id, self.resource_type, self.word
        )
    }
}

/// Returns where a change set and the plan of its stack disagree: first what is proposed, then what was planned and is not
/// proposed.
pub(super) fn surprises(plan: &StackPlan, changes: &ProposedChanges) -> Vec<Surprise> {
    let proposed = changes.changes.iter().filter_map(|change| {
        let known = plan
            .changes
            .iter()
            .find(|planned| planned.logical_id == change.logical_id);
        let (word, dangerous) = disagreement(known, change, &changes.changes)?;
        Some(Surprise {
            logical_id: change.logical_id.clone(),
            resource_type: change.resource_type.clone(),
            word,
            dangerous,
            grade: grade(change, dangerous),
        })
    });
    let missing = plan
        .changes
        .iter()
        // The other part does the rest.
        .filter(|_| !changes.partial)
        .filter(|planned| {
            // CloudFormation lists no update that touches nothing but the policies of a resource.
            planned.action != Action::Update || !planned.properties.is_empty()
        })
        .filter(|planned| {
            changes
                .changes
                .iter()
                .all(|change| change.logical_id != planned.logical_id)
        })
        .map(|planned| Surprise {
            logical_id: planned.logical_id.clone(),
            resource_type: planned.resource_type.clone(),
            word: "would stay as it is",
            dangerous: false,
            grade: Grade::None,
        });
    proposed.chain(missing).collect()
}

/// Returns how dangerous a change is that the plan does not know.
fn grade(change: &Change, dangerous: bool) -> Grade {
    let policy = change.policy_action.as_deref();
    let is_lost = matches!(policy, None | Some("Delete" | "ReplaceAndDelete"))
        && plan::holds_data(&change.resource_type);
    match change.action.as_str() {
        "Remove" if policy == Some("Retain") => Grade::None,
        "Remove" if is_lost => Grade::DataLoss,
        "Remove" => Grade::Interruption,
        "Modify" if dangerous && is_lost => Grade::DataLoss,
        "Modify" if dangerous => Grade::Replacement,
        "Modify" => Grade::UpdateInPlace,
        "Add" if dangerous && plan::holds_data(&change.resource_type) => Grade::DataLoss,
        "Add" | "Import" => Grade::None,
        // What is not known may be as bad as a replacement.
        _ => Grade::Replacement,
    }
}

/// Returns in which way a change is not the planned one, and whether that is dangerous.
///
/// The words of CloudFormation are those of
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html>.
fn disagreement(
    planned: Option<&ResourceChange>,
    change: &Change,
    all: &[Change],
) -> Option<(&'static str, bool)> {
    let action = planned.map(|planned| planned.action);
    let policy = change.policy_action.as_deref();
    match change.action.as_str() {
        "Remove" => match (action, policy) {
            (Some(Action::Retain), Some("Delete")) => {
                Some(("would be deleted and not retained", true))
            }
            (Some(Action::Retain), Some("Snapshot")) => {
                Some(("would be deleted, with a snapshot, and not retained", true))
            }
            (Some(Action::Delete), Some("Retain")) => {
                Some(("would be retained, outside of the stack", false))
            }
            (Some(Action::Delete | Action::Retain), _) => None,
            (_, Some("Retain")) => Some(("would leave the stack and stay", true)),
            _ => Some(("would be removed", true)),
        },
        "Modify" => match change.replacement {
            Some(Replacement::Always | Replacement::Conditional | Replacement::Unknown)
                if action == Some(Action::Replace) =>
            {
                let kept = planned.is_some_and(|planned| planned.grade < Grade::DataLoss);
                (kept
                    && policy == Some("ReplaceAndDelete")
                    && plan::holds_data(&change.resource_type))
                .then_some(("would be replaced, and its data deleted", true))
            }
            Some(Replacement::Always) => Some(("would be replaced", true)),
            _ if only_follows(change, all) => None,
            Some(Replacement::Conditional | Replacement::Unknown) => Some((POSSIBLY, true)),
            _ => match action {
                Some(Action::Update) => None,
                Some(Action::Replace) => Some(("would be updated in place", false)),
                Some(Action::Delete | Action::Retain) => {
                    Some(("would stay in the stack, and be updated", false))
                }
                _ => Some(("would be updated", false)),
            },
        },
        "Add" => match action {
            Some(Action::Create) => None,
            // Beside the one that was to be taken into the stack, with all that it holds.
            Some(Action::Import) => Some(("would be created, and not imported", true)),
            // What the plan takes to be there and to stay is not: what is made is empty.
            Some(Action::Update) if plan::holds_data(&change.resource_type) => {
                let known = planned.is_some_and(|planned| planned.grade == Grade::DataLoss);
                Some(if known {
                    ("would be created", false)
                } else {
                    ("would be created, and be empty", true)
                })
            }
            _ => Some(("would be created", false)),
        },
        "Import" => (action != Some(Action::Import)).then_some(("would be imported", true)),
        _ => Some(("would change in a way that is not known beforehand", true)),
    }
}

/// Returns whether a resource changes only if one that it refers to becomes another, and none of those does.
///
/// CloudFormation lists whatever refers to a changed resource, as `Conditional` where another value would replace it: a
/// new version of a function's code names the permission to invoke the function, too. A resource that is updated in
/// place keeps its identity.
fn only_follows(change: &Change, all: &[Change]) -> bool {
    !change.follows.is_empty()
        && change.follows.iter().all(|followed| {
            all.iter().any(|other| {
                other.logical_id == *followed && other.replacement == Some(Replacement::Never)
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(logical_id: &str, action: Action, grade: Grade) -> ResourceChange {
        ResourceChange {
            logical_id: logical_id.to_owned(),
            resource_type: "AWS::SQS::Queue".to_owned(),
            action,
            grade,
            ..ResourceChange::default()
        }
    }

    fn proposed(logical_id: &str, action: &str, replacement: Option<Replacement>) -> Change {
        Change {
            logical_id: logical_id.to_owned(),
            resource_type: "AWS::SQS::Queue".to_owned(),
            action: action.to_owned(),
            replacement,
            ..Change::default()
        }
    }

    fn surprised(planned: &[ResourceChange], proposed: Vec<Change>) -> Vec<(String, bool)> {
        let plan = StackPlan {
            stack: "intake-dev".to_owned(),
            changes: planned.to_vec(),
            ..StackPlan::default()
        };
        let changes = ProposedChanges {
            findings: Vec::new(),
            hooks: Vec::new(),
            stack: "intake-dev".to_owned(),
            create: false,
            partial: false,
            change_set: "x".to_owned(),
            changes: proposed,
        };
        surprises(&plan, &changes)
            .into_iter()
            .map(|surprise| (surprise.to_string(), surprise.dangerous))
            .collect()
    }

    #[test]
    fn every_disagreement_is_told_and_what_may_destroy_is_dangerous() {
        use Replacement::{Always, Conditional, Never, Unknown};
        // What is planned, what is proposed, and the surprise with its danger.
        let update = Some((Action::Update, Grade::UpdateInPlace));
        let widened = Some((Action::Update, Grade::PermissionWidened));
        let lost = Some((Action::Update, Grade::DataLoss));
        let replace = Some((Action::Replace, Grade::Replacement));
        let delete = Some((Action::Delete, Grade::Interruption));
        let create = Some((Action::Create, Grade::None));
        let import = Some((Action::Import, Grade::None));
        let rows = [
            (replace, "Modify", Some(Always), None),
            (replace, "Modify", Some(Conditional), None),
            (
                replace,
                "Modify",
                Some(Never),
                Some(("would be updated in place", false)),
            ),
            (update, "Modify", Some(Never), None),
            (update, "Modify", None, None),
            (
                update,
                "Modify",
                Some(Always),
                Some(("would be replaced", true)),
            ),
            // A grade above a replacement is no consent to one.
            (
                widened,
                "Modify",
                Some(Always),
                Some(("would be replaced", true)),
            ),
            (
                widened,
                "Modify",
                Some(Conditional),
                Some(("may be replaced", true)),
            ),
            (
                update,
                "Modify",
                Some(Unknown),
                Some(("may be replaced", true)),
            ),
            (
                None,
                "Modify",
                Some(Never),
                Some(("would be updated", false)),
            ),
            (None, "Add", None, Some(("would be created", false))),
            (create, "Add", None, None),
            (delete, "Remove", None, None),
            (
                delete,
                "Modify",
                Some(Never),
                Some(("would stay in the stack, and be updated", false)),
            ),
            (
                delete,
                "Modify",
                Some(Always),
                Some(("would be replaced", true)),
            ),
            (
                create,
                "Modify",
                Some(Never),
                Some(("would be updated", false)),
            ),
            (
                update,
                "Add",
                None,
                Some(("would be created, and be empty", true)),
            ),
            // That it may be made anew was agreed to.
            (lost, "Add", None, Some(("would be created", false))),
            (
                import,
                "Add",
                None,
                Some(("would be created, and not imported", true)),
            ),
            (import, "Import", None, None),
            (update, "Import", None, Some(("would be imported", true))),
            (update, "Remove", None, Some(("would be removed", true))),
            (None, "Remove", None, Some(("would be removed", true))),
            (
                update,
                "Dynamic",
                None,
                Some(("would change in a way that is not known beforehand", true)),
            ),
        ];
        for (known, action, replacement, expected) in rows {
            let known: Vec<_> = known
                .into_iter()
                .map(|(action, grade)| planned("Orders", action, grade))
                .collect();
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(word, dangerous)| (format!("Orders (AWS::SQS::Queue) {word}"), dangerous))
                .collect();
            let found = surprised(&known, vec![proposed("Orders", action, replacement)]);
            assert_eq!(found, expected, "{known:?} and {action} {replacement:?}");
        }
    }

    #[test]
    fn a_plan_of_which_nothing_is_found_to_change_is_named() {
        let update = planned("Orders", Action::Update, Grade::UpdateInPlace);
        let plan = Plan {
            stacks: vec![
                StackPlan {
                    stack: "intake-dev".to_owned(),
                    changes: vec![update],
                    ..StackPlan::default()
                },
                StackPlan {
                    stack: "other-dev".to_owned(),
                    ..StackPlan::default()
                },
            ],
        };
        assert_eq!(
            nothing_changes(&plan, "intake-dev").as_deref(),
            Some(
                "CloudFormation finds nothing to change in intake-dev, and leaves as they are: Orders (AWS::SQS::Queue)"
            )
        );
        assert_eq!(nothing_changes(&plan, "other-dev"), None);
        assert_eq!(nothing_changes(&plan, "unplanned-dev"), None);
    }

    #[test]
    fn what_happens_to_the_old_resource_has_to_agree_too() {
        let mut removed = proposed("Orders", "Remove", None);
        removed.policy_action = Some("Delete".to_owned());
        let found = surprised(
            &[planned("Orders", Action::Retain, Grade::None)],
            vec![removed],
        );
        assert!(found[0].0.ends_with("would be deleted and not retained"));
        assert!(found[0].1);

        let mut replaced = proposed("Table", "Modify", Some(Replacement::Always));
        replaced.resource_type = "AWS::DynamoDB::Table".to_owned();
        replaced.policy_action = Some("ReplaceAndDelete".to_owned());
        let plan = |grade| [planned("Table", Action::Replace, grade)];
        assert!(surprised(&plan(Grade::DataLoss), vec![replaced.clone()]).is_empty());
        assert!(surprised(&plan(Grade::Replacement), vec![replaced])[0].1);
    }

    #[test]
    fn what_only_follows_an_update_in_place_is_no_surprise() {
        let known = [planned("Function", Action::Update, Grade::UpdateInPlace)];
        let mut permission = proposed("Permission", "Modify", Some(Replacement::Conditional));
        permission.follows = vec!["Function".to_owned()];
        let function = |replacement| proposed("Function", "Modify", Some(replacement));
        let found = surprised(
            &known,
            vec![function(Replacement::Never), permission.clone()],
        );
        assert_eq!(found, []);
        let found = surprised(&known, vec![function(Replacement::Always), permission]);
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|(_, dangerous)| *dangerous));
    }

    #[test]
    fn what_was_planned_and_is_not_proposed_is_told() {
        let found = surprised(
            &[planned("Orders", Action::Replace, Grade::Replacement)],
            Vec::new(),
        );
        assert_eq!(
            found,
            [(
                "Orders (AWS::SQS::Queue) would stay as it is".to_owned(),
                false
            )]
        );
    }
}
