//! Packages of others that facts come from: which one, and that it is that one to the byte.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};

/// Why a pinned package could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot use `{path}`")]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("cannot parse `{name}`")]
    Json {
        name: String,
        source: serde_json::Error,
    },
    #[error("cannot start `{command}`")]
    Start {
        command: String,
        source: std::io::Error,
    },
    #[error("`{command}` failed: {output}")]
    Command { command: String, output: String },
    #[error("`{path}` has the SHA-256 {found}, not the pinned {pinned}")]
    Hash {
        path: PathBuf,
        found: String,
        pinned: String,
    },
}

/// Which package, as a `source.json` says it.
#[derive(Deserialize)]
pub(crate) struct Pin {
    pub(crate) package: String,
    pub(crate) version: String,
    /// The name of its archive.
    pub(crate) file: String,
    sha256: String,
}

impl Pin {
    /// Reads the `source.json` of a directory.
    pub(crate) fn read(directory: &Path) -> Result<Self, Error> {
        let path = directory.join("source.json");
        parse(&path.display().to_string(), &bytes(&path)?)
    }

    /// Reads an archive, which has to be the pinned one.
    pub(crate) fn archive(&self, path: &Path) -> Result<Vec<u8>, Error> {
        let archive = bytes(path)?;
        let mut found = String::new();
        for byte in Sha256::digest(&archive) {
            // Writing to a string cannot fail.
            let _ = write!(found, "{byte:02x}");
        }
        if found == self.sha256 {
            return Ok(archive);
        }
        Err(Error::Hash {
            path: path.to_owned(),
            found,
            pinned: self.sha256.clone(),
        })
    }
}

/// Makes a directory that goes with what is returned.
pub(crate) fn scratch() -> Result<tempfile::TempDir, Error> {
    tempfile::tempdir().map_err(|source| Error::File {
        path: std::env::temp_dir(),
        source,
    })
}

/// Runs a command, and returns what it wrote.
pub(crate) fn run(command: &mut Command) -> Result<Vec<u8>, Error> {
    let shown = format!("{command:?}");
    let output = command.output().map_err(|source| Error::Start {
        command: shown.clone(),
        source,
    })?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(Error::Command {
        command: shown,
        output: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}

/// Parses JSON, with its name for the error.
pub(crate) fn parse<T: DeserializeOwned>(name: &str, text: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(text).map_err(|source| Error::Json {
        name: name.to_owned(),
        source,
    })
}

/// Reads JSON from a file.
pub(crate) fn json<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    parse(&path.display().to_string(), &bytes(path)?)
}

/// Reads the text of a file.
pub(crate) fn text(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })
}

/// Lists the files of a directory whose names end so, in their order.
pub(crate) fn files(directory: &Path, extension: &str) -> Result<Vec<PathBuf>, Error> {
    let failed = |source| Error::File {
        path: directory.to_owned(),
        source,
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.retain(|path| path.extension().is_some_and(|it| it == extension));
    paths.sort();
    Ok(paths)
}

fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_archive_than_the_pinned_one_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let pin = r#"{"package": "p", "version": "1", "file": "p.tgz", "sha256": "00"}"#;
        std::fs::write(directory.path().join("source.json"), pin).unwrap();
        let other = directory.path().join("other.tgz");
        std::fs::write(&other, "anything").unwrap();
        let pin = Pin::read(directory.path()).unwrap();
        let Err(Error::Hash { found, pinned, .. }) = pin.archive(&other) else {
            panic!("the hash differs");
        };
        assert_eq!(pinned, "00");
        assert_eq!(found.len(), 64);
    }
}
