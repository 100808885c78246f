//! Asks for consent before anything changes, and holds the engine to what was shown.

mod allow;
mod anew;
mod merge;
mod surprise;

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::json;

use super::Session;
use crate::cli::Allowance;
use crate::engine::plan::{Plan, StackPlan};
use crate::engine::{Approve, Decision, Finding, Proposed, ProposedChanges};
use crate::error::{Error, Kind, Result};
use crate::ui::{self, Ui};
use surprise::{Surprise, nothing_changes, surprises};

pub(super) use allow::{named as dangers, protect, refuse};

/// Who agreed to what is about to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Consent {
    /// Nobody has to: the place is local.
    NotNeeded,
    /// `--yes` was given.
    Given,
    /// A plan that was kept is executed, which somebody read before.
    Kept,
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
        .cause(question.to_owned())
        .hint("read what is said above, then approve it with `--yes`"));
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
    Err(error.hint("look at it and approve it with `stackctl deploy`"))
}

/// Asks for the name of a protected stage, which `--confirm` gives; `--yes` does not suffice.
pub(super) async fn confirm_stage(
    session: &Session,
    stage: &str,
    given: Option<&str>,
    danger: &str,
) -> Result<()> {
    let why = format!("stage `{stage}` is protected");
    confirm(session, stage, given, (danger, &why)).await
}

/// Asks for the name of a stage, which `--confirm` gives, for a danger and a reason to ask for more than a yes.
pub(super) async fn confirm(
    session: &Session,
    stage: &str,
    given: Option<&str>,
    (danger, why): (&str, &str),
) -> Result<()> {
    if let Some(given) = given {
        return if given == stage {
            Ok(())
        } else {
            Err(other_stage(stage, given, danger))
        };
    }
    if session.ui.can_ask() {
        let question = format!("{danger}. Type the name of the stage to go on: ");
        let answer = session.guard(session.ui.ask(&question)).await?;
        if answer == stage {
            return Ok(());
        }
        let not = format!("`{answer}` is not the name of the stage, which is `{stage}`");
        return Err(Error::new(Kind::Refused, not).hint("nothing was changed"));
    }
    Err(Error::new(Kind::Refused, why)
        .cause(danger.to_owned())
        .hint(format!("to do it all the same, add `--confirm {stage}`")))
}

/// Says that `--confirm` names another stage: whoever wrote it thinks of that one, protected or not.
pub(super) fn other_stage(stage: &str, given: &str, danger: &str) -> Error {
    Error::new(
        Kind::Refused,
        format!("`--confirm` names `{given}`, and the stage is `{stage}`"),
    )
    .cause(danger.to_owned())
    .hint(format!("to do it all the same, give `--confirm {stage}`"))
}

/// Approves the change sets that do what the plan said, and asks again about those that do more.
pub(super) struct Approval {
    ui: Ui,
    consent: Consent,
    /// What was agreed to. A plan that was made anew and agreed to takes the place of the one before.
    plan: Mutex<Option<Plan>>,
    /// What the command line allows of what is dangerous.
    allowed: Vec<Allowance>,
    /// The name of the stage, where it is protected.
    protected: Option<String>,
    /// Whether the change sets are those of the local engine.
    local: bool,
    declined: Mutex<BTreeMap<String, Vec<String>>>,
    /// How to allow what a protected stage refused.
    hints: Mutex<BTreeSet<String>>,
}

impl Approval {
    /// Makes one for a plan that was agreed to; without a plan every change set is approved.
    pub(super) fn new(ui: Ui, consent: Consent, plan: Option<Plan>) -> Self {
        Self {
            ui,
            consent,
            plan: Mutex::new(plan),
            allowed: Vec::new(),
            protected: None,
            local: false,
            declined: Mutex::default(),
            hints: Mutex::default(),
        }
    }

