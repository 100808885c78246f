//! `deploy`: builds, publishes and deploys stacks, and follows them to the end.

mod fast;
mod preflight;
mod rollout;
mod site;
pub(super) mod taken;
mod watched;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use tokio::time::Instant;

use super::once::{self, Rendered, Source};
use super::outputs::{self, Outputs};
use super::place::{self, Place};
use super::prepare::Contents;
use super::saved::Saved;
use super::{Session, approval, ledger, lock, prepare, revision};
use crate::assembly::Assembly;
use crate::aws::Fault;
use crate::cli;
use crate::config::{Project, StageConfig, list};
use crate::engine::plan::{self, Plan, Registry, Wanted};
use crate::engine::{
    self, Artifact, Context, DeployReport, Import, MissingExport, StackDeployment,
};
use crate::error::{Error, Kind, Result};
use crate::local::Endpoint;
use site::{Plot, Site};

pub(super) use watched::Round;

pub(super) async fn run(session: &Session, arguments: &cli::Deploy) -> Result<u8> {
    let project = session.project()?;
    let (name, config, chosen) = session.environments(&project)?;
    let place = Place::of(session);
    if arguments.fast && !place.is_local() && chosen.iter().any(|stage| stage.protected) {
        return Err(fast::refused(name));
    }
    place::refuse_several_accounts(&place, &chosen)?;
    let saved = match &arguments.plan {
        Some(file) => Some(Saved::read(&session.directory.join(file), name)?),
        None => None,
    };
    let stacks = match &saved {
        Some(saved) => &cli::Stacks {
            stacks: saved.select().to_vec(),
        },
        None => &arguments.stacks,
    };
    let _lock = lock::take(&project.state_dir, name, place.is_local())?;
    let (rendered, endpoint) = tokio::try_join!(
        once::render(
            session,
            &project,
            (name, config, &chosen),
            stacks,
            Source::Fresh,
            &place
        ),
        place::ensure(session, &project, &place),
    )?;
    let sites = sites(
        &project,
        (name, config),
        arguments,
        &place,
        endpoint.as_ref(),
        rendered,
    )
    .await?;
    let order = rollout::Order { arguments, saved };
    roll_out(session, &project, config, &order, &place, &sites).await
}

/// Deploys every environment, and settles what is written down of what stays outside of stacks.
async fn roll_out(
    session: &Session,
    project: &Project,
    config: &StageConfig,
    order: &rollout::Order<'_>,
    place: &Place,
    sites: &[Site<'_>],
) -> Result<u8> {
    let ended = Box::pin(rollout::run(session, config, order, place, sites)).await;
    // A stack of a deploy that failed may have taken something back all the same, and what is done is done.
    for site in sites {
        if let Err(error) = site.settle(project).await {
            session.ui.warn(error.to_string());
        }
    }
    ended
}

/// Builds the functions of every environment, connects to it, and looks for what stands in the way of the deploy.
async fn sites<'a>(
    project: &Project,
    (name, config): (&'a str, &StageConfig),
    arguments: &cli::Deploy,
    place: &Place,
    endpoint: Option<&Endpoint>,
    rendered: Vec<Rendered<'a>>,
) -> Result<Vec<Site<'a>>> {
    let mut plots = Vec::new();
    for rendered in rendered {
        plots.push(Plot::new(project, name, place, endpoint, rendered)?);
    }
    let look = async |plot: &Plot<'a>, context: &Context| {
        let ground = plot.ground(project, config, name, place);
        let orphans = Box::pin(taken::look(plot, context, place, &ground)).await?;
        let own = plot.stage.region.as_str();
        let targets = plot.targets().into_iter();
        let regions = targets.map(|target| target.region.unwrap_or_else(|| own.to_owned()));
        ground.enter(&plot.session.ui, &regions.collect());
        Ok::<_, Error>(orphans)
    };
    let mut besides = Vec::new();
    // A build for AWS takes long: missing credentials are found before it, not after, and so are missing exports.
    let (contexts, artifacts) = if place.is_local()
        && plots.iter().all(|plot| plot.imports().is_empty())
    {
        let artifacts = site::build(project, place, &plots).await?;
        let contexts = connect(place, endpoint, &plots, arguments).await?;
        let until = Instant::now() + engine::PATIENCE;
        for (plot, context) in plots.iter().zip(&contexts) {
            besides.push(look(plot, context).await?);
            preflight::run(plot, context, arguments, place, until).await?;
        }
        (contexts, artifacts)
    } else {
        let contexts = connect(place, endpoint, &plots, arguments).await?;
        for (plot, context) in plots.iter().zip(&contexts) {
            let (orphans, ()) =
                tokio::try_join!(look(plot, context), Box::pin(find_exports(plot, context)),)?;
            besides.push(orphans);
        }
        let until = Instant::now() + engine::PATIENCE;
        let looks = async {
            let looks = plots.iter().zip(&contexts);
            let looks = looks.map(|(plot, it)| preflight::run(plot, it, arguments, place, until));
            let looked = engine::abreast(engine::CONCURRENCY, looks.collect()).await;
            looked.into_iter().collect::<Result<()>>()
        };
        let (artifacts, ()) = tokio::try_join!(site::build(project, place, &plots), looks)?;
        (contexts, artifacts)
    };
    let revision = revision::of(&project.root).await;
    Ok(plots
        .into_iter()
        .zip(contexts)
        .zip(artifacts)
        .zip(besides)
        .map(|(((plot, context), artifacts), orphans)| {
            let context = context
                .with_revision(revision.clone())
                .waiting(arguments.wait)
                .with_concurrency(arguments.concurrency)
                .reaching(plot.base.clone());
            let whole = (name, plot.stage);
            let context = ledger::entering(context, &plot.session.ui, project, whole);
            Site {
                name,
                plot,
                context,
                artifacts,
                orphans,
                changed: RefCell::default(),
            }
        })
        .collect())
}

