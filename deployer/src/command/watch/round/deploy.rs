//! What one round deploys: everything, or code alone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use super::{Given, Rendered, Round, Worked, package};
use crate::assembly::Assembly;
use crate::command::once;
use crate::command::place::Place;
use crate::command::prepare::{self, Contents};
use crate::command::{Session, deploy};
use crate::config::{Project, Stage, StageConfig};
use crate::engine::{self, Artifact};
use crate::error::Result;
use crate::local::Endpoint;

/// What a round deploys to.
pub(super) struct Target<'a> {
    pub(super) session: &'a Session,
    pub(super) project: &'a Project,
    pub(super) name: &'a str,
    pub(super) config: &'a StageConfig,
    pub(super) stage: &'a Stage,
    pub(super) endpoint: Option<&'a Endpoint>,
}

/// What is deployed, as far as later rounds need it.
pub(super) struct Deployed {
    assembly: Assembly,
    artifacts: BTreeMap<String, Artifact>,
    contents: Contents,
}

impl Round<'_> {
    pub(super) async fn deploy(
        &mut self,
        target: &Target<'_>,
        rendered: &Rendered,
        since: SystemTime,
    ) -> Result<Worked> {
        let known = self.deployed.take();
        let Rendered {
            assembly, selected, ..
        } = rendered;
        if let Some(deployed) = known.filter(|known| is_same(&known.assembly, assembly)) {
            return Box::pin(self.code(target, rendered, deployed, since)).await;
        }
        let contents = prepare::contents(target.project, assembly, selected)?;
        let full = Box::pin(self.full(target, rendered, selected, since));
        let artifacts = full.await?;
        self.deployed = Some(Deployed {
            assembly: assembly.clone(),
            artifacts,
            contents,
        });
        Ok(Worked::Deployed)
    }

    /// Deploys stacks as `deploy` does.
    async fn full(
        &mut self,
        target: &Target<'_>,
        rendered: &Rendered,
        selected: &[usize],
        since: SystemTime,
    ) -> Result<BTreeMap<String, Artifact>> {
        let session = self.session;
        let outputs = outputs(&rendered.assembly);
        // Outputs change rarely, and whoever watches has seen them.
        let shows = outputs != self.outputs;
        let stacks = rendered.of(target, selected);
        let full = target.round(session, &self.place);
        let full = full.full(&self.arguments.stacks, stacks, shows);
        let (context, artifacts) = Box::pin(full).await?;
        self.outputs = outputs;
        if !self.arguments.no_logs {
            let targets = prepare::targets(&rendered.assembly, &rendered.selected);
            let functions = session.guard(engine::functions(&context, &targets));
            match functions.await? {
                Ok(functions) => self
                    .followed
                    .follow(&session.ui, &context, functions, since),
                Err(error) => session
                    .ui
                    .warn(format!("the logs are not followed: {error}")),
            }
        }
        Ok(artifacts)
    }

    /// Gives functions their code and buckets their files, where nothing else is to be done.
    async fn code(
        &mut self,
        target: &Target<'_>,
        rendered: &Rendered,
        deployed: Deployed,
        since: SystemTime,
    ) -> Result<Worked> {
        let Rendered {
            assembly, selected, ..
        } = rendered;
        let (fresh, contents) = match self.prepare(target, rendered, &deployed).await {
            Ok(prepared) => prepared,
            // Nothing was touched.
            Err(error) => {
                self.deployed = Some(deployed);
                return Err(error);
            }
        };
        let mut artifacts = deployed.artifacts.clone();
        artifacts.extend(fresh);
        let stacks = &assembly.manifest.stacks;
        let mut given = Given::default();
        let mut touched = Vec::new();
        for position in selected {
            let Some(stack) = stacks.get(*position) else {
                continue;
            };
            let mut assets = stack.artifacts.values();
            let code = assets.any(|asset| artifacts.get(asset) != deployed.artifacts.get(asset));
            let files = contents.get(&stack.name) != deployed.contents.get(&stack.name);
            given.code |= code;
            given.files |= files;
            if code || files {
                touched.push(*position);
            }
        }
        let mut worked = Worked::Nothing;
        if !touched.is_empty() {
            let round = target.round(self.session, &self.place);
            let plan = round.plan(rendered.of(target, &touched), artifacts.clone());
            let watched = match Box::pin(plan).await {
                Ok(watched) => watched,
                // Nothing was touched.
                Err(error) => {
                    self.deployed = Some(deployed);
                    return Err(error);
                }
            };
            worked = match Box::pin(watched.give()).await? {
                Ok(()) => {
                    self.say_past();
                    Worked::Past(given)
                }
                Err(reasons) => {
                    let reasons = reasons.join("; ");
                    self.session
                        .ui
                        .done("stacks", format!("are deployed: {reasons}"));
                    Box::pin(self.full(target, rendered, &touched, since)).await?;
                    Worked::Deployed
                }
            };
        }
        self.deployed = Some(Deployed {
            assembly: assembly.clone(),
            artifacts,
            contents,
        });
        Ok(worked)
    }

    /// Builds what is affected, and reads the folders that fill buckets, where they have changed.
    async fn prepare(
        &self,
        target: &Target<'_>,
        rendered: &Rendered,
        deployed: &Deployed,
    ) -> Result<(BTreeMap<String, Artifact>, Contents)> {
        let (project, assembly) = (target.project, &rendered.assembly);
        let mut assets = prepare::assets(assembly, &rendered.selected);
        assets.retain(|_, asset| self.pending.functions.contains(package(asset)));
        let fresh =
            prepare::build_assets(self.session, project, assembly, assets, &self.place).await?;
        let contents = if self.pending.contents {
            prepare::contents(project, assembly, &rendered.selected)?
        } else {
            deployed.contents.clone()
        };
        Ok((fresh, contents))
    }

    /// Says once that code goes past CloudFormation.
    fn say_past(&mut self) {
        if !std::mem::replace(&mut self.told, true) && !self.place.is_local() {
            self.session.ui.warn("code goes to the functions without CloudFormation: `stackctl deploy` tells it in the end");
        }
    }
}

impl Rendered {
    /// Returns the stacks as a deploy takes them.
    fn of<'a>(&self, target: &Target<'a>, selected: &[usize]) -> once::Rendered<'a> {
        once::Rendered {
            session: target.session.clone(),
            stage: target.stage,
            assembly: self.assembly.clone(),
            selected: selected.to_vec(),
            owns: self.owns.clone(),
            unknown: Vec::new(),
        }
    }
}

impl<'a> Target<'a> {
    fn round(&self, session: &'a Session, place: &'a Place) -> deploy::Round<'a> {
        deploy::Round {
            session,
            project: self.project,
            name: self.name,
            config: self.config,
            place,
            endpoint: self.endpoint,
        }
    }
}

/// Returns which outputs stacks have.
fn outputs(assembly: &Assembly) -> BTreeSet<(String, String)> {
    let stacks = assembly.manifest.stacks.iter();
    stacks
        .flat_map(|stack| {
            let keys = stack.outputs.keys();
            keys.map(|key| (stack.name.clone(), key.clone()))
        })
        .collect()
}

/// Returns whether two assemblies deploy the same: they may have been declared in other lines.
fn is_same(one: &Assembly, other: &Assembly) -> bool {
    let told = |assembly: &Assembly| {
        let mut manifest = assembly.manifest.clone();
        manifest.contracts.clear();
        for stack in &mut manifest.stacks {
            for resource in stack.resources.values_mut() {
                resource.source.clear();
            }
        }
        manifest
    };
    // The manifest holds the hashes of the templates.
    told(one) == told(other)
}
