//! Makes an assembly: builds the stacks package and runs its binary.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use stack_model::assembly::{FAILURE_FILE, Failure, FailureItem, SynthRequest};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::{Assembly, ReadError};
use crate::build;
use crate::build::cargo::{self, CargoError, Executable, Invocation, Progress};
use crate::scratch;
use crate::toolchain::child::Group;

/// What to render, and how.
#[derive(Clone, Debug)]
pub struct Synthesis<'a> {
    /// The workspace.
    pub root: &'a Path,
    /// The package that holds the stacks.
    pub package: &'a str,
    /// The request for the stacks binary.
    pub request: &'a SynthRequest,
    /// Where temporary directories are made.
    pub scratch: &'a Path,
}

/// What a synth made.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// The assembly.
    pub assembly: Assembly,
    /// What the stacks binary printed besides.
    pub output: Output,
    /// The files that the stacks binary was built from, as far as Cargo tells.
    pub sources: Vec<PathBuf>,
}

/// What the stacks binary printed besides its assembly, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Standard output, where nothing is expected: a stack that prints to find a bug.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Why there is no assembly.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SynthError {
    /// The stacks package does not build.
    #[error("the stacks package `{package}` does not build")]
    Cargo {
        /// The package.
        package: String,
        /// What Cargo says.
        #[source]
        source: CargoError,
    },
    /// The workspace has no such package.
    #[error(
        "the workspace has no package `{package}`, which stackctl.toml names as the stacks package"
    )]
    NoPackage {
        /// The package.
        package: String,
        /// The packages there are.
        packages: Vec<String>,
    },
    /// The package has no binary, or several and none of its own name.
    #[error("the stacks package `{package}` has {}", number_of_binaries(.binaries))]
    NoBinary {
        /// The package.
        package: String,
        /// Its binaries.
        binaries: Vec<String>,
    },
    /// The binary could not be run.
    #[error("cannot run {}", .program.display())]
    Start {
        /// The binary.
        program: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The directory for the assembly could not be made.
    #[error("cannot make a directory in {}", .directory.display())]
    Scratch {
        /// The directory.
        directory: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The stacks are wrong, and say so themselves.
    #[error("the stacks have {}", number_of_violations(.0))]
    Violations(Vec<FailureItem>),
    /// The stacks panicked.
    #[error("the stacks package `{package}` panicked")]
    Panicked {
        /// The package.
        package: String,
        /// The message with its place.
        message: String,
        /// What the binary printed.
        output: Output,
    },
    /// The binary failed in a way of its own.
    #[error("the stacks package `{package}` ended with {status} and no reason")]
    Failed {
        /// The package.
        package: String,
        /// How it ended.
        status: ExitStatus,
        /// What the binary printed.
        output: Output,
    },
    /// The binary ended well and left no valid assembly.
    #[error("the stacks package `{package}` left no valid assembly")]
    Invalid {
        /// The package.
        package: String,
        /// What is wrong with it.
        #[source]
        source: Box<ReadError>,
        /// What the binary printed.
        output: Output,
    },
    /// The assembly is of another stage than the one asked for.
    #[error(
        "the stacks package `{package}` rendered stage `{actual}` where `{expected}` was asked for"
    )]
    OtherStage {
        /// The package.
        package: String,
        /// The stage in the manifest.
        actual: String,
        /// The stage asked for.
        expected: String,
    },
}

fn number_of_binaries(names: &[String]) -> String {
    match names.len() {
        0 => "no binary".to_owned(),
        count => format!("{count} binaries and none of its own name"),
    }
}

fn number_of_violations(items: &[FailureItem]) -> String {
    match items.len() {
        1 => "one violation".to_owned(),
        count => format!("{count} violations"),
    }
}

/// Builds the stacks package in the dev profile, runs its binary, and reads what it wrote.
///
/// `progress` hears what Cargo does. The binary's own output is returned and never printed here.
pub async fn synth(
    synthesis: &Synthesis<'_>,
    progress: Progress<'_>,
) -> Result<Rendered, SynthError> {
    let binary = build(synthesis, progress).await?;
    let scratch = |source| SynthError::Scratch {
        directory: synthesis.scratch.to_owned(),
        source,
    };
    std::fs::create_dir_all(synthesis.scratch).map_err(scratch)?;
    let directory = tempfile::Builder::new()
        .prefix(scratch::SYNTH)
        .tempdir_in(synthesis.scratch)
        .map_err(scratch)?;
    let (status, output) = run(synthesis, &binary, directory.path()).await?;
    let package = synthesis.package.to_owned();
    let failure = std::fs::read(directory.path().join(FAILURE_FILE))
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Failure>(&bytes).ok());
    if let Some(failure) = failure {
        return Err(SynthError::Violations(failure.violations));
    }
    if !status.success() {
        return Err(match panic_message(&output.stderr) {
            Some(message) => SynthError::Panicked {
                package,
                message,
                output,
            },
            None => SynthError::Failed {
                package,
                status,
                output,
            },
        });
    }
    let assembly = match Assembly::read(directory.path()) {
        Ok(assembly) => assembly,
        Err(source) => {
            return Err(SynthError::Invalid {
                package,
                source: Box::new(source),
                output,
            });
        }
    };
    let expected = &synthesis.request.stage.name;
    if assembly.manifest.stage != *expected {
        return Err(SynthError::OtherStage {
            package,
            actual: assembly.manifest.stage,
            expected: expected.clone(),
        });
    }
    Ok(Rendered {
        assembly,
        output,
        sources: sources(&binary),
    })
}

