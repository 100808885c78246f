//! Benchmarks: each measures in one run what the project does and a floor or a target beside it, and prints the
//! ratio. Nothing here fails because a number is high; the reader judges.

mod compile;
mod measure;
mod peer;
mod rebuild;
mod render;
mod sizes;
mod start;
mod synth;
mod table;

use std::error::Error;
use std::path::{Path, PathBuf};

use clap::{Parser, ValueEnum};

/// Which benchmark to run.
#[derive(Parser)]
pub(crate) struct Args {
    /// The benchmark; all of them where none is named.
    which: Option<Which>,
    /// How often the short ones are repeated; the median counts.
    #[arg(long, default_value_t = 15)]
    runs: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    /// What `cargo check` of the generated resource types costs.
    Compile,
    /// Rendering 1, 100 and 500 resources inside one process.
    Render,
    /// A whole synth as a process, against copying the same files.
    Synth,
    /// From a touched stack file to fresh templates, and the cold build of the stacks package.
    Rebuild,
    /// The comparison of two templates of 500 resources, against reading and parsing them.
    Diff,
    /// First, unchanged and one-property deploys, against the same calls made by a bare loop.
    Deploy,
    /// Apps of 10, 20 and 40 stacks with 100 resources each, and the peak of memory.
    Scale,
    /// The archives of the shipped functions, as a deploy builds them for arm64.
    Sizes,
    /// From the start of a function's process to its first poll, against a function that does nothing.
    Start,
    /// The synth of 500 resources, against the AWS CDK.
    Peer,
}

/// Runs the benchmarks.
pub(crate) fn run(args: &Args) -> Result<String, Box<dyn Error>> {
    let workspace = workspace();
    let wanted = |which| args.which.is_none_or(|named| named == which);
    let mut sections = Vec::new();
    if wanted(Which::Compile) {
        sections.push(compile::run(&workspace)?);
    }
    if wanted(Which::Render) {
        sections.push(render::run(&workspace)?);
    }
    if wanted(Which::Synth) {
        sections.push(synth::run(&workspace, args.runs)?);
    }
    if wanted(Which::Rebuild) {
        sections.push(rebuild::run(&workspace, args.runs)?);
    }
    if wanted(Which::Diff) {
        let mut bench = measure::cargo(&workspace);
        bench.args(["bench", "--quiet", "-p", "deployer", "--bench", "diff"]);
        sections.push(measure::output(&mut bench)?);
    }
    for (which, name) in [(Which::Deploy, "deploy"), (Which::Scale, "scale")] {
        if wanted(which) {
            let mut bench = measure::cargo(&workspace);
            bench.args([
                "bench",
                "--quiet",
                // The profile that `cargo run` uses; a release build of the SDK would take longer than all else here.
                "--profile",
                "dev",
                "-p",
                "system-tests",
                "--bench",
                name,
            ]);
            sections.push(measure::output(&mut bench)?);
        }
    }
    if wanted(Which::Sizes) {
        sections.push(sizes::run(&workspace)?);
    }
    if wanted(Which::Start) {
        sections.push(start::run(&workspace, args.runs)?);
    }
    if wanted(Which::Peer) {
        sections.push(peer::run(&workspace, args.runs)?);
    }
    Ok(sections.join("\n"))
}

/// Returns the root of the workspace.
fn workspace() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}
