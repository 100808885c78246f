//! What the tool adds to a deploy: first, unchanged and one-variable deploys of `intake` to a local engine, each
//! beside the floor.
//!
//! The floor is what cannot be left out, made by a bare loop: cargo finds the stacks and functions up to date, the
//! stacks binary renders, and the very calls that the tool made, recorded by a proxy, are made again with the SDK.

#[path = "deploy/floor.rs"]
mod floor;

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use system_tests::proxy::Proxy;
use system_tests::sandbox::Sandbox;

use floor::Floor;

/// The tool.
const PROGRAM: &str = env!("CARGO_BIN_EXE_stackctl-under-test");

/// How often each deploy is repeated; the median counts.
const RUNS: usize = 7;

/// One way to deploy: its name, whether the stack is removed before, and the mode that is asked for.
struct Scenario {
    name: &'static str,
    fresh: bool,
    before: &'static str,
    after: &'static str,
}

const SCENARIOS: [Scenario; 3] = [
    Scenario { name: "first deploy", fresh: true, before: "queue", after: "queue" },
    Scenario { name: "unchanged", fresh: false, before: "queue", after: "queue" },
    Scenario { name: "one variable changed", fresh: false, before: "queue", after: "direct" },
];

fn main() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("in the workspace");
    let sandbox = Sandbox::new(PROGRAM, workspace, &config("queue"));
    let endpoint = sandbox.engine().url().to_owned();
    let deploy = |url: &str| sandbox.succeed(&["deploy", "--yes", "--stage", "dev", "--endpoint-url", url]);
    let destroy = || {
        sandbox.succeed(&["destroy", "--yes", "--stage", "dev", "--endpoint-url", &endpoint]);
    };
    // Everything is built and the artifact bucket exists before the clock runs.
    deploy(&endpoint);

    let mut text = format!(
        "deploys of `intake` to the local engine, wall time\n\n{:<24}{:>9}{:>9}{:>7}{:>9}{:>9}{:>7}{:>7}\n",
        "", "tool", "floor", "ratio", "of it: ", "calls", "cargo", "render"
    );
    for scenario in SCENARIOS {
        let prepare = || {
            if scenario.fresh {
                destroy();
            } else {
                sandbox.configure(&config(scenario.before));
                deploy(&endpoint);
            }
            sandbox.configure(&config(scenario.after));
        };
        prepare();
        let proxy = Proxy::start(&endpoint);
        deploy(&proxy.url());
        let calls = proxy.calls();

        let mut tool = Vec::new();
        let mut made = Vec::new();
        let mut cargo = Vec::new();
        let mut render = Vec::new();
        for _ in 0..RUNS {
            prepare();
            tool.push(timed(|| {
                deploy(&endpoint);
            }));
            prepare();
            let floor = Floor::new(&sandbox, workspace);
            cargo.push(timed(|| floor.build()));
            render.push(timed(|| floor.render(&config(scenario.after))));
            made.push(floor.call(&calls));
        }
        let [tool, made, cargo, render] = [tool, made, cargo, render].map(median);
        let floor = made + cargo + render;
        text.push_str(&format!(
            "{:<24}{:>9}{:>9}{:>7.2}{:>9}{:>9}{:>7}{:>7}\n",
            scenario.name,
            millis(tool),
            millis(floor),
            tool.as_secs_f64() / floor.as_secs_f64(),
            calls.len(),
            millis(made),
            millis(cargo),
            millis(render),
        ));
    }
    // A closed standard output leaves nobody to tell.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn config(mode: &str) -> String {
    format!("[stages.dev]\nregion = \"us-east-1\"\n\n[stages.dev.variables.intake]\nmode = \"{mode}\"\n")
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn millis(time: Duration) -> String {
    format!("{:.0} ms", time.as_secs_f64() * 1e3)
}
