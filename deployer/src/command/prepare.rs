//! What most verbs begin with: the assembly, and the functions built.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use stack_model::assembly::{Architecture, Asset, StackManifest};

use super::place::Place;
use super::{Session, explain, lock};
use crate::assembly::{self, Assembly, Synthesis};
use crate::build::{self, Platform};
use crate::cli;
use crate::config::{AssignmentError, Project, Stage};
use crate::content::{self, Content};
use crate::engine::{Artifact, StackTarget};
use crate::error::{Error, Kind, Result};
use crate::local::adapt::{self, LeftOut};
use crate::toolchain::{self, LambdaBuilder, MissingLambdaBuilder, Variables};

/// The file whose time is that of the last synth.
const KEPT_SINCE: &str = "since";

/// Renders the stacks of a stage.
pub(super) async fn assembly(
    session: &Session,
    project: &Project,
    name: &str,
    stage: &Stage,
) -> Result<Assembly> {
    lock::prepare(&project.state_dir).map_err(|error| {
        Error::new(
            Kind::Io,
            format!("cannot write to {}", project.state_dir.display()),
        )
        .caused_by(&error)
        .hint("set STACKCTL_STATE_DIR to a directory that you may write to")
    })?;
    let mut request = stage.request(name);
    let others: Vec<_> = project
        .config
        .stages
        .values()
        .map(|stage| &stage.variables)
        .collect();
    for assignment in &session.global.variables {
        assignment
            .apply(&mut request.stage.variables, &others)
            .map_err(|error| {
                let told = Error::new(Kind::Configuration, error.to_string());
                match error {
                    AssignmentError::NotATable { .. } => told.hint(
                        "set the table as a whole, such as `--var orders.queue='{ size = 3 }'`",
                    ),
                    _ => told,
                }
            })?;
    }
    let package = &project.config.workspace.stacks;
    let synthesis = Synthesis {
        root: &project.root,
        package,
        request: &request,
        scratch: &project.state_dir,
    };
    let task = session.ui.task("synth", package.clone());
    let progress = |text: &str| task.message(text);
    let result = session
        .guard(assembly::synth(&synthesis, &progress))
        .await?;
    let (assembly, output) = result.map_err(|error| explain::synth(&project.root, error))?;
    task.done(count(assembly.manifest.stacks.len(), "stack"));
    // This synth succeeded; that it cannot be remembered matters only to a later one that fails.
    if let Err(error) = keep(project, name, &assembly) {
        session.ui.warn(error.to_string());
    }
    for text in [output.stdout, output.stderr] {
        if !text.is_empty() {
            session.ui.line(text.trim_end());
        }
    }
    Ok(assembly)
}

/// Renders the stacks, or takes them as they were rendered last where they do not render now: what is deployed can be
/// looked at and removed whatever state the code is in.
pub(super) async fn known(
    session: &Session,
    project: &Project,
    name: &str,
    stage: &Stage,
) -> Result<Assembly> {
    let error = match assembly(session, project, name, stage).await {
        Err(error) if matches!(error.kind(), Kind::Build | Kind::Synth | Kind::Assembly) => error,
        result => return result,
    };
    let directory = kept(project, name);
    let Ok(assembly) = Assembly::read(&directory) else {
        return Err(error);
    };
    let since = std::fs::metadata(directory.join(KEPT_SINCE))
        .and_then(|file| file.modified())
        .ok()
        .and_then(|time| jiff::Timestamp::try_from(time).ok())
        .map(|time| format!(", of {}", time.strftime("%Y-%m-%d %H:%M:%S UTC")))
        .unwrap_or_default();
    session.ui.warn(format!(
        "{error}\n  the stacks are taken from their last synth{since}"
    ));
    Ok(assembly)
}

/// Returns where the assembly of the last synth of a stage is kept.
fn kept(project: &Project, stage: &str) -> PathBuf {
    project.state_dir.join("assemblies").join(stage)
}

/// Keeps an assembly for the time when the stacks do not render. It holds what is in the source, and no secrets; still
/// it is nobody else's.
fn keep(project: &Project, stage: &str, assembly: &Assembly) -> Result<()> {
    let directory = kept(project, stage);
    lock::make_private(&directory).map_err(|error| {
        Error::new(Kind::Io, format!("cannot make {}", directory.display())).caused_by(&error)
    })?;
    assembly::write(assembly, &directory, false)?;
    // Its time is that of the synth: files of the assembly that did not change keep theirs.
    std::fs::write(directory.join(KEPT_SINCE), stage).map_err(|error| {
        Error::new(Kind::Io, format!("cannot write to {}", directory.display())).caused_by(&error)
    })
}

/// Leaves out of the templates what the local engine cannot run, and says so.
pub(super) fn adapt(session: &Session, assembly: &mut Assembly, place: &Place) -> Result<()> {
    if !place.is_local() {
        return Ok(());
    }
    for (stack, left_out) in assembly.change_templates(adapt::adapt)? {
        for part in left_out {
            match part {
                LeftOut::Resource { logical_id, kind } => session.ui.warn(format!(
                    "{stack}/{logical_id} is left out: the local engine does not run {kind}"
                )),
                LeftOut::TlsOnly { logical_id } => {
                    if session.ui.verbose() > 0 {
                        session.ui.done(
                            "adapt",
                            format!("{stack}/{logical_id} allows plain HTTP, on this machine only"),
                        );
                    }
                }
            }
        }
    }
    Ok(())
}

