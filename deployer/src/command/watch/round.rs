//! One round: from changed files to what is deployed.

mod deploy;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use stack_model::assembly::Asset;

use self::deploy::{Deployed, Target};
use super::follow::Followed;
use super::refused;
use crate::assembly::Assembly;
use crate::cli;
use crate::command::once::{self, Source};
use crate::command::place::{self, Place};
use crate::command::prepare;
use crate::command::{Session, kept, lock};
use crate::config::{Project, Stage, StageConfig};
use crate::error::{Error, Kind, Result};
use crate::local::Endpoint;
use crate::text::count;
use crate::watch::{self, Affected, Packages, PackagesError, Scope, Workspace};

/// What a round did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Worked {
    /// Stacks were deployed.
    Deployed,
    /// CloudFormation was not asked.
    Past(Given),
    /// What was built is what is deployed.
    Nothing,
}

/// What is given past CloudFormation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Given {
    /// Code, to functions.
    pub(super) code: bool,
    /// Files, to buckets.
    pub(super) files: bool,
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
