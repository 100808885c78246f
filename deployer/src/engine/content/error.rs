//! Why a bucket was not filled, and what of it was.

use std::fmt::Write as _;

use crate::aws::AwsError;
use crate::engine::Explained;
use crate::error::Kind;

/// Why a bucket was not filled.
#[derive(Debug, thiserror::Error)]
pub enum FillError {
    /// The stack has no such bucket or distribution.
    #[error("the stack has no resource `{0}`")]
    NoResource(String),
    /// A file can no longer be read.
    #[error("cannot read {}", .path.display())]
    Read {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The run was stopped before it knew what to write.
    #[error("stopped before bucket {0} was compared with its folder")]
    NotBegun(String),
    /// The run was stopped between two objects.
    #[error("{}", stopped(.bucket, *.written, .missing))]
    Stopped {
        /// The bucket.
        bucket: String,
        /// How many objects this run wrote.
        written: usize,
        /// The keys of those that it did not write and should have.
        missing: Vec<String>,
    },
    /// A call failed.
    #[error("cannot fill bucket {bucket}")]
    Aws {
        /// The bucket.
        bucket: String,
        /// Why.
        #[source]
        source: AwsError,
    },
}

impl Explained for FillError {
    fn kind(&self) -> Kind {
        match self {
            Self::NoResource(_) => Kind::Assembly,
            Self::Read { .. } => Kind::Io,
            Self::NotBegun(_) | Self::Stopped { .. } => Kind::Interrupted,
            Self::Aws { source, .. } => source.kind(),
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Aws { source, .. } => source.hints(),
            Self::NoResource(_) | Self::Read { .. } | Self::NotBegun(_) | Self::Stopped { .. } => {
                Vec::new()
            }
        }
    }
}

/// Says what of a folder is in its bucket when a run was stopped.
fn stopped(bucket: &str, written: usize, missing: &[String]) -> String {
    const NAMED: usize = 5;
    let mut names = missing
        .iter()
        .take(NAMED)
        .map(|key| format!("`{key}`"))
        .collect::<Vec<_>>()
        .join(", ");
    if missing.len() > NAMED {
        // Writing to a String cannot fail.
        let _ = write!(names, " and {} more", missing.len() - NAMED);
    }
    let all = written + missing.len();
    format!(
        "stopped after {written} of {all} uploads to bucket {bucket}; not uploaded: {names}; nothing was removed"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_of_many_keys_are_named() {
        let missing: Vec<String> = (1..=7).map(|number| format!("{number}.js")).collect();
        assert_eq!(
            stopped("b", 3, &missing),
            "stopped after 3 of 10 uploads to bucket b; not uploaded: `1.js`, `2.js`, `3.js`, `4.js`, `5.js` and 2 \
             more; nothing was removed"
        );
    }
}
