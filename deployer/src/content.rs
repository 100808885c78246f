//! Folders of the workspace that fill buckets: what is in them, and as what it is served.
//!
//! Nothing in a folder is taken on trust: a path that leaves the workspace and a symbolic link are errors, because what
//! they lead to would be published.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use sha2::{Digest, Sha256};
use stack_model::assembly::ContentManifest;

use crate::text::hex;

#[cfg(test)]
mod tests;

/// A folder that was read, for one bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// What the assembly says of it.
    pub manifest: ContentManifest,
    /// The files, by key.
    pub files: BTreeMap<String, ContentFile>,
}

/// One file of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentFile {
    /// Where it is.
    pub path: PathBuf,
    /// The SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// The header `Content-Type`.
    pub content_type: String,
    /// The header `Cache-Control`, where a rule names one.
    pub cache_control: Option<String>,
}

impl ContentFile {
    /// Returns a text that changes with the bytes and with the headers.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.sha256);
        for header in [
            Some(self.content_type.as_str()),
            self.cache_control.as_deref(),
        ] {
            let header = header.unwrap_or_default();
            hash.update(header.len().to_le_bytes());
            hash.update(header);
        }
        hex(&hash.finalize())
    }

    /// Returns whether it is a page, which names other files and is published after them.
    pub fn is_page(&self) -> bool {
        self.content_type.starts_with("text/html")
    }
}

/// Why a folder cannot be published.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// The folder is not one of the workspace.
    #[error("`{0}` does not stay in the workspace")]
    Outside(String),
    /// The folder or something in it cannot be read.
    #[error("cannot read {}", .path.display())]
    Read {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is a symbolic link, which could lead anywhere.
    #[error("{} is a symbolic link, and links are not published", .0.display())]
    Link(PathBuf),
    /// There is something else than files and folders.
    #[error("{} is neither a file nor a folder", .0.display())]
    Special(PathBuf),
    /// There is something hidden, which nobody meant to publish.
    #[error("{} is hidden, and nothing hidden is published but `.well-known`: remove it", .0.display())]
    Hidden(PathBuf),
    /// A name cannot be part of a key.
    #[error("the name of {} is not UTF-8", .0.display())]
    Name(PathBuf),
    /// A rule has a pattern that is none.
    #[error("`{pattern}` is not a pattern")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// Why.
        #[source]
        source: globset::Error,
    },
    /// There is nothing to publish, which would empty the bucket.
    #[error("{} holds no file", .0.display())]
    Empty(PathBuf),
}

/// Reads a folder of the workspace.
///
/// # Errors
///
/// Fails where the folder leaves the workspace, is empty, or holds what cannot be published.
pub fn read(root: &Path, manifest: &ContentManifest) -> Result<Content, ContentError> {
    let folder = inside(root, &manifest.folder)?;
    let rules = rules(manifest)?;
    let mut files = BTreeMap::new();
    let mut pending = vec![(folder.clone(), String::new())];
    while let Some((directory, above)) = pending.pop() {
        for entry in fs::read_dir(&directory).map_err(|source| unreadable(&directory, source))? {
            let entry = entry.map_err(|source| unreadable(&directory, source))?;
            let path = entry.path();
            let kind = entry
                .file_type()
                .map_err(|source| unreadable(&path, source))?;
            let name = entry
                .file_name()
                .into_string()
                .map_err(|_| ContentError::Name(path.clone()))?;
            let below = format!("{above}{name}");
            // Keys, histories and what editors leave behind are hidden; a site has no use for them.
            if name.starts_with('.') && name != ".well-known" {
                return Err(ContentError::Hidden(path));
            } else if kind.is_symlink() {
                return Err(ContentError::Link(path));
            } else if kind.is_dir() {
                pending.push((path, format!("{below}/")));
            } else if kind.is_file() {
                let key = format!("{}{below}", manifest.prefix);
                files.insert(key, file(path, &below, manifest, &rules)?);
            } else {
                return Err(ContentError::Special(path));
            }
        }
    }
    if files.is_empty() {
        return Err(ContentError::Empty(folder));
    }
    Ok(Content {
        manifest: manifest.clone(),
        files,
    })
}

/// Returns the path of a folder, no step of which leads upwards or through a link.
fn inside(root: &Path, folder: &str) -> Result<PathBuf, ContentError> {
    let mut path = root.to_path_buf();
    for step in Path::new(folder).components() {
        let Component::Normal(step) = step else {
            return Err(ContentError::Outside(folder.to_owned()));
        };
        path.push(step);
        let metadata = fs::symlink_metadata(&path).map_err(|source| unreadable(&path, source))?;
        if metadata.is_symlink() {
            return Err(ContentError::Link(path));
        }
    }
    if path == root {
        return Err(ContentError::Outside(folder.to_owned()));
    }
    Ok(path)
}

fn file(
    path: PathBuf,
    below: &str,
    manifest: &ContentManifest,
    rules: &[(GlobMatcher, &str)],
) -> Result<ContentFile, ContentError> {
    let bytes = fs::read(&path).map_err(|source| unreadable(&path, source))?;
    let cache_control = rules
        .iter()
        .find(|(pattern, _)| pattern.is_match(below))
        .map(|(_, value)| (*value).to_owned());
    Ok(ContentFile {
        sha256: Sha256::digest(&bytes).into(),
        content_type: content_type(below, manifest),
        cache_control,
        path,
    })
}

/// Returns the media type of a file by the extension of its name; texts are UTF-8.
fn content_type(below: &str, manifest: &ContentManifest) -> String {
    let extension = Path::new(below)
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    if let Some(given) = manifest.content_types.get(extension) {
        return given.clone();
    }
    let guessed = mime_guess::from_ext(extension).first_or_octet_stream();
    let is_text = guessed.type_() == "text"
        || ["javascript", "json", "xml"].contains(&guessed.subtype().as_str());
    if is_text {
        format!("{}; charset=utf-8", guessed.essence_str())
    } else {
        guessed.essence_str().to_owned()
    }
}

fn rules(manifest: &ContentManifest) -> Result<Vec<(GlobMatcher, &str)>, ContentError> {
    manifest
        .cache
        .iter()
        .map(|rule| {
            let pattern = GlobBuilder::new(&rule.pattern)
                .literal_separator(true)
                .build()
                .map_err(|source| ContentError::Pattern {
                    pattern: rule.pattern.clone(),
                    source,
                })?;
            Ok((pattern.compile_matcher(), rule.cache_control.as_str()))
        })
        .collect()
}

fn unreadable(path: &Path, source: io::Error) -> ContentError {
    ContentError::Read {
        path: path.to_path_buf(),
        source,
    }
}
