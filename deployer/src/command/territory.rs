//! Where stacks of a stage may be that its source does not have.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::place::Place;
use super::{kept, lock};
use crate::assembly::Assembly;
use crate::config::{Project, Stage, StageConfig};
use crate::engine::{Memory, Survey, Territory};
use crate::scratch;
use crate::ui::Ui;

/// The region of what is global at AWS, such as certificates of distributions: the one where a stack is most often alone.
const GLOBAL: &str = "us-east-1";

/// The regions of the partitions that have no such region.
const APART: [&str; 4] = ["us-gov-", "us-iso", "cn-", "eusc-"];

/// Where stacks are looked for, and what keeps others from being told.
#[derive(Clone, Debug, Default)]
pub(super) struct Ground {
    /// Where to look.
    pub(super) territory: Territory,
    /// The environments whose stacks nobody knows here, though they may be in the same account.
    pub(super) unrendered: Vec<String>,
    /// What is remembered of the environment.
    file: PathBuf,
}

impl Ground {
    /// Remembers the regions that stacks are about to be deployed to: before, because the run may be killed.
    pub(super) fn enter(&self, ui: &Ui, regions: &BTreeSet<String>) {
        let before = read(&self.file);
        self.remember(ui, &before, &before.union(regions).cloned().collect());
    }

    /// Forgets the regions that were looked at and have nothing of the stage any more.
    pub(super) fn leave(&self, ui: &Ui, survey: &Survey) {
        let before = read(&self.file);
        let stays =
            |region: &&String| survey.inhabited.contains(*region) || !survey.seen.contains(*region);
        let left = before.iter().filter(stays).cloned().collect();
        self.remember(ui, &before, &left);
    }

    /// Writes down what changed. Without it stacks are looked for less widely once they left the source.
    fn remember(&self, ui: &Ui, before: &BTreeSet<String>, regions: &BTreeSet<String>) {
        if regions != before
            && let Err(error) = write(&self.file, regions)
        {
            ui.warn(format!(
                "the regions of the stage cannot be written to {}, so stacks that leave the source may not be found: {error}",
                self.file.display()
            ));
        }
    }
}

/// Returns where an environment of a stage looks for stacks that its source does not have: in the regions of the environment
/// and of its stacks, in those that it was deployed to before, and in those that the configuration names.
pub(super) fn of(
    project: &Project,
    (name, config): (&str, &StageConfig),
    stage: &Stage,
    assembly: &Assembly,
    place: &Place,
) -> Ground {
    let mut known = stacks(stage, assembly);
    let own = stage.region.as_str();
    let now = known.iter().map(|(region, _)| region.clone());
    let now: BTreeSet<String> = now.chain([own.to_owned()]).collect();
    let directory = directory(project, place);
    let memory = file(&directory, &stage.key(name));
    let mut regions = read(&memory);
    regions.extend(now);
    // Environments that the stage lost are looked after by its first one.
    if config.environments().first().map(|it| &it.label) == Some(&stage.label) {
        regions.extend(lost(&directory, name, config));
    }
    let had = regions.clone();
    // A removal that did not come to its end may be in one that the configuration names no more.
    let begun = Memory::in_state(&project.state_dir).regions(name);
    regions.extend(begun.iter().cloned());
    if !place.is_local() {
        regions.extend(named(project, own));
        regions.extend(left(project, &directory, own));
    }
    let mut unrendered = Vec::new();
    let mut is_before = true;
    for other in config.environments() {
        if other.label == stage.label {
            is_before = false;
            continue;
        }
        let elsewhere = other.account.is_some() && stage.account.is_some();
        if !place.is_local() && elsewhere && other.account != stage.account {
            continue;
        }
        let theirs = other.region.as_str();
        let Some(last) = kept::last(project, &other.key(name)) else {
            unrendered.push(theirs.to_owned());
            regions.retain(|region| region == own || region != theirs);
            continue;
        };
        let others = stacks(other, &last.assembly);
        // Each region is looked at once: by the environment whose own it is, or by the first that has stacks there, or may have.
        regions.retain(|region| {
            let is_of_others = theirs == region
                || is_before
                    && (!had.contains(region) || others.iter().any(|(place, _)| place == region));
            region == own || !is_of_others
        });
        known.extend(others);
    }
    let is_guessed = |region: &&String| !had.contains(*region) && !begun.contains(*region);
    let guessed = regions.iter().filter(is_guessed).cloned().collect();
    Ground {
        territory: Territory {
            stage: name.to_owned(),
            known,
            regions,
            guessed,
            stages: stages(project),
        },
        unrendered,
        file: memory,
    }
}

