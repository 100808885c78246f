//! `destroy`: deletes stacks and what they hold.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::json;

use super::once::{self, Rendered, Source};
use super::place::{self, Place};
use super::{Session, approval, environments, ledger, lock};
use crate::cli;
use crate::config::{Project, Stage, list};
use crate::engine::{
    self, Context, DestroyError, DestroyReport, DestroyRequest, Memory, Outlook, Survivor,
};
use crate::error::{Error, Kind, Result};
use crate::ui::{Activity, Ui};

/// Deletes stacks in every chosen environment, one after the other, the last one first: what several share goes with the
/// first, when nobody uses it any more, and not before all of them are chosen.
pub(super) async fn run(session: &Session, arguments: &cli::Destroy) -> Result<u8> {
    let project = session.project()?;
    let (name, config, chosen) = session.environments(&project)?;
    let place = Place::of(session);
    place::refuse_several_accounts(&place, &chosen)?;
    let _lock = lock::take(&project.state_dir, name, place.is_local())?;
    let stage = (name, config, chosen.as_slice());
    let source = Source::Known;
    let mut rendered =
        once::render(session, &project, stage, &arguments.stacks, source, &place).await?;
    refuse_used(&rendered, &chosen)?;
    while let Some(site) = rendered.pop() {
        let ended = Box::pin(destroy(&project, &place, name, &site, arguments)).await;
        if let Err(error) = ended {
            if !site.session.several {
                return Err(error);
            }
            let error = error
                .within(environments::label(site.stage))
                .with_fields(environments::fields(site.stage));
            let left: Vec<_> = rendered.iter().map(|site| site.stage).collect();
            return Err(environments::not_begun(error, &left));
        }
    }
    Ok(0)
}

