//! `rollback STACK --to`: deploys an earlier release of a stack again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};
use stack_model::assembly::{StackManifest, own_tags};

use crate::cli::{self, Allowance, To};
use crate::command::approval::{self, Approval, Consent};
use crate::command::deploy::{collect, impossible, summary, taken};
use crate::command::look::Look;
use crate::command::{Session, ledger, lock, outputs, place};
use crate::config::Stage;
use crate::engine::plan::{self, Plan, Registry, Wanted};
use crate::engine::{
    self, Context, DeployError, Deployment, EventSink, Revision, StackDeployment, StackRelease,
    StackReleases, StackTarget, Turned,
};
use crate::error::{Error, Kind, Result};
use crate::text::{choice, moment, series};
use crate::ui::{self, Activity};

/// What somebody can do whose rollback CloudFormation would refuse: a release says what it says.
const OTHERWISE: &str = "roll back to another release, which `stackctl history` names, or deploy the source; nothing was changed";

pub(super) async fn run(
    session: &Session,
    look: Look,
    selected: &[usize],
    arguments: &cli::Rollback,
    to: To,
) -> Result<u8> {
    let project = session.project()?;
    let (name, stage) = session.stage(&project)?;
    let local = look.place.is_local();
    let _lock = lock::take(&project.state_dir, name, local)?;
    let mut chosen = Vec::new();
    let stacks = &look.assembly.manifest.stacks;
    for manifest in selected.iter().filter_map(|at| stacks.get(*at)) {
        let target = StackTarget::from(manifest);
        let releases = session
            .guard(Box::pin(engine::stack_releases(&look.context, &target)))
            .await??;
        let release = Box::pin(choose(session, &releases, to));
        chosen.extend(release.await?);
    }
    if chosen.is_empty() {
        return Ok(0);
    }

    let activity = Activity::new(&session.ui, "rollback");
    let base = place::api_base(&look.place, look.endpoint.as_ref());
    let sink = {
        let (activity, base) = (activity.clone(), base.clone());
        EventSink::new(move |event| {
            activity.take(&outputs::reachable_event(event, base.as_deref()));
        })
    };
    let context = Context {
        events: sink,
        ..look.context.clone()
    };
    let context = context
        .with_revision(revision(&chosen))
        .taking_over(taken::over(
            chosen.iter().map(|chosen| chosen.manifest.name.clone()),
            &arguments.allow,
        ))
        .waiting(arguments.wait)
        .reaching(base.clone());
    let context = ledger::entering(context, &session.ui, &project, (name, stage));
    for chosen in &mut chosen {
        // What was written down before the app had its name, or when it had another, becomes the app's all the same.
        if let Some(app) = &context.ownership.app {
            let own = own_tags(name, Some(app));
            chosen.manifest.tags.extend(own);
        }
    }
    let plan = compare(session, &context, &chosen).await?;
    show(session, &context, &plan);
    impossible(&plan, local, OTHERWISE)?;
    let agreed = consent(session, &arguments.allow, name, stage, local, &plan).await?;
    let deployment = deployment(name, stacks, &chosen, plan.clone());
    let approval = Approval::new(session.ui.clone(), agreed, Some(plan))
        .allowing(&arguments.allow, stage.protected.then_some(name))
        .in_place(local);
    let approval = Arc::new(approval);
    let result = engine::deploy(&context, deployment, approval.clone()).await;
    activity.finish();
    let report = result.as_ref().map_or_else(DeployError::report, Some);
    let changed = ledger::changed(ledger::ended(report), stacks);
    let entered = ledger::after(session, &project, &context, (name, stage), changed);
    if let Err(error) = Box::pin(entered).await {
        session.ui.warn(error.to_string());
    }
    match result {
        Ok(report) => {
            if session.ui.json() {
                session.ui.json_line(&summary(&report, base.as_deref()));
            } else {
                let outputs = collect(&report, base.as_deref());
                outputs::show(session, &look.assembly, &outputs, &look.target);
            }
            Ok(0)
        }
        Err(error) => {
            let fields = error
                .report()
                .map(|report| summary(report, base.as_deref()));
            let again = "run it again with somebody to ask, and without `--yes`";
            let error = approval.explain(Error::from(error), again);
            Err(match fields {
                Some(fields) => error.with_fields(fields),
                None => error,
            })
        }
    }
}

/// Returns the deploy of releases, of which `stacks` are those of the source.
fn deployment(
    stage: &str,
    stacks: &[StackManifest],
    chosen: &[StackRelease],
    agreed: Plan,
) -> Deployment {
    let back_to = chosen.iter().map(|chosen| {
        let stack = chosen.manifest.name.clone();
        (stack, chosen.back_to.unwrap_or(chosen.release))
    });
    Deployment {
        stage: stage.to_owned(),
        back_to: back_to.collect(),
        stacks: chosen.iter().map(again).collect(),
        records: true,
        agreed,
        // Who imports what an earlier release gives up may be any of them.
        names: stacks.iter().map(|stack| stack.name.clone()).collect(),
        ..Deployment::default()
    }
}

