//! The archives of the shipped functions, built and packed as a deploy to AWS does.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::{Cursor, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::measure::{cargo, output, target};
use super::table::Table;

/// The most that the archive of a function that uses one service of AWS should have.
const TARGET: u64 = 3_000_000;

/// What `cargo metadata` says, as far as it matters here.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: String,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

pub(super) fn run(workspace: &Path) -> Result<String, Box<dyn Error>> {
    let version = Command::new("cargo-lambda")
        .args(["lambda", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !version.is_ok_and(|status| status.success()) {
        return Ok("sizes: skipped, because there is no cargo-lambda on the PATH\n".to_owned());
    }
    let functions = functions(workspace)?;
    let directory = target()?.join("functions");
    let mut build = Command::new("cargo-lambda");
    build
        .current_dir(workspace)
        .args(["lambda", "build", "--skip-target-check"])
        .args(["--output-format=binary", "--profile=function", "--arm64"])
        .arg("--lambda-dir")
        .arg(&directory)
        .stdout(Stdio::null());
    for package in functions.keys() {
        build.args(["-p", package]);
    }
    for binary in functions.values().flatten() {
        build.args(["--bin", binary]);
    }
    let status = build.status()?;
    if !status.success() {
        return Err(format!("`{build:?}` failed: {status}").into());
    }

    let mut table = Table::new(
        "archives of the functions, arm64, profile `function`",
        ["zipped", "target", "ratio"],
    );
    for binary in functions.values().flatten() {
        let bytes = fs::read(directory.join(binary).join("bootstrap"))?;
        table.sizes(binary, zipped(&bytes)?, TARGET);
    }
    Ok(table.finish())
}

/// Returns the binaries of the packages of functions, by package.
fn functions(workspace: &Path) -> Result<BTreeMap<String, Vec<String>>, Box<dyn Error>> {
    let mut metadata = cargo(workspace);
    metadata.args(["metadata", "--no-deps", "--format-version=1"]);
    let metadata: Metadata = serde_json::from_str(&output(&mut metadata)?)?;
    let folder = workspace.join("functions");
    let packages = metadata
        .packages
        .into_iter()
        .filter(|package| Path::new(&package.manifest_path).starts_with(&folder));
    let with_binaries = packages.map(|package| {
        let is_binary = |target: &Target| target.kind.iter().any(|kind| kind == "bin");
        let targets = package.targets.into_iter().filter(is_binary);
        (package.name, targets.map(|target| target.name).collect())
    });
    Ok(with_binaries
        .filter(|(_, binaries): &(String, Vec<String>)| !binaries.is_empty())
        .collect())
}

/// Returns the size of an archive as a deploy to AWS writes it.
fn zipped(binary: &[u8]) -> Result<u64, Box<dyn Error>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_level(Some(9));
    zip.start_file("bootstrap", options)?;
    zip.write_all(binary)?;
    Ok(zip.finish()?.into_inner().len().try_into()?)
}
