//! `destroy`: deletes stacks and what they hold.

use serde_json::json;

use super::place::{self, Place};
use super::{Session, approval, lock, prepare};
use crate::cli;
use crate::engine::{self, DestroyReport, DestroyRequest};
use crate::error::{Error, Result};
use crate::ui::Activity;

pub(super) async fn run(session: &Session, arguments: &cli::Destroy) -> Result<u8> {
    let project = session.project()?;
    let (name, stage) = session.stage(&project)?;
    let place = Place::of(session);
    let _lock = lock::take(&project.state_dir, name, place.is_local())?;
    let assembly = prepare::assembly(session, &project, name, stage).await?;
    let selected = prepare::select(&assembly, &arguments.stacks)?;
    let stacks: Vec<_> = selected
        .iter()
        .filter_map(|position| assembly.manifest.stacks.get(*position))
        .cloned()
        .collect();
    let names: Vec<&str> = stacks.iter().map(|stack| stack.name.as_str()).collect();
    let protected = stage.protected && !place.is_local();
    if protected {
        let danger = format!("this deletes {}", names.join(", "));
        approval::confirm_stage(session, name, arguments.confirm.as_deref(), &danger).await?;
    }
    let endpoint = place::ensure(session, &project, &place).await?;
    let activity = Activity::new(&session.ui, "destroy");
    let context = session
        .guard(place::connect(
            session,
            stage,
            &place,
            endpoint.as_ref(),
            activity.sink(),
        ))
        .await??;
    if !protected {
        let question = format!(
            "Delete {} in account {}?",
            names.join(", "),
            context.clients.identity().account
        );
        approval::ask(session, place.is_local(), &question).await?;
    }
    let request = DestroyRequest {
        stacks,
        // Consent was given above, or the place is local and nothing in it is worth protecting.
        unprotect: stage.protected,
    };
    let result = engine::destroy(&context, request).await;
    activity.finish();
    match result {
        Ok(report) => {
            finish(session, &report);
            Ok(0)
        }
        Err(error) => Err(Error::from(error)),
    }
}

fn finish(session: &Session, report: &DestroyReport) {
    if session.ui.json() {
        session
            .ui
            .json_line(&json!({"type": "summary", "stacks": report.stacks}));
        return;
    }
    for stack in &report.stacks {
        for (logical_id, physical_id) in &stack.retained {
            session.ui.warn(format!(
                "{}/{logical_id} is retained and still exists: {physical_id}",
                stack.stack
            ));
        }
    }
}
