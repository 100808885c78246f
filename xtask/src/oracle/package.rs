//! The package of the CDK, fetched once and kept.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::database::Database;

/// Why the package could not be read.
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
    #[error("neither XDG_CACHE_HOME nor HOME says where to keep the package")]
    NoCache,
}

/// `oracle/source.json`: which package is compared with.
#[derive(Deserialize)]
struct Source {
    package: String,
    version: String,
    file: String,
    sha256: String,
}

/// Reads the database of the pinned package, from a file that is given or from the cache, where it is fetched to.
pub(super) fn read(directory: &Path, given: Option<&Path>) -> Result<Database, Error> {
    let pin = directory.join("source.json");
    let source: Source = parse(&pin.display().to_string(), &bytes(&pin)?)?;
    let path = match given {
        Some(path) => path.to_owned(),
        None => cached(&source)?,
    };
    let found = Sha256::digest(bytes(&path)?)
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    if found != source.sha256 {
        return Err(Error::Hash {
            path,
            found,
            pinned: source.sha256,
        });
    }
    let scratch = tempfile::tempdir().map_err(|source| Error::File {
        path: std::env::temp_dir(),
        source,
    })?;
    let mut unpack = Command::new("tar");
    unpack.arg("-xzf").arg(&path).arg("-C").arg(scratch.path());
    run(unpack.arg("package/db.json.gz"))?;
    let mut read = Command::new("gzip");
    let text = run(read
        .arg("-dc")
        .arg(scratch.path().join("package/db.json.gz")))?;
    parse("db.json", &text)
}

/// Returns the archive in the cache, fetched with the ordinary client of the registry where it is not there.
fn cached(source: &Source) -> Result<PathBuf, Error> {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))
        .ok_or(Error::NoCache)?
        .join("stackctl-ci");
    let path = cache.join(&source.file);
    if path.is_file() {
        return Ok(path);
    }
    std::fs::create_dir_all(&cache).map_err(|source| Error::File {
        path: cache.clone(),
        source,
    })?;
    let mut fetch = Command::new("npm");
    fetch
        .args(["pack", "--silent", "--pack-destination"])
        .arg(&cache)
        .arg(format!("{}@{}", source.package, source.version));
    run(&mut fetch)?;
    Ok(path)
}

fn run(command: &mut Command) -> Result<Vec<u8>, Error> {
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

fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })
}

fn parse<T: serde::de::DeserializeOwned>(name: &str, text: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(text).map_err(|source| Error::Json {
        name: name.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::{Error, read};

    #[test]
    fn another_package_than_the_pinned_one_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let pin = r#"{"package": "p", "version": "1", "file": "p.tgz", "sha256": "00"}"#;
        std::fs::write(directory.path().join("source.json"), pin).unwrap();
        let other = directory.path().join("other.tgz");
        std::fs::write(&other, "anything").unwrap();
        let Err(Error::Hash { found, pinned, .. }) = read(directory.path(), Some(&other)) else {
            panic!("the hash differs");
        };
        assert_eq!(pinned, "00");
        assert_eq!(found.len(), 64);
    }
}
