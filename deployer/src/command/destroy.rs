//! `destroy`: deletes stacks and what they hold.

use std::path::Path;

use serde_json::json;

use super::place::{self, Place};
use super::{Session, approval, ledger, lock, prepare};
use crate::cli;
use crate::engine::{self, Context, DestroyReport, DestroyRequest, Survivor};
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
    let context = context.waiting(arguments.wait);
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
            let survivors = search(session, &context, name, &report).await?;
            let file = ledger::keep(&project, name, &report)?;
            finish(session, &report, &survivors, file.as_deref());
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

/// Looks for what still carries the tags of the removed stacks. Whoever may not look is told so: the stacks are gone.
async fn search(
    session: &Session,
    context: &Context,
    stage: &str,
    report: &DestroyReport,
) -> Result<Vec<Survivor>> {
    match session
        .guard(Box::pin(engine::survivors(context, stage, report)))
        .await?
    {
        Ok(survivors) => Ok(survivors),
        Err(error) => {
            session.ui.warn(format!(
                "the account was not searched for what the stacks may have left: {error}"
            ));
            Ok(Vec::new())
        }
    }
}

fn finish(session: &Session, report: &DestroyReport, survivors: &[Survivor], file: Option<&Path>) {
    if session.ui.json() {
        let mut summary = summary(report);
        summary.insert("survivors".to_owned(), json!(survivors));
        session.ui.json_line(&summary);
    } else {
        ledger::show(&session.ui, report, survivors, file);
    }
}

/// The last line of the stream: how every stack ended up.
fn summary(report: &DestroyReport) -> serde_json::Map<String, serde_json::Value> {
    let mut fields = serde_json::Map::new();
    fields.insert("type".to_owned(), "summary".into());
    fields.insert("stacks".to_owned(), json!(report.stacks));
    fields
}
