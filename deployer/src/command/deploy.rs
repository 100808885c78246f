//! `deploy`: builds, publishes and deploys stacks, and follows them to the end.

mod fast;
mod preflight;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::json;

use super::approval::{self, Approval, Consent};
use super::outputs::{self, Outputs};
use super::place::{self, Place};
use super::prepare::Contents;
use super::{Session, lock, prepare, revision};
use crate::assembly::Assembly;
use crate::aws::{Fault, Target};
use crate::cli;
use crate::config::{Stage, list};
use crate::engine::plan::{self, Grade, Plan, Registry, Wanted};
use crate::engine::{
    self, Artifact, Context, DeployError, DeployReport, Deployment, EventSink, Import,
    MissingExport, StackDeployment,
};
use crate::error::{Error, Kind, Result};
use crate::ui::{self, Activity};

pub(super) async fn run(session: &Session, arguments: &cli::Deploy) -> Result<u8> {
    let project = session.project()?;
    let (name, stage) = session.stage(&project)?;
    let place = Place::of(session);
    if arguments.fast && stage.protected && !place.is_local() {
        return Err(fast::refused(name));
    }
    let _lock = lock::take(&project.state_dir, name, place.is_local())?;
    let (mut assembly, endpoint) = tokio::try_join!(
        prepare::assembly(session, &project, name, stage),
        place::ensure(session, &project, &place),
    )?;
    prepare::adapt(session, &mut assembly, &place)?;
    let selected = prepare::select(&assembly, &arguments.stacks)?;
    prepare::refuse_renames(&assembly, &selected)?;
    let contents = prepare::contents(&project, &assembly, &selected)?;
    let activity = Activity::new(&session.ui, "deploy");
    let base = place::api_base(&place, endpoint.as_ref());
    let sink = {
        let (activity, base) = (activity.clone(), base.clone());
        EventSink::new(move |event| {
            activity.take(&outputs::reachable_event(event, base.as_deref()));
        })
    };
    let build = prepare::functions(session, &project, &assembly, &selected, &place);
    let connect = session.guard(place::connect(
        session,
        stage,
        &place,
        endpoint.as_ref(),
        sink,
    ));
    // A build for AWS takes long: missing credentials are found before it, not after, and so are missing exports.
    let imports = prepare::imports(&assembly, &selected);
    let (context, artifacts) = if place.is_local() && imports.is_empty() {
        let artifacts = build.await?;
        (connect.await??, artifacts)
    } else {
        let context = connect.await??;
        Box::pin(find_exports(
            session, &context, &assembly, &selected, &imports,
        ))
        .await?;
        let look = preflight::run(session, &context, &assembly, &selected, arguments, &place);
        let (artifacts, ()) = tokio::try_join!(build, look)?;
        (context, artifacts)
    };

    let context = context
        .with_revision(revision::of(&project.root).await)
        .waiting(arguments.wait)
        .reaching(base.clone());

    if arguments.fast {
        let deployment = Deployment {
            stage: name.to_owned(),
            stacks: deployments(&assembly, &selected, &contents),
            artifacts: artifacts.clone(),
            ..Deployment::default()
        };
        if let Some(result) = fast::run(session, &context, &place, &deployment).await? {
            activity.finish();
            let target = place::target(stage, &place, endpoint.as_ref());
            return ended(session, &assembly, result, base.as_deref(), &target);
        }
    }

    // Nothing local is worth a question, and a plan costs two calls per stack.
    let plan = if place.is_local() && session.ui.verbose() == 0 {
        None
    } else {
        Some(
            show_plan(
                session, &context, &assembly, &selected, &artifacts, &contents,
            )
            .await?,
        )
    };
    if plan.is_some() {
        session
            .ui
            .done("account", &context.clients.identity().account);
    }
    // The local engine replaces what CloudFormation does not.
    if let Some(plan) = plan.as_ref().filter(|_| !place.is_local()) {
        refuse_impossible(plan)?;
    }
    let consent = match &plan {
        Some(plan) if !plan.is_empty() => {
            consent(session, arguments, name, stage, place.is_local(), plan).await?
        }
        // An empty plan may still meet a stack that needs mending; its change set is checked against the plan.
        _ if place.is_local() => Consent::NotNeeded,
        _ => Consent::Given,
    };
    let deployment = Deployment {
        stage: name.to_owned(),
        stacks: deployments(&assembly, &selected, &contents),
        artifacts,
        // Nothing local is waited for, and what is protected should be ready when it is said to be deployed.
        express: !stage.protected && !place.is_local() && !arguments.no_express,
    };
    let approval = Arc::new(Approval::new(session.ui.clone(), consent, plan));
    let result = engine::deploy(&context, deployment, approval.clone()).await;
    activity.finish();
    match result {
        Ok(report) => {
            let target = place::target(stage, &place, endpoint.as_ref());
            finish(session, &assembly, &report, base.as_deref(), &target);
            Ok(0)
        }
        Err(error) => {
            let summary = error
                .report()
                .map(|report| summary(report, base.as_deref()));
            let mut error = Error::from(error);
            let declined = approval.declined();
            if !declined.is_empty() {
                error = declined
                    .into_iter()
                    .fold(error, Error::cause)
                    .hint("deploy again with somebody to ask, and without `--yes`");
            }
            Err(match summary {
                Some(fields) => error.with_fields(fields),
                None => error,
            })
        }
    }
}

