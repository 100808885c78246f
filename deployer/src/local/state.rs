//! The files of one engine.
//!
//! | file | written by | says |
//! |---|---|---|
//! | `start.lock` | | held while an engine is started, stopped or reset |
//! | `engine.lock` | | held by the engine for as long as it lives |
//! | `engine.json` | the engine | process id, port, version and id of the last start |
//! | `saved.json` | the engine | the id of the start whose state was saved completely |
//! | `engine.log` | the engine | its output; that of the start before is `engine.log.1` |
//! | `state/`, `s3/` | the engine | the state |
//! | `tmp/` | the engine | unpacked functions; emptied at every start |

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::StateError;
use crate::engine::Cancel;
use crate::toolchain::{child, last_lines};

/// Knows the files of one engine.
#[derive(Debug, Clone)]
pub(crate) struct StateDir {
    root: PathBuf,
}

/// Describes a start of an engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The process. Added by the engine itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pid: Option<u32>,
    /// The port it listens on.
    pub(crate) port: u16,
    /// Its version.
    pub(crate) version: String,
    /// Tells this start from every other; also stands in the command line of the process.
    pub(crate) start_id: String,
}

#[derive(Deserialize)]
struct Saved {
    start_id: String,
}

impl StateDir {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.root.join("engine.log")
    }

    pub(crate) fn services(&self) -> PathBuf {
        self.root.join("state")
    }

    pub(crate) fn objects(&self) -> PathBuf {
        self.root.join("s3")
    }

    pub(crate) fn temporary(&self) -> PathBuf {
        self.root.join("tmp")
    }

    pub(crate) fn record_file(&self) -> PathBuf {
        self.root.join("engine.json")
    }

    fn saved_file(&self) -> PathBuf {
        self.root.join("saved.json")
    }

    /// Makes the directories, readable by nobody else.
    pub(crate) fn create(&self) -> Result<(), StateError> {
        for directory in [
            self.root.clone(),
            self.services(),
            self.objects(),
            self.temporary(),
        ] {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&directory)
                .map_err(failed("create", &directory))?;
        }
        Ok(())
    }

    /// Waits until nobody else starts, stops or resets this engine; the returned file is the lock.
    pub(crate) fn lock(&self, cancel: &Cancel) -> Result<File, StateError> {
        let path = self.root.join("start.lock");
        let file = private()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(failed("open", &path))?;
        child::unless_cancelled(cancel, move || file.lock().map(|()| file))
            .ok_or(StateError::Interrupted)?
            .map_err(failed("lock", &path))
    }

    /// Tells whether an engine is alive.
    pub(crate) fn is_alive(&self) -> Result<bool, StateError> {
        let path = self.root.join("engine.lock");
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(failed("open", &path)(error)),
        };
        // Shared, so that those who only ask do not take each other for an engine.
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(failed("lock", &path)(error)),
        }
    }

    /// Returns the record of the engine that is alive now.
    pub(crate) fn running(&self) -> Result<Option<Record>, StateError> {
        if !self.is_alive()? {
            return Ok(None);
        }
        self.record()?
            .map(Some)
            .ok_or_else(|| StateError::NoRecord {
                path: self.record_file(),
            })
    }

    /// Returns the record of the last start. A file that cannot be understood is taken for absent: it is only a note.
    pub(crate) fn record(&self) -> Result<Option<Record>, StateError> {
        read_json(&self.record_file())
    }

    /// Tells whether the last engine ended without having saved its state.
    pub(crate) fn lost_state(&self) -> Result<bool, StateError> {
        let Some(record) = self.record()? else {
            return Ok(false);
        };
        let saved = read_json::<Saved>(&self.saved_file())?;
        Ok(saved.is_none_or(|saved| saved.start_id != record.start_id))
    }

    /// Forgets a start that failed: its engine never came to hold anything.
    pub(crate) fn forget(&self, start_id: &str) -> Result<(), StateError> {
        match self.record()? {
            Some(record) if record.start_id == start_id => remove_file(&self.record_file()),
            _ => Ok(()),
        }
    }

    /// Removes what the functions of an earlier engine left in the temporary directory.
    pub(crate) fn clear_temporary(&self) -> Result<(), StateError> {
        remove_tree(&self.temporary())?;
        self.create()
    }

    /// Removes everything except the locks and the log.
    pub(crate) fn clear(&self) -> Result<(), StateError> {
        for tree in [self.services(), self.objects(), self.temporary()] {
            remove_tree(&tree)?;
        }
        remove_file(&self.record_file())?;
        remove_file(&self.saved_file())
    }

    /// Writes what Python is to run, and returns the file. Whoever starts an engine holds [`Self::lock`], and an engine that
    /// runs has read it.
    pub(crate) fn write_program(&self, text: &str) -> Result<PathBuf, StateError> {
        let path = self.root.join("engine.py");
        private()
            .create(true)
            .write(true)
            .truncate(true)
            .open(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(failed("write", &path))?;
        Ok(path)
    }

    /// Opens a new log and keeps the one before.
    pub(crate) fn open_log(&self) -> Result<File, StateError> {
        let path = self.log();
        match fs::rename(&path, path.with_extension("log.1")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed("rename", &path)(error));
            }
            _ => {}
        }
        private()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(failed("open", &path))
    }

    /// Returns the end of the log, or nothing when there is none.
    pub(crate) fn log_tail(&self) -> String {
        const LONGEST: u64 = 16 * 1024;
        let read = || -> io::Result<String> {
            let mut file = File::open(self.log())?;
            let length = file.metadata()?.len();
            file.seek(SeekFrom::Start(length.saturating_sub(LONGEST)))?;
            let mut bytes = Vec::new();
            file.take(LONGEST).read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        // The tail only decorates an error that is reported anyway.
        last_lines(&read().unwrap_or_default(), 12)
    }
}

fn private() -> fs::OpenOptions {
    let mut options = File::options();
    options.mode(0o600);
    options
}

fn failed<'a>(action: &'static str, path: &'a Path) -> impl Fn(io::Error) -> StateError + 'a {
    move |source| StateError::File {
        action,
        path: path.to_owned(),
        source,
    }
}

fn read_json<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<Option<T>, StateError> {
    match fs::read(path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path)(error)),
    }
}

fn remove_file(path: &Path) -> Result<(), StateError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}

fn remove_tree(path: &Path) -> Result<(), StateError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}
