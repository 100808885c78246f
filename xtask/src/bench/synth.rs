//! A whole synth as a process, against copying the files that it writes.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::measure::{Cost, build, cost, cost_with, median, target};
use super::table::Table;

/// What the deployer would send for the stage `dev`.
pub(super) const REQUEST: &str =
    r#"{"format": 1, "stage": {"name": "dev", "region": "us-east-1", "architecture": "arm64"}}"#;

/// The binaries to measure, each with the target of its wall time. The dev profile has none of its own: there the
/// benchmark of a rebuild has one for the whole way.
const CASES: [(&str, &str, Option<Duration>); 3] = [
    (
        "the shipped systems",
        "release/stacks",
        Some(Duration::from_millis(10)),
    ),
    ("the shipped systems, dev profile", "debug/stacks", None),
    (
        "500 resources in one stack",
        SCALE,
        Some(Duration::from_millis(15)),
    ),
];

/// The binary that renders 500 resources, in the target directory.
pub(super) const SCALE: &str = "release/examples/scale";

pub(super) fn run(workspace: &Path, runs: usize) -> Result<String, Box<dyn Error>> {
    build(workspace, &["--quiet", "--release", "-p", "stacks"])?;
    build(workspace, &["--quiet", "-p", "stacks"])?;
    build_scale(workspace)?;
    let target = target()?;
    let mut table = Table::new(
        "a synth as a whole process, against `cp` of the files it writes",
        ["synth", "beside", "ratio"],
    );
    for (name, binary, wanted) in CASES {
        let (synth, copy) = measured(&target.join(binary), runs)?;
        table.durations(name, synth.wall, copy.wall);
        if let Some(wanted) = wanted {
            table.durations("  against the target", synth.wall, wanted);
        }
        table.durations("  CPU time", synth.cpu, copy.cpu);
        table.sizes("  peak memory", synth.peak, copy.peak);
    }
    Ok(table.finish())
}

/// Builds the binary that renders 500 resources.
pub(super) fn build_scale(workspace: &Path) -> Result<(), Box<dyn Error>> {
    let package = ["-p", "stack-model", "--example", "scale"];
    build(
        workspace,
        &[&["--quiet", "--release"], &package[..]].concat(),
    )
}

fn measured(binary: &Path, runs: usize) -> Result<(Cost, Cost), Box<dyn Error>> {
    let scratch = tempfile::tempdir()?;
    let (out, copy) = (scratch.path().join("out"), scratch.path().join("copy"));
    fs::create_dir(&out)?;
    let synth = median(runs, || {
        let mut command = Command::new(binary);
        command.arg("synth").arg("--out").arg(&out);
        cost_with(&mut command, REQUEST)
    })?;
    let copied = median(runs, || {
        let mut command = Command::new("cp");
        command.arg("-r").arg(&out).arg(&copy);
        cost(&mut command)
    })?;
    Ok((synth, copied))
}
