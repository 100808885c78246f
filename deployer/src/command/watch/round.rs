//! One round: from changed files to what is deployed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use stack_model::assembly::Asset;

use super::follow::Followed;
use super::refused;
use crate::assembly::Assembly;
use crate::cli;
use crate::command::deploy;
use crate::command::once::{self, Source};
use crate::command::place::{self, Place};
use crate::command::prepare::{self, Contents};
use crate::command::{Session, approval, kept, lock};
use crate::config::{Project, Stage, StageConfig};
use crate::engine::{self, Artifact};
use crate::error::{Error, Kind, Result};
use crate::local::Endpoint;
use crate::ui::count;
use crate::watch::{self, Affected, Packages, PackagesError, Scope, Workspace};

/// What a round did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Worked {
    /// Stacks were deployed.
    Deployed,
    /// Functions were given code past CloudFormation, or buckets other files.
    Code,
    /// What was built is what is deployed.
    Nothing,
}

/// What one round hands on to the next.
pub(super) struct Round<'a> {
    session: &'a Session,
    arguments: &'a cli::Watch,
    place: Place,
    project: Project,
    name: String,
    workspace: Workspace,
    /// What is still to be done; all of it, before the first round.
    pending: Affected,
    /// The stacks as they were rendered last.
    rendered: Option<Rendered>,
    /// What is deployed, as long as that is known.
    deployed: Option<Deployed>,
    /// Which outputs were shown.
    outputs: BTreeSet<(String, String)>,
    followed: Followed,
    /// What was said of what is watched.
    said: String,
    /// Whether it was said that code goes past CloudFormation.
    told: bool,
    /// Whether the stage may not be watched any more.
    over: bool,
}

struct Rendered {
    assembly: Assembly,
    selected: Vec<usize>,
    owns: once::Owned,
}

/// What a round deploys to.
struct Target<'a> {
    session: &'a Session,
    project: &'a Project,
    name: &'a str,
    config: &'a StageConfig,
    stage: &'a Stage,
    endpoint: Option<&'a Endpoint>,
}

struct Deployed {
    assembly: Assembly,
    artifacts: BTreeMap<String, Artifact>,
    contents: Contents,
}

impl<'a> Round<'a> {
    /// Prepares the first round, which deploys everything.
    pub(super) async fn first(
        session: &'a Session,
        arguments: &'a cli::Watch,
        place: Place,
        project: &Project,
        name: &str,
    ) -> Result<Self> {
        let mut round = Self {
            session,
            arguments,
            place,
            project: project.clone(),
            name: name.to_owned(),
            workspace: Workspace::default(),
            pending: Affected {
                stacks: true,
                ..Affected::default()
            },
            rendered: None,
            deployed: None,
            outputs: BTreeSet::new(),
            followed: Followed::default(),
            said: String::new(),
            told: false,
            over: false,
        };
        round.workspace.packages = session.guard(packages(project)).await??;
        round
            .workspace
            .stacks
            .clone_from(&project.config.workspace.stacks);
        round.workspace.configuration.clone_from(&project.file);
        // Which packages hold functions is known for sure when the stacks are rendered; until then, as of the last time.
        let (_, stage) = session.stage(project)?;
        if let Some(kept) = kept::last(project, &stage.key(name)) {
            round.learn(&kept.assembly);
        }
        Ok(round)
    }

    /// Returns what is watched.
    pub(super) fn scope(&self) -> Scope {
        let Workspace {
            packages,
            stacks,
            functions,
            sources,
            configuration,
            contents,
        } = &self.workspace;
        let root = &self.project.root;
        let mut names = functions.clone();
        names.insert(stacks.clone());
        let needed = packages.needed_by(&names);
        let others = packages
            .directories()
            .filter(|other| !needed.contains(*other));
        let without = others
            .cloned()
            .chain([packages.target().to_owned(), self.project.state_dir.clone()]);
        let manifests = [
            "Cargo.toml",
            "Cargo.lock",
            "rust-toolchain",
            "rust-toolchain.toml",
            ".cargo/config",
            ".cargo/config.toml",
        ];
        let manifests = manifests.iter().map(|name| root.join(name));
        // Stacks may be built from files that lie in no package.
        let loose = sources.iter().flatten();
        let loose = loose.filter(|file| packages.owner(file).is_none());
        Scope {
            root: root.clone(),
            without: without.collect(),
            files: manifests
                .chain([configuration.clone()])
                .chain(loose.cloned())
                .collect(),
            contents: contents.clone(),
            sources: needed,
        }
    }

    /// Says what is watched, where that is not what was said the last time.
    pub(super) fn say_what(&mut self, files: usize) {
        let packages = self.scope().sources.len();
        let what = format!("{} in {}", count(files, "file"), count(packages, "package"));
        if what != self.said {
            self.session.ui.done("watch", &what);
            self.said = what;
        }
    }

    /// Returns the root of the workspace.
    pub(super) fn root(&self) -> &Path {
        &self.project.root
    }

    /// Returns whether the stage may not be watched any more.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Waits until nobody reads what is printed any more.
    pub(super) async fn closed(&self) {
        self.followed.closed().await;
    }

