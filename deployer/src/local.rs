//! Manages the local AWS engine: installs it, starts it, finds it again, stops it.
//!
//! The engine is ministack, pinned by version and hashes and installed into a
//! private Python environment. It serves one workspace: its state, log and record lie in the workspace's state
//! directory. It listens on the loopback interface only, and gets nothing of the user's environment, because the
//! functions it runs inherit whatever it has.

use std::sync::Arc;

use serde::Serialize;

pub use self::error::{PortHolder, StartError, StateError, StopError};
pub use self::settings::{DEFAULT_PORT, Lifetime, Port, Settings, SettingsError};

use self::clock::{Clock, SystemClock};
use self::state::StateDir;
use crate::engine::Cancel;
use crate::toolchain::Requirements;

pub mod adapt;
mod clock;
mod error;
mod health;
mod process;
mod settings;
mod start;
mod state;
mod stop;
#[cfg(test)]
mod tests;

/// The version of the engine that the pinned requirements install.
pub const ENGINE_VERSION: &str = "1.5.33";

/// The packages of the engine.
pub const REQUIREMENTS: Requirements = Requirements {
    name: "engine",
    text: include_str!("local/requirements.txt"),
};

/// Manages the engine of one workspace.
#[derive(Clone)]
pub struct LocalEngine {
    settings: Settings,
    clock: Arc<dyn Clock>,
    events: Arc<dyn Fn(LocalEvent) + Send + Sync>,
    cancel: Cancel,
    working: Option<Working>,
}

/// Is held while work goes on that a dropped future does not end at once.
pub type Working = tokio::sync::mpsc::Sender<std::convert::Infallible>;

/// Tells how to reach a running engine and as whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Endpoint {
    /// The base URL, for example `http://127.0.0.1:4577`.
    pub url: String,
    /// The port.
    pub port: u16,
    /// The region to use when a stage names none.
    pub region: &'static str,
    /// The access key id; with it the caller is the root of the account.
    pub access_key_id: &'static str,
    /// The secret access key.
    pub secret_access_key: &'static str,
    /// The account that everything belongs to.
    pub account_id: &'static str,
}

/// Happens while an engine is started or stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum LocalEvent {
    /// The engine is being downloaded and installed, once per machine.
    Installing {
        /// The version.
        version: String,
        /// Where to.
        into: String,
    },
    /// The process is being started.
    Starting {
        /// The port it will listen on.
        port: u16,
    },
    /// The previous engine ended without saving: what it held since its own start is gone.
    StateLost,
    /// The engine was started and answers.
    Started {
        /// Its base URL.
        url: String,
        /// Its version.
        version: String,
    },
    /// An engine of this workspace was running already.
    Joined {
        /// Its base URL.
        url: String,
    },
    /// The engine was asked to end and is saving its state.
    Stopping,
    /// The engine did not end in time and was killed: what it held since its start is lost.
    Killed,
}

/// Describes the engine of a workspace, as `stackctl local status` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Whether an engine runs.
    pub running: bool,
    /// Its base URL, if it runs.
    pub endpoint: Option<String>,
    /// Its version, if it runs; else the version that would be started.
    pub version: String,
    /// Where its state is kept.
    pub state_dir: String,
}

/// Says how a request to stop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// There was nothing to stop.
    NotRunning,
    /// The engine saved its state and ended.
    Saved,
    /// The engine ended without having saved everything.
    Unsaved,
}

impl Endpoint {
    fn at(port: u16) -> Self {
        Self {
            url: format!("http://127.0.0.1:{port}"),
            port,
            region: "us-east-1",
            access_key_id: "test",
            secret_access_key: "test",
            account_id: "000000000000",
        }
    }
}

impl LocalEngine {
    /// Manages the engine that these settings describe.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            clock: Arc::new(SystemClock),
            events: Arc::new(|_| {}),
            cancel: Cancel::never(),
            working: None,
        }
    }

    /// Reports events to a function, which is called on another thread.
    #[must_use]
    pub fn with_events(mut self, events: impl Fn(LocalEvent) + Send + Sync + 'static) -> Self {
        self.events = Arc::new(events);
        self
    }

    /// Gives up starting when told to: ends what was started for it, and removes what is half made.
    #[must_use]
    pub fn with_cancel(mut self, cancel: Cancel) -> Self {
        self.cancel = cancel;
        self
    }

    /// Holds this while anything is started or stopped, so that the process can wait for the end of it.
    #[must_use]
    pub fn with_working(mut self, working: Working) -> Self {
        self.working = Some(working);
        self
    }

    /// Returns the endpoint of the running engine; installs and starts one first if there is none.
    ///
    /// Two processes may call this at once: one starts the engine, the other joins it.
    pub async fn ensure_started(&self) -> Result<Endpoint, StartError> {
        let this = self.clone();
        tokio::task::spawn_blocking(move || this.start_blocking())
            .await
            .map_err(|_| StartError::Interrupted)?
    }

    /// Stops the engine and waits until it has saved its state and ended.
    pub async fn stop(&self) -> Result<Stopped, StopError> {
        let this = self.clone();
        tokio::task::spawn_blocking(move || this.stop_blocking())
            .await
            .map_err(|_| StopError::Interrupted)?
    }

    /// Stops the engine and deletes all its state.
    pub async fn reset(&self) -> Result<Stopped, StopError> {
        let this = self.clone();
        tokio::task::spawn_blocking(move || this.reset_blocking())
            .await
            .map_err(|_| StopError::Interrupted)?
    }

    /// Tells whether an engine runs and where.
    pub async fn status(&self) -> Result<Status, StateError> {
        let this = self.clone();
        tokio::task::spawn_blocking(move || this.status_blocking())
            .await
            .map_err(|_| StateError::Interrupted)?
    }

    /// Returns the endpoint of the running engine, or nothing; starts none.
    pub async fn running(&self) -> Result<Option<Endpoint>, StateError> {
        let this = self.clone();
        tokio::task::spawn_blocking(move || {
            Ok(this
                .state()
                .running()?
                .map(|record| Endpoint::at(record.port)))
        })
        .await
        .map_err(|_| StateError::Interrupted)?
    }

    fn status_blocking(&self) -> Result<Status, StateError> {
        let record = self.state().running()?;
        Ok(Status {
            running: record.is_some(),
            endpoint: record.as_ref().map(|record| Endpoint::at(record.port).url),
            version: record.map_or_else(|| ENGINE_VERSION.to_owned(), |record| record.version),
            state_dir: self.settings.state_dir.display().to_string(),
        })
    }

    fn state(&self) -> StateDir {
        StateDir::new(self.settings.state_dir.clone())
    }

    fn emit(&self, event: LocalEvent) {
        (self.events)(event);
    }
}
