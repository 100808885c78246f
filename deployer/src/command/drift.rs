//! `drift`: finds what was changed behind CloudFormation's back, and changes it back.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use stack_model::assembly::StackManifest;

use super::approval::{self, Approval};
use super::lock::{self, StageLock};
use super::look::Look;
use super::place::Place;
use super::{Session, ledger};
use crate::cli::{self, Allowance};
use crate::engine::plan::Plan;
use crate::engine::{self, Outcome, StackDrift};
use crate::error::{EXIT_CHANGES, Error, Kind, Result};
use crate::repeat::Repeated;
use crate::ui::{self, Activity};

/// What in sync is worth on the local engine.
const ENGINE_COMPARES: &str = "the local engine compares a dozen resource types and calls all others IN_SYNC unseen: it proves nothing of them";

pub(super) async fn run(session: &Session, arguments: &cli::Drift) -> Result<u8> {
    let _lock = held(session, arguments)?;
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
    let mut reverted = Vec::new();
    let result = Box::pin(revert(
        session,
        &look,
        &drifts,
        &arguments.allow,
        &mut reverted,
    ));
    let result = result.await;
    let summary = summary(&drifts, &reverted);
    match result {
        Ok(()) => {
            if session.ui.json() {
                session.ui.json_line(&summary);
            }
            Ok(0)
        }
        Err(error) if reverted.is_empty() => Err(error),
        Err(error) => Err(error.with_fields(summary)),
    }
}

/// Takes the stage where something is to be changed back in it.
fn held(session: &Session, arguments: &cli::Drift) -> Result<Option<StageLock>> {
    if let Some(owner) = arguments.allow.iter().find(|it| it.is_of_owner()) {
        return Err(Error::new(
            Kind::Usage,
            format!("`--allow {owner}` is nothing that `drift` asks for: a stack of another app is changed back by that app"),
        )
        .hint("make the stack one of this app with `stackctl deploy` and the same option first"));
    }
    if !arguments.revert {
        return Ok(None);
    }
    let project = session.project()?;
    let (name, _) = session.stage(&project)?;
    let is_local = Place::of(session).is_local();
    lock::take(&project.state_dir, name, is_local).map(Some)
}

/// What became of a stack that was to be changed back.
#[derive(serde::Serialize)]
struct Reverted {
    stack: String,
    outcome: Outcome,
}

/// The last line of the stream: what was found, and what became of it.
fn summary(drifts: &[StackDrift], reverted: &[Reverted]) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("type".to_owned(), "summary".into());
    fields.insert("stacks".to_owned(), json!(drifts));
    fields.insert("reverted".to_owned(), json!(reverted));
    fields
}

/// Changes back what was agreed to. `reverted` takes what becomes of each stack.
async fn revert(
    session: &Session,
    look: &Look,
    drifts: &[StackDrift],
    allowed: &[Allowance],
    reverted: &mut Vec<Reverted>,
) -> Result<()> {
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
    let drifted: Vec<(&StackDrift, &StackManifest)> = drifts
        .iter()
        .filter(|drift| drift.is_drifted())
        .filter_map(|drift| Some((drift, stacks.iter().find(|it| it.name == drift.stack)?)))
        .collect();
    if drifted.is_empty() {
        session
            .ui
            .done("nothing", "was changed behind CloudFormation's back");
        return Ok(());
    }
    let project = session.project()?;
    let (name, stage) = session.stage(&project)?;
    let mut plan = Plan::default();
    for (drift, manifest) in &drifted {
        let judged = engine::revert_plan(&look.context, manifest, drift);
        plan.stacks.push(session.guard(Box::pin(judged)).await??);
    }
    show(session, &plan);
    let impossible = plan.impossible();
    if !impossible.is_empty() {
        let error = Error::new(Kind::Deploy, "CloudFormation would refuse these changes");
        let error = impossible.into_iter().fold(error, Error::cause);
        return Err(
            error.hint("change it back by hand, or deploy what is there; nothing was changed")
        );
    }
    let protected = stage.protected.then_some(name);
    if let Some(stage) = protected {
        approval::protect(&session.ui, &[(None, &plan)], allowed, stage)?;
    }
    let question = format!("Change this back in stage {name}?");
    let consent = approval::ask(session, false, &question).await?;
    let approval =
        Approval::new(session.ui.clone(), consent, Some(plan)).allowing(allowed, protected);
    for (drift, manifest) in drifted {
        let activity = Activity::new(&session.ui, "revert");
        let mut context = look
            .context
            .clone()
            .with_options(Repeated::of(&session.global));
        context.cancel = session.cancel.clone();
        let mut context = ledger::entering(context, &session.ui, &project, (name, stage));
        context.events = activity.sink();
        let manifest = Arc::new(manifest.clone());
        let result = engine::revert(&context, &manifest, &approval).await;
        activity.finish();
        let result = result.map_err(Error::from);
        reverted.push(Reverted {
            stack: drift.stack.clone(),
            outcome: match &result {
                Ok(outcome) => *outcome,
                Err(error) if error.kind() == Kind::Interrupted => Outcome::Interrupted,
                Err(_) => Outcome::Failed,
            },
        });
        let outcome = result?;
        match outcome {
            Outcome::Declined => {
                let error = Error::new(
                    Kind::Refused,
                    format!("not approved, and left as it was: {}", drift.stack),
                );
                return Err(approval.explain(
                    error,
                    "run it again with somebody to ask, and without `--yes`",
                ));
            }
            Outcome::Unchanged => session.ui.warn(format!(
                "{}: CloudFormation proposes no change; what differs is of a kind that it leaves alone",
                drift.stack
            )),
            _ => session.ui.done("reverted", &drift.stack),
        }
    }
    Ok(())
}

/// Says what changing back would do.
fn show(session: &Session, plan: &Plan) {
    let ui = &session.ui;
    if ui.json() {
        ui.json_line(&json!({"type": "plan", "stacks": plan.stacks}));
    }
    ui.line(ui::plan(plan, ui.verbose() > 1).trim_end());
}