/// Returns the files that a binary was built from, which Cargo lists beside it
/// (<https://doc.rust-lang.org/cargo/reference/build-cache.html#dep-info-files>).
fn sources(binary: &Path) -> Vec<PathBuf> {
    let list = std::fs::read_to_string(binary.with_extension("d")).unwrap_or_default();
    build::listed(&list)
}

/// Builds the package and returns its binary: the only one, or the one of the package's name.
async fn build(synthesis: &Synthesis<'_>, progress: Progress<'_>) -> Result<PathBuf, SynthError> {
    let package = synthesis.package;
    let invocation = Invocation {
        program: cargo::program(),
        arguments: [
            "build",
            "-p",
            package,
            "--message-format=json-diagnostic-rendered-ansi",
        ]
        .map(Into::into)
        .to_vec(),
        environment: Vec::new(),
        directory: synthesis.root.to_owned(),
    };
    let executables = match cargo::run(&invocation, progress).await {
        Ok(built) => built.executables,
        Err(error) => return Err(explain(synthesis, error).await),
    };
    choose(package, executables)
}

fn choose(package: &str, mut executables: Vec<Executable>) -> Result<PathBuf, SynthError> {
    executables.retain(|executable| executable.package == package);
    let own = executables
        .iter()
        .position(|executable| executables.len() == 1 || executable.binary == package);
    match own {
        Some(position) => Ok(executables.swap_remove(position).path),
        None => Err(SynthError::NoBinary {
            package: package.to_owned(),
            binaries: executables
                .into_iter()
                .map(|executable| executable.binary)
                .collect(),
        }),
    }
}

async fn explain(synthesis: &Synthesis<'_>, error: CargoError) -> SynthError {
    let package = synthesis.package.to_owned();
    if matches!(error, CargoError::Failed { .. })
        && let Some(known) = cargo::binaries(synthesis.root).await
        && known.iter().all(|(name, _)| *name != package)
    {
        return SynthError::NoPackage {
            package,
            packages: known.into_iter().map(|(name, _)| name).collect(),
        };
    }
    SynthError::Cargo {
        package,
        source: error,
    }
}

/// Runs the binary in the workspace root with the request on its standard input.
async fn run(
    synthesis: &Synthesis<'_>,
    binary: &Path,
    out: &Path,
) -> Result<(ExitStatus, Output), SynthError> {
    let failed = |source| SynthError::Start {
        program: binary.to_owned(),
        source,
    };
    let request =
        serde_json::to_vec(synthesis.request).map_err(|error| failed(io::Error::other(error)))?;
    let mut child = Command::new(binary)
        .arg("synth")
        .arg("--out")
        .arg(out)
        .current_dir(synthesis.root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let group = Group::of(child.id());
    let stdin = child.stdin.take();
    let write = async move {
        if let Some(mut stdin) = stdin {
            match stdin.write_all(&request).await {
                // A binary that does not read its input fails in its own words.
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
                _ => {}
            }
        }
        Ok(())
    };
    let (written, output) = tokio::join!(write, child.wait_with_output());
    group.ended();
    written.map_err(failed)?;
    let output = output.map_err(failed)?;
    Ok((
        output.status,
        Output {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        },
    ))
}

/// Returns the message of a panic with its place, as the standard library prints it.
///
/// The form is `thread 'main' (1) panicked at stacks/src/main.rs:3:5:` and the message on the next line.
fn panic_message(stderr: &str) -> Option<String> {
    let mut lines = stderr.lines();
    let place = lines.find_map(|line| line.split_once("panicked at ").map(|(_, place)| place))?;
    let message = lines.next().unwrap_or_default();
    Some(format!("{place} {message}").trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_are_recognised() {
        let stderr = "note\n\nthread 'main' (77) panicked at stacks/src/main.rs:3:5:\nno such table\nnote: run with RUST_BACKTRACE=1\n";
        assert_eq!(
            panic_message(stderr).as_deref(),
            Some("stacks/src/main.rs:3:5: no such table")
        );
        assert_eq!(panic_message("error: something"), None);
    }

    #[test]
    fn the_sources_of_a_binary_are_those_that_cargo_lists() {
        let directory = tempfile::tempdir().expect("a directory");
        let binary = directory.path().join("stacks");
        assert_eq!(sources(&binary), [""; 0].map(PathBuf::from));
        let list =
            "/w/target/debug/stacks: /w/my\\ stacks/main.rs /w/Cargo.toml\n\n/w/Cargo.toml:\n";
        std::fs::write(binary.with_extension("d"), list).expect("writes");
        let expected = ["/w/my stacks/main.rs", "/w/Cargo.toml"].map(PathBuf::from);
        assert_eq!(sources(&binary), expected);
    }

    #[test]
    fn the_binary_of_the_package_is_chosen() {
        let executable = |package: &str, binary: &str| Executable {
            package: package.into(),
            binary: binary.into(),
            path: binary.into(),
        };
        let chosen = choose("stacks", vec![executable("stacks", "other")]).expect("the only one");
        assert_eq!(chosen, PathBuf::from("other"));
        let chosen = choose(
            "stacks",
            vec![executable("stacks", "a"), executable("stacks", "stacks")],
        );
        assert_eq!(chosen.expect("its own name"), PathBuf::from("stacks"));
        let error = choose(
            "stacks",
            vec![executable("stacks", "a"), executable("stacks", "b")],
        );
        assert_eq!(
            error.expect_err("is ambiguous").to_string(),
            "the stacks package `stacks` has 2 binaries and none of its own name"
        );
        let error = choose("stacks", vec![executable("other", "a")]);
        assert_eq!(
            error.expect_err("has none").to_string(),
            "the stacks package `stacks` has no binary"
        );
    }
}
