//! What `cargo check` of the generated resource types costs in CPU time, against its targets.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use super::measure::{cargo, cost};
use super::table::Table;

/// The features to measure, each with its target.
const CASES: [(&str, &str, Duration); 2] = [
    (
        "24 serverless services",
        "serverless",
        Duration::from_secs(5),
    ),
    ("all services", "full", Duration::from_secs(30)),
];

pub(super) fn run(workspace: &Path) -> Result<String, Box<dyn Error>> {
    let mut table = Table::new(
        "cargo check of stack-model-cfn, CPU time, cold, without its dependencies",
        ["CPU", "target", "ratio"],
    );
    for (name, feature, target) in CASES {
        let scratch = tempfile::tempdir()?;
        let mut check = cargo(workspace);
        check
            .env("CARGO_TARGET_DIR", scratch.path())
            .env("CARGO_INCREMENTAL", "0")
            .args(["check", "--quiet", "-p", "stack-model-cfn"]);
        // The first check builds the dependencies; the second one finds only the crate itself stale.
        cost(&mut check)?;
        check.args(["--features", feature]);
        table.durations(name, cost(&mut check)?.cpu, target);
    }
    Ok(table.finish())
}
