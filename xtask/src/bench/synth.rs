//! A whole synth as a process, against copying the files that it writes.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::measure::{Cost, build, cost, cost_with, median, target};
use super::table::{Table, megabytes, seconds};

/// What the deployer would send for the stage `dev`.
const REQUEST: &str =
    r#"{"format": 1, "stage": {"name": "dev", "region": "us-east-1", "architecture": "arm64"}}"#;

pub(super) fn run(workspace: &Path, runs: usize) -> Result<String, Box<dyn Error>> {
    build(workspace, &["--quiet", "--release", "-p", "stacks"])?;
    build(workspace, &["--quiet", "-p", "stacks"])?;
    build(
        workspace,
        &[
            "--quiet",
            "--release",
            "-p",
            "stack-model",
            "--example",
            "scale",
        ],
    )?;
    let target = target()?;
    let mut table = Table::new(
        "a synth as a whole process, against `cp` of the files it writes, wall time",
        ["synth", "cp", "ratio"],
    );
    for (name, binary) in [
        ("the shipped systems", "release/stacks"),
        ("the shipped systems, dev profile", "debug/stacks"),
        ("500 resources in one stack", "release/examples/scale"),
    ] {
        let (synth, copy) = measured(&target.join(binary), runs)?;
        table.durations(name, synth.wall, copy.wall);
        table.row(
            &format!("{name}, CPU and peak memory"),
            &seconds(synth.cpu),
            &megabytes(synth.peak),
            synth.cpu.as_secs_f64() / copy.cpu.as_secs_f64().max(1e-6),
        );
    }
    Ok(table.finish())
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
