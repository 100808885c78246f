//! One environment that is deployed to.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use serde_json::json;
use stack_model::assembly::Asset;

use super::{Contents, deployments, make_plan, summary};
use crate::assembly::Assembly;
use crate::aws::Target;
use crate::cli;
use crate::command::approval::{Approval, Consent};
use crate::command::environments::label;
use crate::command::once::{Owned, Rendered};
use crate::command::outputs;
use crate::command::place::{self, Place};
use crate::command::remembered::Remembered;
use crate::command::territory::{self, Ground};
use crate::command::{Session, ledger, prepare};
use crate::config::{Project, Stage, StageConfig};
use crate::engine::plan::{Plan, StackPlan};
use crate::engine::{
    self, Artifact, Context, DeployError, DeployReport, Deployment, EventSink, Import, Orphan,
    StackTarget,
};
use crate::error::{Error, Result};
use crate::local::Endpoint;
use crate::repeat::Repeated;
use crate::ui::Activity;

/// Packaged functions, by asset name.
pub(super) type Artifacts = BTreeMap<String, Artifact>;

/// What is known of an environment before anybody is called.
pub(super) struct Plot<'a> {
    pub(super) session: Session,
    pub(super) stage: &'a Stage,
    pub(super) assembly: Assembly,
    pub(super) selected: Vec<usize>,
    /// The selected stacks that others leave to this environment.
    pub(super) owns: Owned,
    pub(super) base: Option<Arc<str>>,
    /// The name of the app.
    app: Option<String>,
    /// Whether the outputs are shown once they are known.
    pub(super) shows: bool,
    contents: Contents,
    remembered: Remembered,
    activity: Activity,
    target: Target,
}

/// An environment, ready to be deployed to.
pub(super) struct Site<'a> {
    /// The name of the stage.
    pub(super) name: &'a str,
    pub(super) plot: Plot<'a>,
    pub(super) context: Context,
    pub(super) artifacts: Artifacts,
    /// The stacks of the app that are deployed and that the source does not have.
    pub(super) orphans: Vec<Orphan>,
    /// The stacks that this run changed, or may have.
    pub(super) changed: RefCell<BTreeSet<StackTarget>>,
}

/// What a plan is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// Somebody reads it.
    All,
    /// It says what would be refused, and in which order stacks are deployed.
    Refusals,
}

/// A plan that was made.
#[derive(Debug)]
pub(super) enum Made {
    /// Somebody agreed to it, and the engine is held to it.
    Agreed(Plan),
    /// It was shown to nobody.
    Unseen(Plan),
}

/// How a deploy to an environment ended.
pub(super) struct SiteEnd {
    /// What was done, where anything was begun.
    pub(super) report: Option<DeployReport>,
    /// Why it is not as it should be.
    pub(super) error: Option<Error>,
}

impl<'a> Plot<'a> {
    pub(super) fn new(
        project: &Project,
        name: &str,
        place: &Place,
        endpoint: Option<&Endpoint>,
        rendered: Rendered<'a>,
    ) -> Result<Self> {
        let Rendered {
            session,
            stage,
            mut assembly,
            selected,
            mut owns,
            unknown: _,
        } = rendered;
        let stacks = &assembly.manifest.stacks;
        let names = selected.iter().filter_map(|at| stacks.get(*at));
        owns.retain(|name, _| names.clone().any(|stack| stack.name == *name));
        prepare::adapt(&session, &mut assembly, place)?;
        Ok(Self {
            contents: prepare::contents(project, &assembly, &selected)?,
            remembered: Remembered::of(project, name, stage, place.is_local()),
            activity: Activity::new(&session.ui, "deploy"),
            base: place::api_base(place, endpoint),
            app: project.config.workspace.name().map(str::to_owned),
            shows: true,
            target: place::target(stage, place, endpoint),
            session,
            stage,
            assembly,
            selected,
            owns,
        })
    }

    /// Returns what the selected stacks import and what is not deployed with them.
    pub(super) fn imports(&self) -> Vec<Import> {
        prepare::imports(&self.assembly, &self.selected)
    }