/// Returns the selected stacks that import what another app exports.
pub(super) fn imports<'a>(assembly: &'a Assembly, selected: &[usize]) -> Vec<&'a StackManifest> {
    selected
        .iter()
        .filter_map(|position| assembly.manifest.stacks.get(*position))
        .filter(|stack| !stack.imports.is_empty())
        .collect()
}

/// Builds and packs the functions of the selected stacks, each once.
pub(super) async fn functions(
    session: &Session,
    project: &Project,
    assembly: &Assembly,
    selected: &[usize],
    place: &Place,
) -> Result<BTreeMap<String, Artifact>> {
    let assets: BTreeMap<&str, _> = selected
        .iter()
        .filter_map(|position| assembly.manifest.stacks.get(*position))
        .flat_map(|stack| stack.artifacts.values())
        .filter_map(|name| assembly.manifest.assets.get_key_value(name))
        .map(|(name, asset)| (name.as_str(), asset))
        .collect();
    if assets.is_empty() {
        return Ok(BTreeMap::new());
    }
    let platform = platform(project, &assets, place)?;
    let request = build::Request {
        root: &project.root,
        state: &project.state_dir,
        assets,
        packages: packages(&assembly.manifest.assets),
        platform: &platform,
    };
    let subject = count(request.assets.len(), "function");
    let task = session.ui.task("build", subject.clone());
    let progress = |text: &str| task.message(text);
    let artifacts = session
        .guard(build::functions(&request, &progress))
        .await?
        .map_err(|error| explain::build(assembly, error))?;
    task.done(subject);
    Ok(artifacts)
}

/// Returns the packages that hold the functions of an app.
fn packages(assets: &BTreeMap<String, Asset>) -> BTreeSet<&str> {
    let packages = assets.values().map(|asset| {
        let Asset::Function { package, .. } = asset;
        package.as_str()
    });
    packages.collect()
}

/// The folders that fill buckets: by stack, and by the name of the declaration.
pub(super) type Contents = BTreeMap<String, BTreeMap<String, Content>>;

/// Reads the folders that fill buckets of the selected stacks.
pub(super) fn contents(
    project: &Project,
    assembly: &Assembly,
    selected: &[usize],
) -> Result<Contents> {
    let stacks = selected
        .iter()
        .filter_map(|position| assembly.manifest.stacks.get(*position));
    let mut contents = Contents::new();
    for stack in stacks {
        for (name, manifest) in &stack.contents {
            let read = content::read(&project.root, manifest).map_err(|error| {
                Error::new(
                    Kind::Io,
                    format!("cannot publish content {name} of stack {}", stack.name),
                )
                .caused_by(&error)
            })?;
            let of_stack = contents.entry(stack.name.clone()).or_default();
            of_stack.insert(name.clone(), read);
        }
    }
    Ok(contents)
}

/// Finds what builds the functions for the place, and makes sure that it can.
fn platform(project: &Project, assets: &BTreeMap<&str, &Asset>, place: &Place) -> Result<Platform> {
    if place.is_local() {
        return Ok(Platform::Host);
    }
    let variables = Variables::of_process();
    let builder = LambdaBuilder::find(&variables)
        .map_err(|error| Error::from_source(Kind::Toolchain, &error))?
        .ok_or(MissingLambdaBuilder)?;
    let architectures: BTreeSet<Architecture> = assets
        .values()
        .map(|asset| {
            let Asset::Function { architecture, .. } = asset;
            *architecture
        })
        .collect();
    for architecture in architectures {
        toolchain::check_target(architecture, &variables, &project.root)
            .map_err(|error| Error::from_source(Kind::Toolchain, &error).hint(error.hint()))?;
    }
    Ok(Platform::Aws {
        cargo_lambda: builder.program,
        environment: builder.environment,
    })
}

/// Returns the positions of the stacks that the arguments select.
pub(super) fn select(assembly: &Assembly, stacks: &cli::Stacks) -> Result<Vec<usize>> {
    cli::select(&assembly.names(), &stacks.stacks)
}

/// Refuses stacks that declare renamed resources.
///
/// Renames are not executed yet, and deploying one as if nothing had been declared would delete what was to be kept.
pub(super) fn refuse_renames(assembly: &Assembly, selected: &[usize]) -> Result<()> {
    let stacks = selected
        .iter()
        .filter_map(|position| assembly.manifest.stacks.get(*position));
    for stack in stacks {
        if let Some((from, to)) = stack.moved.first_key_value() {
            return Err(Error::new(
                Kind::Assembly,
                format!(
                    "{} declares that `{from}` was renamed to `{to}`, which this version cannot execute",
                    stack.name
                ),
            )
            .cause("CloudFormation would delete the one and create the other")
            .hint(format!(
                "keep the logical id `{from}`, or remove `moved(\"{from}\", ..)` if the resource may be deleted"
            )));
        }
    }
    Ok(())
}

/// Returns the names of the selected stacks and where they are.
pub(super) fn targets(assembly: &Assembly, selected: &[usize]) -> Vec<StackTarget> {
    selected
        .iter()
        .filter_map(|position| assembly.manifest.stacks.get(*position))
        .map(StackTarget::from)
        .collect()
}

/// Writes a number with a noun.
pub(super) fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}
