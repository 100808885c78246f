//! Puts what CloudFormation says beside the plan: at its resource, where it is about one.

use super::surprise::Surprise;
use crate::engine::plan::{Action, ResourceChange, Said, StackPlan};
use crate::engine::{Change, Finding, Hook, Replacement};

/// Returns the plan with what a change set does otherwise, of which the more dangerous grade counts.
pub(super) fn merged(plan: &StackPlan, changes: &[Change], surprises: &[Surprise]) -> StackPlan {
    let mut plan = plan.clone();
    for surprise in surprises {
        let id = &surprise.logical_id;
        if plan.changes.iter().all(|planned| planned.logical_id != *id) {
            let change = changes.iter().find(|change| change.logical_id == *id);
            plan.changes.extend(change.map(unplanned));
        }
        let known = plan.changes.iter_mut();
        for planned in known.filter(|planned| planned.logical_id == *id) {
            let why = surprise.reasons.join("; ");
            let colon = if why.is_empty() { "" } else { ": " };
            planned.said.otherwise = Some(format!("it {}{colon}{why}", surprise.word));
            planned.grade = planned.grade.max(surprise.grade);
            planned.endanger(surprise.grade);
            // What is dangerous is told by the first reason.
            planned
                .reasons
                .retain(|known| !surprise.reasons.contains(known));
            planned
                .reasons
                .splice(0..0, surprise.reasons.iter().cloned());
        }
    }
    plan.changes.sort_by(|a, b| a.logical_id.cmp(&b.logical_id));
    plan
}

/// Puts findings and hooks at their resources; what is about none that changes is about the stack.
pub(super) fn note(plan: &mut StackPlan, findings: &[Finding], hooks: &[Hook]) {
    for finding in findings {
        said(plan, finding.logical_id.as_deref())
            .findings
            .push(finding.clone());
    }
    for hook in hooks {
        said(plan, hook.logical_id.as_deref())
            .hooks
            .push(hook.clone());
    }
}

fn said<'a>(plan: &'a mut StackPlan, logical_id: Option<&str>) -> &'a mut Said {
    let StackPlan { changes, said, .. } = plan;
    changes
        .iter_mut()
        .find(|change| Some(change.logical_id.as_str()) == logical_id)
        .map_or(said, |change| &mut change.said)
}

/// Returns the plan without what nothing is said of.
pub(super) fn told(plan: &StackPlan) -> StackPlan {
    let mut told = plan.clone();
    told.changes.retain(|change| !change.said.is_empty());
    told.other.clear();
    told
}

