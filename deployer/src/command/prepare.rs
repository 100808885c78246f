//! What most verbs begin with: the assembly, and the functions built.

use std::collections::{BTreeMap, BTreeSet};

use stack_model::assembly::{Architecture, Asset, SynthRequest};

use super::once::Source;
use super::place::Place;
use super::{Session, explain, kept, lock, orphans};
use crate::assembly::{self, Assembly, Synthesis};
use crate::build::{self, Platform};
use crate::cli;
use crate::config::{AssignmentError, Project, Stage, StageConfig};
use crate::content::{self, Content};
use crate::engine::{self, Artifact, Import, StackTarget};
use crate::error::{Error, Kind, Result};
use crate::local::adapt::{self, LeftOut};
use crate::text::count;
use crate::toolchain::{self, LambdaBuilder, MissingLambdaBuilder, Variables};

/// Renders the stacks of a stage.
pub(super) async fn assembly(
    session: &Session,
    project: &Project,
    name: &str,
    stage: &Stage,
) -> Result<Assembly> {
    let scratch = lock::prepare(&project.state_dir).map_err(|error| {
        Error::new(
            Kind::Io,
            format!("cannot write to {}", project.state_dir.display()),
        )
        .caused_by(&error)
        .hint("set STACKCTL_STATE_DIR to a directory that you may write to")
    })?;
    // One run works in one state directory, so whatever came first does.
    let _ = session.scratch.set(scratch);
    let request = request(session, project, name, stage)?;
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
    let rendered = result.map_err(|error| explain::synth(&project.root, error))?;
    task.done(count(rendered.assembly.manifest.stacks.len(), "stack"));
    // This synth succeeded; that it cannot be remembered matters only to a later one that fails.
    if let Err(error) = kept::keep(project, &stage.key(name), &request, &rendered) {
        session.ui.warn(error.to_string());
    }
    for text in [rendered.output.stdout, rendered.output.stderr] {
        if !text.is_empty() {
            session.ui.line(text.trim_end());
        }
    }
    Ok(rendered.assembly)
}

/// Returns what the stacks of a stage are asked for.
fn request(
    session: &Session,
    project: &Project,
    name: &str,
    stage: &Stage,
) -> Result<SynthRequest> {
    let mut request = stage.request(name, &project.config.workspace);
    let others: Vec<_> = project
        .config
        .stages
        .values()
        .flat_map(StageConfig::environments)
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
    Ok(request)
}

/// Renders the stacks, or takes them as they were rendered last where they do not render now: what is deployed can be
/// removed whatever state the code is in.
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
    let Some(kept) = kept::last(project, &stage.key(name)) else {
        return Err(error);
    };
    let wanted = request(session, project, name, stage)?;
    let other = if kept.is_of(&wanted) {
        ""
    } else {
        ", with other variables or settings of the stage"
    };
    session.ui.warn(format!(
        "{error}\n  the stacks are taken from their last synth{}{other}",
        kept.time()
    ));
    Ok(kept.assembly)
}

/// Takes the stacks as they were rendered last, with the positions of the selected ones: whoever looks at what is deployed
/// does not wait for a build. They are rendered where they never were, where they were rendered with other variables or
/// settings of the stage, as an app may have other stacks then, and where nothing of that name was among them and the sources
/// have changed since. What may be the name of a deployed stack that the source has no more is returned besides, and of what
/// time the stacks are, where nobody knows whether the source still has the same.
pub(super) async fn rendered(
    session: &Session,
    project: &Project,
    (name, stage): (&str, &Stage),
    stacks: &cli::Stacks,
) -> Result<(Assembly, Vec<usize>, Vec<String>, Option<String>)> {
    let wanted = request(session, project, name, stage)?;
    if let Some(kept) = kept::last(project, &stage.key(name)).filter(|kept| kept.is_of(&wanted))
        && let outdated = kept.outdated_by(project)
        && let Ok((selected, unknown)) = select_known(&kept.assembly, project, name, stacks)
        && (unknown.is_empty() || outdated.is_none())
    {
        if let Some(source) = outdated {
            session.ui.warn(format!(
                "{} has changed since the last synth{}, from which the stacks are taken",
                source.display(),
                kept.time()
            ));
        }
        let time = (!kept.is_current(project)).then(|| kept.time());
        return Ok((kept.assembly, selected, unknown, time));
    }
    refuse_unknown(session, project, (name, stage), stacks, Source::Known)?;
    let assembly = assembly(session, project, name, stage).await?;
    let (selected, unknown) = select_known(&assembly, project, name, stacks)?;
    Ok((assembly, selected, unknown, None))
}