    /// Says what leads on where something was not approved that nobody agreed to beforehand.
    pub(super) fn way_on(&self) -> &'static str {
        match self.consent {
            // Exactly the plan that was kept is executed, or none.
            Consent::Kept => {
                "keep a plan of what would change now with `stackctl diff --out FILE`, read it, and deploy that"
            }
            _ => "deploy again with somebody to ask, and without `--yes`",
        }
    }

    /// Lets what the command line allows count for plans that are made anew; a protected stage has to allow every danger.
    pub(super) fn allowing(mut self, allowed: &[Allowance], protected: Option<&str>) -> Self {
        self.allowed = allowed.to_vec();
        self.protected = protected.map(str::to_owned);
        self
    }

    /// Takes change sets for those of the local engine, which calls a replacement possible wherever what a resource refers to
    /// changes: the plan of the same template knows better.
    pub(super) fn in_place(mut self, local: bool) -> Self {
        self.local = local;
        self
    }

    /// Returns what was agreed to last.
    pub(super) fn plan(&self) -> Option<Plan> {
        locked(&self.plan).clone()
    }

    /// Returns what was not approved, one line each.
    fn declined(&self) -> Vec<String> {
        locked(&self.declined)
            .iter()
            .flat_map(|(stack, lines)| lines.iter().map(move |line| format!("{stack}: {line}")))
            .collect()
    }

    /// Adds to an error what was not approved, where anything was not, and what leads on: the options that allow it in a
    /// protected stage, or `again`.
    pub(super) fn explain(&self, error: Error, again: &str) -> Error {
        let declined = self.declined();
        if declined.is_empty() {
            return error;
        }
        let error = declined.into_iter().fold(error, Error::cause);
        let hints = locked(&self.hints);
        if hints.is_empty() {
            error.hint(again)
        } else {
            hints.iter().fold(error, Error::hint)
        }
    }

    /// Refuses what a protected stage was not allowed, and remembers how to. Returns one line for each danger.
    fn refused(&self, plan: &Plan) -> Vec<String> {
        let Some(stage) = &self.protected else {
            return Vec::new();
        };
        let Err(error) = refuse(&[(None, plan)], &self.allowed, stage) else {
            return Vec::new();
        };
        locked(&self.hints).extend(error.hints().iter().cloned());
        error.causes().to_vec()
    }

    fn decline(&self, stack: &str, lines: Vec<String>) -> Decision {
        locked(&self.declined).insert(stack.to_owned(), lines);
        Decision::Decline
    }

    /// Returns what was agreed to for a stack; nothing, where no plan was shown.
    fn agreed(&self, stack: &str) -> Option<StackPlan> {
        let plan = locked(&self.plan);
        let plan = plan.as_ref()?;
        let found = plan.stacks.iter().find(|plan| plan.stack == stack);
        // A plan that says nothing of a stack says that nothing happens to it.
        Some(found.cloned().unwrap_or_else(|| StackPlan {
            stack: stack.to_owned(),
            ..StackPlan::default()
        }))
    }

    /// Shows what CloudFormation says of a stack, at the resources that it is about.
    fn show(&self, plan: &StackPlan) {
        let told = Plan {
            stacks: vec![merge::told(plan)],
        };
        if self.ui.json() {
            self.ui
                .json_line(&json!({"type": "plan", "stacks": [plan]}));
        }
        self.ui.line(ui::said(&told).trim_end());
    }

    async fn decide(&self, changes: &ProposedChanges) -> Decision {
        let Some(agreed) = self.agreed(&changes.stack) else {
            return Decision::Execute;
        };
        let mut surprises = surprises(&agreed, changes);
        if self.local {
            surprises.retain(|surprise| !surprise.is_guessed(&agreed));
        }
        let merged = beside(&agreed, &Proposed::Changes(changes.clone()));
        if !surprises.is_empty() {
            self.ui.warn(format!(
                "CloudFormation and the plan disagree about {}:",
                changes.stack
            ));
        } else if !changes.findings.is_empty() {
            let text = format!("CloudFormation has something to say of {}:", changes.stack);
            self.ui.warn(text);
        } else if changes.hooks.is_empty() {
            return Decision::Execute;
        }
        self.show(&merged);
        // Exactly the plan that was kept is executed, or none.
        let beyond = surprises.iter().filter(|surprise| surprise.beyond);
        let beyond: Vec<String> = beyond.map(ToString::to_string).collect();
        if self.consent == Consent::Kept && !beyond.is_empty() {
            return self.decline(&changes.stack, beyond);
        }
        let dangerous: Vec<&Surprise> = surprises
            .iter()
            .filter(|surprise| surprise.dangerous)
            .collect();
        if dangerous.is_empty() {
            return Decision::Execute;
        }
        let lines = || dangerous.iter().map(ToString::to_string).collect();
        let is_allowed = |surprise: &Surprise| {
            let covers = |allowance: &Allowance| {
                allowance.covers(surprise.grade, &changes.stack, &surprise.logical_id)
            };
            self.allowed.iter().any(covers)
        };
        match self.consent {
            Consent::NotNeeded => return Decision::Execute,
            Consent::Answered | Consent::Given => {}
            Consent::Kept => return self.decline(&changes.stack, lines()),
        }
        let refused = self.refused(&Plan {
            stacks: vec![merged],
        });
        if !refused.is_empty() {
            return self.decline(&changes.stack, refused);
        }
        // Whoever said yes beforehand said it to something else, but for the dangers that were allowed by name.
        if dangerous.iter().all(|surprise| is_allowed(surprise)) {
            return Decision::Execute;
        }
        let question = "Execute this change set all the same?";
        if self.consent == Consent::Answered && self.ui.can_ask() && self.ui.confirm(question).await
        {
            return Decision::Execute;
        }
        self.decline(&changes.stack, lines())
    }

    /// Decides about a plan that was made anew: one that does the same needs no other answer, and one that is less
    /// dangerous none where the answer was given beforehand.
    async fn decide_anew(&self, now: &StackPlan) -> Decision {
        let before = self.agreed(&now.stack).unwrap_or_default();
        let differences = anew::differences(&before, now);
        if differences.is_empty() {
            self.ui.warn(format!(
                "somebody changed {} after its plan was made; made anew, the plan is the same",
                now.stack
            ));
            return self.take(now);
        }
        self.ui.warn(format!(
            "somebody changed {} after its plan was made; this would happen now:",
            now.stack
        ));
        let alone = Plan {
            stacks: vec![now.clone()],
        };
        if self.ui.json() {
            self.ui
                .json_line(&json!({"type": "plan", "anew": true, "stacks": alone.stacks}));
        }
        let text = ui::plan(&alone, self.ui.verbose() > 1);
        self.ui.line(text.trim_end());
        let mut refused = alone.impossible();
        refused.extend(self.refused(&alone));
        if !refused.is_empty() {
            return self.decline(&now.stack, refused);
        }
        let worse = anew::worse(&before, now, &self.allowed);
        match self.consent {
            Consent::NotNeeded => return self.take(now),
            Consent::Answered if self.ui.can_ask() => {
                let question = "Deploy these changes in place of those before?";
                if self.ui.confirm(question).await {
                    return self.take(now);
                }
                return self.decline(&now.stack, differences);
            }
            Consent::Given if worse.is_empty() => return self.take(now),
            // Exactly the plan that was kept is executed, or none.
            Consent::Answered | Consent::Kept => return self.decline(&now.stack, differences),
            Consent::Given => {}
        }
        self.decline(&now.stack, worse)
    }

    /// Puts a plan in the place of the one before, and has it executed.
    fn take(&self, now: &StackPlan) -> Decision {
        if let Some(plan) = &mut *locked(&self.plan) {
            plan.stacks.retain(|plan| plan.stack != now.stack);
            plan.stacks.push(now.clone());
        }
        Decision::Execute
    }
}

