//! The tool, run for real: an engine of its own, a configuration of its own, nothing of the user's.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::account::Account;
use crate::poll::{LOOK, PATIENCE, eventually};
use crate::support::TestEngine;

/// How long a command may take that compiles something.
const BUILD_PATIENCE: Duration = Duration::from_mins(30);

/// Where all systems are deployed.
const PLACE: [&str; 3] = ["--stage", "dev", "--local"];

/// A place to run the tool in.
pub struct Sandbox {
    engine: TestEngine,
    directory: TempDir,
    program: PathBuf,
    workspace: PathBuf,
    target: Option<PathBuf>,
}

/// A command that has ended.
#[derive(Debug)]
pub struct Run {
    /// The exit code; `None` where a signal ended the process.
    pub code: Option<i32>,
    /// What was written to standard output.
    pub stdout: String,
    /// What was written to standard error.
    pub stderr: String,
}

/// What deployed stacks have to tell.
#[derive(Clone, Debug)]
pub struct Outputs(Value);

/// A command that still runs. It is killed when dropped.
pub struct Running {
    child: Child,
    stdout: Arc<Mutex<String>>,
    stderr: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

impl Sandbox {
    /// Starts an engine and writes a configuration for a workspace.
    ///
    /// # Panics
    ///
    /// Panics where that is impossible.
    #[must_use]
    pub fn new(program: &str, workspace: &Path, config: &str) -> Self {
        let engine = TestEngine::start_blocking();
        let directory = TempDir::with_prefix("stackctl-sandbox-").expect("a directory can be made");
        let sandbox = Self {
            engine,
            directory,
            program: program.into(),
            workspace: workspace.to_owned(),
            target: None,
        };
        sandbox.configure(config);
        sandbox
    }

    /// Builds the workspace in a target directory of the sandbox's own.
    #[must_use]
    pub fn with_own_target(mut self) -> Self {
        self.target = Some(self.directory.path().join("target"));
        self
    }

    /// Replaces the configuration.
    ///
    /// # Panics
    ///
    /// Panics where it cannot be written.
    pub fn configure(&self, config: &str) {
        std::fs::write(self.config(), config).expect("the configuration can be written");
    }

    fn config(&self) -> PathBuf {
        self.directory.path().join("stackctl.toml")
    }

    /// Returns a directory that goes away with the sandbox.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Returns the directory in which the tool keeps what it remembers.
    #[must_use]
    pub fn state_dir(&self) -> PathBuf {
        self.engine.state_dir()
    }

    /// Returns the engine.
    #[must_use]
    pub fn engine(&self) -> &TestEngine {
        &self.engine
    }

    /// Returns the account that is deployed to.
    #[must_use]
    pub fn account(&self) -> Account {
        Account::root(self.engine.url())
    }

    /// Returns how the tool names a command that works where this does, on the stage that tests deploy to.
    #[must_use]
    pub fn named(&self, command: &[&str]) -> String {
        let config = self.config();
        format!(
            "stackctl {} --config {} --local --stage dev",
            command.join(" "),
            config.display()
        )
    }

    /// Makes a command of the tool that has not started yet.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.bare();
        command.arg("--config").arg(self.config()).args(arguments);
        command
    }

    /// Runs a command as the tool printed it, with options besides, and expects it to succeed.
    ///
    /// # Panics
    ///
    /// Panics where it is no command of the tool or fails, and shows what it said.
    #[track_caller]
    pub fn paste(&self, printed: &str, more: &[&str]) -> Run {
        let mut words = printed.split(' ');
        assert_eq!(words.next(), Some("stackctl"), "{printed}");
        let mut command = self.bare();
        command.args(words).args(more);
        let run = Running::spawn(command).end();
        assert_eq!(run.code, Some(0), "{printed} failed:\n{run}");
        run
    }

    /// Makes a command of the tool without arguments.
    fn bare(&self) -> Command {
        let mut command = self.engine.command(&self.program);
        command.current_dir(&self.workspace).stdin(Stdio::null());
        // What the outer Cargo says about this package is not true of the ones that the tool builds.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            let foreign = text.starts_with("CARGO_")
                && !matches!(
                    &*text,
                    "CARGO_HOME" | "CARGO_TARGET_DIR" | "CARGO_NET_OFFLINE"
                );
            if foreign || text == "CARGO" || text == "NO_COLOR" || text == "RUSTC_WRAPPER" {
                command.env_remove(&name);
            }
        }
        if let Some(target) = &self.target {
            command.env("CARGO_TARGET_DIR", target);
        }
        command
    }

    /// Runs the tool to its end.
    pub fn run(&self, arguments: &[&str]) -> Run {
        Running::spawn(self.command(arguments)).end()
    }

    /// Runs the tool and expects it to succeed.
    ///
    /// # Panics
    ///
    /// Panics where it fails, and shows what it said.
    #[track_caller]
    pub fn succeed(&self, arguments: &[&str]) -> Run {
        let run = self.run(arguments);
        assert_eq!(run.code, Some(0), "{arguments:?} failed:\n{run}");
        run
    }

    /// Deploys stacks of the stage `dev` to the engine.
    #[track_caller]
    pub fn deploy(&self, stacks: &[&str]) -> Run {
        self.succeed(&[&["deploy"], stacks, &PLACE].concat())
    }

    /// Removes stacks of the stage `dev` from the engine.
    #[track_caller]
    pub fn destroy(&self, stacks: &[&str]) -> Run {
        self.succeed(&[&["destroy"], stacks, &PLACE].concat())
    }

    /// Returns what the tool tells of deployed stacks of the stage `dev`.
    #[track_caller]
    pub fn outputs(&self, stacks: &str) -> Outputs {
        Outputs(
            self.succeed(&[&["outputs", stacks, "--json"], &PLACE[..]].concat())
                .json(),
        )
    }

    /// Starts the tool.
    #[must_use]
    pub fn spawn(&self, arguments: &[&str]) -> Running {
        Running::spawn(self.command(arguments))
    }
}

