//! Which files are watched, and what they look like at a moment.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use super::ignored::Ignored;

/// What is watched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    /// Folders of sources, without what is hidden, built, or left out by `.gitignore`.
    pub(crate) sources: BTreeSet<PathBuf>,
    /// The root of the workspace, whose `.gitignore` holds for all below it.
    pub(crate) root: PathBuf,
    /// Folders whose files are published as they are: everything in them counts.
    pub(crate) contents: BTreeSet<PathBuf>,
    /// Single files, which may not be there.
    pub(crate) files: BTreeSet<PathBuf>,
    /// Folders that are left out, with all that is in them.
    pub(crate) without: BTreeSet<PathBuf>,
}

/// The watched files at a moment.
pub(crate) type Snapshot = BTreeMap<PathBuf, Stamp>;

/// What tells one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    /// A file that was put in the place of another one may be as old and as long.
    inode: u64,
}

impl Scope {
    /// Returns whether a file is among those that are looked at, or would be, were it not left out.
    pub(super) fn covers(&self, file: &Path) -> bool {
        let mut folders = self.sources.iter().chain(&self.contents);
        self.files.contains(file) || folders.any(|folder| file.starts_with(folder))
    }

    /// Looks at all files.
    pub(crate) fn look(&self) -> Snapshot {
        let mut snapshot = Snapshot::new();
        let mut ignored = Ignored::default();
        ignored.enter(&self.root);
        for directory in &self.sources {
            // Files that stand between the root and the folder hold for it too.
            for above in directory.ancestors().skip(1) {
                if above.starts_with(&self.root) {
                    ignored.enter(above);
                }
            }
            self.walk(directory, Some(&mut ignored), &mut snapshot);
        }
        for directory in &self.contents {
            self.walk(directory, None, &mut snapshot);
        }
        for file in &self.files {
            if let Ok(metadata) = fs::metadata(file) {
                snapshot.insert(file.clone(), stamp(&metadata));
            }
        }
        snapshot
    }

    /// Takes the files of a folder and of those in it. What cannot be read is as good as gone: whoever builds says why.
    fn walk(&self, top: &Path, mut ignored: Option<&mut Ignored>, snapshot: &mut Snapshot) {
        let mut rest = vec![top.to_owned()];
        while let Some(directory) = rest.pop() {
            if let Some(ignored) = ignored.as_deref_mut() {
                ignored.enter(&directory);
            }
            for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
                let path = entry.path();
                let Ok(kind) = entry.file_type() else {
                    continue;
                };
                if ignored.is_some() && is_hidden(&path) {
                    continue;
                }
                if kind.is_dir() {
                    let left_out = self.without.contains(&path)
                        || ignored
                            .as_deref()
                            .is_some_and(|ignored| is_cache(&path) || ignored.is(&path, true));
                    if !left_out {
                        rest.push(path);
                    }
                } else if let Ok(metadata) = fs::metadata(&path)
                    && metadata.is_file()
                    && !ignored
                        .as_deref()
                        .is_some_and(|ignored| ignored.is(&path, false))
                {
                    snapshot.insert(path, stamp(&metadata));
                }
            }
        }
    }
}

/// Returns the files that are new, gone or changed.
pub(super) fn difference(before: &Snapshot, after: &Snapshot) -> BTreeSet<PathBuf> {
    let gone = before.keys().filter(|path| !after.contains_key(*path));
    let changed = after
        .iter()
        .filter(|(path, stamp)| before.get(*path) != Some(*stamp))
        .map(|(path, _)| path);
    gone.chain(changed).cloned().collect()
}

/// Returns a path without detours, as compilers write them who take one path from within another.
pub(crate) fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

fn stamp(metadata: &Metadata) -> Stamp {
    Stamp {
        modified: metadata.modified().ok(),
        length: metadata.len(),
        inode: metadata.ino(),
    }
}

/// Returns whether a file is hidden, or what an editor keeps beside the file that is edited.
fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .map(|name| name.to_string_lossy())
        .is_some_and(|name| name.starts_with('.') || name.ends_with('~'))
}

