//! What the secrets are, and where they are looked for.

use std::cell::RefCell;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use system_tests::account::Account;
use system_tests::sandbox::{Run, Running};
use system_tests::tap::Tap;
use tempfile::TempDir;

use super::fleeting::Fleeting;
use crate::fixture::Fixture;

/// What stands for a secret. Each begins in the same way, so that one search finds all, and ends with its place.
pub(super) const MARK: &str = "MARKED5ECRET";

/// What stands for a value that the sources hold in plain text and a template hides: it is sent and written with the
/// template, and shown to nobody.
pub(super) const HIDDEN: &str = "H1DDENVALUE";

/// What the stacks binary worked on when it crashed: it is shown with its words, and neither written nor sent.
pub(super) const CRASHED: &str = "CRA5HED";

pub(super) fn marked(place: &str) -> String {
    format!("{MARK}{place}")
}

/// Returns what stands in some bytes of what is looked for, with what follows each.
pub(super) fn found(bytes: &[u8], wanted: &str) -> Vec<String> {
    bytes
        .windows(wanted.len())
        .enumerate()
        .filter(|(_, window)| *window == wanted.as_bytes())
        .map(|(at, _)| {
            let rest = bytes.get(at..).unwrap_or_default();
            String::from_utf8_lossy(rest.get(..40).unwrap_or(rest)).into_owned()
        })
        .collect()
}

/// Adds every file below a directory.
pub(super) fn files(directory: &Path, all: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("it can be listed") {
        let path = entry.expect("it can be listed").path();
        let kind = fs::symlink_metadata(&path).expect("it is there");
        if kind.is_dir() {
            files(&path, all);
        } else if kind.is_file() {
            all.push(path);
        }
    }
}

/// Returns the bytes of a file, and those of the files in it where it is an archive.
pub(super) fn bytes(file: &Path) -> Vec<u8> {
    let mut bytes = fs::read(file).expect("it can be read");
    if file.extension().is_some_and(|extension| extension == "zip") {
        let archive = fs::File::open(file).expect("it can be read");
        let mut archive = zip::ZipArchive::new(archive).expect("it is whole");
        assert!(!archive.is_empty(), "{} holds nothing", file.display());
        for at in 0..archive.len() {
            let mut entry = archive.by_index(at).expect("it is whole");
            entry.read_to_end(&mut bytes).expect("it is whole");
        }
    }
    bytes
}

/// A workspace with secrets around it.
pub(super) struct Search<'a> {
    pub(super) fixture: &'a Fixture,
    pub(super) tap: Tap,
    pub(super) home: TempDir,
    /// A session of a role: a key with its secret, and a token.
    pub(super) session: Account,
    /// The files that were there for some time of a run, and were looked at.
    pub(super) gone: RefCell<Vec<PathBuf>>,
}

impl Search<'_> {
    /// Makes a command with all secrets around it.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.fixture.sandbox.command(arguments);
        command
            .args(["--stage", "dev", "--endpoint-url", &self.tap.url()])
            .env("HOME", self.home.path())
            .env("TMPDIR", self.home.path().join("tmp"))
            .envs(self.session.environment())
            .env("DATABASE_PASSWORD", marked("variable"))
            .env("RUST_BACKTRACE", "full")
            // Whoever looks a shell up finds this one, which leaves a trace.
            .env("PATH", self.path());
        command
    }

    /// Runs a command with all secrets around it, and searches what it printed.
    #[track_caller]
    pub(super) fn run(&self, code: i32, arguments: &[&str]) -> Run {
        self.end(code, self.command(arguments))
    }

    #[track_caller]
    pub(super) fn end(&self, code: i32, command: Command) -> Run {
        self.end_of(code, command, |_| ())
    }

    /// Does the same, and something with the run while it goes on.
    #[track_caller]
    pub(super) fn end_of(
        &self,
        code: i32,
        command: Command,
        meanwhile: impl FnOnce(&Running),
    ) -> Run {
        let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        let fleeting = Fleeting::watch(self.directories());
        let running = Running::spawn(command);
        meanwhile(&running);
        let run = running.end();
        assert_eq!(run.code, Some(code), "{arguments:?}: {run}");
        let printed = [run.stdout.as_bytes(), run.stderr.as_bytes()].concat();
        for wanted in self.secrets().into_iter().chain([HIDDEN.to_owned()]) {
            assert_eq!(found(&printed, &wanted), [""; 0], "{arguments:?}: {run}");
        }
        let secrets = self.secrets();
        let mut gone = self.gone.borrow_mut();
        for (path, bytes) in fleeting.end() {
            // What stacks render stands here until it was read, and so does what is refused because they say it in plain text.
            let directory = path.parent().and_then(Path::file_name).unwrap_or_default();
            let is_rendered = directory.to_string_lossy().starts_with("synth-");
            for secret in secrets.iter().map(String::as_str).chain([CRASHED]) {
                let mut places = found(&bytes, secret);
                places.retain(|place| !(is_rendered && place.starts_with(&marked("given"))));
                assert_eq!(places, [""; 0], "{arguments:?}: {}", path.display());
            }
            if !path.exists() {
                gone.push(path);
            }
        }
        run
    }

    /// Returns the directories in which the tool may write something.
    fn directories(&self) -> Vec<PathBuf> {
        vec![
            self.fixture.sandbox.state_dir(),
            self.home.path().to_owned(),
            self.fixture.workspace().to_owned(),
        ]
    }

    /// Returns the files that are there and that the tool may have written.
    pub(super) fn written(&self) -> Vec<PathBuf> {
        let mut written = Vec::new();
        for directory in self.directories() {
            files(&directory, &mut written);
        }
        let engine = self.fixture.sandbox.state_dir().join("local");
        written.retain(|file| {
            // The engine keeps its own values, and they belong there; what is beside them was written by the tool.
            let kept = ["state", "s3", "tmp"];
            !file.ends_with(".aws/credentials")
                && kept.iter().all(|kept| !file.starts_with(engine.join(kept)))
        });
        written
    }

    /// Returns what must not be found anywhere.
    pub(super) fn secrets(&self) -> Vec<String> {
        let variables = self.session.environment().into_iter();
        variables
            .filter(|(name, _)| *name != "AWS_ACCESS_KEY_ID")
            .map(|(_, value)| value)
            .chain([MARK.to_owned()])
            .collect()
    }

    fn path(&self) -> std::ffi::OsString {
        let own = self.home.path().join("bin");
        let others = std::env::var_os("PATH").unwrap_or_default();
        let all = std::iter::once(own).chain(std::env::split_paths(&others));
        std::env::join_paths(all).expect("no path has a colon")
    }
}
