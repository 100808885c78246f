//! The dev loop.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Ui, palette, task};

/// How many changed files are named.
const NAMED: usize = 3;

impl Ui {
    /// Says which files have changed.
    pub fn changed(&self, files: &BTreeSet<PathBuf>, root: &Path) {
        self.labelled("changed", palette::STRONG, &names(files, root));
    }

    /// Says that everything is as the files say, and how long that took.
    pub fn ready(&self, what: &str, took: Duration) {
        self.done("ready", format!("{what} in {}", task::duration(took)));
    }
}

/// Names files: the first few, and how many more there are.
fn names(files: &BTreeSet<PathBuf>, root: &Path) -> String {
    let mut text: Vec<String> = files
        .iter()
        .take(NAMED)
        .map(|file| {
            file.strip_prefix(root)
                .unwrap_or(file)
                .display()
                .to_string()
        })
        .collect();
    let more = files.len().saturating_sub(NAMED);
    if more > 0 {
        text.push(format!("and {more} more"));
    }
    text.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_files_are_named() {
        let told = |files: &[&str]| {
            let files = files.iter().map(PathBuf::from).collect();
            names(&files, Path::new("/w"))
        };
        assert_eq!(told(&["/w/a.rs", "/other/b.rs"]), "/other/b.rs, a.rs");
        let many = ["/w/a", "/w/b", "/w/c", "/w/d", "/w/e"];
        assert_eq!(told(&many), "a, b, c, and 2 more");
    }
}
