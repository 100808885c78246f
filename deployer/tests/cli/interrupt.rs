//! Ctrl-C while something runs: nothing that was started for the run outlives it.
#![cfg(unix)]

use std::fs;
use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::workspace::Workspace;

/// A stacks program that says it runs and then waits to be killed.
const WAITING: &str = r#"
fn main() {
    std::fs::write("running", std::process::id().to_string()).unwrap();
    loop { std::thread::park(); }
}
"#;

/// Who a signal goes to.
#[derive(Clone, Copy)]
enum To {
    /// The process alone, as `kill` does it.
    Process,
    /// Its whole process group, as a terminal does it.
    Group,
}

fn signal(name: &str, to: To, pid: u32) {
    let target = match to {
        To::Process => pid.to_string(),
        To::Group => format!("-{pid}"),
    };
    let status = Command::new("kill")
        .args(["-s", name, "--", &target])
        .status()
        .expect("runs");
    assert!(status.success());
}

/// Waits until something is so, which takes no longer than a slow build.
fn until(what: &str, mut so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_mins(2);
    while !so() {
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until a process is gone. One that is killed stays as a zombie until its new parent has looked at it.
fn is_killed(pid: &str) {
    if cfg!(target_os = "linux") {
        until("a process to be killed", || {
            !fs::read_to_string(format!("/proc/{}/stat", pid.trim()))
                .is_ok_and(|stat| !stat.contains(") Z "))
        });
    }
}

fn interrupted_by(name: &str, to: To) {
    let workspace = Workspace::with_stacks(WAITING);
    let mut child = workspace
        .command(["synth", "--stage", "dev", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .expect("runs");
    let running = workspace.path("running");
    until("the stacks program", || {
        fs::read_to_string(&running).is_ok_and(|text| !text.is_empty())
    });
    signal(name, to, child.id());
    let status = child.wait().expect("ends");
    assert_eq!(status.code(), Some(130));
    let mut stdout = String::new();
    let mut pipe = child.stdout.take().expect("is piped");
    pipe.read_to_string(&mut stdout).expect("reads");
    let document: serde_json::Value = serde_json::from_str(&stdout).expect("is one document");
    assert_eq!(document["error"]["kind"], "interrupted");
    let pid = fs::read_to_string(&running).expect("is there");
    is_killed(&pid);
    let mut left: Vec<_> = fs::read_dir(workspace.path(".stackctl"))
        .expect("lists")
        .flatten()
        .map(|file| file.file_name())
        .collect();
    left.sort();
    assert_eq!(
        left,
        [".gitignore", "scratch.lock"],
        "nothing temporary stays"
    );
}

#[test]
fn ctrl_c_stops_what_runs_and_cleans_up() {
    interrupted_by("INT", To::Group);
}

#[test]
fn a_signal_to_the_process_alone_does_the_same() {
    interrupted_by("INT", To::Process);
}

#[test]
fn a_request_to_terminate_does_the_same() {
    interrupted_by("TERM", To::Process);
}

/// Stands for Python: the step named `STEP` starts another process and never ends.
const PYTHON: &str = r#"#!/bin/sh
hang() { sleep 1000 & echo "$! $$" > "$ROOT/hanging"; wait; }
case "$*" in
'-I -c import os'*) [ "$STEP" = probe ] && hang; echo "cpython 3.12.1 venv $0" ;;
'-I -m venv '*) mkdir -p "$4/bin" && cp "$0" "$4/bin/python" ;;
*) hang ;;
esac
"#;

/// Interrupts a verb while it installs the local engine.
fn interrupted_while_installing(verb: &str, step: &str, to: To) {
    use std::os::unix::fs::PermissionsExt as _;

    let workspace = Workspace::valid();
    workspace.write("python", PYTHON);
    let python = workspace.path("python");
    fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).expect("is ours");
    let mut child = workspace
        .command([verb, "--stage", "dev", "--local", "--json"])
        .env("STACKCTL_PYTHON", &python)
        .env("ROOT", workspace.path(""))
        .env("STEP", step)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .expect("runs");
    let hanging = workspace.path("hanging");
    until("the installation", || {
        fs::read_to_string(&hanging).is_ok_and(|text| text.ends_with('\n'))
    });
    signal("INT", to, child.id());
    let status = child.wait().expect("ends");
    let (mut stdout, mut stderr) = (String::new(), String::new());
    let mut pipe = child.stdout.take().expect("is piped");
    pipe.read_to_string(&mut stdout).expect("reads");
    let mut pipe = child.stderr.take().expect("is piped");
    pipe.read_to_string(&mut stderr).expect("reads");
    assert_eq!(status.code(), Some(130), "{stdout}{stderr}");
    let document: serde_json::Value = serde_json::from_str(&stdout).expect("is one document");
    assert_eq!(document["error"]["kind"], "interrupted");
    for pid in fs::read_to_string(&hanging).expect("reads").split(' ') {
        is_killed(pid);
    }
    let left: Vec<_> = fs::read_dir(workspace.path("../cache/python"))
        .expect("lists")
        .flatten()
        .filter(|file| file.path().is_dir())
        .map(|file| file.file_name())
        .collect();
    assert!(left.is_empty(), "a half-made environment stays: {left:?}");
    assert!(
        !workspace.path(".stackctl/local/engine.json").exists(),
        "no engine was started: {stderr}"
    );
}

#[test]
fn ctrl_c_stops_a_look_for_python() {
    interrupted_while_installing("status", "probe", To::Group);
}

#[test]
fn ctrl_c_stops_an_installation() {
    interrupted_while_installing("status", "pip", To::Group);
}

#[test]
fn a_signal_to_the_process_alone_stops_an_installation_beside_a_build() {
    interrupted_while_installing("deploy", "pip", To::Process);
}