/// Returns a plan with what CloudFormation says beside it.
pub(super) fn beside(plan: &StackPlan, said: &Proposed) -> StackPlan {
    match said {
        Proposed::Changes(changes) => {
            let surprises = surprises(plan, changes);
            let mut merged = merge::merged(plan, &changes.changes, &surprises);
            merge::note(&mut merged, &changes.findings, &changes.hooks);
            merged
        }
        Proposed::Refused { reason, findings } => {
            let mut noted = plan.clone();
            let whole = [Finding::refusal(reason)];
            let findings = if findings.is_empty() {
                &whole
            } else {
                findings.as_slice()
            };
            merge::note(&mut noted, findings, &[]);
            noted
        }
        Proposed::Unasked(text) => {
            let mut noted = plan.clone();
            let note = format!("CloudFormation was not asked: {text}");
            noted.note = Some(match noted.note.take() {
                Some(before) => format!("{before}; {note}"),
                None => note,
            });
            noted
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Approve for Approval {
    fn approve<'a>(
        &'a self,
        changes: &'a ProposedChanges,
    ) -> Pin<Box<dyn Future<Output = Decision> + Send + 'a>> {
        Box::pin(self.decide(changes))
    }

    fn approve_anew<'a>(
        &'a self,
        plan: &'a StackPlan,
    ) -> Pin<Box<dyn Future<Output = Decision> + Send + 'a>> {
        Box::pin(self.decide_anew(plan))
    }

    fn found(&self, stack: &str, findings: &[Finding]) {
        let Some(mut plan) = self.agreed(stack) else {
            return;
        };
        merge::note(&mut plan, findings, &[]);
        self.ui.warn(format!(
            "CloudFormation refuses the change set of {stack}, before anything is changed:"
        ));
        self.show(&plan);
    }

    fn left_as_it_is(&self, stack: &str) {
        let text = locked(&self.plan)
            .as_ref()
            .and_then(|plan| nothing_changes(plan, stack));
        if let Some(text) = text {
            self.ui.warn(text);
        }
    }
}
