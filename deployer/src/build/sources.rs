//! Finds what a binary was built from.
//!
//! Cargo lists beside a binary every file of the workspace, and of path dependencies outside of it, that it was built from
//! (<https://doc.rust-lang.org/cargo/reference/build-cache.html#dep-info-files>). Of the crates from elsewhere, `Cargo.lock`
//! names which needs which, and the messages of the build name those that were built for it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::engine::{MadeFrom, SourceFile};
use crate::text::hex;

/// How many bytes of a hash are kept: enough that nobody mistakes one change for none.
const HASH: usize = 8;

/// The name and the version of a package.
pub(super) type Versioned = (String, String);

/// Finds what binaries were built from. What was read once is not read again.
#[derive(Debug)]
pub(super) struct Sources<'a> {
    root: &'a Path,
    lock: Lock,
    /// The packages that were built.
    built: &'a BTreeSet<Versioned>,
    files: BTreeMap<PathBuf, Option<SourceFile>>,
    names: BTreeMap<PathBuf, Option<String>>,
    dependencies: BTreeMap<String, Arc<BTreeMap<String, String>>>,
}

impl<'a> Sources<'a> {
    pub(super) fn new(root: &'a Path, built: &'a BTreeSet<Versioned>) -> Self {
        Self {
            root,
            lock: Lock::read(root),
            built,
            files: BTreeMap::new(),
            names: BTreeMap::new(),
            dependencies: BTreeMap::new(),
        }
    }

    /// Returns what a binary of a package was built from, which Cargo left at `binary`; nothing, where Cargo left no list
    /// beside it.
    pub(super) fn of(&mut self, package: &str, binary: &Path) -> Option<MadeFrom> {
        let list = std::fs::read_to_string(binary.with_extension("d")).ok()?;
        let files: BTreeMap<String, SourceFile> = listed(&list)
            .into_iter()
            .filter_map(|path| {
                let file = self.file(&path)?;
                Some((relative(self.root, &path), file))
            })
            .collect();
        (!files.is_empty()).then(|| MadeFrom {
            files,
            dependencies: self.dependencies(package),
        })
    }

    /// Reads a file; nothing, where it belongs to no package, such as one that a build script wrote.
    fn file(&mut self, path: &Path) -> Option<SourceFile> {
        if let Some(known) = self.files.get(path) {
            return known.clone();
        }
        let file = self.package(path.parent()?).and_then(|package| {
            let hash = Sha256::digest(std::fs::read(path).ok()?);
            Some(SourceFile {
                package,
                hash: hex(hash.get(..HASH)?),
            })
        });
        self.files.insert(path.to_owned(), file.clone());
        file
    }

    /// Returns the package that a folder belongs to: the nearest one.
    fn package(&mut self, folder: &Path) -> Option<String> {
        if let Some(known) = self.names.get(folder) {
            return known.clone();
        }
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).ok();
        let own = manifest
            .and_then(|text| text.parse::<toml::Table>().ok())
            .and_then(|manifest| Some(manifest.get("package")?.get("name")?.as_str()?.to_owned()));
        // What is built is below the workspace, which may be a package, and belongs to none.
        let is_target = folder.join("CACHEDIR.TAG").is_file();
        let package = match own {
            Some(own) => Some(own),
            None if is_target => None,
            None => folder.parent().and_then(|outer| self.package(outer)),
        };
        self.names.insert(folder.to_owned(), package.clone());
        package
    }

    fn dependencies(&mut self, package: &str) -> Arc<BTreeMap<String, String>> {
        if let Some(known) = self.dependencies.get(package) {
            return Arc::clone(known);
        }
        let found = Arc::new(self.lock.needed_by(package, self.built));
        self.dependencies
            .insert(package.to_owned(), Arc::clone(&found));
        found
    }
}

