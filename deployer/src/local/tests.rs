//! Tests of the engine's management: with a scripted interpreter for everything that can go wrong, and with the real
//! engine for what must go right.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::REQUIREMENTS;
use crate::engine::Cancel;
use crate::toolchain::Variables;

mod failures;
mod real;
mod templates;
mod types;

/// Returns the cache of all tests, in which the engine is installed once.
fn cache_dir() -> PathBuf {
    let binary = std::env::current_exe().unwrap();
    let target = binary
        .ancestors()
        .find(|directory| directory.join("CACHEDIR.TAG").is_file())
        .unwrap();
    target.join("stackctl-cache")
}

/// Returns the variables of this process, with the cache of all tests.
fn variables() -> Variables {
    Variables::of_process()
        .with("STACKCTL_CACHE_DIR", cache_dir())
        .without("STACKCTL_LOCAL_PORT")
}

/// Runs a script in the interpreter of the engine, and returns the JSON that it writes.
fn interpret(script: &str, input: &str) -> Value {
    let environment = REQUIREMENTS.install(&variables(), &Cancel::never(), |_| {});
    let mut child = Command::new(environment.unwrap().python())
        .args(["-I", "-X", "utf8", "-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}