/// Makes the clients of every environment, for stacks of this app and for those that it takes over.
async fn connect(
    place: &Place,
    endpoint: Option<&Endpoint>,
    plots: &[Plot<'_>],
    arguments: &cli::Deploy,
) -> Result<Vec<Context>> {
    let contexts = site::connect(place, endpoint, plots).await?.into_iter();
    let contexts = contexts.zip(plots).map(|(context, plot)| {
        let names = plot.targets().into_iter().map(|target| target.name);
        context.taking_over(taken::over(names, &arguments.allow))
    });
    Ok(contexts.collect())
}

/// Looks for what the selected stacks import and what is not deployed with them, before anything is built.
async fn find_exports(plot: &Plot<'_>, context: &Context) -> Result<()> {
    let (session, assembly, selected) = (&plot.session, &plot.assembly, &plot.selected);
    let missing = missing_exports(session, context, &plot.imports()).await?;
    if missing.is_empty() {
        return Ok(());
    }
    let error = Error::new(Kind::Deploy, "an export that the stacks import is missing");
    let error = missing
        .iter()
        .fold(error, |error, missing| error.cause(missing.told()));
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

/// Looks for exports that are imported and not there. Where the caller may not look, that is told, and none is missing.
pub(super) async fn missing_exports(
    session: &Session,
    context: &Context,
    imports: &[Import],
) -> Result<Vec<MissingExport>> {
    let looks = Box::pin(engine::missing_exports(context, imports));
    match session.guard(looks).await? {
        // CloudFormation looks for itself when it makes a change set, whoever may list exports.
        Err(error) if matches!(error.fault(), Fault::Denied { .. }) => {
            let error = Error::from(error);
            session.ui.warn(format!(
                "nobody knows yet whether the exports are there that stacks import: {error}"
            ));
            Ok(Vec::new())
        }
        missing => Ok(missing?),
    }
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
        let found = session.guard(Box::pin(engine::missing_exports(context, &imports)));
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
        "deploy {} too: `stackctl deploy{all}`",
        list(&more)
    )))
}

/// Ends a deploy that CloudFormation would refuse half-way, before anything is changed. What is local is refused alike, so that
/// nobody learns it only on AWS.
///
/// Locally there is a way besides.
pub(super) fn refuse_impossible(plan: &Plan, is_local: bool) -> Result<()> {
    let hint = "change what `stackctl diff` marks with CANNOT BE DEPLOYED; nothing was changed";
    impossible(plan, is_local, hint)
}

/// Refuses it, and says what leads on.
pub(super) fn impossible(plan: &Plan, is_local: bool, hint: &str) -> Result<()> {
    let impossible = plan.impossible();
    if impossible.is_empty() {
        return Ok(());
    }
    let error = Error::new(Kind::Deploy, "CloudFormation would refuse these changes");
    let error = impossible.into_iter().fold(error, Error::cause);
    let error = error.hint(hint);
    Err(if is_local {
        error.hint("or make it anew, if nothing local has to stay: `stackctl destroy` comes first")
    } else {
        error
    })
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
            contracts: &assembly.manifest.contracts,
            contents: contents.get(&manifest.name).unwrap_or(&none),
        })
        .collect();
    let plan = session
        .guard(Box::pin(plan::plan(context, &wanted, artifacts, &Registry)))
        .await??;
    drop(task);
    Ok(plan)
}

/// Has CloudFormation compute the change sets of a plan, puts beside it what they say otherwise, and removes them.
pub(super) async fn propose(
    session: &Session,
    context: &Context,
    stage: &str,
    stacks: &[StackDeployment],
    mut plan: Plan,
) -> Result<Plan> {
    let task = session
        .ui
        .task("change set", "computing what CloudFormation would do");
    let proposed = session
        .guard(Box::pin(engine::propose(context, stage, stacks, &plan)))
        .await??;
    drop(task);
    for stack in &mut plan.stacks {
        if let Some(said) = proposed.get(&stack.stack) {
            *stack = approval::beside(stack, said);
        }
    }
    Ok(plan)
}

pub(super) fn deployments(
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

pub(super) fn collect(report: &DeployReport, base: Option<&str>) -> Outputs {
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
    use crate::engine::plan::{Action, Grade, ResourceChange, StackPlan};

    fn plan(grade: Grade) -> Plan {
        let change = ResourceChange {
            logical_id: "Orders".to_owned(),
            resource_type: "AWS::DynamoDB::Table".to_owned(),
            action: Action::Replace,
            grade,
            reasons: vec!["its name stays".to_owned()],
            ..ResourceChange::default()
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
        assert!(refuse_impossible(&plan(Grade::DataLoss), false).is_ok());
        let refused =
            |local| refuse_impossible(&plan(Grade::Impossible), local).expect_err("it is");
        let error = refused(false);
        assert_eq!(error.kind(), Kind::Deploy);
        assert_eq!(error.causes(), ["orders-dev/Orders: its name stays"]);
        assert_eq!(error.hints().len(), 1);
        // What is local is refused alike, and there is another way.
        let hints = refused(true).hints().to_vec();
        assert!(hints[1].contains("`stackctl destroy`"), "{hints:?}");
    }
}
