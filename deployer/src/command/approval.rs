//! Asks for consent before anything changes, and holds the engine to what was shown.

mod allow;
mod surprise;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Mutex;

use super::Session;
use crate::engine::plan::Plan;
use crate::engine::{Approve, Decision, ProposedChanges};
use crate::error::{Error, Kind, Result};
use crate::ui::Ui;
use surprise::{nothing_changes, surprises};

pub(super) use allow::{idle, named as dangers, refuse};

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
        .hint(format!(
            "read what would change with `stackctl diff{}`, then approve with `--yes`",
            options(session)
        )));
    }
    if session.guard(session.ui.confirm(question)).await? {
        Ok(Consent::Answered)
    } else {
        Err(Error::new(Kind::Refused, "not approved").hint("nothing was changed"))
    }
}

/// Asks a question that `--yes` does not answer, because it was given before anybody knew of these dangers.
pub(super) async fn ask_again(
    session: &Session,
    dangers: &[String],
    question: &str,
) -> Result<Consent> {
    if session.ui.can_ask() {
        for danger in dangers {
            session.ui.warn(danger);
        }
        return if session.guard(session.ui.confirm(question)).await? {
            Ok(Consent::Answered)
        } else {
            Err(Error::new(Kind::Refused, "not approved").hint("nothing was changed"))
        };
    }
    let error = Error::new(
        Kind::Refused,
        "`--yes` was given before this was known, and nobody can be asked",
    );
    let error = dangers.iter().fold(error, Error::cause);
    Err(error.hint(format!(
        "look at it and approve it with `stackctl deploy{}`",
        options(session)
    )))
}

/// Returns the options with which another command works on the same stage and place, each after a space.
pub(super) fn options(session: &Session) -> String {
    let global = &session.global;
    let mut options = String::new();
    if global.local {
        options += " --local";
    }
    for (name, value) in [
        ("--stage", global.stage.as_deref()),
        ("--endpoint-url", global.endpoint_url.as_deref()),
    ] {
        if let Some(value) = value {
            options.extend([" ", name, " ", value]);
        }
    }
    for region in &global.regions {
        options.extend([" --region ", region]);
    }
    for assignment in &global.variables {
        let quoted = assignment.as_str().replace('\'', "'\\''");
        options.extend([" --var '", &quoted, "'"]);
    }
    options
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

    /// Returns what was not approved, one line each.
    pub(super) fn declined(&self) -> Vec<String> {
        self.declined
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .iter()
            .flat_map(|(stack, lines)| lines.iter().map(move |line| format!("{stack}: {line}")))
            .collect()
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
            "CloudFormation and the plan disagree about {}:",
            changes.stack
        ));
        for surprise in &surprises {
            self.ui.line(format!("  {}", surprise.text));
        }
        if !surprises.iter().any(|surprise| surprise.dangerous) {
            return Decision::Execute;
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
        let lines = surprises
            .into_iter()
            .filter(|surprise| surprise.dangerous)
            .map(|surprise| surprise.text)
            .collect();
        self.declined
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .insert(changes.stack.clone(), lines);
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

    fn left_as_it_is(&self, stack: &str) {
        let text = self
            .plan
            .as_ref()
            .and_then(|plan| nothing_changes(plan, stack));
        if let Some(text) = text {
            self.ui.warn(text);
        }
    }
}
