//! What `cargo check` of the generated resource types costs in CPU time, against its targets.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::measure::{cargo, cost, output};
use super::table::Table;

/// The targets: for the services that `stack-model` uses, and for all.
const USED: Duration = Duration::from_secs(5);
const ALL: Duration = Duration::from_secs(30);

/// What `cargo metadata` says, as far as it matters here.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    features: Vec<String>,
}

pub(super) fn run(workspace: &Path) -> Result<String, Box<dyn Error>> {
    let used = used(workspace)?;
    let cases = [
        (
            format!("the {} services of stack-model", used.len()),
            used.join(","),
            USED,
        ),
        ("all services".to_owned(), "full".to_owned(), ALL),
    ];
    let mut table = Table::new(
        "cargo check of stack-model-cfn, CPU time, cold, without its dependencies",
        ["CPU", "target", "ratio"],
    );
    for (name, features, target) in cases {
        let scratch = tempfile::tempdir()?;
        let mut check = cargo(workspace);
        check
            .env("CARGO_TARGET_DIR", scratch.path())
            .env("CARGO_INCREMENTAL", "0")
            .args(["check", "--quiet", "-p", "stack-model-cfn"]);
        // The first check builds the dependencies; the second one finds only the crate itself stale.
        cost(&mut check)?;
        check.args(["--features", &features]);
        table.durations(&name, cost(&mut check)?.cpu, target);
    }
    Ok(table.finish())
}

/// Returns the features of the generated types that `stack-model` turns on: one per service.
fn used(workspace: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut metadata = cargo(workspace);
    metadata.args(["metadata", "--no-deps", "--format-version=1"]);
    let metadata: Metadata = serde_json::from_str(&output(&mut metadata)?)?;
    let mut packages = metadata.packages.into_iter();
    packages
        .find(|package| package.name == "stack-model")
        .and_then(|package| {
            let mut dependencies = package.dependencies.into_iter();
            dependencies.find(|dependency| dependency.name == "stack-model-cfn")
        })
        .map(|dependency| dependency.features)
        .ok_or_else(|| "stack-model does not depend on stack-model-cfn".into())
}
