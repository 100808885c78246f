//! Finds a Python that can hold a private environment.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use thiserror::Error;

use super::{Variables, child};
use crate::engine::Cancel;

/// The oldest minor version of Python 3 that the pinned packages support.
const OLDEST: u32 = 10;
/// The newest minor version of Python 3 for which every pinned package has a wheel.
const NEWEST: u32 = 14;

/// Prints one line that tells what we must know: implementation, version, whether `venv` works, and the
/// interpreter's real path. Environments are made from the real path, so that an upgrade which swaps `python3`
/// leaves a dangling link that is noticed, not an environment of the wrong version.
const PROBE: &str = "\
import os, sys
try:
    import ensurepip, venv
    usable = 'venv'
except ImportError:
    usable = 'no-venv'
print(sys.implementation.name, '.'.join(map(str, sys.version_info[:3])), usable,
      os.path.realpath(getattr(sys, '_base_executable', None) or sys.executable))";

/// Is a usable Python: CPython 3.10 to 3.14 with its `venv` module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Python {
    /// The interpreter itself, links resolved.
    pub path: PathBuf,
    /// Major, minor and patch version.
    pub version: (u32, u32, u32),
}

/// Says why no Python could be used.
#[derive(Debug, Error)]
pub enum PythonError {
    /// None of the usual names is on `PATH`.
    #[error("no Python found on PATH")]
    NotFound,
    /// The interpreter named by `STACKCTL_PYTHON` cannot be run.
    #[error("STACKCTL_PYTHON names {program:?}, which cannot be run")]
    NotRunnable {
        /// What the variable holds.
        program: OsString,
        /// Why it does not run.
        #[source]
        source: Option<io::Error>,
    },
    /// Interpreters were found, but all are too old, too new or not CPython.
    #[error("no Python from 3.{OLDEST} to 3.{NEWEST} found, only {}", found.join(", "))]
    Unsupported {
        /// What was found instead, as `CPython 3.9.2 at /usr/bin/python3`.
        found: Vec<String>,
    },
    /// A supported interpreter lacks the `venv` or `ensurepip` module.
    #[error("{python} has no usable venv module")]
    NoVenv {
        /// The interpreter.
        python: Python,
    },
}

impl PythonError {
    /// Tells what mends it.
    pub fn hint(&self) -> String {
        match self {
            Self::NotFound | Self::Unsupported { .. } => format!(
                "install Python 3.{OLDEST} to 3.{NEWEST}, or name one: STACKCTL_PYTHON=/path/to/python3"
            ),
            Self::NotRunnable { .. } => {
                "set STACKCTL_PYTHON to a Python interpreter, or unset it".to_owned()
            }
            Self::NoVenv { python } => format!(
                "install the venv module (Debian, Ubuntu: `sudo apt install python{}.{}-venv`)",
                python.version.0, python.version.1
            ),
        }
    }
}

impl fmt::Display for Python {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor, patch) = self.version;
        write!(
            f,
            "Python {major}.{minor}.{patch} at {}",
            self.path.display()
        )
    }
}

impl Python {
    /// Finds the Python named by `STACKCTL_PYTHON`, or the first usable one on `PATH`.
    pub fn find(variables: &Variables) -> Result<Self, PythonError> {
        Self::find_unless(variables, &Cancel::never())
    }

    /// Does the same, and finds nothing once the run is stopped.
    pub(super) fn find_unless(variables: &Variables, cancel: &Cancel) -> Result<Self, PythonError> {
        if let Some(program) = variables.get("STACKCTL_PYTHON") {
            return Self::named(program, variables, cancel);
        }
        let names = std::iter::once("python3".to_owned())
            .chain(
                (OLDEST..=NEWEST)
                    .rev()
                    .map(|minor| format!("python3.{minor}")),
            )
            .chain(std::iter::once("python".to_owned()));
        let mut without_venv = None;
        let mut unsupported = Vec::new();
        for path in names.filter_map(|name| variables.find_program(name)) {
            // Version managers leave shims on PATH that fail when their version is not installed: such a name is
            // as good as absent.
            let Ok(Some(found)) = probe(&path, variables, cancel) else {
                continue;
            };
            match found.check() {
                Ok(python) => return Ok(python),
                Err(PythonError::NoVenv { python }) => without_venv = without_venv.or(Some(python)),
                Err(_) => {
                    let text = found.to_string();
                    if !unsupported.contains(&text) {
                        unsupported.push(text);
                    }
                }
            }
        }
        match without_venv {
            Some(python) => Err(PythonError::NoVenv { python }),
            None if unsupported.is_empty() => Err(PythonError::NotFound),
            None => Err(PythonError::Unsupported { found: unsupported }),
        }
    }

    fn named(program: &OsStr, variables: &Variables, cancel: &Cancel) -> Result<Self, PythonError> {
        let not_runnable = |source| PythonError::NotRunnable {
            program: program.to_owned(),
            source,
        };
        let path = variables
            .find_program(program)
            .ok_or_else(|| not_runnable(None))?;
        probe(&path, variables, cancel)
            .map_err(|error| not_runnable(Some(error)))?
            .ok_or_else(|| not_runnable(None))?
            .check()
    }
}

/// What an interpreter said about itself.
struct Probe {
    implementation: String,
    version: (u32, u32, u32),
    has_venv: bool,
    path: PathBuf,
}