/// Makes a change of one that only the change set names.
fn unplanned(change: &Change) -> ResourceChange {
    let action = match change.action.as_str() {
        "Remove" if change.policy_action.as_deref() == Some("Retain") => Action::Retain,
        "Remove" => Action::Delete,
        "Add" => Action::Create,
        "Import" => Action::Import,
        _ if change.replacement == Some(Replacement::Always) => Action::Replace,
        _ => Action::Update,
    };
    ResourceChange {
        logical_id: change.logical_id.clone(),
        resource_type: change.resource_type.clone(),
        action,
        reasons: vec!["only CloudFormation names it".to_owned()],
        source: change.source.clone(),
        ..ResourceChange::default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::cli::Allowance;
    use crate::command::approval::{Approval, Consent};
    use crate::engine::plan::{Grade, Plan, PropertyChange, Registry, Side, compare};
    use crate::engine::{Approve as _, Decision, ProposedChanges};
    use crate::ui::Ui;

    fn planned(logical_id: &str, action: Action, grade: Grade) -> ResourceChange {
        ResourceChange {
            logical_id: logical_id.to_owned(),
            resource_type: "AWS::DynamoDB::Table".to_owned(),
            action,
            grade,
            properties: vec![PropertyChange {
                path: crate::engine::plan::Path::new("Properties"),
                before: None,
                after: None,
            }],
            ..ResourceChange::default()
        }
    }

    fn plan(changes: Vec<ResourceChange>) -> StackPlan {
        StackPlan {
            stack: "orders-prod".to_owned(),
            changes,
            ..StackPlan::default()
        }
    }

    fn proposed(logical_id: &str, action: &str, replacement: Option<Replacement>) -> Change {
        Change {
            logical_id: logical_id.to_owned(),
            resource_type: "AWS::DynamoDB::Table".to_owned(),
            action: action.to_owned(),
            replacement,
            ..Change::default()
        }
    }

    fn changes(changes: Vec<Change>) -> ProposedChanges {
        ProposedChanges {
            stack: "orders-prod".to_owned(),
            create: false,
            partial: false,
            change_set: "x".to_owned(),
            changes,
            findings: Vec::new(),
            hooks: Vec::new(),
        }
    }

    fn merge(plan: &StackPlan, changes: &ProposedChanges) -> Vec<(String, Action, Grade, String)> {
        let surprises = super::super::surprise::surprises(plan, changes);
        merged(plan, &changes.changes, &surprises)
            .changes
            .into_iter()
            .map(|change| {
                let said = change.said.otherwise.unwrap_or_default();
                (change.logical_id, change.action, change.grade, said)
            })
            .collect()
    }

    #[test]
    fn both_are_shown_and_the_more_dangerous_grade_counts() {
        use Replacement::{Always, Conditional, Never};
        let update = planned("Table", Action::Update, Grade::UpdateInPlace);
        let widened = planned("Table", Action::Update, Grade::ExposureWidened);
        let replace = planned("Table", Action::Replace, Grade::Replacement);
        let row = |action, grade, said: &str| {
            let table = "Table".to_owned();
            vec![(table, action, grade, said.to_owned())]
        };
        let mut keeps = proposed("Table", "Modify", Some(Always));
        keeps.policy_action = Some("ReplaceAndRetain".to_owned());
        for (known, change, expected) in [
            // CloudFormation replaces what the plan updates.
            (
                Some(&update),
                Some(proposed("Table", "Modify", Some(Always))),
                row(Action::Update, Grade::DataLoss, "it would be replaced"),
            ),
            (
                Some(&update),
                Some(keeps.clone()),
                row(Action::Update, Grade::Replacement, "it would be replaced"),
            ),
            (
                Some(&update),
                Some(proposed("Table", "Modify", Some(Conditional))),
                row(Action::Update, Grade::DataLoss, "it may be replaced"),
            ),
            // The grade of the plan is the more dangerous one.
            (
                Some(&widened),
                Some(keeps),
                row(
                    Action::Update,
                    Grade::ExposureWidened,
                    "it would be replaced",
                ),
            ),
            // The plan replaces what CloudFormation updates.
            (
                Some(&replace),
                Some(proposed("Table", "Modify", Some(Never))),
                row(
                    Action::Replace,
                    Grade::Replacement,
                    "it would be updated in place",
                ),
            ),
            // Only one of the two names it.
            (
                Some(&replace),
                None,
                row(
                    Action::Replace,
                    Grade::Replacement,
                    "it would stay as it is",
                ),
            ),
            (
                None,
                Some(proposed("Table", "Remove", None)),
                row(Action::Delete, Grade::DataLoss, "it would be removed"),
            ),
            (
                None,
                Some(proposed("Table", "Add", None)),
                row(Action::Create, Grade::None, "it would be created"),
            ),
            // Both say the same.
            (
                Some(&update),
                Some(proposed("Table", "Modify", Some(Never))),
                row(Action::Update, Grade::UpdateInPlace, ""),
            ),
        ] {
            let known = plan(known.into_iter().cloned().collect());
            let change = changes(change.into_iter().collect());
            assert_eq!(merge(&known, &change), expected, "{change:?}");
        }
    }

    /// A danger that only CloudFormation sees has to be allowed beside those of the plan.
    #[test]
    fn a_danger_of_either_is_one_that_is_asked_about() {
        let mut widened = planned("Table", Action::Update, Grade::ExposureWidened);
        widened.endanger(Grade::ExposureWidened);
        let replaced = changes(vec![proposed("Table", "Modify", Some(Replacement::Always))]);
        let plan = plan(vec![widened]);
        let surprises = super::super::surprise::surprises(&plan, &replaced);
        let merged = merged(&plan, &replaced.changes, &surprises);
        assert_eq!(
            merged.changes[0].dangers,
            [Grade::ExposureWidened, Grade::DataLoss]
        );
    }

    #[test]
    fn what_is_found_stands_at_its_resource_or_at_the_stack() {
        let finding = |logical_id: Option<&str>| Finding {
            logical_id: logical_id.map(str::to_owned),
            resource_type: None,
            check: None,
            path: None,
            failure_mode: None,
            reason: "why".to_owned(),
        };
        let mut noted = plan(vec![
            planned("Calm", Action::Update, Grade::UpdateInPlace),
            planned("Table", Action::Update, Grade::UpdateInPlace),
        ]);
        let findings = [finding(Some("Table")), finding(Some("Gone")), finding(None)];
        note(&mut noted, &findings, &[]);
        assert_eq!(noted.said.findings, findings[1..]);
        let told = told(&noted);
        assert_eq!(told.changes.len(), 1);
        assert_eq!(told.changes[0].said.findings, findings[..1]);
    }

    /// The plan of the same template knows what becomes of a resource, and the local engine only that it may be replaced.
    #[tokio::test]
    async fn what_the_local_engine_cannot_know_is_no_disagreement() {
        let calm = plan(vec![planned("Table", Action::Update, Grade::UpdateInPlace)]);
        let possible = |id| changes(vec![proposed(id, "Modify", Some(Replacement::Conditional))]);
        let always = changes(vec![proposed("Table", "Modify", Some(Replacement::Always))]);
        for (local, changes, expected) in [
            (true, possible("Table"), Decision::Execute),
            (false, possible("Table"), Decision::Decline),
            (true, possible("Unplanned"), Decision::Decline),
            (true, always, Decision::Decline),
        ] {
            let cli = <crate::cli::Cli as clap::Parser>::parse_from(["stackctl", "diff"]);
            let agreed = Plan {
                stacks: vec![calm.clone()],
            };
            let approval = Approval::new(Ui::new(&cli.global), Consent::Kept, Some(agreed));
            let decision = approval.in_place(local).approve(&changes).await;
            assert_eq!(decision, expected, "{local} {changes:?}");
        }
    }

    /// What may be replaced by the plan was agreed to with it, in the grade that it has then.
    #[tokio::test]
    async fn what_the_plan_says_that_may_be_replaced_is_executed() {
        use Consent::{Given, Kept};
        let perhaps = |grade| {
            plan(vec![ResourceChange {
                perhaps: true,
                ..planned("Table", Action::Update, grade)
            }])
        };
        let possible = |policy: &str| {
            let mut change = proposed("Table", "Modify", Some(Replacement::Conditional));
            change.policy_action = Some(policy.to_owned());
            changes(vec![change])
        };
        let deletes = possible("ReplaceAndDelete");
        let retains = possible("ReplaceAndRetain");
        let (lost, kept) = (perhaps(Grade::DataLoss), perhaps(Grade::Replacement));
        for consent in [Given, Kept] {
            for (agreed, changes, expected) in [
                (&lost, &deletes, Decision::Execute),
                (&lost, &retains, Decision::Execute),
                (&kept, &retains, Decision::Execute),
                (&kept, &deletes, Decision::Decline),
            ] {
                let cli = <crate::cli::Cli as clap::Parser>::parse_from(["stackctl", "diff"]);
                let agreed = Plan {
                    stacks: vec![agreed.clone()],
                };
                let approval = Approval::new(Ui::new(&cli.global), consent, Some(agreed));
                let decision = approval.approve(changes).await;
                assert_eq!(decision, expected, "{consent:?} {changes:?}");
            }
        }
    }

    /// A protected stage asks for what goes if it is replaced, and then for nothing more.
    #[tokio::test]
    async fn data_that_a_possible_replacement_deletes_is_allowed_by_name_in_a_protected_stage() {
        let template = |lock: bool| {
            json!({"Resources": {"Table": {
                "Type": "AWS::S3::Bucket", "Properties": {"ObjectLockEnabled": lock},
            }}})
        };
        let (old, new) = (template(false), template(true));
        let side = |template| Side {
            template: Some(template),
            ..Side::default()
        };
        let none = BTreeMap::new();
        let agreed = compare("orders-prod", &side(&old), &side(&new), &none, &Registry);
        assert!(agreed.changes[0].perhaps, "{agreed:?}");
        let plan = Plan {
            stacks: vec![agreed],
        };
        let placed = [(None, &plan)];
        let allowed = ["data-loss:Table".parse().expect("is an allowance")];
        assert!(super::super::refuse(&placed, &[], "prod").is_err());
        assert!(super::super::refuse(&placed, &allowed, "prod").is_ok());
        let mut change = proposed("Table", "Modify", Some(Replacement::Conditional));
        change.resource_type = "AWS::S3::Bucket".to_owned();
        change.policy_action = Some("ReplaceAndDelete".to_owned());
        let cli = <crate::cli::Cli as clap::Parser>::parse_from(["stackctl", "diff"]);
        let approval = Approval::new(Ui::new(&cli.global), Consent::Given, Some(plan.clone()))
            .allowing(&allowed, Some("prod"));
        assert_eq!(
            approval.approve(&changes(vec![change])).await,
            Decision::Execute
        );
    }

    #[tokio::test]
    async fn a_danger_that_only_cloudformation_knows_is_asked_for_by_name() {
        use Consent::{Answered, Given, Kept, NotNeeded};
        let calm = plan(vec![planned("Table", Action::Update, Grade::UpdateInPlace)]);
        let lost = changes(vec![proposed("Table", "Modify", Some(Replacement::Always))]);
        let same = changes(vec![proposed("Table", "Modify", Some(Replacement::Never))]);
        let allow = ["data-loss:Table"];
        let rows: [(Consent, &[&str], bool, &ProposedChanges, Decision); 9] = [
            (Given, &[], true, &same, Decision::Execute),
            (Kept, &[], true, &same, Decision::Execute),
            (Given, &[], false, &lost, Decision::Decline),
            (Given, &[], true, &lost, Decision::Decline),
            (Given, &allow, false, &lost, Decision::Execute),
            (Given, &allow, true, &lost, Decision::Execute),
            (Answered, &[], false, &lost, Decision::Decline),
            (Kept, &allow, false, &lost, Decision::Decline),
            (NotNeeded, &[], false, &lost, Decision::Execute),
        ];
        for (consent, allowed, protected, changes, expected) in rows {
            let cli = <crate::cli::Cli as clap::Parser>::parse_from(["stackctl", "diff"]);
            let agreed = Plan {
                stacks: vec![calm.clone()],
            };
            let allowances: Vec<Allowance> = allowed
                .iter()
                .map(|text| text.parse().expect("is an allowance"))
                .collect();
            let approval = Approval::new(Ui::new(&cli.global), consent, Some(agreed))
                .allowing(&allowances, protected.then_some("prod"));
            let decision = approval.approve(changes).await;
            assert_eq!(decision, expected, "{consent:?} {allowed:?} {protected}");
            assert_eq!(
                approval.declined().is_empty(),
                decision == Decision::Execute
            );
        }
    }
}
