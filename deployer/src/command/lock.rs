//! Keeps two runs from changing one stage at once.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use crate::assembly;
use crate::error::{Error, Kind, Result};
use crate::scratch::{self, Scratch};

/// Holds a stage until it is dropped. The operating system lets go of it however the process ends.
#[derive(Debug)]
pub(super) struct StageLock {
    _file: File,
    _scratch: Scratch,
}

/// Takes a stage, or says who has it.
///
/// This guards one workspace on one machine; between machines CloudFormation itself refuses a second operation.
pub(super) fn take(directory: &Path, stage: &str, local: bool) -> Result<StageLock> {
    let locks = directory.join("locks");
    let name = if local {
        format!("{stage}.local.lock")
    } else {
        format!("{stage}.lock")
    };
    let path = locks.join(name);
    let failed = |error: io::Error| {
        Error::new(Kind::Io, format!("cannot lock {}", path.display())).caused_by(&error)
    };
    let scratch = prepare(directory).map_err(failed)?;
    make_private(&locks).map_err(failed)?;
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // The holder may be between locking and writing its name.
            let _ = file.read_to_string(&mut holder);
            let error = Error::new(
                Kind::Locked,
                format!("another run is working on stage `{stage}`"),
            );
            let error = match holder.trim() {
                "" => error,
                holder => error.cause(format!("it is {holder}")),
            };
            return Err(error.hint("wait until it is done, and run this command again"));
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    let holder = format!(
        "process {} of {} since {}\n",
        std::process::id(),
        user(),
        jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S UTC")
    );
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(holder.as_bytes()))
        .map_err(failed)?;
    Ok(StageLock {
        _file: file,
        _scratch: scratch,
    })
}

/// Returns who runs this, as whoever waits for it knows them.
fn user() -> String {
    ["USER", "LOGNAME"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|name| !name.is_empty())
        .unwrap_or_else(|| format!("user {}", rustix::process::getuid().as_raw()))
}

/// Makes a directory that nobody else can read, with all above it that are missing.
pub(super) fn make_private(directory: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
}

/// Makes the state directory, and keeps it out of version control. What killed runs left in it is removed, and the
/// temporary files of this one are safe for as long as the answer lives.
///
/// One that is there already may be anything the user chose: it stays as open as it is, and what is made in it is private.
pub(super) fn prepare(state: &Path) -> io::Result<Scratch> {
    make_private(state)?;
    let scratch = scratch::enter(state)?;
    let ignore = state.join(".gitignore");
    if !ignore.exists() {
        // Whole or not at all: half of it would be left as it is.
        assembly::replace(&ignore, b"*\n")?;
    }
    Ok(scratch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_held_by_one_run() {
        let state = tempfile::tempdir().expect("a directory");
        let held = take(state.path(), "dev", false).expect("is free");
        let error = take(state.path(), "dev", false).expect_err("is held");
        assert_eq!(error.kind(), Kind::Locked);
        let cause = error.causes().first().expect("names the holder");
        assert!(
            cause.starts_with(&format!(
                "it is process {} of {} since 2",
                std::process::id(),
                user()
            )),
            "{cause}"
        );
        take(state.path(), "dev", true).expect("the local engine is another place");
        take(state.path(), "prod", false).expect("another stage is free");
        drop(held);
        take(state.path(), "dev", false).expect("is free again");
    }

    #[test]
    fn nobody_else_reads_the_state() {
        use std::os::unix::fs::PermissionsExt as _;

        let directory = tempfile::tempdir().expect("a directory");
        let state = directory.path().join("state");
        let _held = take(&state, "dev", false).expect("is free");
        let mode = |path: &str| {
            let file = fs::metadata(state.join(path)).expect("is there");
            file.permissions().mode() & 0o777
        };
        assert_eq!(mode(""), 0o700);
        assert_eq!(mode("locks"), 0o700);
        assert_eq!(mode("locks/dev.lock"), 0o600);
    }

    #[test]
    fn the_state_is_kept_out_of_version_control() {
        let state = tempfile::tempdir().expect("a directory");
        let _scratch = prepare(state.path()).expect("is made");
        let ignore = fs::read_to_string(state.path().join(".gitignore")).expect("is there");
        assert_eq!(ignore, "*\n");
    }
}
