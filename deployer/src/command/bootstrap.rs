//! `bootstrap`: creates or updates the stack that holds the artifact bucket.

use std::sync::Arc;

use serde_json::json;

use super::approval::{self, Approval};
use super::place::{self, Place};
use super::{Session, ledger, lock};
use crate::engine;
use crate::error::{Error, Result};
use crate::ui::{self, Activity};

pub(super) async fn run(session: &Session) -> Result<u8> {
    let project = session.project()?;
    let (name, stage) = session.stage(&project)?;
    let place = Place::of(session);
    let _lock = lock::take(&project.state_dir, name, place.is_local())?;
    let activity = Activity::new(&session.ui, "bootstrap");
    let (context, _) = place::open(session, &project, stage, &place, activity.sink()).await?;
    let context = ledger::entering(context, &session.ui, &project, (name, stage));
    let question = format!(
        "Deploy stack {} to account {} in {}?",
        engine::BOOTSTRAP_STACK,
        context.clients.identity().account,
        context.clients.region()
    );
    let consent = approval::ask(session, place.is_local(), &question).await?;
    let approval = Arc::new(Approval::new(session.ui.clone(), consent, None));
    let result = engine::bootstrap(&context, None, approval).await;
    activity.finish();
    let report = result.map_err(|error| {
        let stacks = error.report().map(|report| json!(report.stacks));
        let error = Error::from(error);
        match stacks {
            Some(stacks) => error.with_fields(
                [
                    ("type".to_owned(), "summary".into()),
                    ("stacks".to_owned(), stacks),
                ]
                .into_iter()
                .collect(),
            ),
            None => error,
        }
    })?;
    if session.ui.json() {
        session
            .ui
            .json_line(&json!({"type": "summary", "stacks": [report]}));
    } else {
        let outputs = [(report.stack, report.outputs)].into_iter().collect();
        session.ui.out(ui::outputs(&outputs));
    }
    Ok(0)
}
