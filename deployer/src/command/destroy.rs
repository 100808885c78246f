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
    let assembly = prepare::known(session, &project, name, stage).await?;
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
    let activity = Activity::new(&session.ui, "destroy");
    let (context, _) = place::open(session, &project, stage, &place, activity.sink()).await?;
    let context = context
        .with_options(&approval::options(session))
        .waiting(arguments.wait);
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
        retain: arguments.retain.iter().cloned().collect(),
    };
    let result = engine::destroy(&context, request).await;
    activity.finish();
    match result {
        Ok(report) => {
            finish(session, &report);
            Ok(0)
        }
        Err(error) => {
            let summary = error.report().map(summary);
            let error = Error::from(error);
            Err(match summary {
                Some(fields) => error.with_fields(fields),
                None => error,
            })
        }
    }
}

fn finish(session: &Session, report: &DestroyReport) {
    if session.ui.json() {
        session.ui.json_line(&summary(report));
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

/// The last line of the stream: how every stack ended up.
fn summary(report: &DestroyReport) -> serde_json::Map<String, serde_json::Value> {
    let mut fields = serde_json::Map::new();
    fields.insert("type".to_owned(), "summary".into());
    fields.insert("stacks".to_owned(), json!(report.stacks));
    fields
}
