//! Starts the engine's process, recognises it, and sends it signals.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::settings::Lifetime;
use super::state::{Record, StateDir};

/// What Python runs. It is too long for an argument: Linux ends one at 128 KiB.
pub(crate) const PROGRAM: &str = concat!(
    include_str!("corrections.py"),
    "\n\n",
    include_str!("change_sets.py"),
    "\n\n",
    include_str!("mapping_templates.py"),
    "\n\n",
    include_str!("integrations.py"),
    "\n\n",
    include_str!("launch.py")
);

/// Where functions find programs; the user's own PATH would make a laptop's functions differ from AWS's.
const FUNCTION_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Asks an engine to end, or ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Asks it to save, to end its functions and to end.
    Terminate,
    /// Ends it and its functions at once.
    Kill,
}

/// Starts an engine.
///
/// Its environment is empty but for what follows, because functions inherit it whole, secrets included. It is the
/// leader of its own process group, so that Ctrl-C in the terminal does not reach it.
pub(crate) fn spawn(
    python: &Path,
    program: &Path,
    state: &StateDir,
    record: &Record,
    lifetime: Lifetime,
    log: File,
) -> io::Result<Child> {
    let port = record.port.to_string();
    let json = serde_json::to_string(record)?;
    Command::new(python)
        .args(["-I", "-u", "-X", "utf8"])
        .arg(program)
        .arg(state.root())
        .arg(json)
        .arg(if lifetime == Lifetime::OfProcess {
            "until-input-ends"
        } else {
            "until-stopped"
        })
        .current_dir(state.root())
        .env_clear()
        // Every interface is the engine's default.
        .env("BIND_HOST", "127.0.0.1")
        .env("GATEWAY_PORT", &port)
        // Functions are given this address as theirs.
        .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"))
        // Else a second port opens, on every interface.
        .env("IOT_MTLS_ENABLED", "0")
        .env("AUTH", "true")
        .env("PERSIST_STATE", "1")
        .env("S3_PERSIST", "1")
        .env("STATE_DIR", state.services())
        .env("S3_DATA_DIR", state.objects())
        .env("TMPDIR", state.temporary())
        // Neither the engine nor a function gets to read the credentials below the user's home.
        .env("HOME", state.temporary())
        .env("PATH", FUNCTION_PATH)
        // No socket is there: functions run as processes, and a Docker daemon of the user's is left alone.
        .env(
            "DOCKER_HOST",
            format!("unix://{}", state.root().join("no-docker").display()),
        )
        // The health answer repeats this text, which proves that our engine is the one who answers.
        .env("MINISTACK_EDITION", &record.start_id)
        // The other end of a pipe is closed by the kernel however our process ends.
        .stdin(if lifetime == Lifetime::OfProcess {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0)
        .spawn()
}

/// Tells whether a process is the one of a start: its id may have gone to another process, or come from another
/// container.
pub(crate) fn is_engine(pid: u32, start_id: &str) -> bool {
    command_line(pid).is_some_and(|line| line.contains(start_id))
}

fn command_line(pid: u32) -> Option<String> {
    if cfg!(target_os = "linux") {
        let bytes = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        return Some(String::from_utf8_lossy(&bytes).into_owned());
    }
    let output = Command::new("/bin/ps")
        .args(["-ww", "-o", "command=", "-p", &pid.to_string()])
        .output()
        .ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Sends a signal to an engine; one that is gone already is no error.
///
/// The engine leads a process group of its own, to which the functions belong that it runs.
pub(crate) fn signal(pid: u32, signal: Signal) -> io::Result<()> {
    use rustix::process::{Pid, Signal as Native, kill_process, kill_process_group};

    let pid = i32::try_from(pid)
        .ok()
        .filter(|pid| *pid > 1)
        .and_then(Pid::from_raw)
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let sent = match signal {
        Signal::Terminate => kill_process(pid, Native::TERM),
        Signal::Kill => kill_process_group(pid, Native::KILL),
    };
    match sent {
        Err(rustix::io::Errno::SRCH) | Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
