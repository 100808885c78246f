//! The synth of 500 resources beside what the AWS CDK takes for as many.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::measure::{Cost, cost, cost_with, median, target};
use super::synth::{REQUEST, SCALE, build_scale};
use super::table::Table;

/// The same resources, as an app of the CDK.
const APP: &str = include_str!("peer/scale.js");

/// How often the CDK is run at most: it takes seconds where ours takes milliseconds.
const RUNS: usize = 5;

pub(super) fn run(workspace: &Path, runs: usize) -> Result<String, Box<dyn Error>> {
    let target = target()?;
    let installed = target.join("peer-cdk");
    let cdk = installed.join("node_modules/.bin/cdk");
    if !cdk.is_file() || !installed.join("node_modules/aws-cdk-lib").is_dir() {
        return Ok(format!(
            "peer: skipped, because the AWS CDK is not installed: \
             `npm install --prefix {} aws-cdk-lib@2 constructs@10 aws-cdk@2`\n",
            installed.display()
        ));
    }
    build_scale(workspace)?;
    let scratch = tempfile::tempdir()?;
    let out = scratch.path().join("out");
    fs::create_dir(&out)?;
    let ours = median(runs, || {
        let mut command = Command::new(target.join(SCALE));
        command.arg("synth").arg("--out").arg(&out);
        cost_with(&mut command, REQUEST)
    })?;

    // Node looks for packages beside the file.
    let app = installed.join("scale.js");
    fs::write(&app, APP)?;
    let quiet = |command: &mut Command| -> Result<Cost, Box<dyn Error>> {
        command
            .current_dir(scratch.path())
            .env("CDK_DISABLE_VERSION_CHECK", "1")
            .env("CDK_DISABLE_CLI_TELEMETRY", "true")
            .env("JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION", "1")
            .env("HOME", scratch.path());
        cost(command)
    };
    let synth = |validation: &str| {
        median(runs.min(RUNS), || {
            let mut command = Command::new(&cdk);
            command
                .args(["synth", "--quiet", "--no-notices", "--app"])
                .arg(format!("node {}", app.display()))
                .arg("--output")
                .arg(scratch.path().join("cdk"))
                .env("CDK_VALIDATION", validation);
            quiet(&mut command)
        })
    };
    let mut table = Table::new(
        "500 resources as a whole process: the AWS CDK from plain JavaScript, beside ours",
        ["CDK", "ours", "ratio"],
    );
    for (name, theirs) in [
        ("`cdk synth`", synth("true")?),
        ("`cdk synth` without its validation", synth("false")?),
    ] {
        table.durations(name, theirs.wall, ours.wall);
        table.durations("  CPU time", theirs.cpu, ours.cpu);
        table.sizes("  peak memory", theirs.peak, ours.peak);
    }
    Ok(table.finish())
}