/// Reports how a deploy past CloudFormation ended.
fn ended(
    session: &Session,
    assembly: &Assembly,
    result: Result<DeployReport, DeployError>,
    base: Option<&str>,
    target: &Target,
) -> Result<u8> {
    match result {
        Ok(report) => {
            finish(session, assembly, &report, base, target);
            Ok(0)
        }
        Err(error) => {
            let summary = error.report().map(|report| summary(report, base));
            let error = Error::from(error);
            Err(match summary {
                Some(fields) => error.with_fields(fields),
                None => error,
            })
        }
    }
}

/// Looks for what the selected stacks import and what is not deployed with them, before anything is built.
async fn find_exports(
    session: &Session,
    context: &Context,
    assembly: &Assembly,
    selected: &[usize],
    imports: &[Import],
) -> Result<()> {
    let missing = match session
        .guard(engine::missing_exports(context, imports))
        .await?
    {
        Ok(missing) => missing,
        // CloudFormation looks for itself when it makes a change set, whoever may list exports.
        Err(error) if matches!(error.fault(), Fault::Denied { .. }) => {
            let error = Error::from(error);
            session.ui.warn(format!(
                "nobody knows yet whether the exports are there that stacks import: {error}"
            ));
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    if missing.is_empty() {
        return Ok(());
    }
    let error = missing.iter().fold(
        Error::new(Kind::Deploy, "an export that the stacks import is missing"),
        |error, MissingExport { import, region }| {
            let Import { export, stack, .. } = import;
            error.cause(match &import.exporter {
                Some(exporter) => format!(
                    "stack {stack} imports `{export}`, which {exporter} does not export in {region} yet"
                ),
                None => {
                    format!("stack {stack} imports `{export}`, and nothing in {region} exports it")
                }
            })
        },
    );
    let foreign = missing
        .iter()
        .any(|missing| missing.import.exporter.is_none());
    let more = with_exporters(session, context, assembly, selected, missing);
    let error = match Box::pin(more).await? {
        Some(hint) => error.hint(hint),
        None => error,
    };
    Err(if foreign {
        error.hint("deploy what exports it first: another app, or another stage of this one")
    } else {
        error
    })
}

/// Says which stacks of the app are to be deployed with the selected ones, with the command that does; nothing, where
/// none of them exports what is missing.
async fn with_exporters(
    session: &Session,
    context: &Context,
    assembly: &Assembly,
    selected: &[usize],
    mut missing: Vec<MissingExport>,
) -> Result<Option<String>> {
    let stacks = &assembly.manifest.stacks;
    let mut wanted: BTreeSet<usize> = selected.iter().copied().collect();
    // What exports may itself import what is not deployed.
    loop {
        let exporters: BTreeSet<usize> = missing
            .iter()
            .filter_map(|missing| missing.import.exporter.as_deref())
            .filter_map(|name| stacks.iter().position(|stack| stack.name == name))
            .collect();
        if exporters.is_subset(&wanted) {
            break;
        }
        wanted.extend(exporters);
        let positions: Vec<usize> = wanted.iter().copied().collect();
        let imports = prepare::imports(assembly, &positions);
        let found = session.guard(engine::missing_exports(context, &imports));
        missing = found.await??;
    }
    let ids = |positions: &mut dyn Iterator<Item = &usize>| -> Vec<&str> {
        positions
            .filter_map(|position| stacks.get(*position))
            .map(|stack| stack.id.as_str())
            .collect()
    };
    let more = ids(&mut wanted.iter().filter(|at| !selected.contains(at)));
    if more.is_empty() {
        return Ok(None);
    }
    let all = if wanted.len() == stacks.len() {
        String::new()
    } else {
        format!(" {}", ids(&mut wanted.iter()).join(" "))
    };
    Ok(Some(format!(
        "deploy {} too: `stackctl deploy{all}{}`",
        list(&more),
        approval::options(session)
    )))
}

/// Ends a deploy that CloudFormation would refuse half-way, before anything is changed.
fn refuse_impossible(plan: &Plan) -> Result<()> {
    let impossible = plan.impossible();
    if impossible.is_empty() {
        return Ok(());
    }
    let error = Error::new(Kind::Deploy, "CloudFormation would refuse these changes");
    let error = impossible.into_iter().fold(error, Error::cause);
    Err(error.hint("change what the plan marks with CANNOT BE DEPLOYED; nothing was changed"))
}

async fn show_plan(
    session: &Session,
    context: &Context,
    assembly: &Assembly,
    selected: &[usize],
    artifacts: &BTreeMap<String, Artifact>,
    contents: &Contents,
) -> Result<Plan> {
    let plan = make_plan(session, context, assembly, selected, artifacts, contents).await?;
    if session.ui.json() {
        session
            .ui
            .json_line(&json!({"type": "plan", "stacks": plan.stacks}));
    }
    session
        .ui
        .line(ui::plan(&plan, session.ui.verbose() > 1).trim_end());
    Ok(plan)
}

/// Compares the selected stacks with what is deployed.
pub(super) async fn make_plan(
    session: &Session,
    context: &Context,
    assembly: &Assembly,
    selected: &[usize],
    artifacts: &BTreeMap<String, Artifact>,
    contents: &Contents,
) -> Result<Plan> {
    let none = BTreeMap::new();
    let task = session.ui.task("diff", "comparing with what is deployed");
    let stacks: Vec<_> = assembly.stacks().collect();
    let wanted: Vec<Wanted<'_>> = selected
        .iter()
        .filter_map(|position| stacks.get(*position))
        .map(|(manifest, template)| Wanted {
            manifest,
            template: &template.json,
            contents: contents.get(&manifest.name).unwrap_or(&none),
        })
        .collect();
    let plan = session
        .guard(Box::pin(plan::plan(context, &wanted, artifacts, &Registry)))
        .await??;
    drop(task);
    Ok(plan)
}

/// Asks for what the plan needs: in a protected stage losing data needs more than a yes.
async fn consent(
    session: &Session,
    arguments: &cli::Deploy,
    name: &str,
    stage: &Stage,
    local: bool,
    plan: &Plan,
) -> Result<Consent> {
    let lost: Vec<String> = plan
        .of_grade(Grade::DataLoss)
        .map(|(stack, change)| format!("{}/{}", stack.stack, change.logical_id))
        .collect();
    if stage.protected && !local && !lost.is_empty() {
        approval::confirm_stage(
            session,
            name,
            arguments.confirm.as_deref(),
            &format!("data would be lost: {}", lost.join(", ")),
        )
        .await?;
    }
    approval::ask(
        session,
        local,
        &format!("Deploy these changes to stage {name}?"),
    )
    .await
}

fn deployments(
    assembly: &Assembly,
    selected: &[usize],
    contents: &Contents,
) -> Vec<StackDeployment> {
    let stacks: Vec<_> = assembly.stacks().collect();
    selected
        .iter()
        .filter_map(|position| stacks.get(*position))
        .map(|(manifest, template)| StackDeployment {
            manifest: (*manifest).clone(),
            template: template.text.clone(),
            contents: contents.get(&manifest.name).cloned().unwrap_or_default(),
        })
        .collect()
}

fn finish(
    session: &Session,
    assembly: &Assembly,
    report: &DeployReport,
    base: Option<&str>,
    target: &Target,
) {
    if session.ui.json() {
        session.ui.json_line(&summary(report, base));
    } else {
        outputs::show(session, assembly, &collect(report, base), target);
    }
}

fn collect(report: &DeployReport, base: Option<&str>) -> Outputs {
    let mut outputs: Outputs = report
        .stacks
        .iter()
        .filter(|stack| stack.outcome.is_good())
        .map(|stack| (stack.stack.clone(), stack.outputs.clone()))
        .collect();
    if let Some(base) = base {
        outputs::reachable(&mut outputs, base);
    }
    outputs
}

/// The last line of the stream: how every stack ended up, and the outputs.
pub(super) fn summary(
    report: &DeployReport,
    base: Option<&str>,
) -> serde_json::Map<String, serde_json::Value> {
    let outputs = collect(report, base);
    let stacks: Vec<_> = report
        .stacks
        .iter()
        .map(|stack| {
            json!({
                "stack": stack.stack,
                "outcome": stack.outcome,
                "outputs": outputs.get(&stack.stack),
                "failure": stack.failure,
            })
        })
        .collect();
    let mut fields = serde_json::Map::new();
    fields.insert("type".to_owned(), "summary".into());
    fields.insert("stacks".to_owned(), stacks.into());
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::plan::{Action, ResourceChange, StackPlan};

    fn plan(grade: Grade) -> Plan {
        let change = ResourceChange {
            logical_id: "Orders".to_owned(),
            resource_type: "AWS::DynamoDB::Table".to_owned(),
            action: Action::Replace,
            grade,
            reasons: vec!["its name stays".to_owned()],
            properties: Vec::new(),
            source: None,
        };
        Plan {
            stacks: vec![StackPlan {
                stack: "orders-dev".to_owned(),
                changes: vec![change],
                ..StackPlan::default()
            }],
        }
    }

    #[test]
    fn what_cloudformation_refuses_ends_a_deploy_before_it_begins() {
        assert!(refuse_impossible(&plan(Grade::DataLoss)).is_ok());
        let error = refuse_impossible(&plan(Grade::Impossible)).expect_err("is refused");
        assert_eq!(error.kind(), Kind::Deploy);
        assert_eq!(error.causes(), ["orders-dev/Orders: its name stays"]);
    }
}