/// Refuses to delete what environments use that were not chosen: CloudFormation keeps nobody from deleting what stacks of
/// other regions take their values from.
fn refuse_used(rendered: &[Rendered<'_>], chosen: &[&Stage]) -> Result<()> {
    let is_chosen = |other: &str| {
        chosen
            .iter()
            .any(|stage| environments::label(stage) == other)
    };
    for site in rendered {
        let stacks = &site.assembly.manifest.stacks;
        let selected = site.selected.iter().filter_map(|at| stacks.get(*at));
        for stack in selected {
            let others = site.owns.get(&stack.name).into_iter().flatten();
            let others: Vec<&str> = others
                .map(String::as_str)
                .filter(|other| !is_chosen(other))
                .collect();
            if !others.is_empty() {
                return Err(Error::new(
                    Kind::Refused,
                    format!("stack {} is that of {} too", stack.name, list(&others)),
                )
                .hint("choose those with `--region` as well, or name the stacks that are to go"));
            }
        }
    }
    Ok(())
}

/// Deletes the selected stacks of an environment.
async fn destroy(
    project: &Project,
    place: &Place,
    name: &str,
    site: &Rendered<'_>,
    arguments: &cli::Destroy,
) -> Result<()> {
    let Rendered {
        session,
        stage,
        assembly,
        selected,
        ..
    } = site;
    let stacks: Vec<_> = selected
        .iter()
        .filter_map(|position| assembly.manifest.stacks.get(*position))
        .cloned()
        .collect();
    let names: Vec<&str> = stacks.iter().map(|stack| stack.name.as_str()).collect();
    let retain = arguments.retain.iter().cloned().collect();
    let protected = stage.protected && !place.is_local();
    if names.is_empty() {
        session.ui.done("destroy", "nothing of its own is selected");
        return Ok(());
    }
    let danger = format!("this deletes {}", names.join(", "));
    let given = arguments.confirm.as_deref();
    if let Some(given) = given.filter(|given| *given != name) {
        return Err(approval::other_stage(name, given, &danger));
    }
    if protected && (given.is_some() || !session.ui.can_ask()) {
        approval::confirm_stage(session, name, given, &danger).await?;
    }
    let activity = Activity::new(&session.ui, "destroy");
    let (context, _) = place::open(session, project, stage, place, activity.sink()).await?;
    let context = context
        .waiting(arguments.wait)
        .with_concurrency(arguments.concurrency);
    if !place.is_local() {
        let outlook = session.guard(Box::pin(engine::outlook(&context, &stacks, &retain)));
        show(&session.ui, &outlook.await??);
    }
    if protected && given.is_none() {
        let account = &context.clients.identity().account;
        let danger = format!("{danger} in account {account}, {}", stage.region);
        approval::confirm_stage(session, name, None, &danger).await?;
    }
    if !protected {
        let question = format!(
            "Delete {} in account {}?",
            names.join(", "),
            context.clients.identity().account
        );
        approval::ask(session, place.is_local(), &question).await?;
    }
    let memory = Memory::in_state(&project.state_dir);
    let request = DestroyRequest {
        stacks,
        // Consent was given above, or the place is local and nothing in it is worth protecting.
        unprotect: stage.protected,
        retain,
        memory: memory.clone(),
    };
    let result = engine::destroy(&context, request).await;
    activity.finish();
    match result {
        Ok(mut report) => {
            let kept = ledger::kept(&session.ui, project, &stage.key(name));
            let survivors = search(session, &context, name, &report, &kept).await?;
            let file = ledger::keep(
                &session.ui,
                project,
                &context,
                &stage.key(name),
                &mut report,
            )?;
            forget(&session.ui, &memory, &context, &report);
            finish(session, &report, &survivors, file.as_deref());
            Ok(())
        }
        Err(error) => Err(unfinished(
            &session.ui,
            project,
            &context,
            &memory,
            &stage.key(name),
            error,
        )),
    }
}

/// Says what goes and stands in no template, and what stays and is of no use any more.
fn show(ui: &Ui, outlook: &Outlook) {
    for unreadable in &outlook.unreadable {
        ui.warn(unreadable.to_string());
    }
    for (stack, log_group) in &outlook.log_groups {
        ui.line(format!("  with {stack} go the logs in {log_group}"));
    }
}

/// Forgets what is done and told by now. What stays remembered is told once more by the next run, which is no loss.
fn forget(ui: &Ui, memory: &Memory, context: &Context, report: &DestroyReport) {
    if let Err(error) = memory.forget(context, report) {
        ui.warn(format!(
            "the notes of this removal cannot be removed: {error}"
        ));
    }
}

/// Keeps and tells what those stacks left that are gone though the run did not come to its end: the next run does not find
/// them any more. Why it did not is what the command says last, whatever becomes of the file.
fn unfinished(
    ui: &Ui,
    project: &Project,
    context: &Context,
    memory: &Memory,
    key: &str,
    mut error: DestroyError,
) -> Error {
    let Some(report) = error.report_mut() else {
        return error.into();
    };
    let file = match ledger::keep(ui, project, context, key, report) {
        Ok(file) => {
            forget(ui, memory, context, report);
            file
        }
        Err(error) => {
            let causes = error.causes().join(": ");
            ui.warn(format!(
                "what is retained is not written down: {error}: {causes}"
            ));
            None
        }
    };
    if !ui.json() {
        ledger::show(ui, report, &[], file.as_deref());
    }
    let fields = summary(report);
    Error::from(error).with_fields(fields)
}

/// Looks for what still carries the tags of the removed stacks. Whoever may not look is told so: the stacks are gone.
async fn search(
    session: &Session,
    context: &Context,
    stage: &str,
    report: &DestroyReport,
    kept: &BTreeSet<String>,
) -> Result<Vec<Survivor>> {
    match session
        .guard(Box::pin(engine::survivors(context, stage, report, kept)))
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

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use serde_json::Value;

    use super::*;
    use crate::engine::{DestroyedStack, Left, Outcome, Retained};

    #[test]
    fn what_is_retained_is_written_down_where_the_run_fails_or_is_stopped() {
        let retained = Retained {
            logical_id: "Orders".to_owned(),
            resource_type: "AWS::DynamoDB::Table".to_owned(),
            physical_id: "orders".to_owned(),
            remove: Vec::new(),
            adopt: Vec::new(),
        };
        let report = DestroyReport {
            stacks: vec![DestroyedStack {
                stack: "orders-dev".to_owned(),
                outcome: Outcome::Deleted,
                failure: None,
                retained: std::iter::once(("Orders".to_owned(), "orders".to_owned())).collect(),
                left: Left {
                    ledger: vec![retained],
                    ..Left::default()
                },
            }],
        };
        let cli = cli::Cli::try_parse_from(["stackctl", "destroy"]).expect("is right");
        let ui = Ui::new(&cli.global);
        let context = crate::engine::tests::Script::new().play().context;
        for error in [
            DestroyError::Failed(report.clone()),
            DestroyError::Interrupted(report),
        ] {
            let directory = tempfile::tempdir().expect("a directory");
            let project = Project {
                root: directory.path().to_owned(),
                file: directory.path().join("stackctl.toml"),
                state_dir: directory.path().join("state"),
                config: toml::from_str("[stages.dev]\nregion = \"us-east-1\"\n").expect("is right"),
            };
            let memory = Memory::in_state(&project.state_dir);
            unfinished(&ui, &project, &context, &memory, "dev", error);
            let file = directory.path().join("state/retained/dev.json");
            let text = std::fs::read(file).expect("is written");
            let ledger: Value = serde_json::from_slice(&text).expect("is JSON");
            assert_eq!(ledger["orders-dev"][0]["physical_id"], "orders");
        }
    }
}