/// Returns the positions of the stacks that the arguments select, and what else is named and may be deployed.
fn select_known(
    assembly: &Assembly,
    project: &Project,
    stage: &str,
    stacks: &cli::Stacks,
) -> Result<(Vec<usize>, Vec<String>)> {
    let names = assembly.names();
    let (selected, unknown) = cli::select_known(&names, &stacks.stacks)?;
    let mut nobodys = unknown.iter();
    match nobodys.find(|pattern| !orphans::may_be_one(pattern, stage)) {
        Some(pattern) => {
            let error = cli::unknown(&names, pattern);
            Err(orphans::left(error, project, stage, pattern))
        }
        None => Ok((selected, unknown)),
    }
}

/// Refuses a name that no stack has, before anything is rendered: the stacks of the last synth tell, where the same was
/// asked for and no source has changed since. What may be deployed and in the source no more is refused for who needs the
/// source alone.
pub(super) fn refuse_unknown(
    session: &Session,
    project: &Project,
    (name, stage): (&str, &Stage),
    stacks: &cli::Stacks,
    source: Source,
) -> Result<()> {
    if stacks.stacks.is_empty() {
        return Ok(());
    }
    let wanted = request(session, project, name, stage)?;
    let kept = kept::last(project, &stage.key(name));
    match kept.filter(|kept| kept.is_of(&wanted) && kept.is_current(project)) {
        Some(kept) => {
            let selected = match source {
                Source::Fresh => select(&kept.assembly, stacks).map(drop),
                Source::Known => select_known(&kept.assembly, project, name, stacks).map(drop),
            };
            selected.map_err(|error| {
                error.hint(format!(
                    "these are the stacks of the last synth{}, and no source has changed since: `stackctl synth` renders them all the same",
                    kept.time()
                ))
            })
        }
        None => Ok(()),
    }
}

/// Leaves out of the templates what the local engine cannot run, and says so.
pub(super) fn adapt(session: &Session, assembly: &mut Assembly, place: &Place) -> Result<()> {
    if !place.is_local() {
        return Ok(());
    }
    let mut policies = 0;
    for (stack, left_out) in assembly.change_templates(adapt::adapt)? {
        for part in left_out {
            match part {
                LeftOut::Resource { logical_id, kind } => session.ui.warn(format!(
                    "{stack}/{logical_id} is left out: the local engine does not run {kind}"
                )),
                LeftOut::TlsOnly { logical_id } => {
                    policies += 1;
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
    // A run that watches renders them again and again.
    if policies > 0 && session.ui.verbose() == 0 && session.adapted.set(()).is_ok() {
        let policies = count(policies, "policy resource");
        session.ui.done(
            "adapt",
            format!(
                "{policies} without what denies plain HTTP, on this machine only; `-v` names each"
            ),
        );
    }
    Ok(())
}

/// Returns what the selected stacks import and what is not deployed with them.
pub(super) fn imports(assembly: &Assembly, selected: &[usize]) -> Vec<Import> {
    let stacks: Vec<_> = assembly
        .stacks()
        .map(|(stack, template)| (stack, &template.json))
        .collect();
    engine::imports(&stacks, selected)
}

/// Returns the assets of the selected stacks.
pub(super) fn assets<'a>(
    assembly: &'a Assembly,
    selected: &[usize],
) -> BTreeMap<&'a str, &'a Asset> {
    selected
        .iter()
        .filter_map(|position| assembly.manifest.stacks.get(*position))
        .flat_map(|stack| stack.artifacts.values())
        .filter_map(|name| assembly.manifest.assets.get_key_value(name))
        .map(|(name, asset)| (name.as_str(), asset))
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
    let assets = assets(assembly, selected);
    build_assets(session, project, assembly, assets, place).await
}

/// Builds and packs assets.
pub(super) async fn build_assets(
    session: &Session,
    project: &Project,
    assembly: &Assembly,
    assets: BTreeMap<&str, &Asset>,
    place: &Place,
) -> Result<BTreeMap<String, Artifact>> {
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

/// Refuses stacks that declare renamed resources, in a place that cannot rename.
///
/// Deploying one as if nothing had been declared would delete what was to be kept. What only goes along with a rename of another
/// stack holds nothing: it is made anew there, and the earlier one goes after it.
pub(super) fn refuse_renames(assembly: &Assembly, selected: &[usize], place: &str) -> Result<()> {
    let stacks = selected
        .iter()
        .filter_map(|position| assembly.manifest.stacks.get(*position));
    for stack in stacks {
        if let Some((from, to)) = stack.moved.first_key_value() {
            return Err(Error::new(
                Kind::Assembly,
                format!(
                    "{} declares that `{from}` was renamed to `{to}`, which {place} cannot do",
                    stack.name
                ),
            )
            .cause("it would delete the one and create the other")
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
