//! What the tool adds to a deploy: first, unchanged and one-variable deploys of `intake` to a local engine, each
//! beside the floor.
//!
//! The floor is what cannot be left out, made by a bare loop: cargo finds the stacks and functions up to date, the
//! stacks binary renders, and the very calls that the tool made, recorded by a proxy, are made again with the SDK.

#[path = "deploy/floor.rs"]
mod floor;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use system_tests::proxy::Proxy;
use system_tests::sandbox::Sandbox;

use floor::Floor;

/// The tool.
const PROGRAM: &str = env!("CARGO_BIN_EXE_stackctl-under-test");

/// The most that the tool may take, as a multiple of the floor.
const TARGET: f64 = 1.5;

/// How often each deploy is repeated; the median counts.
const RUNS: usize = 7;

/// One way to deploy.
struct Scenario {
    name: &'static str,
    /// Whether the stack is removed before; otherwise it is deployed in mode `queue`.
    fresh: bool,
    /// The mode that is asked for.
    mode: &'static str,
}

const SCENARIOS: [Scenario; 3] = [
    Scenario {
        name: "first deploy",
        fresh: true,
        mode: "queue",
    },
    Scenario {
        name: "unchanged",
        fresh: false,
        mode: "queue",
    },
    Scenario {
        name: "one variable changed",
        fresh: false,
        mode: "direct",
    },
];

fn main() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("in the workspace");
    let sandbox = Sandbox::new(PROGRAM, workspace, &config("queue"));
    let endpoint = sandbox.engine().url().to_owned();
    let deploy = |url: &str| {
        sandbox.succeed(&[
            "deploy",
            "intake",
            "--yes",
            "--stage",
            "dev",
            "--endpoint-url",
            url,
        ])
    };
    let destroy = || {
        sandbox.succeed(&[
            "destroy",
            "intake",
            "--yes",
            "--stage",
            "dev",
            "--endpoint-url",
            &endpoint,
        ]);
    };
    // Everything is built and the artifact bucket exists before the clock runs.
    deploy(&endpoint);

    let mut text = format!(
        "deploys of `intake` to the local engine, wall time; the target is a ratio under {TARGET}\n\n\
         {:<22}{:>9}{:>9}{:>7}{:>13}{:>9}{:>7}\n",
        "", "tool", "floor", "ratio", "beyond cargo", "calls", "ratio"
    );
    for scenario in SCENARIOS {
        let prepare = || {
            if scenario.fresh {
                destroy();
            } else {
                sandbox.configure(&config("queue"));
                deploy(&endpoint);
            }
            sandbox.configure(&config(scenario.mode));
        };
        prepare();
        let proxy = Proxy::start(&endpoint);
        deploy(&proxy.url());
        let calls = proxy.calls();
        let floor = Floor::new(&sandbox, workspace);
        let snapshot = floor.snapshot();

        let (mut tool, mut called, mut built, mut rendered) = (vec![], vec![], vec![], vec![]);
        for _ in 0..RUNS {
            prepare();
            tool.push(timed(|| {
                deploy(&endpoint);
            }));
            prepare();
            built.push(timed(|| floor.build(&sandbox)));
            rendered.push(timed(|| floor.render(scenario.mode)));
            called.push(timed(|| floor.call(&calls, &snapshot, scenario.fresh)));
        }
        let [tool, called, built, rendered] = [tool, called, built, rendered].map(median);
        let floor = built + rendered + called;
        // What the tool takes besides cargo and the stacks binary, against the bare calls alone.
        let beyond = tool.saturating_sub(built + rendered);
        let _ = writeln!(
            text,
            "{:<22}{:>9}{:>9}{:>7.2}{:>13}{:>9}{:>7.2}",
            scenario.name,
            millis(tool),
            millis(floor),
            tool.as_secs_f64() / floor.as_secs_f64(),
            millis(beyond),
            millis(called),
            beyond.as_secs_f64() / called.as_secs_f64(),
        );
        let _ = writeln!(
            text,
            "{:<22}{} calls; cargo {}, render {}",
            "",
            calls.len(),
            millis(built),
            millis(rendered)
        );
    }
    // A closed standard output leaves nobody to tell.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn config(mode: &str) -> String {
    format!(
        "[stages.dev]\nregion = \"us-east-1\"\n\n[stages.dev.variables.intake]\nmode = \"{mode}\"\n"
    )
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
