//! Ctrl-C while something runs.
#![cfg(unix)]

use std::fs;
use std::io::Read as _;
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

fn signal(name: &str, pid: u32) {
    let status = Command::new("kill")
        .args(["-s", name, &pid.to_string()])
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

fn interrupted_by(name: &str) {
    let workspace = Workspace::with_stacks(WAITING);
    let mut child = workspace
        .command(["synth", "--stage", "dev", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    let running = workspace.path("running");
    until("the stacks program", || {
        fs::read_to_string(&running).is_ok_and(|text| !text.is_empty())
    });
    signal(name, child.id());
    let status = child.wait().expect("ends");
    assert_eq!(status.code(), Some(130));
    let mut stdout = String::new();
    let mut pipe = child.stdout.take().expect("is piped");
    pipe.read_to_string(&mut stdout).expect("reads");
    let document: serde_json::Value = serde_json::from_str(&stdout).expect("is one document");
    assert_eq!(document["error"]["kind"], "interrupted");
    let pid = fs::read_to_string(&running).expect("is there");
    let process = format!("/proc/{pid}");
    if cfg!(target_os = "linux") {
        until("the stacks program to be killed", || {
            !fs::metadata(&process).is_ok_and(|_| {
                // A killed process stays as a zombie until its new parent has looked at it.
                fs::read_to_string(format!("{process}/stat"))
                    .is_ok_and(|stat| !stat.contains(") Z "))
            })
        });
    }
    let left: Vec<_> = fs::read_dir(workspace.path(".stackctl"))
        .expect("lists")
        .flatten()
        .map(|file| file.file_name())
        .collect();
    assert_eq!(left, [".gitignore"], "nothing temporary stays");
}

#[test]
fn ctrl_c_stops_what_runs_and_cleans_up() {
    interrupted_by("INT");
}

#[test]
fn a_request_to_terminate_does_the_same() {
    interrupted_by("TERM");
}