impl Probe {
    fn check(&self) -> Result<Python, PythonError> {
        let supported = self.implementation == "cpython"
            && self.version.0 == 3
            && (OLDEST..=NEWEST).contains(&self.version.1);
        if !supported {
            return Err(PythonError::Unsupported {
                found: vec![self.to_string()],
            });
        }
        let python = Python {
            path: self.path.clone(),
            version: self.version,
        };
        if self.has_venv {
            Ok(python)
        } else {
            Err(PythonError::NoVenv { python })
        }
    }

    fn parse(line: &str) -> Option<Self> {
        let mut words = line.trim_end().splitn(4, ' ');
        let implementation = words.next()?.to_owned();
        let mut numbers = words.next()?.split('.').map(str::parse::<u32>);
        let mut number = || numbers.next()?.ok();
        let version = (number()?, number()?, number()?);
        let has_venv = words.next()? == "venv";
        let path = PathBuf::from(words.next()?);
        Some(Self {
            implementation,
            version,
            has_venv,
            path,
        })
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor, patch) = self.version;
        write!(
            f,
            "{} {major}.{minor}.{patch} at {}",
            self.implementation,
            self.path.display()
        )
    }
}

/// Asks an interpreter about itself; `None` when what runs is not a Python 3.
fn probe(path: &Path, variables: &Variables, cancel: &Cancel) -> io::Result<Option<Probe>> {
    let mut command = Command::new(path);
    command
        // Isolated: neither PYTHON* variables nor modules in the current directory have a say.
        .args(["-I", "-c", PROBE])
        .env_clear()
        .envs(variables.iter());
    let output = child::output(&mut command, cancel)?;
    if !output.status.success() {
        return Ok(None);
    }
    Ok(std::str::from_utf8(&output.stdout)
        .ok()
        .and_then(Probe::parse))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toolchain::testing::write_script;

    fn python_that_says(directory: &Path, name: &str, line: &str) {
        write_script(&directory.join(name), &format!("echo '{line}'"));
    }

    fn variables(directory: &Path) -> Variables {
        Variables::default().with("PATH", directory)
    }

    #[test]
    fn nothing_on_path_is_not_found() {
        let directory = tempfile::tempdir().unwrap();
        let error = Python::find(&variables(directory.path())).unwrap_err();
        assert!(matches!(error, PythonError::NotFound));
        assert!(error.hint().contains("STACKCTL_PYTHON"));
    }

    #[test]
    fn a_newer_name_is_used_when_python3_is_too_old() {
        let directory = tempfile::tempdir().unwrap();
        python_that_says(
            directory.path(),
            "python3",
            "cpython 3.9.2 venv /usr/bin/python3.9",
        );
        python_that_says(
            directory.path(),
            "python3.12",
            "cpython 3.12.1 venv /usr/bin/python3.12",
        );
        let python = Python::find(&variables(directory.path())).unwrap();
        assert_eq!(
            python,
            Python {
                path: "/usr/bin/python3.12".into(),
                version: (3, 12, 1)
            }
        );
    }

    #[test]
    fn only_old_ones_are_listed() {
        let directory = tempfile::tempdir().unwrap();
        python_that_says(
            directory.path(),
            "python3",
            "cpython 3.9.2 venv /usr/bin/python3.9",
        );
        python_that_says(directory.path(), "python", "pypy 3.11.1 venv /opt/pypy");
        write_script(&directory.path().join("python3.11"), "exit 127");
        let error = Python::find(&variables(directory.path())).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no Python from 3.10 to 3.14 found, only cpython 3.9.2 at /usr/bin/python3.9, pypy 3.11.1 at /opt/pypy"
        );
    }

    #[test]
    fn a_python_without_venv_says_how_to_get_it() {
        let directory = tempfile::tempdir().unwrap();
        python_that_says(
            directory.path(),
            "python3",
            "cpython 3.11.2 no-venv /usr/bin/python3.11",
        );
        let error = Python::find(&variables(directory.path())).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Python 3.11.2 at /usr/bin/python3.11 has no usable venv module"
        );
        assert!(error.hint().contains("python3.11-venv"));
    }

    #[test]
    fn the_named_python_is_the_only_one_tried() {
        let directory = tempfile::tempdir().unwrap();
        python_that_says(
            directory.path(),
            "python3",
            "cpython 3.11.2 venv /usr/bin/python3.11",
        );
        let variables = variables(directory.path()).with("STACKCTL_PYTHON", "/nowhere/python");
        let error = Python::find(&variables).unwrap_err();
        assert_eq!(
            error.to_string(),
            "STACKCTL_PYTHON names \"/nowhere/python\", which cannot be run"
        );
    }

    #[test]
    fn a_path_with_spaces_survives() {
        let directory = tempfile::tempdir().unwrap();
        python_that_says(
            directory.path(),
            "python3",
            "cpython 3.13.0 venv /opt/my python/bin/python3.13",
        );
        assert_eq!(
            Python::find(&variables(directory.path())).unwrap().path,
            Path::new("/opt/my python/bin/python3.13")
        );
    }

    #[test]
    fn the_probe_runs_on_a_real_python() {
        let python = Python::find(&Variables::of_process()).unwrap();
        assert!(python.path.is_absolute() && python.version.1 >= OLDEST);
    }
}
