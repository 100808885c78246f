//! From the start of a function's process to its first request for an invocation: what a cold start adds to the time
//! that Lambda itself takes.

use std::error::Error;
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::measure::{build, middle, target};
use super::table::Table;

/// The function to measure, and what its environment needs beside what Lambda sets.
const PACKAGE: &str = "visitors";
const BINARY: &str = "visitors-count";
const VARIABLES: [(&str, &str); 1] = [("USERS_TABLE_NAME", "users")];

pub(super) fn run(workspace: &Path, runs: usize) -> Result<String, Box<dyn Error>> {
    let profile = ["--quiet", "--profile", "function"];
    let floor = ["-p", "stack-bindings", "--features", "runtime", "--example"];
    build(workspace, &[&profile[..], &floor, &["floor"]].concat())?;
    let directory = target()?.join("function");
    let mut table = Table::new(
        "start of a function's process to its first poll, this machine's architecture, profile `function`",
        ["function", "floor", "ratio"],
    );
    build(
        workspace,
        &[&profile[..], &["-p", PACKAGE, "--bin", BINARY]].concat(),
    )?;
    // In turn, so that whatever else the machine does hits both.
    let (mut started, mut floors) = (Vec::new(), Vec::new());
    for run in 0..=runs.max(1) {
        let pair = (
            first_poll(&directory.join(BINARY), &VARIABLES)?,
            first_poll(&directory.join("examples/floor"), &[])?,
        );
        // The first run only brings the files into memory.
        if run > 0 {
            started.push(pair.0);
            floors.push(pair.1);
        }
    }
    table.durations(BINARY, middle(started), middle(floors));
    Ok(table.finish())
}

/// Starts a function against a runtime API that never has an invocation, and returns when it first asks for one.
fn first_poll(binary: &Path, variables: &[(&str, &str)]) -> Result<Duration, Box<dyn Error>> {
    let api = TcpListener::bind(("127.0.0.1", 0))?;
    let mut command = Command::new(binary);
    command
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", api.local_addr()?.to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", "measured")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "none")
        .env("AWS_SECRET_ACCESS_KEY", "none")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let start = Instant::now();
    let mut child = Running(command.spawn()?);
    let address = api.local_addr()?;
    let log = child.0.stdout.take().ok_or("the function has no output")?;
    let ended = std::thread::spawn(move || {
        let log = std::io::read_to_string(log).unwrap_or_default();
        // The output ends with the process; where that comes first, this is the call that is waited for.
        let _ = TcpStream::connect(address);
        log
    });
    let mut line = String::new();
    let (stream, _) = api.accept()?;
    BufReader::new(stream).read_line(&mut line)?;
    let elapsed = start.elapsed();
    drop(child);
    if line.starts_with("GET /2018-06-01/runtime/invocation/next ") {
        return Ok(elapsed);
    }
    let log = ended.join().unwrap_or_default();
    Err(format!("{} did not ask for an invocation:\n{log}", binary.display()).into())
}

/// A process that does not outlive the measurement.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
