//! What is deployed, as it was seen last from this machine: kept for comparisons that ask nobody.
//!
//! Each stack of a stage has a file in each environment, for the user alone. It is written whenever a plan is made against
//! what is deployed, and when a stack was deployed from here. Nothing is decided by it but what `diff --offline` shows, and
//! whether a local deploy looks beforehand at what would be refused.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use stack_model::assembly::{ARTIFACT_BUCKET_PARAMETER, StackManifest};

use super::{environments, lock};
use crate::assembly::Assembly;
use crate::config::{Project, Stage, list};
use crate::engine::plan::{App, Plan, Registry, Side, Snapshot, StackPlan, defaults};
use crate::engine::{DeployReport, DestroyReport, DestroyedStack, Outcome, StackTarget};
use crate::error::{Error, Kind, Result};
use crate::ui::Ui;

/// The version of the form; another one counts as nothing known.
const VERSION: u32 = 1;

/// The ARN of a stack, as its template knows it.
const STACK_ID: &str = "AWS::StackId";

/// What a file holds.
#[derive(Debug, Deserialize, Serialize)]
struct File {
    version: u32,
    /// The stack as it was; nothing, where there was none.
    stack: Option<Snapshot>,
}

/// Where the stacks of a stage are kept in one environment.
#[derive(Clone, Debug)]
pub(super) struct Remembered {
    directory: PathBuf,
}

impl Remembered {
    pub(super) fn of(project: &Project, name: &str, stage: &Stage, local: bool) -> Self {
        let label = if local {
            "local".to_owned()
        } else {
            environments::label(stage).replace('/', "-")
        };
        Self {
            directory: project.state_dir.join("deployed").join(name).join(label),
        }
    }

    /// Returns whether a stack was deployed when it was seen last, in any environment of a stage.
    pub(super) fn has(project: &Project, name: &str, stack: &str) -> bool {
        let stage = project.state_dir.join("deployed").join(name);
        let environments = std::fs::read_dir(stage).into_iter().flatten().flatten();
        environments
            .map(|entry| Self {
                directory: entry.path(),
            })
            .any(|environment| matches!(environment.read(stack), Some((Some(_), _))))
    }

    fn file(&self, stack: &str) -> PathBuf {
        self.directory.join(format!("{stack}.json"))
    }

    /// Keeps what a plan was compared with.
    pub(super) fn seen(&self, ui: &Ui, plan: &Plan) {
        for stack in &plan.stacks {
            if let Some(basis) = &stack.basis {
                self.keep(ui, stack, basis.before.as_deref());
            }
        }
    }

    /// Keeps what was deployed of a plan.
    pub(super) fn deployed(&self, ui: &Ui, plan: &Plan, report: &DeployReport) {
        for stack in &plan.stacks {
            let is_deployed = report.stacks.iter().any(|ended| {
                let done = [Outcome::Created, Outcome::Updated, Outcome::Unchanged];
                ended.stack == stack.stack && done.contains(&ended.outcome)
            });
            if let Some(basis) = stack.basis.as_ref().filter(|_| is_deployed) {
                self.keep(ui, stack, basis.after.as_deref());
            }
        }
    }

    /// Forgets the stacks of a removal that are gone: what they were is of no use to anybody any more. What is kept under the name
    /// of a stack of the `source` is what was seen of that one, whatever else is gone that had its name in another region.
    pub(super) fn removed(
        &self,
        ui: &Ui,
        report: &DestroyReport,
        own: &str,
        source: &[StackTarget],
    ) {
        let gone = |stack: &&DestroyedStack| {
            let region = stack.left.region.as_deref().unwrap_or(own);
            let is_another = |of: &StackTarget| {
                of.name == stack.stack && of.region.as_deref().unwrap_or(own) != region
            };
            stack.outcome.is_good() && !source.iter().any(is_another)
        };
        for stack in report.stacks.iter().filter(gone) {
            match std::fs::remove_file(self.file(&stack.stack)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => ui.warn(format!(
                    "what was seen of {} is not forgotten: {error}",
                    stack.stack
                )),
                _ => {}
            }
        }
        // It stays where it holds anything.
        let _ = std::fs::remove_dir(&self.directory);
    }