    /// Takes changed files, and returns whether there is something to do because of them.
    pub(super) fn takes(&mut self, files: &BTreeSet<PathBuf>) -> bool {
        let affected = self.workspace.affected(files);
        let any = !affected.is_empty();
        self.pending.add(affected);
        any
    }

    /// Does what is to be done. What fails is still to be done in the next round.
    pub(super) async fn work(&mut self) -> Result<Worked> {
        let since = SystemTime::now();
        let (session, place) = (self.session, self.place.clone());
        if self.pending.configuration {
            self.project = session.project()?;
            // The stage may lie elsewhere now.
            self.deployed = None;
        }
        if self.pending.manifests {
            self.workspace.packages = session.guard(packages(&self.project)).await??;
        }
        let project = self.project.clone();
        let (name, stage) = session.stage(&project)?;
        let config = project.stage(name)?;
        if stage.protected && !place.is_local() {
            self.over = true;
            return Err(refused(&self.name));
        }
        let _lock = lock::take(&project.state_dir, &self.name, place.is_local())?;
        let (rendered, endpoint) = match self.rendered.take().filter(|_| !self.pending.stacks) {
            Some(rendered) => {
                let endpoint = place::ensure(session, &project, &place).await;
                (rendered, endpoint)
            }
            None => self.render(&project, config, stage).await?,
        };
        let result = match endpoint {
            Ok(endpoint) => {
                let target = Target {
                    session,
                    project: &project,
                    name,
                    config,
                    stage,
                    endpoint: endpoint.as_ref(),
                };
                Box::pin(self.deploy(&target, &rendered, since)).await
            }
            Err(error) => Err(error),
        };
        self.rendered = Some(rendered);
        if result.is_ok() {
            self.pending = Affected::default();
        }
        result
    }

    /// Renders the stacks, and learns what they are made of.
    async fn render(
        &mut self,
        project: &Project,
        config: &StageConfig,
        stage: &Stage,
    ) -> Result<(Rendered, Result<Option<Endpoint>>)> {
        let session = self.session;
        // Where this fails, files may matter that the last list does not name.
        self.workspace.sources = None;
        self.pending.stacks = true;
        self.workspace
            .stacks
            .clone_from(&project.config.workspace.stacks);
        let chosen = [stage];
        let (rendered, endpoint) = tokio::try_join!(
            once::render(
                session,
                project,
                (&self.name, config, &chosen),
                &self.arguments.stacks,
                Source::Fresh,
                &self.place
            ),
            place::ensure(session, project, &self.place),
        )?;
        let rendered = rendered.into_iter().next();
        let Some(once::Rendered {
            mut assembly,
            selected,
            owns,
            ..
        }) = rendered
        else {
            return Err(Error::new(Kind::Usage, "the stage has no environment"));
        };
        self.learn(&assembly);
        if let Some(kept) = kept::last(project, &stage.key(&self.name)) {
            let sources = kept.sources().iter();
            let sources = sources.map(|file| watch::plain(&project.root.join(file)));
            self.workspace.sources = Some(sources.collect());
        }
        prepare::adapt(session, &mut assembly, &self.place)?;
        self.pending.stacks = false;
        let rendered = Rendered {
            assembly,
            selected,
            owns,
        };
        Ok((rendered, Ok(endpoint)))
    }

    /// Takes from an assembly which packages hold functions, and which folders fill buckets.
    fn learn(&mut self, assembly: &Assembly) {
        let manifest = &assembly.manifest;
        let packages = manifest.assets.values().map(package);
        self.workspace.functions = packages.map(str::to_owned).collect();
        let contents = manifest
            .stacks
            .iter()
            .flat_map(|stack| stack.contents.values());
        self.workspace.contents = contents
            .map(|content| self.project.root.join(&content.folder))
            .collect();
    }

    async fn deploy(
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
        let artifacts = self.full(target, rendered, selected, since).await?;
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
        let touched: Vec<usize> = selected
            .iter()
            .copied()
            .filter(|position| {
                stacks.get(*position).is_some_and(|stack| {
                    let mut assets = stack.artifacts.values();
                    assets.any(|asset| artifacts.get(asset) != deployed.artifacts.get(asset))
                        || contents.get(&stack.name) != deployed.contents.get(&stack.name)
                })
            })
            .collect();
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
                    Worked::Code
                }
                Err(reasons) => {
                    let reasons = reasons.join("; ");
                    self.session
                        .ui
                        .done("stacks", format!("are deployed: {reasons}"));
                    self.full(target, rendered, &touched, since).await?;
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
            self.session.ui.warn(format!(
                "code goes to the functions without CloudFormation: `stackctl deploy{}` tells it in the end",
                approval::options(self.session)
            ));
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

async fn packages(project: &Project) -> Result<Packages> {
    Packages::read(&project.root).await.map_err(|error| {
        let kind = match error {
            PackagesError::Cargo(_) => Kind::Build,
            PackagesError::Run(_) | PackagesError::Answer(_) => Kind::Toolchain,
        };
        Error::new(kind, "the packages of the workspace are not known").caused_by(&error)
    })
}

fn package(asset: &Asset) -> &str {
    let Asset::Function { package, .. } = asset;
    package
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