impl Run {
    /// Reads standard output as one JSON document.
    ///
    /// # Panics
    ///
    /// Panics where it is something else.
    #[track_caller]
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in:\n{self}"))
    }

    /// Reads standard output as JSON lines.
    ///
    /// # Panics
    ///
    /// Panics where it is something else.
    #[track_caller]
    #[must_use]
    pub fn json_lines(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in:\n{self}"))
            })
            .collect()
    }
}

impl Outputs {
    /// Returns an output of a stack.
    ///
    /// # Panics
    ///
    /// Panics where there is none, and shows all.
    #[track_caller]
    #[must_use]
    pub fn text(&self, stack: &str, key: &str) -> String {
        let value = self.0[stack][key].as_str();
        value
            .unwrap_or_else(|| panic!("{stack} has no output {key} in {}", self.0))
            .to_owned()
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "exit code {:?}\n--- standard output ---\n{}\n--- standard error ---\n{}",
            self.code, self.stdout, self.stderr
        )
    }
}

impl Running {
    /// Starts a command and reads what it says.
    ///
    /// # Panics
    ///
    /// Panics where it cannot be started.
    #[must_use]
    pub fn spawn(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let (stdout, stderr) = (Arc::default(), Arc::default());
        let readers = vec![
            collect(child.stdout.take().expect("it is piped"), &stdout),
            collect(child.stderr.take().expect("it is piped"), &stderr),
        ];
        Self {
            child,
            stdout,
            stderr,
            readers,
        }
    }

    /// Starts a command as a shell does: at the head of a process group, which [`Self::interrupt_group`] reaches.
    #[must_use]
    pub fn spawn_group(mut command: Command) -> Self {
        command.process_group(0);
        Self::spawn(command)
    }

    /// Waits until standard output contains a text.
    ///
    /// # Panics
    ///
    /// Panics where that does not happen in time.
    pub fn prints(&self, text: &str) {
        eventually(&format!("{text:?}"), BUILD_PATIENCE, || {
            read(&self.stdout).contains(text).then_some(())
        });
    }

    /// Returns what was written to standard error so far.
    #[must_use]
    pub fn said(&self) -> String {
        read(&self.stderr)
    }

    /// Waits until standard error contains a text.
    ///
    /// # Panics
    ///
    /// Panics where that does not happen in time.
    pub fn says(&self, text: &str) {
        eventually(&format!("{text:?}"), BUILD_PATIENCE, || {
            read(&self.stderr).contains(text).then_some(())
        });
    }

    /// Sends SIGINT to this process and no other.
    ///
    /// # Panics
    ///
    /// Panics where the process is gone.
    pub fn interrupt(&self) {
        self.signal("INT");
    }

    /// Sends SIGINT to the process and whatever it started in its group, as a terminal does on Ctrl-C.
    ///
    /// # Panics
    ///
    /// Panics where the command was not started with [`Self::spawn_group`].
    pub fn interrupt_group(&self) {
        let group = format!("-{}", self.child.id());
        let sent = Command::new("kill")
            .args(["-INT", "--", &group])
            .status()
            .expect("there is a kill command");
        assert!(sent.success(), "there is no such process group");
    }

    /// Sends a signal to this process and no other.
    ///
    /// # Panics
    ///
    /// Panics where the process is gone.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(self.child.id().to_string())
            .status()
            .expect("there is a kill command");
        assert!(sent.success(), "the process is gone");
    }

    /// Returns whether the process still runs.
    ///
    /// # Panics
    ///
    /// Panics where the system does not know the process.
    pub fn is_running(&mut self) -> bool {
        let status = self
            .child
            .try_wait()
            .expect("it is a child of this process");
        status.is_none()
    }

    /// Waits for the end.
    ///
    /// # Panics
    ///
    /// Panics where it does not end in time.
    #[must_use]
    pub fn end(self) -> Run {
        self.end_within(BUILD_PATIENCE)
    }

    /// Waits for the end of a process that should end soon.
    ///
    /// # Panics
    ///
    /// Panics where it does not end in time.
    #[must_use]
    pub fn end_soon(self) -> Run {
        self.end_within(PATIENCE)
    }

    fn end_within(mut self, patience: Duration) -> Run {
        let deadline = Instant::now() + patience;
        let status = loop {
            let status = self.child.try_wait();
            if let Some(status) = status.expect("it is a child of this process") {
                break status;
            }
            assert!(
                Instant::now() < deadline,
                "waited {patience:?} for the end of a run that said {}",
                read(&self.stderr)
            );
            thread::sleep(LOOK);
        };
        for reader in self.readers.drain(..) {
            // A reader ends with its pipe; it panics only where a lock is poisoned, which it ignores.
            let _ = reader.join();
        }
        Run {
            code: status.code(),
            stdout: read(&self.stdout),
            stderr: read(&self.stderr),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A child that has ended cannot be killed, and need not be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(text: &Mutex<String>) -> String {
    text.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn collect(pipe: impl Read + Send + 'static, into: &Arc<Mutex<String>>) -> JoinHandle<()> {
    let into = Arc::clone(into);
    thread::spawn(move || {
        let mut reader = BufReader::new(pipe);
        let mut line = Vec::new();
        while reader
            .read_until(b'\n', &mut line)
            .is_ok_and(|read| read > 0)
        {
            into.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    })
}