    /// Writes a file whole or not at all. Where that fails, the next comparison may know less.
    fn keep(&self, ui: &Ui, stack: &StackPlan, snapshot: Option<&Snapshot>) {
        let write = || -> std::io::Result<()> {
            let file = self.file(&stack.stack);
            let text = serde_json::to_vec(&File {
                version: VERSION,
                stack: snapshot.cloned().map(lasting),
            })?;
            lock::make_private(&self.directory)?;
            // A temporary file is the user's alone, and stays so under its last name.
            let mut temporary = tempfile::NamedTempFile::new_in(&self.directory)?;
            temporary.write_all(&text)?;
            temporary.persist(file)?;
            Ok(())
        };
        if let Err(error) = write() {
            ui.warn(format!(
                "what is deployed of {} is not kept for `diff --offline`: {error}",
                stack.stack
            ));
        }
    }

    /// Returns what is known of a stack, and since when; nothing, where nobody looked at it from here.
    fn read(&self, stack: &str) -> Option<(Option<Snapshot>, Option<jiff::Timestamp>)> {
        let path = self.file(stack);
        let text = std::fs::read(&path).ok()?;
        let file: File = serde_json::from_slice(&text).ok()?;
        let since = path.metadata().and_then(|file| file.modified()).ok();
        (file.version == VERSION).then(|| {
            let since = since.and_then(|time| jiff::Timestamp::try_from(time).ok());
            (file.stack, since)
        })
    }

    /// Returns the stacks that were deployed when they were seen last.
    pub(super) fn names(&self) -> BTreeSet<String> {
        let entries = std::fs::read_dir(&self.directory).into_iter().flatten();
        let names = entries.flatten().filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            Some(name.strip_suffix(".json")?.to_owned())
        });
        let is_deployed = |stack: &String| matches!(self.read(stack), Some((Some(_), _)));
        names.filter(is_deployed).collect()
    }

    /// Compares stacks with what is known of them. Nobody is asked.
    pub(super) fn compare(&self, assembly: &Assembly, selected: &[usize]) -> Result<Plan> {
        let stacks: Vec<_> = assembly.stacks().collect();
        let mut app = App::default();
        let mut plans = Vec::new();
        let mut unknown = Vec::new();
        for (manifest, template) in selected.iter().filter_map(|position| stacks.get(*position)) {
            let Some((snapshot, since)) = self.read(&manifest.name) else {
                unknown.push(manifest.name.as_str());
                continue;
            };
            let wanted = wanted(manifest, &template.json, snapshot.as_ref());
            let deployed = snapshot.as_ref().map(Snapshot::side).unwrap_or_default();
            let contracts = &assembly.manifest.contracts;
            let mut plan = app.compare(manifest, contracts, &deployed, &wanted, &Registry);
            plan.note_first(since.map(|since| {
                let since = since.strftime("%Y-%m-%d %H:%M:%S UTC");
                format!("compared with what was seen from here on {since}; nobody was asked")
            }));
            plans.push(plan);
        }
        if unknown.is_empty() {
            return Ok(app.finish(plans));
        }
        let text = format!(
            "nobody looked from here at what is deployed of {}",
            list(&unknown)
        );
        Err(Error::new(Kind::Configuration, text).hint(
            "`stackctl diff` looks at it and keeps it; `--against DIR` compares with templates without asking",
        ))
    }
}

/// Leaves out what a plan does not know of a stack that is yet to be made, so that the same is kept of it whenever it is seen.
fn lasting(mut snapshot: Snapshot) -> Snapshot {
    for late in [STACK_ID, ARTIFACT_BUCKET_PARAMETER] {
        snapshot.parameters.remove(late);
    }
    snapshot
}

