//! Finds Rust, its version, and whether it can compile for a function's architecture.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use stack_model::assembly::Architecture;
use thiserror::Error;

use super::Variables;
use crate::error::{Error, Kind};

/// Is an installed Rust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rust {
    /// The compiler's version.
    pub version: Version,
}

/// Is a version of Rust; pre-releases count as the release they lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

/// Says why Rust cannot be used.
#[derive(Debug, Error)]
pub enum RustError {
    /// A program of the toolchain is missing.
    #[error("{program} is not installed")]
    Missing {
        /// The program.
        program: &'static str,
    },
    /// A program of the toolchain does not run.
    #[error("cannot run {program}")]
    Run {
        /// The program.
        program: &'static str,
        /// Why it does not run.
        #[source]
        source: io::Error,
    },
    /// A program of the toolchain fails or says something unexpected.
    #[error("{program} does not work: {output}")]
    Broken {
        /// The program.
        program: &'static str,
        /// What it wrote.
        output: String,
    },
    /// The compiler is too old for what the tool builds.
    #[error("Rust {found} is older than {wanted}")]
    TooOld {
        /// The installed version.
        found: Version,
        /// The oldest version that works.
        wanted: Version,
    },
    /// The standard library for a target is missing.
    #[error("Rust cannot compile for {target}")]
    NoTarget {
        /// The target triple.
        target: &'static str,
    },
}

impl RustError {
    /// Returns what the reader can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Missing { .. } | Self::Run { .. } | Self::Broken { .. } => {
                "install Rust with rustup: https://rustup.rs".to_owned()
            }
            Self::TooOld { .. } => "run `rustup update`".to_owned(),
            Self::NoTarget { target } => format!("run `rustup target add {target}`"),
        }
    }
}

impl From<RustError> for Error {
    fn from(error: RustError) -> Self {
        Self::from_source(Kind::Toolchain, &error).hint(error.hint())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl Version {
    /// Returns the oldest version that this tool, and what it builds, works with.
    pub fn oldest_supported() -> Self {
        Self::parse(env!("CARGO_PKG_RUST_VERSION")).unwrap_or(Self(1, 0, 0))
    }

    /// Reads `1.95.0`, `1.95` or `1.97.0-nightly`.
    fn parse(text: &str) -> Option<Self> {
        let release = text.split('-').next()?;
        let mut numbers = release.split('.').map(str::parse);
        let major = numbers.next()?.ok()?;
        let minor = numbers.next()?.ok()?;
        let patch = numbers.next().unwrap_or(Ok(0)).ok()?;
        Some(Self(major, minor, patch))
    }
}

impl Rust {
    /// Finds the Rust that builds a workspace; a `rust-toolchain.toml` of it is honoured.
    pub fn find(variables: &Variables, workspace: &Path) -> Result<Self, RustError> {
        run("cargo", &["--version"], variables, workspace)?;
        let output = run("rustc", &["--version"], variables, workspace)?;
        let found = output.split_whitespace().nth(1).and_then(Version::parse);
        let found = found.ok_or_else(|| RustError::Broken {
            program: "rustc",
            output: output.clone(),
        })?;
        let wanted = Version::oldest_supported();
        if found < wanted {
            return Err(RustError::TooOld { found, wanted });
        }
        Ok(Self { version: found })
    }
}

/// Returns the target that functions of an architecture are compiled for.
pub fn target(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::Arm64 => "aarch64-unknown-linux-gnu",
        Architecture::X86_64 => "x86_64-unknown-linux-gnu",
    }
}

/// Checks that Rust can compile for an architecture: the standard library for its target is installed.
pub fn check_target(
    architecture: Architecture,
    variables: &Variables,
    workspace: &Path,
) -> Result<(), RustError> {
    let target = target(architecture);
    let arguments = ["--print", "target-libdir", "--target", target];
    let directory = run("rustc", &arguments, variables, workspace)?;
    if PathBuf::from(directory.trim_end()).is_dir() {
        Ok(())
    } else {
        Err(RustError::NoTarget { target })
    }
}

fn run(
    program: &'static str,
    arguments: &[&str],
    variables: &Variables,
    workspace: &Path,
) -> Result<String, RustError> {
    let path = variables
        .find_program(program)
        .ok_or(RustError::Missing { program })?;
    let output = Command::new(path)
        .args(arguments)
        .env_clear()
        .envs(variables.iter())
        .current_dir(workspace)
        .stdin(Stdio::null())
        .output()
        .map_err(|source| RustError::Run { program, source })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(RustError::Broken {
        program,
        output: said.lines().next().unwrap_or("no output").to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toolchain::testing::write_script;

    fn rust_that_says(version: &str, library: &str) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        write_script(&directory.path().join("cargo"), "echo 'cargo 1.95.0'");
        write_script(
            &directory.path().join("rustc"),
            &format!("case $1 in --version) echo '{version}' ;; --print) echo '{library}' ;; esac"),
        );
        directory
    }

    fn find(directory: &Path) -> Result<Rust, RustError> {
        Rust::find(&Variables::default().with("PATH", directory), directory)
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(Version::parse("1.100.0") > Version::parse("1.94.1"));
        assert_eq!(Version::parse("1.97.0-nightly"), Some(Version(1, 97, 0)));
        assert_eq!(Version::parse("1.85"), Some(Version(1, 85, 0)));
        for wrong in ["", "one", "1", "1.x.0"] {
            assert_eq!(Version::parse(wrong), None, "{wrong}");
        }
        assert!(Version::oldest_supported() > Version(1, 80, 0));
    }

    #[test]
    fn an_old_rust_is_refused() {
        let directory = rust_that_says("rustc 1.80.1 (3f5fd8dd4 2024-08-06)", "");
        let error = find(directory.path()).unwrap_err();
        assert!(
            matches!(
                error,
                RustError::TooOld {
                    found: Version(1, 80, 1),
                    ..
                }
            ),
            "{error:?}"
        );
        assert_eq!(error.hint(), "run `rustup update`");
    }

    #[test]
    fn a_missing_or_broken_rust_says_where_to_get_it() {
        let directory = tempfile::tempdir().unwrap();
        let error = find(directory.path()).unwrap_err();
        assert!(
            matches!(error, RustError::Missing { program: "cargo" }),
            "{error:?}"
        );
        // What rustup's proxies say when no toolchain is chosen.
        write_script(
            &directory.path().join("cargo"),
            "echo 'error: no default is configured' >&2; exit 1",
        );
        let error = find(directory.path()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cargo does not work: error: no default is configured"
        );
        let directory = rust_that_says("hello", "");
        assert!(matches!(
            find(directory.path()).unwrap_err(),
            RustError::Broken { .. }
        ));
    }

    #[test]
    fn a_target_is_there_when_its_library_is() {
        let directory = rust_that_says("", "/nowhere/lib");
        let variables = Variables::default().with("PATH", directory.path());
        let error = check_target(Architecture::Arm64, &variables, directory.path()).unwrap_err();
        assert_eq!(
            error.hint(),
            "run `rustup target add aarch64-unknown-linux-gnu`"
        );
        let directory = rust_that_says("", "/usr");
        let variables = Variables::default().with("PATH", directory.path());
        check_target(Architecture::Arm64, &variables, directory.path()).unwrap();
    }

    #[test]
    fn the_rust_of_these_tests_is_found() {
        let rust = Rust::find(
            &Variables::of_process(),
            Path::new(env!("CARGO_MANIFEST_DIR")),
        )
        .unwrap();
        assert!(rust.version >= Version::oldest_supported());
    }
}
