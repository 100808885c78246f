//! What can go wrong with the local engine, one type per operation.

use std::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::settings::SettingsError;
use crate::error::{Error, Kind};
use crate::toolchain::InstallError;

/// Says why the engine's files could not be used.
#[derive(Debug, Error)]
pub enum StateError {
    /// A file or directory of the engine's state failed.
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
    /// An engine holds the lock, but its record cannot be read.
    #[error("an engine is running, but {} does not say where", path.display())]
    NoRecord {
        /// The record.
        path: PathBuf,
    },
    /// The work was cut off because the program is ending.
    #[error("interrupted")]
    Interrupted,
}

/// Says why no engine could be started.
#[derive(Debug, Error)]
pub enum StartError {
    /// The engine could not be installed.
    #[error("cannot install the local engine")]
    Install(#[from] InstallError),
    /// Its files could not be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The port belongs to somebody else.
    #[error("port {port} is taken by {holder}")]
    PortTaken {
        /// The port.
        port: u16,
        /// What answers there.
        holder: PortHolder,
    },
    /// An engine of this workspace runs on another port than the one asked for.
    #[error("the engine of this workspace already runs on port {running}, not on port {wanted}")]
    RunningElsewhere {
        /// Where it runs.
        running: u16,
        /// Where it was wanted.
        wanted: u16,
    },
    /// No free port could be found.
    #[error("cannot find a free port")]
    NoPort(#[source] io::Error),
    /// The process could not be started.
    #[error("cannot run {}", program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// Why it did not start.
        #[source]
        source: io::Error,
    },
    /// The process ended before it answered.
    #[error("the engine ended while starting ({status})")]
    Died {
        /// The exit status in words.
        status: String,
        /// The end of its log.
        log_tail: String,
        /// Its log.
        log: PathBuf,
    },
    /// The process did not answer in time and was stopped.
    #[error("the engine did not answer within {seconds} seconds")]
    NotReady {
        /// How long it was given.
        seconds: u64,
        /// The end of its log.
        log_tail: String,
        /// Its log.
        log: PathBuf,
    },
    /// A running engine does not answer.
    #[error("the engine (process {pid}) runs, but does not answer on port {port}")]
    Unresponsive {
        /// Its process id.
        pid: u32,
        /// Its port.
        port: u16,
    },
    /// The work was cut off because the program is ending.
    #[error("interrupted")]
    Interrupted,
}

/// Says why the engine could not be stopped.
#[derive(Debug, Error)]
pub enum StopError {
    /// Its files could not be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The recorded process is not the engine, for example because it lives in a container.
    #[error("the engine holds its lock, but process {pid} is not it")]
    NotOurProcess {
        /// The recorded process id.
        pid: u32,
    },
    /// The process may not be signalled.
    #[error("cannot signal process {pid}")]
    Signal {
        /// The process id.
        pid: u32,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The process is still there although it was killed.
    #[error("process {pid} does not end")]
    StillRunning {
        /// The process id.
        pid: u32,
    },
    /// The work was cut off because the program is ending.
    #[error("interrupted")]
    Interrupted,
}

/// Says who answers on a port that was wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortHolder {
    /// A local engine, perhaps that of another workspace.
    Engine {
        /// Its version.
        version: String,
    },
    /// Something else.
    Unknown,
}

impl fmt::Display for PortHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine { version } => write!(f, "another local engine (version {version})"),
            Self::Unknown => f.write_str("another program"),
        }
    }
}

impl StateError {
    /// Returns what the reader can do about it.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::File { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                vec!["free space on the disk".to_owned()]
            }
            Self::File { .. } => {
                vec!["set STACKCTL_STATE_DIR to a directory that you may write to".to_owned()]
            }
            Self::NoRecord { .. } => vec!["wait a second and try again".to_owned()],
            Self::Interrupted => Vec::new(),
        }
    }
}

impl StartError {
    /// Returns what the reader can do about it.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Install(error) => error.hints(),
            Self::State(error) => error.hints(),
            Self::PortTaken { .. } => vec![
                "choose another port: `stackctl local start --port 0` takes any free one, or set STACKCTL_LOCAL_PORT"
                    .to_owned(),
            ],
            Self::RunningElsewhere { .. } => vec!["stop it first: `stackctl local stop`".to_owned()],
            Self::Died { log, .. } | Self::NotReady { log, .. } => {
                vec![format!("the whole log is in {}", log.display())]
            }
            Self::Unresponsive { .. } => vec!["stop it: `stackctl local stop`".to_owned()],
            Self::NoPort(_) | Self::Spawn { .. } | Self::Interrupted => Vec::new(),
        }
    }

    /// Returns what the failed program wrote last.
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::Install(error) => error.detail(),
            Self::Died { log_tail, .. } | Self::NotReady { log_tail, .. } => Some(log_tail),
            _ => None,
        }
    }
}

impl StopError {
    /// Returns what the reader can do about it.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::State(error) => error.hints(),
            Self::NotOurProcess { .. } => {
                vec!["stop the engine where it was started, perhaps in a container".to_owned()]
            }
            Self::Signal { pid, .. } | Self::StillRunning { pid } => {
                vec![format!("look at it with `ps -p {pid}`")]
            }
            Self::Interrupted => Vec::new(),
        }
    }
}

impl From<StateError> for Error {
    fn from(error: StateError) -> Self {
        let kind = if matches!(error, StateError::Interrupted) {
            Kind::Interrupted
        } else {
            Kind::Local
        };
        with_hints(Self::from_source(kind, &error), error.hints())
    }
}

impl From<StartError> for Error {
    fn from(error: StartError) -> Self {
        let interrupted = matches!(
            error,
            StartError::Interrupted
                | StartError::State(StateError::Interrupted)
                | StartError::Install(InstallError::Interrupted)
        );
        let kind = if interrupted {
            Kind::Interrupted
        } else {
            Kind::Local
        };
        let report = with_hints(Self::from_source(kind, &error), error.hints());
        report.detail(error.detail().unwrap_or_default())
    }
}

impl From<StopError> for Error {
    fn from(error: StopError) -> Self {
        let interrupted = matches!(
            error,
            StopError::Interrupted | StopError::State(StateError::Interrupted)
        );
        let kind = if interrupted {
            Kind::Interrupted
        } else {
            Kind::Local
        };
        with_hints(Self::from_source(kind, &error), error.hints())
    }
}

impl From<SettingsError> for Error {
    fn from(error: SettingsError) -> Self {
        Self::from_source(Kind::Usage, &error)
            .hint("give a number from 1 to 65535, or 0 for any free port")
    }
}

fn with_hints(error: Error, hints: Vec<String>) -> Error {
    hints.into_iter().fold(error, Error::hint)
}
