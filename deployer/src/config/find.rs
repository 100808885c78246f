//! Finds the configuration and the workspace.

use std::path::{Path, PathBuf};

use super::FILE_NAME;
use crate::error::{Error, Kind, Result};

/// Returns the configuration file in the directory or the nearest ancestor that has one, and its directory.
pub(super) fn config(directory: &Path) -> Result<(PathBuf, PathBuf)> {
    directory
        .ancestors()
        .map(|ancestor| (ancestor.join(FILE_NAME), ancestor.to_owned()))
        .find(|(file, _)| file.is_file())
        .ok_or_else(|| {
            Error::new(
                Kind::Configuration,
                format!(
                    "there is no {FILE_NAME} in {} or above it",
                    directory.display()
                ),
            )
            .hint("change to the workspace, or name the file with `--config FILE`")
        })
}

/// Returns the nearest ancestor, or the directory itself, that holds a Cargo workspace.
pub(super) fn workspace_root(directory: &Path) -> Result<PathBuf> {
    directory
        .ancestors()
        .find(|ancestor| is_workspace(&ancestor.join("Cargo.toml")))
        .map(Path::to_owned)
        .ok_or_else(|| {
            Error::new(
                Kind::Configuration,
                format!(
                    "there is no Cargo workspace in {} or above it",
                    directory.display()
                ),
            )
        })
}

fn is_workspace(manifest: &Path) -> bool {
    std::fs::read_to_string(manifest)
        .ok()
        .and_then(|text| text.parse::<toml::Table>().ok())
        .is_some_and(|table| table.contains_key("workspace"))
}
