//! `rollback`: takes back what failed, or finishes a rollback that failed.

use serde_json::json;

use super::once::Source;
use super::place::{self, Place};
use super::{Session, approval, ledger, lock, prepare, release};
use crate::cli;
use crate::engine::{
    self, PlannedRollback, RollbackAction, RollbackError, RollbackReport, RollbackRequest,
};
use crate::error::{Error, Result};
use crate::ui::Activity;

pub(super) async fn run(session: &Session, arguments: &cli::Rollback) -> Result<u8> {
    if let Some(to) = arguments.to {
        return Box::pin(release::run(session, arguments, to)).await;
    }
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
    let stacks: Vec<_> = selected
        .iter()
        .filter_map(|position| assembly.manifest.stacks.get(*position))
        .cloned()
        .collect();
    let activity = Activity::new(&session.ui, "rollback");
    let (context, _) = place::open(session, &project, stage, &place, activity.sink()).await?;
    let whole = (name, stage);
    let context = ledger::entering(context, &session.ui, &project, whole).waiting(arguments.wait);
    let planned = session
        .guard(Box::pin(engine::rollback_plan(&context, &stacks)))
        .await??;
    show(session, &planned);
    if planned.iter().any(|planned| changes(planned.action)) {
        let question = format!(
            "Roll back in account {}?",
            context.clients.identity().account
        );
        approval::ask(session, place.is_local(), &question).await?;
    }
    let unasked = planned.iter().filter(|planned| !changes(planned.action));
    let request = RollbackRequest {
        stacks: stacks.clone(),
        skip: arguments.skip.iter().cloned().collect(),
        unasked: unasked.map(|planned| planned.stack.clone()).collect(),
    };
    let result = engine::rollback(&context, request).await;
    activity.finish();
    let report = result.as_ref().map_or_else(RollbackError::report, Some);
    let ended = report.into_iter().flat_map(|report| &report.stacks);
    let ended = ended.map(|stack| (stack.stack.as_str(), stack.outcome));
    let changed = ledger::changed(ended, &stacks);
    // Why stacks were not rolled back is what the command says last, whatever becomes of the files.
    let entered = ledger::after(session, &project, &context, whole, changed);
    if let Err(error) = Box::pin(entered).await {
        session.ui.warn(error.to_string());
    }
    match result {
        Ok(report) => {
            if session.ui.json() {
                session.ui.json_line(&summary(&report));
            }
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

/// Returns whether something happens to a stack that needs approval.
fn changes(action: RollbackAction) -> bool {
    match action {
        RollbackAction::Cancel
        | RollbackAction::LeadBack
        | RollbackAction::RollBack
        | RollbackAction::RemoveCreated
        | RollbackAction::Continue
        | RollbackAction::Repeat
        // What comes after a wait is decided then.
        | RollbackAction::Wait => true,
        RollbackAction::Nothing | RollbackAction::Refuse => false,
    }
}

/// Says what would be done, before anybody is asked.
fn show(session: &Session, planned: &[PlannedRollback]) {
    if session.ui.json() {
        session
            .ui
            .json_line(&json!({"type": "plan", "stacks": planned}));
    }
    for planned in planned {
        let what = match planned.action {
            RollbackAction::Nothing => "nothing to roll back",
            RollbackAction::LeadBack => {
                "the update was rolled back, and what was live before it is live again"
            }
            RollbackAction::Wait => "waits for what is running",
            RollbackAction::Cancel => "cancels the update, which is taken back",
            RollbackAction::RollBack => "takes back the update that failed",
            RollbackAction::RemoveCreated => {
                "removes what the failed creation made: there is no earlier state"
            }
            RollbackAction::Continue => "continues the rollback that failed",
            RollbackAction::Repeat => {
                "deploys again, in express mode, what was deployed before the update that failed"
            }
            RollbackAction::Refuse => "cannot be rolled back",
        };
        session
            .ui
            .tell(format!("{} is {}: {what}", planned.stack, planned.status));
        if let Some(release) = planned.release {
            session.ui.tell(format!("  that is release {release}"));
        }
        for failed in &planned.failed {
            session.ui.tell(format!("  failed before: {failed}"));
        }
        for (alias, version) in &planned.live {
            session.ui.tell(format!(
                "  live afterwards, as before the update: {alias}, version {version}"
            ));
        }
    }
}

/// The last line of the stream: how every stack ended up.
fn summary(report: &RollbackReport) -> serde_json::Map<String, serde_json::Value> {
    let mut fields = serde_json::Map::new();
    fields.insert("type".to_owned(), "summary".into());
    fields.insert("stacks".to_owned(), json!(report.stacks));
    fields
}