/// Returns the stacks of an assembly: regions and names.
fn stacks(stage: &Stage, assembly: &Assembly) -> BTreeSet<(String, String)> {
    let region = |own: Option<&str>| own.unwrap_or(stage.region.as_str()).to_owned();
    let stacks = assembly.manifest.stacks.iter();
    stacks
        .map(|stack| (region(stack.region.as_deref()), stack.name.clone()))
        .collect()
}

/// Returns the partition that a region is in, where that is not the large one.
fn apart(region: &str) -> Option<&'static &'static str> {
    APART.iter().find(|prefix| region.starts_with(**prefix))
}

/// Returns the regions that the configuration names, and the global one, where they are of the same partition.
fn named(project: &Project, own: &str) -> BTreeSet<String> {
    let stages = project.config.stages.values();
    let regions = stages
        .flat_map(StageConfig::environments)
        .map(|stage| stage.region.as_str());
    regions
        .chain([GLOBAL])
        .filter(|region| apart(region) == apart(own))
        .map(str::to_owned)
        .collect()
}

/// Returns the names of the stages.
pub(super) fn stages(project: &Project) -> BTreeSet<String> {
    let stages = project.config.stages.keys();
    stages.map(|stage| stage.as_str().to_owned()).collect()
}

/// Returns the regions of stages that the configuration does not have any more, where they had stacks from here.
fn left(project: &Project, directory: &Path, own: &str) -> BTreeSet<String> {
    let stages = stages(project);
    remembered(directory, |key| !stages.contains(stage_of(key)))
        .filter(|region| apart(region) == apart(own))
        .collect()
}

/// Returns the regions of environments that a stage does not have any more: its regions became others, one or several.
fn lost(directory: &Path, name: &str, config: &StageConfig) -> BTreeSet<String> {
    let environments = config.environments().iter();
    let kept: BTreeSet<String> = environments.map(|it| it.key(name)).collect();
    remembered(directory, |key| {
        stage_of(key) == name && !kept.contains(key)
    })
    .collect()
}

/// Returns the stage that a key is of.
pub(super) fn stage_of(key: &str) -> &str {
    key.split('.').next().unwrap_or_default()
}

/// Returns the regions that are remembered of some environments, each by its key.
fn remembered(directory: &Path, is_asked: impl Fn(&str) -> bool) -> impl Iterator<Item = String> {
    let files = std::fs::read_dir(directory);
    let files = files.into_iter().flatten().flatten();
    let keys = files.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        Some(name.strip_suffix(".json")?.to_owned())
    });
    keys.filter(move |key| is_asked(key))
        .flat_map(|key| read(&file(directory, &key)))
}

/// Returns the directory of what is remembered: what a local engine has tells nothing of AWS, and the other way round.
fn directory(project: &Project, place: &Place) -> PathBuf {
    let directory = project.state_dir.join("regions");
    if place.is_local() {
        directory.join("local")
    } else {
        directory
    }
}

fn file(directory: &Path, key: &str) -> PathBuf {
    directory.join(format!("{key}.json"))
}

/// Returns what is remembered. What cannot be read is looked at less widely, as on a machine that never saw the environment.
fn read(file: &Path) -> BTreeSet<String> {
    std::fs::read(file)
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default()
}

