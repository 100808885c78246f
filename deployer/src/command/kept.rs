//! The assembly of the last synth of a stage, kept for whoever looks at what is deployed.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use stack_model::assembly::SynthRequest;

use super::lock;
use crate::assembly::{self, Assembly, Rendered};
use crate::config::Project;
use crate::error::{Error, Kind, Result};
use crate::text::hex;

/// The file whose time is that of the last synth; it says what that was made from.
const SINCE: &str = "since";

/// The assembly of the last synth.
pub(super) struct Kept {
    /// The assembly.
    pub(super) assembly: Assembly,
    /// When it was rendered.
    since: Option<SystemTime>,
    origin: Origin,
}

/// What an assembly was made from.
#[derive(Debug, Default, Deserialize, Serialize)]
struct Origin {
    /// The hash of the request: variables that the command line gave may be nobody else's business.
    request: String,
    /// The sources of the stacks.
    sources: Vec<PathBuf>,
}

/// Keeps an assembly under a key. It holds what is in the source, and no secrets; still it is nobody else's.
pub(super) fn keep(
    project: &Project,
    key: &str,
    request: &SynthRequest,
    rendered: &Rendered,
) -> Result<()> {
    let directory = directory(project, key);
    let failed = |what: &str, error: std::io::Error| {
        Error::new(Kind::Io, format!("cannot {what} {}", directory.display())).caused_by(&error)
    };
    lock::make_private(&directory).map_err(|error| failed("make", error))?;
    assembly::write(&rendered.assembly, &directory, false)?;
    let origin = Origin {
        request: fingerprint(request),
        sources: rendered.sources.clone(),
    };
    let text = serde_json::to_vec(&origin).map_err(|error| failed("write to", error.into()))?;
    // Its time is that of the synth: files of the assembly that did not change keep theirs.
    std::fs::write(directory.join(SINCE), text).map_err(|error| failed("write to", error))
}

/// Returns the assembly that was kept last under a key, where there is one that can be read.
pub(super) fn last(project: &Project, key: &str) -> Option<Kept> {
    let directory = directory(project, key);
    let assembly = Assembly::read(&directory).ok()?;
    let file = directory.join(SINCE);
    let origin = std::fs::read(&file)
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default();
    Some(Kept {
        assembly,
        since: changed(&file),
        origin,
    })
}

impl Kept {
    /// Returns whether the same was asked for.
    pub(super) fn is_of(&self, request: &SynthRequest) -> bool {
        self.origin.request == fingerprint(request)
    }

    /// Returns the sources of the stacks.
    pub(super) fn sources(&self) -> &[PathBuf] {
        &self.origin.sources
    }

    /// Returns a source that is newer than the assembly, or gone; nothing, where all are as they were.
    pub(super) fn outdated_by<'a>(&'a self, project: &'a Project) -> Option<&'a Path> {
        let since = self.since?;
        let sources = self.origin.sources.iter().chain([&project.file]);
        let newer =
            |file: &&PathBuf| changed(&project.root.join(file)).is_none_or(|time| time > since);
        let found = sources.into_iter().find(newer)?;
        Some(found.strip_prefix(&project.root).unwrap_or(found))
    }

    /// Returns whether it is known that no source changed since.
    pub(super) fn is_current(&self, project: &Project) -> bool {
        self.since.is_some()
            && !self.origin.sources.is_empty()
            && self.outdated_by(project).is_none()
    }

    /// Writes when it was rendered, as the rest of a sentence: `, of 2026-01-02 03:04:05 UTC`.
    pub(super) fn time(&self) -> String {
        self.since
            .and_then(|time| jiff::Timestamp::try_from(time).ok())
            .map(|time| format!(", of {}", time.strftime("%Y-%m-%d %H:%M:%S UTC")))
            .unwrap_or_default()
    }
}

/// Returns where the assembly of the last synth is kept under a key: that of a stage in one of its environments.
fn directory(project: &Project, key: &str) -> PathBuf {
    project.state_dir.join("assemblies").join(key)
}

fn changed(file: &Path) -> Option<SystemTime> {
    std::fs::metadata(file)
        .and_then(|file| file.modified())
        .ok()
}

fn fingerprint(request: &SynthRequest) -> String {
    // Plain data; where it could not be written, the synth could not be asked for it either.
    let text = serde_json::to_vec(request).unwrap_or_default();
    hex(&Sha256::digest(&text))
}
