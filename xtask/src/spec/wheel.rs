//! The registry's schemas, read from the pinned wheel of cfn-lint.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Why the schemas could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot read `{path}`")]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("cannot parse `{name}`")]
    Json {
        name: String,
        source: serde_json::Error,
    },
    #[error("cannot open the archive")]
    Archive(#[from] zip::result::ZipError),
    #[error("cannot start `{command}`")]
    Start {
        command: String,
        source: std::io::Error,
    },
    #[error("`{command}` failed: {output}")]
    Download { command: String, output: String },
    #[error("`{path}` has the SHA-256 {found}, not the pinned {pinned}")]
    Hash {
        path: PathBuf,
        found: String,
        pinned: String,
    },
    #[error("the wheel has no schemas for any commercial region")]
    NoRegions,
}

/// `spec/source.json`: which wheel the facts come from.
#[derive(Deserialize)]
struct Source {
    package: String,
    version: String,
    file: String,
    sha256: String,
}

/// Where the wheel keeps its schemas.
const SCHEMAS: &str = "cfnlint/data/schemas/";

/// The regions (by prefix) of other partitions, and the pseudo region of SAM.
const NOT_COMMERCIAL: [&str; 7] = ["cn-", "us-gov-", "us-iso", "eu-iso", "eusc-", "sam", "__"];

/// Where the wheel keeps the actions of IAM.
const ACTIONS: &str = "cfnlint/data/AdditionalSpecs/Policies.json";

/// What the wheel says.
#[derive(Debug)]
pub(crate) struct Wheel {
    /// The schema of every resource type that any commercial region has, by name.
    pub(crate) schemas: BTreeMap<String, Value>,
    /// By IAM service, its actions in lower case under `Actions`, each with the `Resources` that it can be kept to.
    pub(crate) actions: BTreeMap<String, Value>,
}

/// Reads the wheel.
pub(crate) fn read(spec_dir: &Path, wheel: Option<&Path>) -> Result<Wheel, Error> {
    let pin = spec_dir.join("source.json");
    let source: Source = serde_json::from_str(&read_text(&pin)?).map_err(|source| Error::Json {
        name: pin.display().to_string(),
        source,
    })?;
    let scratch = tempfile::tempdir().map_err(|error| Error::File {
        path: std::env::temp_dir(),
        source: error,
    })?;
    let path = match wheel {
        Some(path) => path.to_owned(),
        None => download(&source, scratch.path())?,
    };
    let failed = |error| Error::File {
        path: path.clone(),
        source: error,
    };
    let bytes = std::fs::read(&path).map_err(failed)?;
    let found = Sha256::digest(&bytes)
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    if found != source.sha256 {
        return Err(Error::Hash {
            path,
            found,
            pinned: source.sha256,
        });
    }

    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes))?;
    // Every region names the types it has and the digest of each type's schema.
    let names: Vec<String> = archive
        .file_names()
        .map(|name| name.map(std::borrow::Cow::into_owned))
        .collect::<Result<_, _>>()?;
    let regions = names.iter().filter(|name| {
        name.strip_prefix(SCHEMAS)
            .and_then(|rest| rest.strip_prefix("providers/"))
            .is_some_and(|file| !NOT_COMMERCIAL.iter().any(|prefix| file.starts_with(prefix)))
    });
    let mut digests: BTreeMap<String, String> = BTreeMap::new();
    for region in regions {
        let types: BTreeMap<String, String> = read_json(&mut archive, region)?;
        digests.extend(types);
    }
    if digests.is_empty() {
        return Err(Error::NoRegions);
    }
    let schemas = digests
        .into_iter()
        .map(|(name, digest)| {
            let schema = read_json(&mut archive, &format!("{SCHEMAS}resources/{digest}.json"))?;
            Ok((name, schema))
        })
        .collect::<Result<_, Error>>()?;
    Ok(Wheel {
        schemas,
        actions: read_json(&mut archive, ACTIONS)?,
    })
}

/// Downloads the pinned wheel with the ordinary client of the Python index.
fn download(source: &Source, dir: &Path) -> Result<PathBuf, Error> {
    let pinned = format!("{}=={}", source.package, source.version);
    let mut command = Command::new("python3");
    command
        .args([
            "-m",
            "pip",
            "download",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--quiet",
            "--dest",
        ])
        .arg(dir)
        .arg(&pinned);
    let shown = format!("python3 -m pip download {pinned}");
    let output = command.output().map_err(|source| Error::Start {
        command: shown.clone(),
        source,
    })?;
    if !output.status.success() {
        return Err(Error::Download {
            command: shown,
            output: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        });
    }
    Ok(dir.join(&source.file))
}

fn read_text(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })
}

fn read_json<T: serde::de::DeserializeOwned>(
    archive: &mut zip::ZipArchive<std::io::Cursor<Vec<u8>>>,
    name: &str,
) -> Result<T, Error> {
    let mut text = String::new();
    archive
        .by_name(name)?
        .read_to_string(&mut text)
        .map_err(|source| Error::File {
            path: name.into(),
            source,
        })?;
    serde_json::from_str(&text).map_err(|source| Error::Json {
        name: name.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::{Error, read};

    #[test]
    fn another_wheel_than_the_pinned_one_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let pin = r#"{"package": "p", "version": "1", "file": "p.whl", "sha256": "00"}"#;
        std::fs::write(dir.path().join("source.json"), pin).unwrap();
        let wheel = dir.path().join("other.whl");
        std::fs::write(&wheel, "anything").unwrap();
        let Err(Error::Hash { found, pinned, .. }) = read(dir.path(), Some(&wheel)) else {
            panic!("the hash differs");
        };
        assert_eq!(pinned, "00");
        assert_eq!(found.len(), 64);
    }
}
