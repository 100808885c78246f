//! A local engine of a test's own.

use std::path::Path;
use std::process::Command;

use deployer::local::{Endpoint, Lifetime, LocalEngine, Port, Settings};
use deployer::toolchain::Variables;
use tempfile::TempDir;

use super::isolation::{isolate, isolated_variables};

/// Runs an engine on a free port with an empty state; ends it and deletes the state when dropped.
///
/// Should the test's process die, the engine ends by itself.
pub struct TestEngine {
    directory: TempDir,
    engine: LocalEngine,
    endpoint: Endpoint,
    variables: Variables,
}

impl TestEngine {
    /// Starts an engine, and installs it first if no test did before.
    ///
    /// # Panics
    ///
    /// When the engine cannot be installed or started: a test cannot do anything about it.
    pub async fn start() -> Self {
        let directory =
            TempDir::with_prefix("stackctl-engine-").expect("a temporary directory can be made");
        let variables = isolated_variables(directory.path())
            .with("STACKCTL_STATE_DIR", directory.path().join("state"))
            // Whatever the test starts joins this engine, or starts one on another free port.
            .with("STACKCTL_LOCAL_PORT", "0");
        let settings = Settings {
            state_dir: directory.path().join("state/local"),
            port: Port::Any,
            lifetime: Lifetime::OfProcess,
            variables: variables.clone(),
        };
        let engine = LocalEngine::new(settings);
        let endpoint = match engine.ensure_started().await {
            Ok(endpoint) => endpoint,
            Err(error) => {
                let error = deployer::error::Error::from(error);
                panic!(
                    "no local engine: {error}\n{}",
                    error.detail_text().unwrap_or_default()
                );
            }
        };
        Self {
            directory,
            engine,
            endpoint,
            variables,
        }
    }

    /// Starts an engine for a test without a runtime of its own.
    ///
    /// # Panics
    ///
    /// When the engine cannot be installed or started: a test cannot do anything about it.
    pub fn start_blocking() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime starts");
        runtime.block_on(Self::start())
    }

    /// Returns how to reach the engine.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns the base URL of the engine.
    pub fn url(&self) -> &str {
        &self.endpoint.url
    }

    /// Returns the engine itself, to stop it or to start it again.
    pub fn engine(&self) -> &LocalEngine {
        &self.engine
    }

    /// Returns the state directory of the tool that works with this engine: `STACKCTL_STATE_DIR`.
    pub fn state_dir(&self) -> std::path::PathBuf {
        self.directory.path().join("state")
    }

    /// Returns the variables for programs of the test: isolated from the user's, and leading to this engine.
    pub fn variables(&self) -> &Variables {
        &self.variables
    }

    /// Makes a command that sees [`Self::variables`] and nothing else; `stackctl deploy --local` run this way joins
    /// this engine.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        isolate(&mut command, &self.variables);
        command
    }

    /// Returns the variables that an AWS SDK needs to talk to the engine.
    pub fn sdk_variables(&self) -> [(&'static str, String); 4] {
        [
            ("AWS_ENDPOINT_URL", self.endpoint.url.clone()),
            ("AWS_ACCESS_KEY_ID", self.endpoint.access_key_id.to_owned()),
            (
                "AWS_SECRET_ACCESS_KEY",
                self.endpoint.secret_access_key.to_owned(),
            ),
            ("AWS_REGION", self.endpoint.region.to_owned()),
        ]
    }
}

impl Drop for TestEngine {
    fn drop(&mut self) {
        let engine = self.engine.clone();
        // A runtime cannot be entered from within another one's thread, and a test may drop its engine in one.
        let stopped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().ok()?;
            runtime.block_on(engine.stop()).ok()
        })
        .join();
        // A second panic while the test panics already would abort and hide the first.
        if !std::thread::panicking() {
            assert!(
                matches!(stopped, Ok(Some(_))),
                "the local engine did not stop"
            );
        }
    }
}
