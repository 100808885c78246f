//! Child processes that end when a run is stopped.
//!
//! Each leads a process group of its own: Ctrl-C in a terminal reaches this process alone, which then decides what ends,
//! and ends it with everything it started.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::engine::Cancel;

/// How often a wait looks whether the run was stopped.
const POLL: Duration = Duration::from_millis(20);

/// How long a killed group may take to be gone.
const END_LIMIT: Duration = Duration::from_secs(5);

/// Kills a process group when dropped, unless its leader was seen to end.
#[derive(Debug)]
pub(crate) struct Group(Option<Pid>);

impl Group {
    /// Takes charge of the group that a child leads, as long as the child has not been waited for.
    pub(crate) fn of(leader: Option<u32>) -> Self {
        Self(
            leader
                .and_then(|id| i32::try_from(id).ok())
                .filter(|id| *id > 1)
                .and_then(Pid::from_raw),
        )
    }

    /// Leaves the group alone: its leader was waited for, and the id may go to another process.
    pub(crate) fn ended(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            // The group may have ended on its own a moment ago.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

/// Runs a program to its end and returns what it wrote; kills it and all it started when the run is stopped.
pub(crate) fn output(command: &mut Command, cancel: &Cancel) -> io::Result<Output> {
    let child = command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let group = Group::of(Some(child.id()));
    let ended = start(move || child.wait_with_output());
    if let Some(output) = wait(&ended, cancel) {
        group.ended();
        return output;
    }
    drop(group);
    // Whoever cleans up after the program must not meet it still at work.
    let _ = ended.recv_timeout(END_LIMIT);
    Err(io::ErrorKind::Interrupted.into())
}

/// Does work that blocks, or returns nothing as soon as the run is stopped; the work is then left to itself.
pub(crate) fn unless_cancelled<T: Send + 'static>(
    cancel: &Cancel,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    wait(&start(work), cancel)
}

fn start<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Receiver<T> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        // Nobody waits any more where the run was stopped.
        let _ = sender.send(work());
    });
    receiver
}

fn wait<T>(receiver: &Receiver<T>, cancel: &Cancel) -> Option<T> {
    loop {
        if cancel.is_cancelled() {
            return None;
        }
        match receiver.recv_timeout(POLL) {
            Ok(value) => return Some(value),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn what_a_program_writes_is_returned() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "echo out; echo err >&2; exit 3"]);
        let output = output(&mut command, &Cancel::never()).unwrap();
        assert_eq!(output.stdout, b"out\n");
        assert_eq!(output.stderr, b"err\n");
        assert_eq!(output.status.code(), Some(3));
    }

    #[test]
    fn a_stopped_run_kills_the_program_and_what_it_started() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("pid");
        let (handle, cancel) = Cancel::new();
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", "sleep 1000 & echo $! > \"$0\"; wait"])
            .arg(&file);
        let begun = Instant::now();
        let stopper = thread::spawn({
            let file = file.clone();
            move || {
                while !std::fs::read_to_string(&file).is_ok_and(|text| text.ends_with('\n')) {
                    assert!(begun.elapsed() < Duration::from_mins(1));
                    thread::sleep(Duration::from_millis(5));
                }
                handle.cancel();
            }
        });
        let error = output(&mut command, &cancel).unwrap_err();
        stopper.join().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::Interrupted);
        assert!(begun.elapsed() < Duration::from_mins(1));
        let pid = std::fs::read_to_string(&file).unwrap();
        let alive = |pid: &str| {
            // A killed process stays as a zombie until its new parent has looked at it.
            std::fs::read_to_string(format!("/proc/{pid}/stat"))
                .is_ok_and(|stat| !stat.contains(") Z "))
        };
        while cfg!(target_os = "linux") && alive(pid.trim()) {
            assert!(begun.elapsed() < Duration::from_mins(1), "{pid} is alive");
            thread::sleep(Duration::from_millis(5));
        }
    }
}