/// Returns the files in a list of Cargo's: those of its first rule.
pub(crate) fn listed(list: &str) -> Vec<PathBuf> {
    let files = list.split_once(": ").map_or("", |(_, files)| files);
    let files = files.lines().next().unwrap_or_default();
    // A blank that belongs to a name stands behind a backslash.
    let files = files.replace("\\ ", "\0");
    files
        .split_whitespace()
        .map(|file| PathBuf::from(file.replace('\0', " ")))
        .collect()
}

/// Writes a path from the root of the workspace on: the same on every machine.
fn relative(root: &Path, path: &Path) -> String {
    let mut up = 0;
    let mut outer = Some(root);
    while let Some(folder) = outer {
        if let Ok(rest) = path.strip_prefix(folder) {
            let parts = rest.components().filter_map(|part| match part {
                Component::Normal(part) => Some(part.to_string_lossy().into_owned()),
                _ => None,
            });
            let parts: Vec<String> = std::iter::repeat_n("..".to_owned(), up)
                .chain(parts)
                .collect();
            return parts.join("/");
        }
        up += 1;
        outer = folder.parent();
    }
    path.to_string_lossy().into_owned()
}

/// What `Cargo.lock` says of packages.
#[derive(Debug, Default)]
struct Lock {
    /// What each package needs. A version stands behind the name where there are several.
    packages: BTreeMap<Versioned, Vec<String>>,
    /// Those that come from elsewhere.
    foreign: BTreeSet<Versioned>,
}

impl Lock {
    fn read(root: &Path) -> Self {
        let text = std::fs::read_to_string(root.join("Cargo.lock")).unwrap_or_default();
        Self::parse(&text).unwrap_or_default()
    }

    fn parse(text: &str) -> Option<Self> {
        let table = text.parse::<toml::Table>().ok()?;
        let mut lock = Self::default();
        for package in table.get("package")?.as_array()? {
            let text = |key: &str| Some(package.get(key)?.as_str()?.to_owned());
            let (Some(name), Some(version)) = (text("name"), text("version")) else {
                continue;
            };
            let needs = package.get("dependencies").and_then(toml::Value::as_array);
            let needs = needs.into_iter().flatten().filter_map(toml::Value::as_str);
            let versioned = (name, version);
            if text("source").is_some() {
                lock.foreign.insert(versioned.clone());
            }
            let needs = needs.map(str::to_owned).collect();
            lock.packages.insert(versioned, needs);
        }
        Some(lock)
    }

