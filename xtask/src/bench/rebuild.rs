//! From a touched stack file to fresh templates, and the cold build of the stacks package.

use std::error::Error;
use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use super::measure::{Cost, build, cargo, cost, median, target};
use super::table::Table;

/// The stack file that is touched.
const STACK: &str = "stacks/src/intake.rs";

/// The targets: touched file to template, its peak memory, and a cold build.
const TOUCHED: Duration = Duration::from_millis(1500);
const TOUCHED_PEAK: u64 = 500_000_000;
const COLD: Duration = Duration::from_secs(20);

pub(super) fn run(workspace: &Path, runs: usize) -> Result<String, Box<dyn Error>> {
    build(workspace, &["--quiet", "-p", "deployer"])?;
    let stackctl = target()?.join("debug/stackctl");
    let scratch = tempfile::tempdir()?;
    let touched = |command: &mut Command| -> Result<Cost, Box<dyn Error>> {
        let file = File::options().append(true).open(workspace.join(STACK))?;
        file.set_modified(SystemTime::now())?;
        cost(command)
    };

    let synth = median(runs, || {
        let mut command = Command::new(&stackctl);
        command.current_dir(workspace);
        command
            .args(["synth", "--stage", "dev", "--out"])
            .arg(scratch.path().join("out"));
        touched(&mut command)
    })?;
    let compile = median(runs, || {
        let mut command = cargo(workspace);
        command.args(["build", "--quiet", "-p", "stacks"]);
        touched(&mut command)
    })?;
    let mut table = Table::new(
        "touched stack file to fresh templates (`stackctl synth`, dev profile)",
        ["measured", "beside", "ratio"],
    );
    table.durations(
        "against `cargo build -p stacks` alone",
        synth.wall,
        compile.wall,
    );
    table.durations("against the target", synth.wall, TOUCHED);
    table.sizes(
        "peak memory of the largest process, target",
        synth.peak,
        TOUCHED_PEAK,
    );

    let cold = tempfile::tempdir()?;
    let mut command = cargo(workspace);
    command
        .env("CARGO_TARGET_DIR", cold.path())
        .args(["build", "--quiet", "-p", "stacks"]);
    table.durations(
        "cold build of the stacks package, target",
        cost(&mut command)?.wall,
        COLD,
    );
    Ok(table.finish())
}
