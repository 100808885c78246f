//! `drift`: finds what was changed behind CloudFormation's back, and changes it back.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;

use super::look::Look;
use super::{Session, ledger};
use crate::cli;
use crate::engine::{self, Approve, Decision, EventSink, Outcome, ProposedChanges, StackDrift};
use crate::error::{EXIT_CHANGES, Error, Kind, Result};
use crate::repeat::Repeated;
use crate::ui::{self, Activity, Ui};

/// What in sync is worth on the local engine.
const ENGINE_COMPARES: &str = "the local engine compares a dozen resource types and calls all others IN_SYNC unseen: it proves nothing of them";

pub(super) async fn run(session: &Session, arguments: &cli::Drift) -> Result<u8> {
    let look = Look::open(session, Some(&arguments.stacks)).await?;
    let looks = look.targets.iter().map(async |target| {
        let task = session.ui.task("drift", target.name.clone());
        let mut stacks = look.assembly.manifest.stacks.iter();
        let manifest = stacks.find(|stack| stack.name == target.name);
        let drift = engine::drift(&look.context, target, manifest).await;
        drop(task);
        drift
    });
    let looks = engine::abreast(look.context.concurrency, looks.collect());
    let drifts = session.guard(Box::pin(looks)).await?.into_iter();
    let drifts: Vec<StackDrift> = drifts.collect::<Result<_, _>>()?;
    let is_local = look.place.is_local();
    if is_local {
        session.ui.tell(ENGINE_COMPARES);
    }
    let options = Repeated::of(&session.global);
    let told = ui::drift(&drifts, is_local, &options);
    // What nobody could look at may be otherwise too.
    let differs = |drift: &StackDrift| drift.is_drifted() || drift.is_uncertain();
    let drifted = drifts.iter().any(differs);
    if !arguments.revert {
        if session.ui.json() {
            session.ui.document(&json!({"stacks": drifts}));
        } else {
            session.ui.out(told);
        }
        let changed = arguments.exit_code && drifted;
        return Ok(if changed { EXIT_CHANGES } else { 0 });
    }
    session.ui.line(told.trim_end());
    let reverted = Box::pin(revert(session, &look, &drifts)).await?;
    if session.ui.json() {
        session
            .ui
            .document(&json!({"stacks": drifts, "reverted": reverted}));
    }
    Ok(0)
}

/// What became of a stack that was to be changed back.
#[derive(serde::Serialize)]
struct Reverted {
    stack: String,
    outcome: Outcome,
}

async fn revert(session: &Session, look: &Look, drifts: &[StackDrift]) -> Result<Vec<Reverted>> {
    if look.place.is_local() {
        return Err(
            Error::new(Kind::Local, "the local engine does not change drift back")
                .hint("change it back by hand, or destroy the stack and deploy it again"),
        );
    }
    let stacks = &look.assembly.manifest.stacks;
    let of_nobody = drifts
        .iter()
        .find(|drift| stacks.iter().all(|stack| stack.name != drift.stack));
    if let Some(drift) = of_nobody {
        return Err(Error::new(
            Kind::Usage,
            format!(
                "{} is not in the source, and nothing is changed back that the source does not have",
                drift.stack
            ),
        )
        .hint("put it into the source again, or change it back by hand"));
    }
    let project = session.project()?;
    let (name, stage) = session.stage(&project)?;
    let mut reverted = Vec::new();
    for drift in drifts.iter().filter(|drift| drift.is_drifted()) {
        let Some(manifest) = stacks.iter().find(|stack| stack.name == drift.stack) else {
            continue;
        };
        let activity = Activity::new(&session.ui, "revert");
        let mut context = look
            .context
            .clone()
            .with_options(Repeated::of(&session.global));
        context.cancel = session.cancel.clone();
        let mut context = ledger::entering(context, &session.ui, &project, (name, stage));
        // Under --json the document at the end says what became of it.
        context.events = if session.ui.json() {
            EventSink::ignore()
        } else {
            activity.sink()
        };
        let ask = Ask {
            ui: session.ui.clone(),
            yes: session.global.yes,
            refused: Mutex::default(),
        };
        let result = engine::revert(&context, &Arc::new(manifest.clone()), &ask).await;
        activity.finish();
        let outcome = result?;
        match outcome {
            Outcome::Declined => return Err(ask.refusal(&drift.stack)),
            Outcome::Unchanged => session.ui.warn(format!(
                "{}: CloudFormation proposes no change; what differs is of a kind that it leaves alone",
                drift.stack
            )),
            _ => session.ui.done("reverted", &drift.stack),
        }
        reverted.push(Reverted {
            stack: drift.stack.clone(),
            outcome,
        });
    }
    if reverted.is_empty() {
        session
            .ui
            .done("nothing", "was changed behind CloudFormation's back");
    }
    Ok(reverted)
}

/// Shows a change set and asks for it.
struct Ask {
    ui: Ui,
    yes: bool,
    /// Why `--yes` was not enough.
    refused: Mutex<Vec<String>>,
}

impl Ask {
    async fn decide(&self, changes: &ProposedChanges) -> Decision {
        let lines = ui::proposed(changes);
        for line in &lines {
            self.ui.line(&line.text);
        }
        let dangerous: Vec<String> = lines
            .into_iter()
            .filter(|line| line.dangerous)
            .map(|line| line.plain)
            .collect();
        if self.yes && dangerous.is_empty() {
            return Decision::Execute;
        }
        if self.ui.can_ask() && self.ui.confirm("Change this back?").await {
            return Decision::Execute;
        }
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = dangerous;
        Decision::Decline
    }

    fn refusal(&self, stack: &str) -> Error {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let error = Error::new(Kind::Refused, format!("not approved: {stack} is as it was"));
        let error = refused.iter().cloned().fold(error, Error::cause);
        if self.ui.can_ask() {
            error
        } else if self.yes {
            error.hint("`--yes` does not cover what replaces or removes a resource: run it where somebody can be asked")
        } else {
            error.hint("approve with `--yes`")
        }
    }
}

impl Approve for Ask {
    fn approve<'a>(
        &'a self,
        changes: &'a ProposedChanges,
    ) -> Pin<Box<dyn Future<Output = Decision> + Send + 'a>> {
        Box::pin(self.decide(changes))
    }
}