/// Says what would change.
fn show(session: &Session, context: &Context, plan: &Plan) {
    let ui = &session.ui;
    if ui.json() {
        ui.json_line(&json!({"type": "plan", "stacks": plan.stacks}));
    }
    ui.line(ui::plan(plan, ui.verbose() > 1).trim_end());
    ui.done("account", &context.clients.identity().account);
}

/// Asks for what the plan needs: in a protected stage every danger needs more than a yes.
async fn consent(
    session: &Session,
    allowed: &[Allowance],
    name: &str,
    stage: &Stage,
    local: bool,
    plan: &Plan,
) -> Result<Consent> {
    if plan.is_empty() {
        // An empty plan may still meet a stack that needs mending; its change set is checked against the plan.
        return Ok(if local {
            Consent::NotNeeded
        } else {
            Consent::Given
        });
    }
    if stage.protected && !local {
        approval::protect(&session.ui, &[(None, plan)], allowed, name)?;
    }
    let question = format!("Deploy these changes to stage {name}?");
    approval::ask(session, local, &question).await
}

/// Chooses the release of a stack that is deployed again; none, where it is deployed.
async fn choose(
    session: &Session,
    releases: &StackReleases,
    to: To,
) -> Result<Option<StackRelease>> {
    let stack = &releases.stack;
    let live = session.guard(Box::pin(releases.live())).await??;
    let wanted = match to {
        To::Previous => session.guard(Box::pin(releases.previous())).await??,
        To::Latest => session.guard(Box::pin(releases.latest())).await??,
        To::Version(release) => Some(release),
    };
    let release = match wanted {
        Some(wanted) => session.guard(Box::pin(releases.read(wanted))).await??,
        None => None,
    };
    let release = release.ok_or_else(|| no_such(releases, live))?;
    let direct = live.is_some() && session.guard(Box::pin(releases.is_direct())).await??;
    if live == Some(release.release) && !direct {
        let failed = if releases.is_failed(release.release) {
            ", and failed its check: `stackctl history` says what became of it"
        } else {
            ""
        };
        let text = format!("{stack}: release {} is deployed{failed}", release.release);
        session.ui.done("release", text);
        return Ok(None);
    }
    let lost = releases.lost(&release);
    if !lost.is_empty() {
        let error = Error::new(
            Kind::Refused,
            format!(
                "nobody can go back to release {} of {stack}",
                release.release
            ),
        );
        let error = lost.into_iter().fold(error, |error, lost| {
            error.cause(format!("{lost} is not there any more"))
        });
        return Err(error
            .hint("`stackctl history` shows which releases are whole; `prune --keep` says how many stay so"));
    }
    let now = match live {
        Some(live) if direct => {
            format!("release {live} is deployed, but code or definitions were given past it")
        }
        Some(live) => format!("release {live} is deployed"),
        None => "what is deployed was not written down as a release".to_owned(),
    };
    if let Some(app) = releases.other_app(&release) {
        session.ui.warn(format!(
            "release {} of {stack} is one of app `{app}`, which had the stack then",
            release.release
        ));
    }
    let commit = release.origin.commit.as_ref();
    let commit = commit.map_or(String::new(), |commit| format!(", commit {commit}"));
    let text = format!(
        "{stack}: {now}, and release {} of {}{commit} would be",
        release.release,
        moment(&release.deployed)
    );
    session.ui.done("release", text);
    // What was renamed since counts for this one as well.
    let turned = releases.turned(release, live);
    let turned = session.guard(Box::pin(turned)).await??;
    refuse_unknown(stack, &turned)?;
    Ok(Some(turned.release))
}

/// Refuses to make something empty that may be there under another name, with its data.
fn refuse_unknown(stack: &str, turned: &Turned) -> Result<()> {
    if turned.unknown.is_empty() {
        return Ok(());
    }
    let release = turned.release.release;
    let error = Error::new(
        Kind::Refused,
        format!(
            "nobody knows what release {release} of {stack} calls the resources that hold data"
        ),
    );
    let error = turned.unknown.iter().fold(error, |error, (now, names)| {
        let names: Vec<String> = names.iter().cloned().collect();
        error.cause(format!(
            "{now} may be what the release calls {}: a deploy in between was not written down, and the events of the stack do not \
             tell",
            choice(&names)
        ))
    });
    let own = turned.unknown.keys().cloned().collect::<Vec<_>>();
    Err(error
        .hint(format!(
            "roll back to a release that has {}: `stackctl history` names them",
            series(&own)
        ))
        .hint("or deploy the source, which can say what was renamed; nothing was changed"))
}