    /// Returns where stacks are looked for that the source does not have.
    pub(super) fn ground(
        &self,
        project: &Project,
        config: &StageConfig,
        name: &str,
        place: &Place,
    ) -> Ground {
        territory::of(project, (name, config), self.stage, &self.assembly, place)
    }

    /// Returns the selected stacks.
    pub(super) fn targets(&self) -> Vec<StackTarget> {
        prepare::targets(&self.assembly, &self.selected)
    }

    fn sink(&self) -> EventSink {
        let (activity, base) = (self.activity.clone(), self.base.clone());
        EventSink::new(move |event| {
            activity.take(&outputs::reachable_event(event, base.as_deref()));
        })
    }

    /// Says in an error which of several environments it is of.
    pub(super) fn name(&self, error: Error) -> Error {
        if self.session.several {
            error
                .completed(&Repeated::of(&self.session.global))
                .within(label(self.stage))
        } else {
            error
        }
    }
}

/// Makes the clients of every environment and checks who is calling.
pub(super) async fn connect(
    place: &Place,
    endpoint: Option<&Endpoint>,
    plots: &[Plot<'_>],
) -> Result<Vec<Context>> {
    let connections = plots.iter().map(|plot| {
        let Plot { session, stage, .. } = plot;
        let connect = place::connect(session, stage, place, endpoint, plot.sink());
        boxed(async move {
            let connected = match session.guard(connect).await {
                Ok(connected) => connected,
                Err(error) => Err(error),
            };
            connected
                .map(|context| context.of_app(plot.app.as_deref()))
                .map_err(|error| plot.name(error))
        })
    });
    all(connections.collect()).await.into_iter().collect()
}

/// Builds the functions of every environment, those that are the same for several once.
pub(super) async fn build(
    project: &Project,
    place: &Place,
    plots: &[Plot<'_>],
) -> Result<Vec<Artifacts>> {
    let mut built: Vec<(BTreeMap<&str, &Asset>, Artifacts)> = Vec::new();
    for plot in plots {
        let assets = prepare::assets(&plot.assembly, &plot.selected);
        let artifacts = match built.iter().find(|(other, _)| *other == assets) {
            Some((_, artifacts)) => artifacts.clone(),
            None => {
                prepare::functions(
                    &plot.session,
                    project,
                    &plot.assembly,
                    &plot.selected,
                    place,
                )
                .await?
            }
        };
        built.push((assets, artifacts));
    }
    Ok(built.into_iter().map(|(_, artifacts)| artifacts).collect())
}

impl Site<'_> {
    /// Returns how the environment is called among several.
    pub(super) fn label(&self) -> &str {
        label(self.plot.stage)
    }

    /// Compares what is selected with what is deployed.
    pub(super) async fn plan(&self, depth: Depth) -> Result<Plan> {
        let Plot {
            session,
            assembly,
            selected,
            contents,
            ..
        } = &self.plot;
        let (context, artifacts) = (&self.context, &self.artifacts);
        let plan = if depth == Depth::All {
            make_plan(session, context, assembly, selected, artifacts, contents).await?
        } else {
            // Where only code changes since stacks were seen last, nothing is refused, and nobody has to be asked.
            let seen = self.plot.remembered.compare(assembly, selected);
            if seen.is_ok_and(|plan| plan.is_empty()) {
                return Ok(Plan::default());
            }
            // Neither files nor why code changes are looked at: both cost calls, and nothing is refused for them.
            let mut artifacts = artifacts.clone();
            for artifact in artifacts.values_mut() {
                artifact.made_from = None;
            }
            let none = Contents::default();
            make_plan(session, context, assembly, selected, &artifacts, &none).await?
        };
        self.plot.remembered.seen(&session.ui, &plan);
        Ok(plan)
    }

    /// Returns what is to be deployed.
    pub(super) fn deployment(&self, express: bool) -> Deployment {
        let plot = &self.plot;
        Deployment {
            stage: self.name.to_owned(),
            stacks: deployments(&plot.assembly, &plot.selected, &plot.contents),
            names: plot
                .assembly
                .manifest
                .stacks
                .iter()
                .map(|stack| stack.name.clone())
                .collect(),
            artifacts: self.artifacts.clone(),
            express,
            records: true,
            ..Deployment::default()
        }
    }

    /// Deploys what was agreed to.
    pub(super) async fn deploy(
        &self,
        arguments: &cli::Deploy,
        place: &Place,
        consent: Consent,
        plan: Made,
    ) -> SiteEnd {
        // Nothing local is waited for, and what is protected should be ready when it is said to be deployed.
        let express = !self.plot.stage.protected && !place.is_local() && !arguments.no_express;
        let (agreed, plan) = match plan {
            Made::Agreed(plan) => (Some(plan.clone()), plan),
            Made::Unseen(plan) => (None, plan),
        };
        let order = || Plan {
            stacks: plan.stacks.iter().map(StackPlan::order_only).collect(),
        };
        let deployment = Deployment {
            agreed: agreed.clone().unwrap_or_else(order),
            contracts: self.plot.assembly.manifest.contracts.clone(),
            ..self.deployment(express)
        };
        let protected = self.plot.stage.protected.then_some(self.name);
        let approval = Approval::new(self.plot.session.ui.clone(), consent, agreed)
            .allowing(&arguments.allow, protected)
            .in_place(place.is_local());
        let approval = Arc::new(approval);
        let result = engine::deploy(&self.context, deployment, approval.clone()).await;
        let mut end = self.ended(result);
        if let Some(report) = &end.report {
            let Plot {
                remembered,
                session,
                ..
            } = &self.plot;
            remembered.deployed(&session.ui, &approval.plan().unwrap_or(plan), report);
        }
        end.error = end
            .error
            .map(|error| approval.explain(error, approval.way_on()));
        end
    }

    /// Takes how the engine ended, and shows the outputs where all is well.
    pub(super) fn ended(&self, result: Result<DeployReport, DeployError>) -> SiteEnd {
        self.plot.activity.finish();
        let report = result.as_ref().map_or_else(DeployError::report, Some);
        let stacks = &self.plot.assembly.manifest.stacks;
        let changed = ledger::changed(ledger::ended(report), stacks);
        self.changed.borrow_mut().extend(changed);
        match result {
            Ok(report) => {
                if self.plot.shows && !self.plot.session.ui.json() {
                    let outputs = super::collect(&report, self.plot.base.as_deref());
                    let Plot {
                        session,
                        assembly,
                        target,
                        ..
                    } = &self.plot;
                    outputs::show(session, assembly, &outputs, target);
                }
                SiteEnd {
                    report: Some(report),
                    error: None,
                }
            }
            Err(error) => SiteEnd {
                report: error.report().cloned(),
                error: Some(error.into()),
            },
        }
    }

    /// Enters into the ledger what stays outside, and takes out of it what belongs to a stack again.
    pub(super) async fn settle(&self, project: &Project) -> Result<()> {
        let Plot { session, stage, .. } = &self.plot;
        let changed = self.changed.borrow().clone();
        let whole = (self.name, *stage);
        Box::pin(ledger::after(
            session,
            project,
            &self.context,
            whole,
            changed,
        ))
        .await
    }

    /// Returns the summary of what was done.
    pub(super) fn summary(
        &self,
        report: &DeployReport,
    ) -> serde_json::Map<String, serde_json::Value> {
        let mut fields = summary(report, self.plot.base.as_deref());
        if !self.orphans.is_empty() {
            fields.insert("orphans".to_owned(), json!(self.orphans));
        }
        fields
    }
}

/// Work that borrows.
pub(super) type Work<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Puts work on the heap.
pub(super) fn boxed<'a, T>(work: impl Future<Output = T> + 'a) -> Work<'a, T> {
    Box::pin(work)
}

/// Does everything at once, on this thread, and returns the answers in the same order.
pub(super) async fn all<T>(work: Vec<Work<'_, T>>) -> Vec<T> {
    let mut work: Vec<_> = work.into_iter().map(|work| (work, None)).collect();
    std::future::poll_fn(|context| {
        let mut done = true;
        for (work, answer) in &mut work {
            if answer.is_none() {
                match work.as_mut().poll(context) {
                    Poll::Ready(value) => *answer = Some(value),
                    Poll::Pending => done = false,
                }
            }
        }
        if done { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    work.into_iter().filter_map(|(_, answer)| answer).collect()
}
