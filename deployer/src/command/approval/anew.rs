//! Plans that are made anew, because somebody else changed a stack after its plan was agreed to.

use std::fmt::Write as _;

use crate::cli::Allowance;
use crate::engine::plan::{Action, Grade, Seal, StackPlan};

/// Says what a plan does that the one before did not, whatever was deployed when each was made.
pub(super) fn differences(before: &StackPlan, now: &StackPlan) -> Vec<String> {
    let [before, now] = [before, now].map(|plan| Seal {
        basis: None,
        ..Seal::of(plan)
    });
    before.moved(&now)
}

/// Says what of a plan is more dangerous than the one before, as far as nothing on the command line allows it: whoever
/// agreed to that one did not agree to this.
pub(super) fn worse(before: &StackPlan, now: &StackPlan, allowed: &[Allowance]) -> Vec<String> {
    let is_allowed = |danger: Grade, logical_id: &str| {
        allowed
            .iter()
            .any(|allowance| allowance.covers(danger, &now.stack, logical_id))
    };
    let mut told = Vec::new();
    for change in &now.changes {
        let id = &change.logical_id;
        let known = before
            .changes
            .iter()
            .find(|planned| planned.logical_id == *id);
        let grade = known.map_or(Grade::None, |planned| planned.grade);
        let mut words: Vec<String> = change
            .dangers
            .iter()
            .filter(|danger| !known.is_some_and(|planned| planned.dangers.contains(danger)))
            .filter(|danger| !is_allowed(**danger, id))
            .map(|danger| match danger {
                Grade::Replacement if change.perhaps => {
                    "perhaps replaced by an empty one".to_owned()
                }
                Grade::Replacement => "replaced by an empty one".to_owned(),
                danger => super::allow::words(*danger),
            })
            .collect();
        let is_graded = !change.dangers.contains(&change.grade);
        if is_graded && change.grade > grade && change.grade >= Grade::Interruption {
            words.push(
                match change.grade {
                    Grade::Impossible => "cannot be deployed",
                    Grade::Replacement if change.perhaps => "perhaps replaced by another one",
                    Grade::Replacement => "replaced by another one",
                    _ => "interrupted",
                }
                .to_owned(),
            );
        }
        let agreed =
            known.is_some_and(|planned| planned.perhaps || planned.action == Action::Replace);
        if words.is_empty() && change.perhaps && !agreed && !is_allowed(change.grade, id) {
            words.push("perhaps replaced".to_owned());
        }
        let goes = matches!(
            change.action,
            Action::Delete | Action::Replace | Action::Retain
        );
        if words.is_empty()
            && goes
            && known.map(|planned| planned.action) != Some(change.action)
            && !is_allowed(change.grade, id)
        {
            words.push(match change.action {
                Action::Delete => "deleted".to_owned(),
                Action::Replace => "replaced".to_owned(),
                _ => "let go of".to_owned(),
            });
        }
        if words.is_empty() {
            continue;
        }
        let mut line = format!("{id} ({}): {}", change.resource_type, words.join(", "));
        if let Some(reason) = change.reasons.first() {
            let _ = write!(line, ": {reason}");
        }
        told.push(line);
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::approval::{Approval, Consent};
    use crate::engine::plan::{Plan, ResourceChange};
    use crate::engine::{Approve as _, Decision};
    use crate::ui::Ui;

    fn plan(changes: &[(&str, Action, Grade)]) -> StackPlan {
        let changes = changes.iter().map(|(id, action, grade)| ResourceChange {
            logical_id: (*id).to_owned(),
            resource_type: "AWS::DynamoDB::Table".to_owned(),
            action: *action,
            grade: *grade,
            dangers: Grade::DANGERS
                .into_iter()
                .filter(|danger| danger == grade)
                .collect(),
            reasons: vec!["because".to_owned()],
            ..ResourceChange::default()
        });
        StackPlan {
            stack: "orders-prod".to_owned(),
            changes: changes.collect(),
            ..StackPlan::default()
        }
    }

    #[test]
    fn what_is_more_dangerous_than_before_is_named_and_nothing_else() {
        use Action::{Create, Delete, Replace, Update};
        use Grade::{
            DataLoss, Impossible, Interruption, None, PermissionWidened, Replacement, UpdateInPlace,
        };
        // What was agreed to, what would happen now, and what of that nobody agreed to.
        let rows: [(&[_], &[_], &str); 12] = [
            (&[], &[], ""),
            (&[(Update, UpdateInPlace)], &[(Update, UpdateInPlace)], ""),
            (&[(Update, DataLoss)], &[(Update, UpdateInPlace)], ""),
            (&[], &[(Create, None)], ""),
            (&[], &[(Update, UpdateInPlace)], ""),
            (&[], &[(Update, Interruption)], "interrupted"),
            (
                &[(Update, Interruption)],
                &[(Delete, Interruption)],
                "deleted",
            ),
            (
                &[(Update, UpdateInPlace)],
                &[(Replace, Replacement)],
                "replaced by an empty one",
            ),
            // A grade above a replacement is no consent to one.
            (
                &[(Update, PermissionWidened)],
                &[(Replace, Replacement)],
                "replaced by an empty one",
            ),
            (
                &[(Replace, Replacement)],
                &[(Replace, DataLoss)],
                "data loss",
            ),
            (
                &[(Update, DataLoss)],
                &[(Update, PermissionWidened)],
                "permission widened",
            ),
            (
                &[(Update, DataLoss)],
                &[(Update, Impossible)],
                "cannot be deployed",
            ),
        ];
        for (before, now, expected) in rows {
            let of = |changes: &[(Action, Grade)]| {
                let named: Vec<_> = changes
                    .iter()
                    .map(|(action, grade)| ("Orders", *action, *grade))
                    .collect();
                plan(&named)
            };
            let told = worse(&of(before), &of(now), &[]);
            let expected: Vec<String> = std::iter::once(expected)
                .filter(|word| !word.is_empty())
                .map(|word| format!("Orders (AWS::DynamoDB::Table): {word}: because"))
                .collect();
            assert_eq!(told, expected, "{before:?} and {now:?}");
        }
    }

    #[test]
    fn what_may_be_replaced_now_and_could_not_before_is_worse() {
        let before = plan(&[("Orders", Action::Update, Grade::PermissionWidened)]);
        let mut now = before.clone();
        now.changes[0].perhaps = true;
        assert_eq!(
            worse(&before, &now, &[]),
            ["Orders (AWS::DynamoDB::Table): perhaps replaced: because"]
        );
        assert_eq!(worse(&now, &now, &[]), [""; 0]);
        assert_eq!(worse(&now, &before, &[]), [""; 0]);
        assert_eq!(
            differences(&before, &now),
            ["Orders may be replaced, and could not be"]
        );
    }

    #[test]
    fn what_the_command_line_allows_is_no_worse() {
        let now = plan(&[
            ("Orders", Action::Delete, Grade::DataLoss),
            ("Other", Action::Delete, Grade::DataLoss),
        ]);
        let allowed = ["data-loss:Orders".parse().expect("is an allowance")];
        let told = worse(&plan(&[]), &now, &allowed);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("Other "));
    }

    #[test]
    fn what_differs_is_what_happens_and_not_what_was_there() {
        let before = plan(&[("Orders", Action::Update, Grade::UpdateInPlace)]);
        assert_eq!(differences(&before, &before), [""; 0]);
        let now = plan(&[
            ("Orders", Action::Update, Grade::UpdateInPlace),
            ("Other", Action::Create, Grade::None),
        ]);
        assert_eq!(differences(&before, &now), ["Other would be created too"]);
    }

    /// Returns how a plan that was made anew is decided about, without a terminal.
    async fn decided(
        consent: Consent,
        allowed: &[&str],
        protected: bool,
        before: &StackPlan,
        now: &StackPlan,
    ) -> (Decision, Vec<String>) {
        let cli = <crate::cli::Cli as clap::Parser>::parse_from(["stackctl", "diff"]);
        let plan = Plan {
            stacks: vec![before.clone()],
        };
        let allowed: Vec<Allowance> = allowed
            .iter()
            .map(|text| text.parse().expect("is an allowance"))
            .collect();
        let approval = Approval::new(Ui::new(&cli.global), consent, Some(plan))
            .allowing(&allowed, protected.then_some("prod"));
        let decision = approval.approve_anew(now).await;
        (decision, approval.declined())
    }

    #[tokio::test]
    async fn what_was_agreed_to_beforehand_is_held_against_the_new_plan() {
        use Consent::{Answered, Given, Kept, NotNeeded};
        let calm = plan(&[("Orders", Action::Update, Grade::UpdateInPlace)]);
        let more = plan(&[
            ("Orders", Action::Update, Grade::UpdateInPlace),
            ("New", Action::Create, Grade::None),
        ]);
        let lost = plan(&[("Orders", Action::Delete, Grade::DataLoss)]);
        let impossible = plan(&[("Orders", Action::Update, Grade::Impossible)]);
        let allow = ["data-loss:Orders"];
        // A resource leaves the stack to be renamed, which was to be refactored.
        let otherwise = plan(&[("Orders", Action::Update, Grade::Interruption)]);
        let rows: [(Consent, &[&str], bool, &StackPlan, Decision); 15] = [
            (Given, &[], false, &calm, Decision::Execute),
            (Kept, &[], false, &calm, Decision::Execute),
            (Answered, &[], true, &calm, Decision::Execute),
            // Less than was agreed to, or not more dangerous.
            (Given, &[], false, &plan(&[]), Decision::Execute),
            (Given, &[], false, &more, Decision::Execute),
            (Given, &[], true, &more, Decision::Execute),
            // Whoever answered is asked again, and whoever kept a plan has none but that executed.
            (Answered, &[], false, &more, Decision::Decline),
            (Kept, &[], false, &more, Decision::Decline),
            (Kept, &[], false, &otherwise, Decision::Decline),
            (Given, &[], false, &lost, Decision::Decline),
            (Given, &[], true, &lost, Decision::Decline),
            (Given, &allow, false, &lost, Decision::Execute),
            (Given, &allow, true, &lost, Decision::Execute),
            (Given, &[], false, &impossible, Decision::Decline),
            (NotNeeded, &[], false, &lost, Decision::Execute),
        ];
        for (consent, allowed, protected, now, expected) in rows {
            let (decision, lines) = decided(consent, allowed, protected, &calm, now).await;
            assert_eq!(
                decision, expected,
                "{consent:?} {allowed:?} {protected} {now:?}"
            );
            assert_eq!(lines.is_empty(), decision == Decision::Execute);
        }
    }
}