    /// Returns the versions of the crates from elsewhere that a package needs and that were built: a target of another
    /// system, a feature that is off and a test need more.
    fn needed_by(&self, package: &str, built: &BTreeSet<Versioned>) -> BTreeMap<String, String> {
        let mut by_name: BTreeMap<&str, Vec<&Versioned>> = BTreeMap::new();
        for versioned in self.packages.keys() {
            by_name.entry(&versioned.0).or_default().push(versioned);
        }
        let mut todo: Vec<&Versioned> = by_name.get(package).cloned().unwrap_or_default();
        let mut seen: BTreeSet<&Versioned> = BTreeSet::new();
        while let Some(next) = todo.pop() {
            if !built.contains(next) || !seen.insert(next) {
                continue;
            }
            for need in self.packages.get(next).into_iter().flatten() {
                let mut words = need.split(' ');
                let (name, version) = (words.next().unwrap_or_default(), words.next());
                let named = by_name.get(name).into_iter().flatten();
                todo.extend(named.filter(|known| version.is_none_or(|it| it == known.1)));
            }
        }
        let mut versions: BTreeMap<String, String> = BTreeMap::new();
        for versioned in seen {
            if self.foreign.contains(versioned) {
                let (name, version) = versioned;
                versions
                    .entry(name.clone())
                    .and_modify(|known| {
                        known.push_str(", ");
                        known.push_str(version);
                    })
                    .or_insert_with(|| version.clone());
            }
        }
        versions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"
        version = 4
        [[package]]
        name = "orders"
        version = "0.1.0"
        dependencies = ["bindings", "serde", "syn 2.0.1", "windows-sys"]
        [[package]]
        name = "bindings"
        version = "0.1.0"
        dependencies = ["http"]
        [[package]]
        name = "http"
        version = "1.0.0"
        source = "registry+https://github.com/rust-lang/crates.io-index"
        dependencies = ["syn 3.0.0"]
        [[package]]
        name = "serde"
        version = "1.0.1"
        source = "registry+https://github.com/rust-lang/crates.io-index"
        [[package]]
        name = "syn"
        version = "2.0.1"
        source = "registry+https://github.com/rust-lang/crates.io-index"
        [[package]]
        name = "syn"
        version = "3.0.0"
        source = "registry+https://github.com/rust-lang/crates.io-index"
        [[package]]
        name = "windows-sys"
        version = "0.60.0"
        source = "registry+https://github.com/rust-lang/crates.io-index"
        [[package]]
        name = "other"
        version = "2.0.0"
        source = "registry+https://github.com/rust-lang/crates.io-index"
    "#;

    fn built(names: &[&str]) -> BTreeSet<Versioned> {
        let versioned = names.iter().filter_map(|name| name.split_once(' '));
        versioned
            .map(|(name, version)| (name.to_owned(), version.to_owned()))
            .collect()
    }

    #[test]
    fn dependencies_are_those_that_were_built_for_a_package() {
        let lock = Lock::parse(LOCK).expect("is a lock file");
        let mut all = built(&[
            "orders 0.1.0",
            "bindings 0.1.0",
            "http 1.0.0",
            "serde 1.0.1",
            "syn 2.0.1",
            "syn 3.0.0",
            "other 2.0.0",
        ]);
        let found = lock.needed_by("orders", &all);
        let found: Vec<String> = found
            .into_iter()
            .map(|(name, version)| format!("{name} {version}"))
            .collect();
        assert_eq!(found, ["http 1.0.0", "serde 1.0.1", "syn 2.0.1, 3.0.0"]);
        all.remove(&("http".to_owned(), "1.0.0".to_owned()));
        let found = lock.needed_by("orders", &all);
        assert_eq!(found.get("syn").map(String::as_str), Some("2.0.1"));
        assert_eq!(lock.needed_by("absent", &all), BTreeMap::new());
    }

    #[test]
    fn files_are_read_where_cargo_lists_them() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path().join("own");
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().expect("has one")).expect("is made");
            std::fs::write(&path, text).expect("is written");
            path
        };
        write("Cargo.toml", "[workspace]\n[package]\nname = \"own\"\n");
        write("Cargo.lock", LOCK);
        write("orders/Cargo.toml", "[package]\nname = \"orders\"\n");
        write("../library/Cargo.toml", "[package]\nname = \"library\"\n");
        write("target/CACHEDIR.TAG", "");
        let files = [
            write("orders/src/a b.rs", "one"),
            write("../library/src/lib.rs", "two"),
            write("target/debug/build/out/made.rs", "three"),
            root.join("orders/src/gone.rs"),
        ];
        let library = directory.path().join("library/src/lib.rs");
        let files: Vec<String> = files
            .iter()
            .map(|file| {
                if file.ends_with("lib.rs") {
                    &library
                } else {
                    file
                }
            })
            .map(|file| file.to_string_lossy().replace(' ', "\\ "))
            .collect();
        let binary = write("target/debug/accept", "");
        let list = format!("{}: {}\n", binary.display(), files.join(" "));
        write("target/debug/accept.d", &list);
        let built = built(&["orders 0.1.0", "serde 1.0.1"]);
        let mut sources = Sources::new(&root, &built);
        let made = sources.of("orders", &binary).expect("cargo left a list");
        let told: Vec<(&str, &str, &str)> = made
            .files
            .iter()
            .map(|(path, file)| (path.as_str(), file.package.as_str(), file.hash.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("../library/src/lib.rs", "library", "3fc4ccfe745870e2"),
                ("orders/src/a b.rs", "orders", "7692c3ad3540bb80"),
            ]
        );
        assert_eq!(made.dependencies.len(), 1);
        assert_eq!(sources.of("orders", &root.join("target/debug/other")), None);
    }
}
