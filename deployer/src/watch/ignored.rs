//! What the `.gitignore` files of the watched folders leave out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ignore::Match;
use ignore::gitignore::Gitignore;

/// The `.gitignore` files that were met, by their directory.
#[derive(Debug, Default)]
pub(super) struct Ignored {
    files: BTreeMap<PathBuf, Option<Gitignore>>,
}

impl Ignored {
    /// Reads the file of a directory.
    pub(super) fn enter(&mut self, directory: &Path) {
        self.files.entry(directory.to_owned()).or_insert_with(|| {
            let file = directory.join(".gitignore");
            // A pattern that cannot be read leaves nothing out, as with git.
            file.is_file().then(|| Gitignore::new(file).0)
        });
    }

    /// Returns whether a path below directories that were entered is left out: the nearest file that speaks of it decides.
    pub(super) fn is(&self, path: &Path, is_directory: bool) -> bool {
        for directory in path.ancestors().skip(1) {
            let Some(Some(file)) = self.files.get(directory) else {
                continue;
            };
            match file.matched_path_or_any_parents(path, is_directory) {
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
                Match::None => {}
            }
        }
        false
    }
}