fn write(file: &Path, regions: &BTreeSet<String>) -> io::Result<()> {
    let directory = file.parent().unwrap_or(file);
    lock::make_private(directory)?;
    let mut sibling = tempfile::Builder::new()
        .prefix(scratch::SIBLING)
        .tempfile_in(directory)?;
    sibling.write_all(&serde_json::to_vec(regions)?)?;
    sibling.persist(file)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> Assembly {
        let directory = tempfile::tempdir().expect("a directory");
        let manifest =
            r#"{"format": 1, "stage": "dev", "stacks": [], "assets": {}, "contracts": {}}"#;
        std::fs::write(directory.path().join("manifest.json"), manifest).expect("is written");
        Assembly::read(directory.path()).expect("is valid")
    }

    fn ui() -> Ui {
        let cli = <crate::cli::Cli as clap::Parser>::parse_from(["stackctl", "status"]);
        Ui::new(&cli.global)
    }

    fn set(regions: &[&str]) -> BTreeSet<String> {
        regions.iter().map(|region| (*region).to_owned()).collect()
    }

    /// Remembers the same of AWS and of the local engine.
    fn remember(project: &Project, key: &str, regions: &BTreeSet<String>) {
        for place in [Place::Aws, Place::Engine] {
            let ground = Ground {
                file: file(&directory(project, &place), key),
                ..Ground::default()
            };
            ground.enter(&ui(), regions);
        }
    }

    /// A look at AWS that finds nothing in a region says nothing of a stack that the local engine has there.
    #[test]
    fn what_a_local_engine_has_is_remembered_apart() {
        let directory = tempfile::tempdir().expect("a directory");
        let project = Project::of_test(directory.path(), "[stages.dev]\nregion = \"eu-west-1\"\n");
        let config = project.stage("dev").expect("is there");
        let stage = &config.environments()[0];
        let ground = |place| of(&project, ("dev", config), stage, &empty(), &place);
        ground(Place::Engine).enter(&ui(), &set(&["us-west-2"]));
        let known = ground(Place::Aws).territory.known_regions();
        assert_eq!(known, set(&["eu-west-1"]));
        let survey = Survey {
            seen: set(&["eu-west-1", "us-west-2"]),
            ..Survey::default()
        };
        ground(Place::Aws).leave(&ui(), &survey);
        let known = ground(Place::Engine).territory.known_regions();
        assert_eq!(known, set(&["eu-west-1", "us-west-2"]));
    }

    #[test]
    fn only_regions_that_were_deployed_to_are_remembered_and_only_while_something_is_there() {
        let directory = tempfile::tempdir().expect("a directory");
        let project = Project::of_test(directory.path(), "[stages.dev]\nregion = \"eu-west-1\"\n");
        let config = project.stage("dev").expect("is there");
        let stage = &config.environments()[0];
        let ground = of(&project, ("dev", config), stage, &empty(), &Place::Aws);
        let memory = file(&super::directory(&project, &Place::Aws), "dev");
        assert!(!memory.exists(), "a look remembers nothing");
        ground.enter(&ui(), &set(&["eu-west-1", "us-west-2", "sa-east-1"]));
        ground.enter(&ui(), &set(&["eu-west-1"]));
        assert_eq!(read(&memory), set(&["eu-west-1", "sa-east-1", "us-west-2"]));
        // One has a stack, one has none any more, and nobody may look at the last.
        let survey = Survey {
            seen: set(&["eu-west-1", "us-west-2", "us-east-1"]),
            inhabited: set(&["eu-west-1"]),
            ..Survey::default()
        };
        ground.leave(&ui(), &survey);
        assert_eq!(read(&memory), set(&["eu-west-1", "sa-east-1"]));
        let ground = of(&project, ("dev", config), stage, &empty(), &Place::Aws);
        let known = ground.territory.known_regions();
        assert_eq!(known, set(&["eu-west-1", "sa-east-1"]));
    }

    #[test]
    fn a_region_that_the_source_left_is_looked_at() {
        let directory = tempfile::tempdir().expect("a directory");
        let project = Project::of_test(
            directory.path(),
            "[stages.dev]\nregion = \"eu-west-1\"\n[stages.prod]\nregion = \"ap-south-1\"\n[stages.far]\nregion = \"cn-north-1\"\n",
        );
        let config = project.stage("dev").expect("is there");
        let stage = &config.environments()[0];
        let look = |place: &Place| {
            let ground = of(&project, ("dev", config), stage, &empty(), place);
            (ground.territory.regions, ground.territory.guessed)
        };
        assert_eq!(look(&Place::Engine), (set(&["eu-west-1"]), set(&[])));
        // It had a certificate there once, and the stack in another region was told by nothing else.
        remember(&project, "dev", &set(&["us-west-2"]));
        assert_eq!(
            look(&Place::Engine),
            (set(&["eu-west-1", "us-west-2"]), set(&[]))
        );
        // The stage had several environments, or the other way round.
        remember(&project, "dev.sa-east-1", &set(&["sa-east-1"]));
        let own = ["eu-west-1", "sa-east-1", "us-west-2"];
        assert_eq!(look(&Place::Engine), (set(&own), set(&[])));
        let (asia, america) = ("ap-south-1", "us-east-1");
        assert_eq!(
            look(&Place::Aws),
            (
                set(&[asia, "eu-west-1", "sa-east-1", america, "us-west-2"]),
                set(&[asia, america])
            )
        );
        // A stage that was renamed had stacks where no other has any.
        remember(&project, "old.eu-north-1", &set(&["eu-north-1"]));
        remember(&project, "older", &set(&["cn-north-1"]));
        assert_eq!(look(&Place::Aws).1, set(&[asia, "eu-north-1", america]));
    }

    #[test]
    fn each_region_is_looked_at_by_one_environment_of_an_account() {
        let directory = tempfile::tempdir().expect("a directory");
        let project = Project::of_test(
            directory.path(),
            "[stages.dev]\nregions = [\"eu-west-1\", \"eu-west-2\"]\n",
        );
        let config = project.stage("dev").expect("is there");
        let [first, second] = config.environments() else {
            panic!("there are two")
        };
        let look = |stage| of(&project, ("dev", config), stage, &empty(), &Place::Aws);
        let ground = look(first);
        assert_eq!(ground.unrendered, ["eu-west-2"]);
        let regions: Vec<String> = ground.territory.regions.into_iter().collect();
        assert_eq!(regions, ["eu-west-1", "us-east-1"]);
        assert_eq!(look(second).unrendered, ["eu-west-1"]);
    }
}
