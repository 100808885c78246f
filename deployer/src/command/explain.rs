//! Turns the errors of modules into what a person reads.

use std::fmt::Write as _;
use std::path::Path;

use stack_model::assembly::{FailureItem, MANIFEST_FILE};

use crate::assembly::{Assembly, Output, ReadError, SynthError};
use crate::build::{BuildError, cargo::CargoError};
use crate::cli::nearest;
use crate::config::{FILE_NAME, list};
use crate::error::{Error, Kind};
use crate::toolchain::last_lines;
use crate::ui;

/// How many of the last lines of a program become causes of its failure.
const CAUSES: usize = 5;

/// How to make the binary of a stacks package.
const MAIN_HINT: &str = "its main function must return `stack_model::main(..)`";

/// Explains why there is no assembly.
pub(super) fn synth(root: &Path, error: SynthError) -> Error {
    let message = error.to_string();
    match error {
        SynthError::Cargo { source, .. } => cargo(Error::new(Kind::Build, message), source),
        SynthError::NoPackage { package, packages } => {
            let error = Error::new(Kind::Configuration, message);
            suggest(error, &package, &packages)
                .hint(format!("set `stacks` under `[workspace]` in {FILE_NAME}"))
        }
        SynthError::NoBinary { package, binaries } => {
            let error = Error::new(Kind::Synth, message).hint(MAIN_HINT);
            if binaries.is_empty() {
                error.hint(format!("add src/main.rs to `{package}`"))
            } else {
                error.hint(format!("name one of them `{package}`"))
            }
        }
        SynthError::Start { source, .. } | SynthError::Scratch { source, .. } => {
            Error::new(Kind::Io, message).caused_by(&source)
        }
        SynthError::Violations(items) => violations(root, message, &items),
        SynthError::Panicked {
            message: cause,
            output,
            ..
        } => Error::new(Kind::Synth, message)
            .cause(cause)
            .detail(printed(&output)),
        SynthError::Failed { output, .. } => Error::new(Kind::Synth, message)
            .detail(printed(&output))
            .hint(MAIN_HINT),
        SynthError::Invalid { source, output, .. } => invalid(message, &source, &output),
        SynthError::OtherStage { .. } => Error::new(Kind::Assembly, message).hint(MAIN_HINT),
    }
}

fn invalid(message: String, source: &ReadError, output: &Output) -> Error {
    let kind = match source {
        ReadError::NoManifest(_) => Kind::Synth,
        _ => Kind::Assembly,
    };
    let error = Error::new(kind, message).detail(printed(output));
    let error = match source {
        // The directory was temporary and is gone.
        ReadError::NoManifest(_) => error.cause(format!("it wrote no {MANIFEST_FILE}")),
        _ => error.caused_by(source),
    };
    match source {
        ReadError::Format(_) => {
            error.hint("use the same version of stackctl and of stack-model in the workspace")
        }
        ReadError::TooLarge { .. } => error.hint("split the stack into several"),
        _ => error.hint(MAIN_HINT),
    }
}

/// Explains why an assembly in a directory cannot be read.
pub(super) fn read(error: &ReadError) -> Error {
    Error::from_source(Kind::Assembly, error)
}

fn printed(output: &Output) -> String {
    format!("{}{}", output.stdout, output.stderr)
}

fn violations(root: &Path, message: String, items: &[FailureItem]) -> Error {
    let mut error = Error::new(Kind::Synth, message);
    let mut detail = String::new();
    for item in items {
        let _ = writeln!(
            detail,
            "{}",
            ui::violation(item, quoted(root, item).as_deref())
        );
        let mut cause = String::new();
        for part in [&item.stack, &item.logical_id, &item.property]
            .into_iter()
            .flatten()
        {
            cause.push_str(if cause.is_empty() { "" } else { "/" });
            cause.push_str(part);
        }
        if !cause.is_empty() {
            cause.push_str(": ");
        }
        cause.push_str(&item.message);
        if let Some(source) = &item.source {
            let _ = write!(cause, " ({source})");
        }
        error = error.cause(cause);
    }
    error.told(detail)
}

/// Returns the line of the source that a violation names.
fn quoted(root: &Path, item: &FailureItem) -> Option<String> {
    let source = item.source.as_deref()?;
    let (rest, _column) = source.rsplit_once(':')?;
    let (file, line) = rest.rsplit_once(':')?;
    let line: usize = line.parse().ok()?;
    let text = std::fs::read_to_string(root.join(file)).ok()?;
    text.lines().nth(line.checked_sub(1)?).map(str::to_owned)
}

/// Explains why the functions could not be built. The resource that uses a function says where it is declared.
pub(super) fn build(assembly: &Assembly, error: BuildError) -> Error {
    let message = error.to_string();
    let declared = |error: Error, asset: &str| match assembly.user_of_asset(asset) {
        Some((stack, logical_id, resource)) => error.cause(format!(
            "{logical_id} in stack {} needs it, declared at {}",
            stack.id, resource.source
        )),
        None => error.cause(format!("asset {asset} needs it")),
    };
    match error {
        BuildError::Cargo(source) => cargo(Error::new(Kind::Build, message), source),
        BuildError::PackageMissing {
            asset,
            package,
            packages,
        } => suggest(
            declared(Error::new(Kind::Build, message), &asset),
            &package,
            &packages,
        ),
        BuildError::BinaryMissing {
            asset,
            binary,
            binaries,
            ..
        } => suggest(
            declared(Error::new(Kind::Build, message), &asset),
            &binary,
            &binaries,
        ),
        BuildError::NoFile { .. } => Error::new(Kind::Build, message),
        BuildError::Pack(source) => {
            let full = source.is_disk_full();
            let error = Error::from_source(Kind::Io, &source);
            if full {
                error.hint("free space on the disk, or set STACKCTL_STATE_DIR to another one")
            } else {
                error
            }
        }
    }
}

fn cargo(error: Error, source: CargoError) -> Error {
    match source {
        CargoError::Compile { errors, rendered } => {
            errors.into_iter().fold(error, Error::cause).told(rendered)
        }
        CargoError::Failed { output } => last_lines(&output, CAUSES)
            .lines()
            .fold(error.cause("cargo failed"), |error, line| {
                error.cause(line.trim())
            })
            .told(output),
        CargoError::Start { .. } => {
            let error = error.caused_by(&source);
            error.hint("install Rust from https://rustup.rs, or see `stackctl doctor`")
        }
        CargoError::Output(_) => error.caused_by(&source),
    }
}

fn suggest(error: Error, name: &str, candidates: &[String]) -> Error {
    let candidates: Vec<&str> = candidates.iter().map(String::as_str).collect();
    match nearest(name, &candidates) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None if candidates.is_empty() => error,
        None => error.hint(format!("there are {}", list(&candidates))),
    }
}
