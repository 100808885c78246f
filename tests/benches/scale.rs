//! Whether large apps cost more than their size: all verbs for 10, 20 and 40 stacks of 100 resources each, with the peak of
//! memory, beside the calls that CloudFormation needs anyway.
//!
//! The floor is a bare loop over the SDK, with as many stacks at once: a change set made, read and executed for each stack of
//! a first deploy and of an update, two calls to find a stack unchanged, one to delete it. The engine takes most of the time
//! of both.
//!
//! It ends with 1 where the tool takes more memory than its target, or where its work grows faster than the app: wall time is
//! that of the machine and its engine besides, and is only printed.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use system_tests::sandbox::Sandbox;
use wait4::Wait4 as _;

#[path = "scale/floor.rs"]
mod floor;

use floor::Floor;

/// The tool.
const PROGRAM: &str = env!("CARGO_BIN_EXE_stackctl-under-test");

/// The sizes of the app, in stacks.
const SIZES: [usize; 3] = [10, 20, 40];

/// The resources of each stack.
const RESOURCES: usize = 100;

/// The most memory that the tool may take, in megabytes.
const TARGET_MEMORY: f64 = 200.0;

/// How many times the CPU time of the smallest app the largest may take, which has four times its stacks.
const TARGET_GROWTH: f64 = 5.0;

/// The verbs in their order, each with what the parameters of the app say then.
const STEPS: [(&str, &[&str], u32); 7] = [
    ("synth", &["synth", "--out"], 1),
    ("first deploy", &["deploy", "--yes"], 1),
    ("unchanged", &["deploy", "--yes"], 1),
    ("diff, unchanged", &["diff"], 1),
    ("diff, all changed", &["diff"], 2),
    ("update of all", &["deploy", "--yes"], 2),
    ("destroy", &["destroy", "--yes"], 2),
];

/// What a step cost.
#[derive(Clone, Copy)]
struct Cost {
    wall: Duration,
    cpu: Duration,
    /// The peak of the largest process, the tool or one that it waited for, in megabytes.
    peak: f64,
    floor: Option<Duration>,
}

