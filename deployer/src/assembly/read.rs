//! Reads an assembly from a directory.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use stack_model::assembly::{FORMAT, MANIFEST_FILE, Manifest};

use super::{Assembly, MAX_TEMPLATE_BYTES, Template, validate};
use crate::text::hex;

/// The largest manifest that is read: far more than 500 resources in each of a hundred stacks need.
const MAX_MANIFEST_BYTES: u64 = 64 << 20;

/// Why an assembly could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The directory holds no manifest.
    #[error("there is no {MANIFEST_FILE} in {}", .0.display())]
    NoManifest(PathBuf),
    /// A file could not be read.
    #[error("cannot read {}", .0.display())]
    Io(PathBuf, #[source] io::Error),
    /// A file is larger than anything a synth writes.
    #[error("{} has {size} bytes, the limit is {limit}", .file.display())]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The manifest is of another version of the format.
    #[error("the assembly has format {0}, this stackctl reads format {FORMAT}")]
    Format(u64),
    /// The manifest is not what it should be.
    #[error("{MANIFEST_FILE} is not valid")]
    Manifest(#[source] serde_json::Error),
    /// A template is not a JSON object.
    #[error("the template of stack {stack} is not valid JSON")]
    Template {
        /// The stack.
        stack: String,
        /// What the parser says.
        #[source]
        source: serde_json::Error,
    },
    /// A template's bytes are not those the manifest names.
    #[error(
        "the template of stack {stack} was changed after it was written: its SHA-256 is {actual}, not {expected}"
    )]
    Hash {
        /// The stack.
        stack: String,
        /// The hash of the bytes.
        actual: String,
        /// The hash in the manifest.
        expected: String,
    },
    /// The manifest contradicts itself or a template.
    #[error("{0}")]
    Contradiction(String),
}

/// The one field that every version of the format has.
#[derive(Deserialize)]
struct AnyFormat {
    format: u64,
}

impl Assembly {
    /// Reads and checks the assembly in a directory.
    pub fn read(directory: &Path) -> Result<Self, ReadError> {
        let file = directory.join(MANIFEST_FILE);
        let bytes = read_limited(&file, MAX_MANIFEST_BYTES).map_err(|error| match error {
            ReadError::Io(_, source) if source.kind() == io::ErrorKind::NotFound => {
                ReadError::NoManifest(directory.to_owned())
            }
            other => other,
        })?;
        let format = serde_json::from_slice::<AnyFormat>(&bytes)
            .map_err(ReadError::Manifest)?
            .format;
        if format != u64::from(FORMAT) {
            return Err(ReadError::Format(format));
        }
        let manifest: Manifest = serde_json::from_slice(&bytes).map_err(ReadError::Manifest)?;
        validate::names(&manifest)?;
        let mut templates = BTreeMap::new();
        for stack in &manifest.stacks {
            let bytes = read_limited(&directory.join(&stack.template), MAX_TEMPLATE_BYTES)?;
            let actual = hex(&Sha256::digest(&bytes));
            if actual != stack.sha256 {
                return Err(ReadError::Hash {
                    stack: stack.name.clone(),
                    actual,
                    expected: stack.sha256.clone(),
                });
            }
            let invalid = |source| ReadError::Template {
                stack: stack.name.clone(),
                source,
            };
            let json: serde_json::Value = serde_json::from_slice(&bytes).map_err(invalid)?;
            let text = String::from_utf8(bytes)
                .map_err(|error| invalid(serde::de::Error::custom(error.utf8_error())))?;
            templates.insert(stack.name.clone(), Template { text, json });
        }
        let assembly = Self {
            manifest,
            templates,
        };
        validate::contents(&assembly)?;
        Ok(assembly)
    }
}

/// Reads a regular file of at most `limit` bytes.
fn read_limited(file: &Path, limit: u64) -> Result<Vec<u8>, ReadError> {
    let failed = |error| ReadError::Io(file.to_owned(), error);
    let metadata = fs::symlink_metadata(file).map_err(failed)?;
    if !metadata.is_file() {
        return Err(failed(io::Error::other("it is not a regular file")));
    }
    if metadata.len() > limit {
        return Err(ReadError::TooLarge {
            file: file.to_owned(),
            size: metadata.len(),
            limit,
        });
    }
    fs::read(file).map_err(failed)
}