/// Returns whether a folder says of itself that it holds nothing of worth, as that of Cargo does.
///
/// See <https://bford.info/cachedir/>.
fn is_cache(directory: &Path) -> bool {
    directory.join("CACHEDIR.TAG").is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new(files: &[&str]) -> Self {
            let folder = Self(tempfile::tempdir().expect("a directory"));
            for file in files {
                folder.write(file, "");
            }
            folder
        }

        fn write(&self, file: &str, text: &str) {
            let path = self.path(file);
            fs::create_dir_all(path.parent().expect("has one")).expect("is made");
            fs::write(path, text).expect("is written");
        }

        fn path(&self, file: &str) -> PathBuf {
            self.0.path().join(file)
        }

        fn scope(&self, sources: &[&str]) -> Scope {
            Scope {
                sources: sources.iter().map(|folder| self.path(folder)).collect(),
                root: self.0.path().to_owned(),
                ..Scope::default()
            }
        }

        fn seen(&self, scope: &Scope) -> Vec<String> {
            self.names(scope.look().keys())
        }

        fn names<'a>(&self, paths: impl IntoIterator<Item = &'a PathBuf>) -> Vec<String> {
            let names = paths.into_iter().map(|path| {
                let name = path.strip_prefix(self.0.path()).expect("is inside");
                name.to_string_lossy().into_owned()
            });
            names.collect()
        }
    }

    #[test]
    fn sources_are_seen_and_what_is_built_or_hidden_is_not() {
        let folder = Folder::new(&[
            "orders/src/lib.rs",
            "orders/src/.lib.rs.swp",
            "orders/src/lib.rs~",
            "orders/.idea/x",
            "orders/generated/x.rs",
            "orders/generated/kept.rs",
            "orders/target/debug/x",
            "orders/out/x",
            "orders/other/src/lib.rs",
            "orders/notes.log",
            "billing/src/lib.rs",
        ]);
        folder.write("orders/out/CACHEDIR.TAG", "");
        folder.write(".gitignore", "target/\n*.log\n");
        folder.write("orders/.gitignore", "/generated/*\n!/generated/kept.rs\n");
        let mut scope = folder.scope(&["orders"]);
        scope.without.insert(folder.path("orders/other"));
        assert_eq!(
            folder.seen(&scope),
            ["orders/generated/kept.rs", "orders/src/lib.rs"]
        );
    }

    /// What is published is often what a program of another ecosystem has built, which git does not know.
    #[test]
    fn contents_are_seen_whole() {
        let folder = Folder::new(&["site/dist/index.html", "site/dist/.well-known/x"]);
        folder.write(".gitignore", "dist\n");
        let mut scope = folder.scope(&["site"]);
        assert!(folder.seen(&scope).is_empty());
        scope.contents.insert(folder.path("site/dist"));
        assert_eq!(
            folder.seen(&scope),
            ["site/dist/.well-known/x", "site/dist/index.html"]
        );
    }

    #[test]
    fn detours_are_no_part_of_a_path() {
        let path = plain(Path::new("/w/stacks/src/../../schema/./orders.json"));
        assert_eq!(path, Path::new("/w/schema/orders.json"));
    }

    #[test]
    fn what_changed_is_told_by_file() {
        let folder = Folder::new(&[
            "a/src/same.rs",
            "a/src/longer.rs",
            "a/src/gone.rs",
            "a/src/other.rs",
        ]);
        let mut scope = folder.scope(&["a"]);
        scope.files.insert(folder.path("stackctl.toml"));
        let before = scope.look();
        assert!(difference(&before, &scope.look()).is_empty());
        folder.write("a/src/longer.rs", "fn f() {}");
        folder.write("a/src/new/mod.rs", "");
        folder.write("stackctl.toml", "");
        fs::remove_file(folder.path("a/src/gone.rs")).expect("is removed");
        // As old and as long as what it replaces: an archive that was unpacked, a file that was moved.
        let old = fs::metadata(folder.path("a/src/other.rs")).and_then(|file| file.modified());
        folder.write("a/replacement", "");
        let replacement = fs::File::options()
            .write(true)
            .open(folder.path("a/replacement"));
        let replacement = replacement.expect("is opened");
        replacement
            .set_modified(old.expect("has a time"))
            .expect("is set");
        fs::rename(folder.path("a/replacement"), folder.path("a/src/other.rs")).expect("is moved");
        let changed = difference(&before, &scope.look());
        assert_eq!(
            folder.names(&changed),
            [
                "a/src/gone.rs",
                "a/src/longer.rs",
                "a/src/new/mod.rs",
                "a/src/other.rs",
                "stackctl.toml"
            ]
        );
    }
}