fn main() -> ExitCode {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("in the workspace");
    let sandbox = Sandbox::new(PROGRAM, workspace, &config(1, 1));
    // Everything is built and the artifact bucket exists before the clock runs.
    run(&sandbox, &["deploy", "--yes"]);
    run(&sandbox, &["destroy", "--yes"]);
    let costs = SIZES.map(|stacks| measure(&sandbox, stacks));
    // A closed standard output leaves nobody to tell.
    let _ = std::io::stdout().write_all(table(&costs).as_bytes());
    let missed = missed(&costs);
    for target in &missed {
        let _ = writeln!(std::io::stderr(), "target missed: {target}");
    }
    if missed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Says which targets were missed.
fn missed(costs: &[Vec<Cost>; SIZES.len()]) -> Vec<String> {
    let mut missed = Vec::new();
    let peak = peak(costs);
    if peak > TARGET_MEMORY {
        missed.push(format!(
            "a process took {peak:.0} MB, and should take {TARGET_MEMORY:.0} MB at most"
        ));
    }
    let [first, .., last] = costs;
    for ((name, ..), (first, last)) in STEPS.iter().zip(first.iter().zip(last)) {
        let growth = ratio(last.cpu, first.cpu);
        if growth > TARGET_GROWTH {
            missed.push(format!(
                "the CPU time of `{name}` grew {growth:.1} times, and should grow {TARGET_GROWTH:.1} times at most"
            ));
        }
    }
    missed
}

/// Returns the peak of the largest process of all, in megabytes.
fn peak(costs: &[Vec<Cost>; SIZES.len()]) -> f64 {
    let peaks = costs.iter().flatten().map(|cost| cost.peak);
    peaks.fold(0.0, f64::max)
}

fn config(stacks: usize, change: u32) -> String {
    format!(
        "[workspace]\nstacks = \"scale-stacks\"\n\n[stages.dev]\nregion = \"us-east-1\"\n\n\
         [stages.dev.variables.scale]\nstacks = {stacks}\nresources = {RESOURCES}\nchange = {change}\n"
    )
}

fn measure(sandbox: &Sandbox, stacks: usize) -> Vec<Cost> {
    let out = sandbox.directory().join("out");
    let out = out.to_str().expect("the path is text");
    let mut floor = Floor::new(sandbox);
    let mut first = Arc::default();
    let mut floors = [None; STEPS.len()];
    let mut costs = Vec::new();
    for (name, arguments, change) in STEPS {
        sandbox.configure(&config(stacks, change));
        let mut arguments = arguments.to_vec();
        match name {
            "synth" => arguments.push(out),
            // The floor goes first: with the stacks, the tool removes what was published for them.
            "destroy" => {
                run(sandbox, &["synth", "--out", out]);
                let second = floor::read(Path::new(out));
                let [_, create, look, .., update, destroy] = &mut floors;
                *destroy = Some(timed(|| floor.destroy(&second)));
                *create = Some(timed(|| floor.deploy(&first, true)));
                *look = Some(timed(|| floor.look(&first)));
                *update = Some(timed(|| floor.deploy(&second, false)));
            }
            _ => {}
        }
        costs.push(run(sandbox, &arguments));
        match name {
            "synth" => first = floor::read(Path::new(out)),
            "first deploy" => floor.remember(&first),
            _ => {}
        }
    }
    for (cost, floor) in costs.iter_mut().zip(floors) {
        cost.floor = floor;
    }
    costs
}

/// Runs the tool to its end.
fn run(sandbox: &Sandbox, arguments: &[&str]) -> Cost {
    let place: &[&str] = if arguments.first() == Some(&"synth") {
        &["--stage", "dev"]
    } else {
        &["--stage", "dev", "--local"]
    };
    let mut command: Command = sandbox.command(&[arguments, place].concat());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let begin = Instant::now();
    let mut child = command.spawn().expect("the tool starts");
    let ended = child.wait4().expect("it is a child of this process");
    let wall = begin.elapsed();
    let (status, rusage) = (ended.status, ended.rusage);
    assert!(status.success(), "{arguments:?} ended with {status}");
    Cost {
        wall,
        cpu: rusage.utime + rusage.stime,
        peak: megabytes(rusage.maxrss),
        floor: None,
    }
}

fn timed(work: impl FnOnce()) -> Duration {
    let begin = Instant::now();
    work();
    begin.elapsed()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a size in megabytes needs three digits"
)]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn table(costs: &[Vec<Cost>; SIZES.len()]) -> String {
    let mut text = format!(
        "apps of {SIZES:?} stacks with {RESOURCES} resources and their policies each on the local engine; wall time\n\
         growth is that of 40 stacks by that of 10, 4.0 where it follows the size, and for CPU time {TARGET_GROWTH:.1} at most\n\n{:<20}",
        ""
    );
    // Writing to a string cannot fail.
    for size in SIZES {
        let _ = write!(text, "{size:>9}");
    }
    let _ = writeln!(
        text,
        "{:>8}{:>9}{:>9}{:>8}{:>8}",
        "growth", "CPU", "growth", "floor", "ratio"
    );
    for (step, (name, ..)) in STEPS.iter().enumerate() {
        let row = costs.each_ref().map(|costs| costs[step]);
        let [first, .., last] = row;
        let _ = write!(text, "{name:<20}");
        for cost in row {
            let _ = write!(text, "{:>9}", seconds(cost.wall));
        }
        let _ = write!(
            text,
            "{:>8.1}{:>9}{:>9.1}",
            ratio(last.wall, first.wall),
            seconds(last.cpu),
            ratio(last.cpu, first.cpu)
        );
        match last.floor {
            Some(floor) => {
                let ratio = ratio(last.wall, floor);
                let _ = writeln!(text, "{:>8}{ratio:>8.2}", seconds(floor));
            }
            None => text.push('\n'),
        }
    }
    let peak = peak(costs);
    let _ = writeln!(
        text,
        "\npeak of memory {peak:.0} MB, {:.2} of the target of {TARGET_MEMORY:.0} MB",
        peak / TARGET_MEMORY
    );
    text
}

fn ratio(figure: Duration, beside: Duration) -> f64 {
    figure.as_secs_f64() / beside.as_secs_f64()
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}
