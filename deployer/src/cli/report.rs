//! Files that a report is written to.

use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A file for a report, whose name says in which form it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportFile {
    path: PathBuf,
    html: bool,
}

/// Why a report is not written to a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` ends neither with .html nor with .md, so nobody knows in which form to write it")]
pub struct ReportFileError(String);

impl ReportFile {
    /// Returns the path, as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns whether it is a page, and not Markdown.
    pub fn is_html(&self) -> bool {
        self.html
    }
}

impl FromStr for ReportFile {
    type Err = ReportFileError;

    fn from_str(text: &str) -> Result<Self, ReportFileError> {
        let path = PathBuf::from(text);
        let ending = path.extension().and_then(|ending| ending.to_str());
        let html = match ending.map(str::to_ascii_lowercase).as_deref() {
            Some("html" | "htm") => true,
            Some("md" | "markdown") => false,
            _ => return Err(ReportFileError(text.to_owned())),
        };
        Ok(Self { path, html })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_the_form() {
        let html = |text: &str| text.parse::<ReportFile>().map(|file| file.is_html());
        assert_eq!(html("out/plan.HTML"), Ok(true));
        assert_eq!(html("plan.md"), Ok(false));
        for text in ["plan", "plan.txt", ".md"] {
            assert_eq!(html(text), Err(ReportFileError(text.to_owned())));
        }
    }
}
