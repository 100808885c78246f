//! Temporary files in the state directory, and what runs that were killed left of them.
//!
//! Whatever the tool writes there comes by way of a temporary sibling, which goes away with the run, however it ends, but
//! for a run that is killed. Every run that makes such files holds a lock together with all others that do; one that can
//! have it alone knows that whatever is there is nobody's.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The directory into which the stacks are rendered.
pub(crate) const SYNTH: &str = "synth-";

/// An archive that is not whole yet.
pub(crate) const PACKING: &str = ".packing-";

/// The directory of what is left to do once stacks are gone.
pub(crate) const REMOVING: &str = "removing";

/// The directory of what updates may leave outside of their stacks, noted before they begin.
pub(crate) const LEAVING: &str = "leaving";

/// The directory of what left stacks and stays.
pub(crate) const RETAINED: &str = "retained";

/// A file that is to replace another one.
pub(crate) const SIBLING: &str = ".stackctl-";

/// Keeps other runs from removing the temporary files of this one, until it is dropped. The operating system lets go of
/// it however the process ends.
#[derive(Debug)]
pub(crate) struct Scratch {
    _lock: File,
}

/// Removes what killed runs left in a state directory, unless others work in it right now.
pub(crate) fn enter(state: &Path) -> io::Result<Scratch> {
    let lock = File::options()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(state.join("scratch.lock"))?;
    if lock.try_lock().is_ok() {
        sweep(state, &[SYNTH, SIBLING]);
        sweep(&state.join("artifacts"), &[PACKING, SIBLING]);
        sweep(&state.join(REMOVING), &[SIBLING]);
        sweep(&state.join(RETAINED), &[SIBLING]);
        for of_stages in ["assemblies", LEAVING] {
            for stage in entries(&state.join(of_stages)) {
                sweep(&stage.path(), &[SIBLING]);
            }
        }
        lock.unlock()?;
    }
    // Whoever has it alone has it for a moment.
    match lock.lock_shared() {
        // On such a file system no run has it alone, so none removes anything.
        Err(error) if error.kind() != io::ErrorKind::Unsupported => return Err(error),
        _ => {}
    }
    Ok(Scratch { _lock: lock })
}

/// Moves a file out of the way that nobody can read, and returns where it is now: what it says may be worth a look.
pub(crate) fn set_aside(file: &Path) -> io::Result<PathBuf> {
    let mut number = 1;
    loop {
        let extension = match number {
            1 => "unreadable".to_owned(),
            _ => format!("{number}.unreadable"),
        };
        let aside = file.with_extension(extension);
        if aside.try_exists()? {
            number += 1;
            continue;
        }
        fs::rename(file, &aside)?;
        return Ok(aside);
    }
}

/// Removes the entries of a directory with these prefixes. One that cannot be removed is tried again by the next run.
fn sweep(directory: &Path, prefixes: &[&str]) {
    for entry in entries(directory) {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !prefixes.iter().any(|prefix| name.starts_with(prefix)) {
            continue;
        }
        let path = entry.path();
        let _ = if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            fs::remove_dir_all(path)
        } else {
            fs::remove_file(path)
        };
    }
}

fn entries(directory: &Path) -> impl Iterator<Item = fs::DirEntry> {
    fs::read_dir(directory).into_iter().flatten().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<String> = entries(directory)
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_is_set_aside_takes_no_place_of_another() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("prod.json");
        for text in ["one", "two"] {
            fs::write(&file, text).expect("a file");
            let aside = set_aside(&file).expect("is moved");
            assert_eq!(fs::read_to_string(aside).expect("is there"), text);
        }
        assert_eq!(
            names(directory.path()),
            ["prod.2.unreadable", "prod.unreadable"]
        );
    }

    #[test]
    fn what_killed_runs_left_goes_when_nobody_works() {
        let directory = tempfile::tempdir().expect("a directory");
        let state = directory.path();
        let kept = state.join("assemblies/dev");
        let leave = || {
            for directory in [&state.join("synth-1"), &state.join("artifacts"), &kept] {
                fs::create_dir_all(directory).expect("a directory");
            }
            for file in [
                "synth-1/manifest.json",
                "artifacts/.packing-1",
                "artifacts/.stackctl-1",
                "artifacts/index.json",
                "assemblies/dev/.stackctl-1",
                "assemblies/dev/manifest.json",
            ] {
                fs::write(state.join(file), "").expect("a file");
            }
        };
        let first = enter(state).expect("is entered");
        leave();
        let second = enter(state).expect("is entered");
        assert!(state.join("synth-1/manifest.json").exists());
        assert_eq!(names(&kept), [".stackctl-1", "manifest.json"]);
        drop((first, second));

        let _third = enter(state).expect("is entered");
        assert_eq!(names(state), ["artifacts", "assemblies", "scratch.lock"]);
        assert_eq!(names(&state.join("artifacts")), ["index.json"]);
        assert_eq!(names(&kept), ["manifest.json"]);
    }
}