/// Returns what a deploy would make of a stack. What only a deploy knows is as it was: packages, names of releases, what
/// comes from other regions.
fn wanted<'a>(
    manifest: &StackManifest,
    template: &'a serde_json::Value,
    deployed: Option<&Snapshot>,
) -> Side<'a> {
    let mut parameters = defaults(template);
    parameters.extend(manifest.parameters.clone());
    let of_deploy = manifest
        .artifacts
        .keys()
        .chain(manifest.releases.keys())
        .chain(manifest.references.keys())
        .map(String::as_str)
        .chain([ARTIFACT_BUCKET_PARAMETER]);
    for parameter in of_deploy {
        let known = deployed.and_then(|stack| stack.parameters.get(parameter));
        parameters.extend(known.map(|value| (parameter.to_owned(), value.clone())));
    }
    // So is what CloudFormation itself fills in: the account and the region are the same.
    let known = deployed.into_iter().flat_map(|stack| &stack.parameters);
    let pseudo = known.filter(|(name, _)| name.starts_with("AWS::"));
    parameters.extend(pseudo.map(|(name, value)| (name.clone(), value.clone())));
    Side {
        template: Some(template),
        parameters,
        tags: manifest.tags.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use clap::Parser as _;
    use serde_json::json;

    use super::*;
    use crate::engine::plan::Basis;
    use crate::engine::{Left, StackReport};

    fn snapshot(delay: u32) -> Snapshot {
        Snapshot {
            template: Some(json!({"Resources": {"Queue": {
                "Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": delay},
            }}})),
            parameters: [("CodeKey".to_owned(), "a.zip".to_owned())].into(),
            tags: BTreeMap::new(),
        }
    }

    fn plan(before: Option<Snapshot>, after: Snapshot) -> Plan {
        let basis = Basis {
            before: before.map(Arc::new),
            after: Some(Arc::new(after)),
            ..Basis::default()
        };
        let stack = StackPlan {
            stack: "orders-dev".to_owned(),
            basis: Some(basis),
            ..StackPlan::default()
        };
        Plan {
            stacks: vec![stack],
        }
    }

    #[test]
    fn what_was_seen_and_what_was_deployed_is_kept_for_the_user_alone() {
        let state = tempfile::tempdir().expect("is made");
        let cli = crate::cli::Cli::parse_from(["stackctl", "diff"]);
        let ui = Ui::new(&cli.global);
        let kept = Remembered {
            directory: state.path().join("deployed/dev/us-east-1"),
        };
        let known = || kept.read("orders-dev").map(|(snapshot, _)| snapshot);
        assert_eq!(known(), None);
        let plan = |before| plan(before, snapshot(6));
        kept.seen(&ui, &plan(None));
        assert_eq!(known(), Some(None));
        assert!(kept.names().is_empty());
        let mut there = snapshot(5);
        for late in [STACK_ID, ARTIFACT_BUCKET_PARAMETER] {
            there.parameters.insert(late.to_owned(), "known".to_owned());
        }
        kept.seen(&ui, &plan(Some(there)));
        assert_eq!(known(), Some(Some(snapshot(5))), "as before it was made");
        assert_eq!(Vec::from_iter(kept.names()), ["orders-dev"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode =
                |path: &std::path::Path| path.metadata().expect("is there").permissions().mode();
            assert_eq!(mode(&kept.file("orders-dev")) & 0o777, 0o600);
            assert_eq!(mode(&kept.directory) & 0o777, 0o700);
        }
        let report = |outcome| DeployReport {
            stacks: vec![StackReport {
                stack: "orders-dev".to_owned(),
                outcome,
                outputs: BTreeMap::new(),
                failure: None,
            }],
        };
        kept.deployed(&ui, &plan(None), &report(Outcome::Failed));
        assert_eq!(known(), Some(Some(snapshot(5))));
        kept.deployed(&ui, &plan(None), &report(Outcome::Updated));
        assert_eq!(known(), Some(Some(snapshot(6))));
        // What is gone is forgotten; what could not be removed is still there.
        let destroyed = |outcome| DestroyReport {
            stacks: vec![DestroyedStack {
                stack: "orders-dev".to_owned(),
                outcome,
                failure: None,
                retained: BTreeMap::new(),
                left: Left::default(),
            }],
        };
        let removed = |report: &DestroyReport, source: Option<&str>| {
            let source = StackTarget {
                name: "orders-dev".to_owned(),
                region: source.map(str::to_owned),
            };
            kept.removed(&ui, report, "us-east-1", &[source]);
        };
        removed(&destroyed(Outcome::Failed), None);
        assert_eq!(known(), Some(Some(snapshot(6))));
        // One of that name is gone, and the one of the source is elsewhere.
        removed(&destroyed(Outcome::Deleted), Some("eu-west-1"));
        assert_eq!(known(), Some(Some(snapshot(6))));
        let mut elsewhere = destroyed(Outcome::Deleted);
        elsewhere.stacks[0].left.region = Some("eu-west-1".to_owned());
        removed(&elsewhere, None);
        assert_eq!(known(), Some(Some(snapshot(6))));
        removed(&destroyed(Outcome::Deleted), Some("us-east-1"));
        assert!(known().is_none() && !kept.directory.exists());
        removed(&destroyed(Outcome::Deleted), None);
        kept.seen(&ui, &plan(Some(snapshot(6))));
        // Another version counts as nothing known.
        let text = std::fs::read_to_string(kept.file("orders-dev")).expect("reads");
        let newer = text.replacen(":1,", ":2,", 1);
        std::fs::write(kept.file("orders-dev"), newer).expect("writes");
        assert_eq!(known(), None);
    }
}
