//! `prune`: removes packages and versions of functions that nothing runs any more.

use serde_json::json;

use super::once::Source;
use super::place::{self, Place};
use super::{Session, approval, lock, prepare};
use crate::cli;
use crate::engine::{self, EventSink, PrunePlan, PruneRequest, Taken};
use crate::error::Result;
use crate::text::count;
use crate::ui;

pub(super) async fn run(session: &Session, arguments: &cli::Prune) -> Result<u8> {
    let project = session.project()?;
    let (name, stage) = session.stage(&project)?;
    let place = Place::of(session);
    let _lock = lock::take(&project.state_dir, name, place.is_local())?;
    prepare::refuse_unknown(
        session,
        &project,
        (name, stage),
        &arguments.stacks,
        Source::Fresh,
    )?;
    let assembly = prepare::known(session, &project, name, stage).await?;
    let selected = prepare::select(&assembly, &arguments.stacks)?;
    let (context, _) = place::open(session, &project, stage, &place, EventSink::ignore()).await?;
    let request = PruneRequest {
        stacks: prepare::targets(&assembly, &selected),
        keep: arguments.keep,
        age: arguments.older_than,
    };
    let task = session.ui.task("prune", "looking for what nothing needs");
    let mut plan = session
        .guard(Box::pin(engine::prune_plan(&context, &request)))
        .await??;
    drop(task);
    for Taken { stack, app, .. } in &plan.taken {
        session.ui.warn(format!(
            "{stack} belongs to the app `{app}`: it is left alone, with all that is kept for it"
        ));
    }
    show(session, &plan);
    if !plan.is_empty() {
        let account = &context.clients.identity().account;
        let question = format!("Remove this from account {account}?");
        approval::ask(session, place.is_local(), &question).await?;
        session
            .guard_saying(
                "some of it was removed: the same command removes the rest",
                engine::prune(&context, &mut plan),
            )
            .await??;
    }
    if session.ui.json() {
        session.ui.document(&json!(plan));
    } else if plan.is_empty() {
        session.ui.done("prune", "nothing to remove");
    } else {
        session.ui.done("prune", "removed");
    }
    Ok(0)
}

/// Says what would be removed, before anybody is asked.
fn show(session: &Session, plan: &PrunePlan) {
    for stack in &plan.stacks {
        if !stack.objects.is_empty() {
            session.ui.line(format!(
                "{}: {} of {}",
                stack.stack,
                count(stack.objects.len(), "object"),
                ui::bytes(stack.bytes)
            ));
            for key in &stack.objects {
                session.ui.line(format!("  {key}"));
            }
        }
        for version in &stack.versions {
            session.ui.line(format!(
                "{}/{}: version {}",
                stack.stack, version.logical_id, version.version
            ));
        }
    }
}
