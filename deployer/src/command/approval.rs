//! Asks for consent before anything changes, and holds the engine to what was shown.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Mutex;

use super::Session;
use crate::engine::plan::{Action, Grade, Plan};
use crate::engine::{Approve, Change, Decision, ProposedChanges, Replacement};
use crate::error::{Error, Kind, Result};
use crate::ui::Ui;

/// Who agreed to what is about to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Consent {
    /// Nobody has to: the place is local.
    NotNeeded,
    /// `--yes` was given.
    Given,
    /// Somebody answered.
    Answered,
}

/// Asks a question that `--yes` answers. Without a terminal and without `--yes` it is refused.
pub(super) async fn ask(session: &Session, local: bool, question: &str) -> Result<Consent> {
    if local {
        return Ok(Consent::NotNeeded);
    }
    if session.global.yes {
        return Ok(Consent::Given);
    }
    if !session.ui.can_ask() {
        return Err(Error::new(
            Kind::Refused,
            "this needs approval, and nobody can be asked",
        )
        .hint("read what would change with `stackctl diff`, then approve with `--yes`"));
    }
    if session.guard(session.ui.confirm(question)).await? {
        Ok(Consent::Answered)
    } else {
        Err(Error::new(Kind::Refused, "not approved").hint("nothing was changed"))
    }
}

/// Asks for the name of a protected stage, which `--confirm` gives; `--yes` does not suffice.
pub(super) async fn confirm_stage(
    session: &Session,
    stage: &str,
    given: Option<&str>,
    danger: &str,
) -> Result<()> {
    if given == Some(stage) {
        return Ok(());
    }
    if given.is_none() && session.ui.can_ask() {
        let question = format!("{danger}. Type the name of the stage to go on: ");
        if session.guard(session.ui.ask(&question)).await? == stage {
            return Ok(());
        }
    }
    Err(
        Error::new(Kind::Refused, format!("stage `{stage}` is protected"))
            .cause(danger.to_owned())
            .hint(format!("to do it all the same, add `--confirm {stage}`")),
    )
}

/// Approves the change sets that do what the plan said, and asks again about those that do more.
pub(super) struct Approval {
    ui: Ui,
    consent: Consent,
    plan: Option<Plan>,
    declined: Mutex<BTreeMap<String, Vec<String>>>,
}

impl Approval {
    /// Makes one for a plan that was agreed to; without a plan every change set is approved.
    pub(super) fn new(ui: Ui, consent: Consent, plan: Option<Plan>) -> Self {
        Self {
            ui,
            consent,
            plan,
            declined: Mutex::default(),
        }
    }

    async fn decide(&self, changes: &ProposedChanges) -> Decision {
        let Some(plan) = &self.plan else {
            return Decision::Execute;
        };
        let surprises = surprises(plan, changes);
        if surprises.is_empty() {
            return Decision::Execute;
        }
        self.ui.warn(format!(
            "CloudFormation would do more to {} than the plan says:",
            changes.stack
        ));
        for surprise in &surprises {
            self.ui.line(format!("  {surprise}"));
        }
        match self.consent {
            Consent::NotNeeded => return Decision::Execute,
            Consent::Answered if self.ui.can_ask() => {
                if self
                    .ui
                    .confirm("Execute this change set all the same?")
                    .await
                {
                    return Decision::Execute;
                }
            }
            // Whoever said yes beforehand said it to something else.
            Consent::Answered | Consent::Given => {}
        }
        self.declined
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .insert(changes.stack.clone(), surprises);
        Decision::Decline
    }
}

impl Approve for Approval {
    fn approve<'a>(
        &'a self,
        changes: &'a ProposedChanges,
    ) -> Pin<Box<dyn Future<Output = Decision> + Send + 'a>> {
        Box::pin(self.decide(changes))
    }
}

/// Returns what a change set destroys that the plan does not: replacements and removals, one line each.
fn surprises(plan: &Plan, changes: &ProposedChanges) -> Vec<String> {
    let planned = plan
        .stacks
        .iter()
        .find(|stack| stack.stack == changes.stack);
    changes
        .changes
        .iter()
        .filter_map(|change| {
            let known = planned.and_then(|stack| {
                stack
                    .changes
                    .iter()
                    .find(|planned| planned.logical_id == change.logical_id)
            });
            let word = if is_removal(change) {
                let expected = known.is_some_and(|planned| {
                    matches!(planned.action, Action::Delete | Action::Retain)
                });
                (!expected).then_some("removed")
            } else if change.replacement == Some(Replacement::Always) {
                let expected = known.is_some_and(|planned| {
                    planned.action == Action::Replace || planned.grade >= Grade::Replacement
                });
                (!expected).then_some("replaced")
            } else {
                None
            };
            word.map(|word| {
                format!(
                    "{} ({}) would be {word}",
                    change.logical_id, change.resource_type
                )
            })
        })
        .collect()
}

fn is_removal(change: &Change) -> bool {
    change.action == "Remove"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::plan::{ResourceChange, StackPlan};

    fn planned(logical_id: &str, action: Action, grade: Grade) -> ResourceChange {
        ResourceChange {
            logical_id: logical_id.to_owned(),
            resource_type: "AWS::SQS::Queue".to_owned(),
            action,
            grade,
            reasons: Vec::new(),
            properties: Vec::new(),
            source: None,
        }
    }

    fn proposed(logical_id: &str, action: &str, replacement: Option<Replacement>) -> Change {
        Change {
            logical_id: logical_id.to_owned(),
            resource_type: "AWS::SQS::Queue".to_owned(),
            physical_id: None,
            action: action.to_owned(),
            replacement,
            policy_action: None,
            scope: Vec::new(),
            properties: Vec::new(),
            source: None,
        }
    }

    #[test]
    fn what_destroys_and_was_not_shown_is_a_surprise() {
        let plan = Plan {
            stacks: vec![StackPlan {
                stack: "intake-dev".to_owned(),
                changes: vec![
                    planned("Known", Action::Replace, Grade::DataLoss),
                    planned("Gone", Action::Delete, Grade::Interruption),
                    planned("Mild", Action::Update, Grade::UpdateInPlace),
                ],
                ..StackPlan::default()
            }],
        };
        let changes = ProposedChanges {
            stack: "intake-dev".to_owned(),
            create: false,
            change_set: "x".to_owned(),
            changes: vec![
                proposed("Known", "Modify", Some(Replacement::Always)),
                proposed("Gone", "Remove", None),
                proposed("Mild", "Modify", Some(Replacement::Always)),
                proposed("New", "Add", None),
                proposed("Other", "Remove", None),
                proposed("Soft", "Modify", Some(Replacement::Never)),
            ],
        };
        assert_eq!(
            surprises(&plan, &changes),
            [
                "Mild (AWS::SQS::Queue) would be replaced",
                "Other (AWS::SQS::Queue) would be removed"
            ]
        );
    }
}
