//! What follows a removal, whether it came to its end or not.

use super::told::summary;
use crate::command::{Session, ledger};
use crate::config::Project;
use crate::engine::{
    self, Context, DestroyError, DestroyReport, Memory, Orphan, SurvivorSearch, Survivors,
};
use crate::error::{Error, Result};
use crate::ui::Ui;

/// Forgets what is done and told by now. What stays remembered is told once more by the next run, which is no loss.
pub(super) fn forget(ui: &Ui, memory: &Memory, context: &Context, report: &DestroyReport) {
    if let Err(error) = memory.forget(context, report) {
        ui.warn(format!(
            "the notes of this removal cannot be removed: {error}"
        ));
    }
}

/// Keeps and tells what those stacks left that are gone though the run did not come to its end: the next run does not find
/// them any more. Why it did not is what the command says last, whatever becomes of the file.
pub(super) fn unfinished(
    ui: &Ui,
    project: &Project,
    context: &Context,
    memory: &Memory,
    key: &str,
    besides: (&[Orphan], &[String]),
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
    let fields = summary(report, besides);
    Error::from(error).with_fields(fields)
}

/// Looks for what still carries the tags of the removed stacks. Whoever may not look is told so, and knows nothing of it: the
/// stacks are gone. So is who may look everywhere but where what is global stands.
pub(super) async fn search(
    session: &Session,
    context: &Context,
    search: SurvivorSearch<'_>,
    report: &DestroyReport,
) -> Result<Option<Survivors>> {
    let looked = session.guard_saying(
        "the stacks are gone, and nobody looked for what they may have left: run the same command again, which does",
        Box::pin(engine::survivors(context, search, report)),
    );
    match looked.await? {
        Ok(survivors) => {
            for (region, error) in &survivors.unsearched {
                session.ui.warn(format!(
                    "{region} was not searched for what the stacks may have left that is in no region, such as \
                     distributions and hosted zones: {error}"
                ));
            }
            if let Some(error) = &survivors.unseen {
                session.ui.warn(format!(
                    "nobody knows of all that carries the tags of the stacks whether it is there: {error}"
                ));
            }
            Ok(Some(survivors))
        }
        Err(error) => {
            session.ui.warn(format!(
                "the account was not searched for what the stacks may have left: {error}"
            ));
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use serde_json::Value;

    use super::*;
    use crate::cli;
    use crate::engine::{DestroyedStack, Left, Outcome, Retained};

    #[test]
    fn what_is_retained_is_written_down_where_the_run_fails_or_is_stopped() {
        let retained = Retained {
            logical_id: "Orders".to_owned(),
            resource_type: "AWS::DynamoDB::Table".to_owned(),
            physical_id: "orders".to_owned(),
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            remove: Vec::new(),
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
            let config = "[stages.dev]\nregion = \"us-east-1\"\n";
            let project = Project::of_test(directory.path(), config);
            let memory = Memory::in_state(&project.state_dir);
            let left = [Orphan::of_test("late-dev", None)];
            let unseen = ["eu-west-1".to_owned()];
            let besides = (left.as_slice(), unseen.as_slice());
            let error = unfinished(&ui, &project, &context, &memory, "dev", besides, error);
            // A script knows what stays and what nobody saw, however the run ended.
            let document = error.to_json();
            assert_eq!(document["orphans"][0]["stack"], "late-dev");
            assert_eq!(document["unseen"], serde_json::json!(["eu-west-1"]));
            let file = directory.path().join("state/retained/dev.json");
            let text = std::fs::read(file).expect("is written");
            let ledger: Value = serde_json::from_slice(&text).expect("is JSON");
            assert_eq!(ledger["orders-dev"][0]["physical_id"], "orders");
        }
    }
}
