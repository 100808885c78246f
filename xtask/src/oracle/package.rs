//! The package of the CDK, fetched once and kept.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::database::Database;
use crate::pinned::{self, Pin, run};

/// Why the package could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Pinned(#[from] pinned::Error),
    #[error("neither XDG_CACHE_HOME nor HOME says where to keep the package")]
    NoCache,
}

/// Reads the database of the pinned package, from a file that is given or from the cache, where it is fetched to.
pub(super) fn read(directory: &Path, given: Option<&Path>) -> Result<Database, Error> {
    let pin = Pin::read(directory)?;
    let path = match given {
        Some(path) => path.to_owned(),
        None => cached(&pin)?,
    };
    pin.archive(&path)?;
    let scratch = pinned::scratch()?;
    let mut unpack = Command::new("tar");
    unpack.arg("-xzf").arg(&path).arg("-C").arg(scratch.path());
    run(unpack.arg("package/db.json.gz"))?;
    let mut read = Command::new("gzip");
    let text = run(read
        .arg("-dc")
        .arg(scratch.path().join("package/db.json.gz")))?;
    Ok(pinned::parse("db.json", &text)?)
}

/// Returns the archive in the cache, fetched with the ordinary client of the registry where it is not there.
fn cached(pin: &Pin) -> Result<PathBuf, Error> {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))
        .ok_or(Error::NoCache)?
        .join("stackctl-ci");
    let path = cache.join(&pin.file);
    if path.is_file() {
        return Ok(path);
    }
    std::fs::create_dir_all(&cache).map_err(|source| pinned::Error::File {
        path: cache.clone(),
        source,
    })?;
    let mut fetch = Command::new("npm");
    fetch
        .args(["pack", "--silent", "--pack-destination"])
        .arg(&cache)
        .arg(format!("{}@{}", pin.package, pin.version));
    run(&mut fetch)?;
    Ok(path)
}
