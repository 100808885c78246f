//! Private Python environments, installed from requirements in which every file's hash is pinned.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};
use thiserror::Error;

use super::variables::CacheDirError;
use super::{Python, PythonError, Variables, child};
use crate::engine::Cancel;
use crate::error::{Error, Kind};
use crate::text::hex;

/// Changes whenever the way environments are made changes, so that old ones are not taken for new ones.
const LAYOUT: &str = "1";

/// Names the file that is written last: an environment without it was interrupted and is made again.
const COMPLETE: &str = "complete";

/// What is being done when pip runs.
const PIP_STEP: &str = "installing the pinned packages";

/// Settings of pip that would put packages elsewhere or change what is installed. Everything else of the user's
/// configuration (index, proxy, certificates, wheel directories) keeps working.
const UNWANTED: [&str; 14] = [
    "PIP_CONSTRAINT",
    "PIP_DRY_RUN",
    "PIP_EDITABLE",
    "PIP_NO_BINARY",
    "PIP_PREFIX",
    "PIP_PYTHON",
    "PIP_REQUIREMENT",
    "PIP_REQUIRE_VIRTUALENV",
    "PIP_ROOT",
    "PIP_TARGET",
    "PIP_USER",
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONUSERBASE",
];

/// Lists pinned packages under a name.
#[derive(Debug, Clone, Copy)]
pub struct Requirements {
    /// The first part of the environment's directory name.
    pub name: &'static str,
    /// A requirements file in which every package has hashes.
    pub text: &'static str,
}

/// Is an installed environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonEnvironment {
    directory: PathBuf,
}

/// Says why a private environment could not be made.
#[derive(Debug, Error)]
pub enum InstallError {
    /// There is no place to install into.
    #[error(transparent)]
    CacheDir(#[from] CacheDirError),
    /// There is no Python to install with.
    #[error("cannot install the {name} without Python")]
    Python {
        /// The environment's name.
        name: &'static str,
        /// Why there is none.
        #[source]
        source: PythonError,
    },
    /// A file of the environment could not be read, made or removed.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// Python or pip could not be started.
    #[error("cannot run {}", program.display())]
    Run {
        /// The program.
        program: PathBuf,
        /// Why it did not start.
        #[source]
        source: io::Error,
    },
    /// Python or pip failed.
    #[error("{step} failed ({status})")]
    Failed {
        /// What was being done.
        step: &'static str,
        /// The exit status in words.
        status: String,
        /// The end of what it wrote.
        output: String,
    },
    /// The run was stopped; what was begun is removed.
    #[error("interrupted")]
    Interrupted,
}

impl InstallError {
    /// Returns what the reader can do about it.
    pub fn hints(&self) -> Vec<String> {
        if matches!(self, Self::Interrupted) {
            return Vec::new();
        }
        vec![match self {
            Self::CacheDir(_) => "set STACKCTL_CACHE_DIR to a directory of yours".to_owned(),
            Self::Python { source, .. } => source.hint(),
            Self::File { source, .. } if source.kind() == io::ErrorKind::StorageFull => full_disk_hint(),
            Self::File { .. } => "set STACKCTL_CACHE_DIR to a directory that you may write to".to_owned(),
            Self::Failed { output, .. } if output.contains("No space left on device") => full_disk_hint(),
            Self::Failed { output, .. } if output.contains("DO NOT MATCH THE HASHES") => {
                "the package index served other files than the pinned ones: check its configuration".to_owned()
            }
            Self::Failed { step: PIP_STEP, .. } => {
                "packages come from the Python Package Index; behind a proxy or a mirror set HTTPS_PROXY, \
                 PIP_INDEX_URL and PIP_CERT as pip documents them"
                    .to_owned()
            }
            Self::Run { .. } | Self::Failed { .. } | Self::Interrupted => {
                "name another Python with STACKCTL_PYTHON".to_owned()
            }
        }]
    }

    /// Returns what the failed program wrote last.
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::Failed { output, .. } => Some(output),
            _ => None,
        }
    }
}

impl From<CacheDirError> for Error {
    fn from(error: CacheDirError) -> Self {
        Self::from_source(Kind::Toolchain, &error)
            .hint("set STACKCTL_CACHE_DIR to a directory of yours")
    }
}

impl From<InstallError> for Error {
    fn from(error: InstallError) -> Self {
        let kind = if matches!(error, InstallError::Interrupted) {
            Kind::Interrupted
        } else {
            Kind::Toolchain
        };
        let report = Self::from_source(kind, &error).detail(error.detail().unwrap_or_default());
        error.hints().into_iter().fold(report, Self::hint)
    }
}

fn full_disk_hint() -> String {
    "free about 500 MB, or set STACKCTL_CACHE_DIR to a directory on another disk".to_owned()
}

impl Requirements {
    /// Returns where the environment lies in a cache directory, whether installed or not.
    fn directory(&self, cache: &Path) -> PathBuf {
        let digest = Sha256::new()
            .chain_update(LAYOUT)
            .chain_update(self.text)
            .finalize();
        let hash = hex(&digest);
        cache
            .join("python")
            .join(format!("{}-{hash:.16}", self.name))
    }

    /// Returns the environment if it is installed and its Python is still there.
    pub fn installed(
        &self,
        variables: &Variables,
    ) -> Result<Option<PythonEnvironment>, CacheDirError> {
        Ok(usable(self.directory(&variables.cache_dir()?)))
    }

