//! Deploys one environment on behalf of `watch`.

use std::cell::RefCell;

use super::site::{self, Artifacts, Plot, Site};
use super::{roll_out, rollout, sites};
use crate::cli;
use crate::command::once::Rendered;
use crate::command::{Session, place::Place, revision};
use crate::config::{Project, StageConfig};
use crate::engine::{self, Context, FastPlan};
use crate::error::{Error, Kind, Result};
use crate::local::Endpoint;

/// Where a round of `watch` deploys to.
#[derive(Clone, Copy)]
pub(in crate::command) struct Round<'a> {
    /// The session.
    pub(in crate::command) session: &'a Session,
    /// The workspace.
    pub(in crate::command) project: &'a Project,
    /// The name of the stage.
    pub(in crate::command) name: &'a str,
    /// The stage.
    pub(in crate::command) config: &'a StageConfig,
    /// The place.
    pub(in crate::command) place: &'a Place,
    /// The local engine, where the place is one.
    pub(in crate::command) endpoint: Option<&'a Endpoint>,
}

/// A deploy that may turn out to be of code alone.
pub(in crate::command) struct Watched<'a> {
    site: Site<'a>,
    plan: FastPlan,
}

impl<'a> Round<'a> {
    /// Deploys as `deploy` does. Returns what it worked with, and the artifacts of the stacks.
    pub(in crate::command) async fn full(
        &self,
        stacks: &cli::Stacks,
        rendered: Rendered<'a>,
        shows: bool,
    ) -> Result<(Context, Artifacts)> {
        let arguments = cli::Deploy {
            stacks: stacks.clone(),
            beforehand: true,
            ..cli::Deploy::default()
        };
        let (project, place, endpoint) = (self.project, self.place, self.endpoint);
        let rendered = vec![rendered];
        let stage = (self.name, self.config);
        let mut sites = sites(project, stage, &arguments, place, endpoint, rendered).await?;
        for site in &mut sites {
            site.plot.shows = shows;
        }
        let order = rollout::Order {
            arguments: &arguments,
            saved: None,
        };
        let rollout = roll_out(self.session, project, self.config, &order, place, &sites);
        Box::pin(rollout).await?;
        let site = sites.pop().ok_or_else(nowhere)?;
        Ok((site.context, site.artifacts))
    }

    /// Finds out what a deploy of these artifacts takes. Nothing is changed.
    pub(in crate::command) async fn plan(
        &self,
        rendered: Rendered<'a>,
        artifacts: Artifacts,
    ) -> Result<Watched<'a>> {
        let mut plot = Plot::new(self.project, self.name, self.place, self.endpoint, rendered)?;
        plot.shows = false;
        let plots = [plot];
        let mut contexts = site::connect(self.place, self.endpoint, &plots).await?;
        let context = contexts.pop().ok_or_else(nowhere)?;
        let [plot] = plots;
        let context = context
            .with_revision(revision::of(&self.project.root).await)
            .reaching(plot.base.clone());
        let site = Site {
            name: self.name,
            plot,
            context,
            artifacts,
            orphans: Vec::new(),
            changed: RefCell::default(),
        };
        let deployment = site.deployment(false);
        let plan = engine::fast_plan(&site.context, &deployment);
        let plan = self.session.guard(Box::pin(plan)).await??;
        Ok(Watched { site, plan })
    }
}

impl Watched<'_> {
    /// Gives functions their code and buckets their files, or says why more than that is to be done.
    pub(in crate::command) async fn give(self) -> Result<Result<(), Vec<String>>> {
        let Self { site, plan } = self;
        let changes = match plan {
            FastPlan::Code(changes) => changes,
            FastPlan::Full(reasons) => return Ok(Err(reasons)),
        };
        let result = engine::fast(&site.context, changes).await;
        let end = site.ended(result);
        let summary = end.report.as_ref().map(|report| site.summary(report));
        match (end.error, summary) {
            (Some(error), Some(fields)) => Err(error.with_fields(fields)),
            (Some(error), None) => Err(error),
            (None, summary) => {
                let ui = &site.plot.session.ui;
                if let Some(summary) = summary.filter(|_| ui.json()) {
                    ui.json_line(&summary);
                }
                Ok(Ok(()))
            }
        }
    }
}

fn nowhere() -> Error {
    Error::new(Kind::Configuration, "the stage has no environment")
}