fn no_such(releases: &StackReleases, live: Option<u64>) -> Error {
    let mut numbers: Vec<u64> = releases.newest().collect();
    numbers.reverse();
    let hint = if numbers.is_empty() {
        "nothing is written down about it: releases are kept from the next deploy on, where the region has an artifact bucket, which `stackctl bootstrap` makes".to_owned()
    } else {
        there_are(&numbers, live)
    };
    Error::new(
        Kind::Usage,
        format!("stack {} has no such release", releases.stack),
    )
    .hint(hint)
    .hint("one that failed its check, or that another app made before this one took the stack over, is gone back to by its number alone")
}

/// Says which releases there are, so that their numbers read as no count, and which of them is deployed.
fn there_are(releases: &[u64], live: Option<u64>) -> String {
    let numbers: Vec<String> = releases.iter().map(u64::to_string).collect();
    match (releases, live) {
        ([only], Some(live)) if *only == live => {
            format!("release {only} is the only one, and it is deployed")
        }
        ([only], _) => format!("release {only} is the only one, and something else is deployed"),
        (_, Some(live)) => format!("the releases are {}; {live} is deployed", series(&numbers)),
        (_, None) => format!(
            "the releases are {}; none of them is deployed",
            series(&numbers)
        ),
    }
}

/// Returns the commit that all releases come from, where they come from one: that is what is deployed.
fn revision(chosen: &[StackRelease]) -> Revision {
    let sources: BTreeSet<_> = chosen
        .iter()
        .map(|release| (release.origin.commit.as_ref(), release.origin.dirty))
        .collect();
    match sources.first() {
        Some((commit, dirty)) if sources.len() == 1 => Revision {
            commit: commit.cloned(),
            dirty: dirty.unwrap_or_default(),
        },
        _ => Revision::default(),
    }
}

fn again(release: &StackRelease) -> StackDeployment {
    StackDeployment {
        manifest: release.manifest(),
        template: release.template.clone(),
        contents: BTreeMap::new(),
    }
}

/// Compares the releases with what is deployed.
async fn compare(session: &Session, context: &Context, chosen: &[StackRelease]) -> Result<Plan> {
    let (none, unknown) = (BTreeMap::new(), BTreeMap::new());
    let stacks: Vec<_> = chosen
        .iter()
        .map(|release| {
            let template: Value = serde_json::from_str(&release.template).unwrap_or_default();
            (release.manifest(), template)
        })
        .collect();
    let wanted: Vec<Wanted<'_>> = stacks
        .iter()
        .map(|(manifest, template)| Wanted {
            manifest,
            template,
            // What an earlier release needed is not written down.
            contracts: &unknown,
            contents: &none,
        })
        .collect();
    let artifacts = BTreeMap::new();
    let plan = plan::plan_releases(context, &wanted, &artifacts, &Registry);
    Ok(session.guard(Box::pin(plan)).await??)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Orphan;

    #[test]
    fn what_may_be_there_under_another_name_is_not_made_empty() {
        let manifest = Orphan::of_test("data-dev", None).manifest("dev");
        let release = serde_json::from_value(json!({
            "format": 1, "release": 1, "deployed": "2026-07-28T06:00:00Z", "stage": "dev",
            "ours": true, "version": "0.1.0", "commit": null, "dirty": null, "by": "user/dev",
            "manifest": manifest, "template": "{}",
        }));
        let mut turned = Turned {
            release: release.expect("reads"),
            unknown: BTreeMap::new(),
        };
        assert!(refuse_unknown("data-dev", &turned).is_ok());
        let names = ["Orders".to_owned(), "Sales".to_owned()];
        turned.unknown = [("Purchases".to_owned(), names.into())].into();
        let error = refuse_unknown("data-dev", &turned).expect_err("is refused");
        let told = format!("{error:?}");
        for part in [
            "nobody knows what release 1 of data-dev calls the resources that hold data",
            "Purchases may be what the release calls Orders or Sales",
            "roll back to a release that has Purchases",
            "deploy the source",
        ] {
            assert!(told.contains(part), "{told}");
        }
        assert!(!told.contains("moved("), "{told}");
    }

    /// Whoever is in the source is not foreign, whether it goes back as well or not.
    #[test]
    fn the_stacks_of_the_source_are_known_to_the_engine() {
        let stack = Orphan::of_test("reports-dev", None).manifest("dev");
        let deployment = deployment("dev", &[stack], &[], Plan::default());
        assert_eq!(Vec::from_iter(deployment.names), ["reports-dev"]);
    }

    #[test]
    fn the_numbers_of_releases_read_as_no_count() {
        assert_eq!(
            there_are(&[3, 4, 5], Some(5)),
            "the releases are 3, 4 and 5; 5 is deployed"
        );
        assert_eq!(
            there_are(&[3, 4], None),
            "the releases are 3 and 4; none of them is deployed"
        );
        assert_eq!(
            there_are(&[4], Some(4)),
            "release 4 is the only one, and it is deployed"
        );
        assert_eq!(
            there_are(&[4], None),
            "release 4 is the only one, and something else is deployed"
        );
    }
}