    /// Returns the environment and installs it first if it is missing; `installing` is called before that.
    ///
    /// Several processes may ask at once: one installs, the others wait for it. An environment cannot be renamed
    /// into place, because the scripts in it name their interpreter by its absolute path; it is made where it will
    /// stay, and counts only when its marker has been written. A run that is stopped ends what it started.
    pub fn install(
        &self,
        variables: &Variables,
        cancel: &Cancel,
        installing: impl FnOnce(&Path),
    ) -> Result<PythonEnvironment, InstallError> {
        self.install_unless(variables, cancel, installing)
            .map_err(|error| {
                if cancel.is_cancelled() {
                    InstallError::Interrupted
                } else {
                    error
                }
            })
    }

    fn install_unless(
        &self,
        variables: &Variables,
        cancel: &Cancel,
        installing: impl FnOnce(&Path),
    ) -> Result<PythonEnvironment, InstallError> {
        let directory = self.directory(&variables.cache_dir()?);
        if let Some(environment) = usable(directory.clone()) {
            return Ok(environment);
        }
        let parent = directory.parent().unwrap_or(&directory);
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent)
            .map_err(|source| InstallError::File {
                action: "create",
                path: parent.to_owned(),
                source,
            })?;
        let _lock = lock(&directory.with_extension("lock"), cancel)?;
        if let Some(environment) = usable(directory.clone()) {
            return Ok(environment);
        }
        installing(&directory);
        let python =
            Python::find_unless(variables, cancel).map_err(|source| InstallError::Python {
                name: self.name,
                source,
            })?;
        match fs::remove_dir_all(&directory) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(InstallError::File {
                    action: "remove",
                    path: directory,
                    source,
                });
            }
            _ => {}
        }
        self.make(&python, &directory, variables, cancel)
            .inspect_err(|_| {
                // A half-made environment is never used, so failing to remove it only costs space.
                let _ = fs::remove_dir_all(&directory);
            })?;
        Ok(PythonEnvironment { directory })
    }

    fn make(
        &self,
        python: &Python,
        directory: &Path,
        variables: &Variables,
        cancel: &Cancel,
    ) -> Result<(), InstallError> {
        let args = [
            OsString::from("-I"),
            "-m".into(),
            "venv".into(),
            directory.into(),
        ];
        run(
            "making a Python environment",
            &python.path,
            &args,
            variables,
            cancel,
        )?;

        let requirements = directory.join("requirements.txt");
        let write = |path: &Path, text: &str| {
            fs::write(path, text).map_err(|source| InstallError::File {
                action: "write",
                path: path.to_owned(),
                source,
            })
        };
        write(&requirements, self.text)?;
        let mut args: Vec<OsString> = [
            "-m",
            "pip",
            "install",
            "--no-user",
            "--require-hashes",
            "--only-binary",
            ":all:",
            "--no-input",
            "--disable-pip-version-check",
            "--progress-bar",
            "off",
            "--quiet",
            "-r",
        ]
        .map(OsString::from)
        .to_vec();
        args.push(requirements.into());
        run(
            PIP_STEP,
            &directory.join("bin/python"),
            &args,
            variables,
            cancel,
        )?;

        write(&directory.join(COMPLETE), &format!("{python}\n"))
    }
}

impl PythonEnvironment {
    /// Returns the environment's interpreter.
    pub fn python(&self) -> PathBuf {
        self.program("python")
    }

    /// Returns the path of a program of the environment.
    pub fn program(&self, name: &str) -> PathBuf {
        self.bin().join(name)
    }

    /// Returns the directory that holds the environment's programs.
    pub fn bin(&self) -> PathBuf {
        self.directory.join("bin")
    }
}

/// Takes an environment for installed when its marker exists and its interpreter, usually a link to the system's,
/// still leads somewhere.
fn usable(directory: PathBuf) -> Option<PythonEnvironment> {
    let complete = directory.join(COMPLETE).is_file() && directory.join("bin/python").is_file();
    complete.then_some(PythonEnvironment { directory })
}

/// Waits for the exclusive lock on a file, which is released when the returned file is dropped.
fn lock(path: &Path, cancel: &Cancel) -> Result<File, InstallError> {
    let failed = |source| InstallError::File {
        action: "lock",
        path: path.to_owned(),
        source,
    };
    let file = File::options()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map_err(failed)?;
    child::unless_cancelled(cancel, move || file.lock().map(|()| file))
        .ok_or(InstallError::Interrupted)?
        .map_err(failed)
}

fn run(
    step: &'static str,
    program: &Path,
    args: &[OsString],
    variables: &Variables,
    cancel: &Cancel,
) -> Result<(), InstallError> {
    let kept = variables
        .iter()
        .filter(|(name, _)| !UNWANTED.iter().any(|unwanted| name == unwanted));
    let mut command = Command::new(program);
    command.args(args).env_clear().envs(kept);
    let output = child::output(&mut command, cancel).map_err(|source| InstallError::Run {
        program: program.to_owned(),
        source,
    })?;
    if output.status.success() {
        return Ok(());
    }
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    Err(InstallError::Failed {
        step,
        status: output.status.to_string(),
        output: last_lines(&text, 12),
    })
}

/// Returns the last lines of a text that are not blank.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<_> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines
        .get(lines.len().saturating_sub(count)..)
        .unwrap_or_default()
        .join("\n")
}
