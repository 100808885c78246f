//! What the code of a function was made from, and how that differs between two builds.
//!
//! A package of code tells nothing but that it is another one. So each release keeps beside it which files and which
//! versions of other crates its functions were made from, and the next plan says what of that changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What the code of one function was made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MadeFrom {
    /// The files, by their paths from the root of the workspace, with `/` between the parts.
    pub files: BTreeMap<String, SourceFile>,
    /// The versions of the crates that come from elsewhere, by name. Functions that are built together share them.
    pub dependencies: Arc<BTreeMap<String, String>>,
}

/// One file that code was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// The package that it belongs to.
    pub package: String,
    /// The beginning of the SHA-256 of what is in it, in hexadecimal.
    pub hash: String,
}

/// Because of what the code of a function changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CodeChange {
    /// The files, by path. Where neither a file nor a dependency is another, the compiler, a profile or a feature is.
    pub files: Vec<FileChange>,
    /// The crates that come from elsewhere, by name.
    pub dependencies: Vec<DependencyChange>,
}

/// A file that is another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileChange {
    /// The path from the root of the workspace.
    pub path: String,
    /// The package that it belongs to.
    pub package: String,
    /// What happened to it.
    pub change: Happened,
}

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Happened {
    /// It is new in this function.
    Added,
    /// There is something else in it.
    Changed,
    /// It is no part of this function any more.
    Removed,
}

/// A crate that has another version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DependencyChange {
    /// The crate.
    pub name: String,
    /// Its version before, or several of them; null where it is new.
    pub before: Option<String>,
    /// The same after.
    pub after: Option<String>,
}

/// How many files of one package are told by name.
const NAMED: usize = 3;

/// How many dependencies are told by name.
const DEPENDENCIES: usize = 4;

impl CodeChange {
    /// Compares what two packages of code were made from.
    pub fn between(before: &MadeFrom, after: &MadeFrom) -> Self {
        let paths: BTreeSet<&String> = before.files.keys().chain(after.files.keys()).collect();
        let files = paths.into_iter().filter_map(|path| {
            let (old, new) = (before.files.get(path), after.files.get(path));
            let change = match (old, new) {
                (Some(old), Some(new)) if old.hash == new.hash => return None,
                (Some(_), Some(_)) => Happened::Changed,
                (None, _) => Happened::Added,
                (_, None) => Happened::Removed,
            };
            Some(FileChange {
                path: path.clone(),
                package: new.or(old)?.package.clone(),
                change,
            })
        });
        let (old, new) = (&before.dependencies, &after.dependencies);
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let dependencies = names
            .into_iter()
            .filter(|name| old.get(*name) != new.get(*name));
        Self {
            files: files.collect(),
            dependencies: dependencies
                .map(|name| DependencyChange {
                    name: name.clone(),
                    before: old.get(name).cloned(),
                    after: new.get(name).cloned(),
                })
                .collect(),
        }
    }
}

impl fmt::Display for CodeChange {
    /// Says because of what code changed: `functions/orders/src/accept.rs; crate bindings (5 files); serde 1.0.1 → 1.0.2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut packages: BTreeMap<&str, Vec<&FileChange>> = BTreeMap::new();
        for file in &self.files {
            packages.entry(&file.package).or_default().push(file);
        }
        let mut parts = Vec::new();
        for (package, files) in packages {
            if files.len() > NAMED {
                parts.push(format!("crate {package} ({} files)", files.len()));
                continue;
            }
            parts.extend(files.iter().map(|file| {
                let word = match file.change {
                    Happened::Added => " (new)",
                    Happened::Changed => "",
                    Happened::Removed => " (gone)",
                };
                format!("{}{word}", file.path)
            }));
        }
        for change in self.dependencies.iter().take(DEPENDENCIES) {
            parts.push(match (&change.before, &change.after) {
                (Some(before), Some(after)) => format!("{} {before} → {after}", change.name),
                (None, Some(after)) => format!("{} {after} (new)", change.name),
                _ => format!("{} (gone)", change.name),
            });
        }
        let rest = self.dependencies.len().saturating_sub(DEPENDENCIES);
        if rest > 0 {
            parts.push(format!("{rest} more dependencies"));
        }
        if parts.is_empty() {
            return f.write_str(
                "neither a file nor a dependency: the compiler, a profile or a feature",
            );
        }
        f.write_str(&parts.join("; "))
    }
}

/// What the functions of a stack were made from, as a release keeps it: what they share is there once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptSources {
    /// The files of all functions.
    files: BTreeMap<String, SourceFile>,
    /// Versions of crates, each set once.
    dependencies: Vec<BTreeMap<String, String>>,
    /// The functions, by the SHA-256 of their packages.
    functions: BTreeMap<String, KeptFunction>,
}

/// What one function was made from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct KeptFunction {
    /// The positions of its files among all files.
    files: Vec<usize>,
    /// The position of its dependencies.
    dependencies: usize,
}

impl KeptSources {
    /// Keeps what packages were made from, by their SHA-256.
    pub(super) fn of<'a>(packages: impl IntoIterator<Item = (&'a str, &'a MadeFrom)>) -> Self {
        let packages: BTreeMap<&str, &MadeFrom> = packages.into_iter().collect();
        let mut kept = Self::default();
        for made in packages.values() {
            let files = made.files.iter();
            kept.files
                .extend(files.map(|(path, file)| (path.clone(), file.clone())));
        }
        let positions: BTreeMap<&String, usize> = kept.files.keys().zip(0..).collect();
        let mut functions = BTreeMap::new();
        for (sha256, made) in packages {
            let known = kept.dependencies.iter();
            let position = known
                .zip(0..)
                .find(|(known, _)| **known == *made.dependencies)
                .map(|(_, position)| position);
            let dependencies = position.unwrap_or_else(|| {
                kept.dependencies.push((*made.dependencies).clone());
                kept.dependencies.len() - 1
            });
            let files = made.files.keys().filter_map(|path| positions.get(path));
            let function = KeptFunction {
                files: files.copied().collect(),
                dependencies,
            };
            functions.insert(sha256.to_owned(), function);
        }
        kept.functions = functions;
        kept
    }

    /// Returns whether nothing is kept.
    pub(super) fn is_empty(&self) -> bool {
        self.functions.is_empty()
    }

    /// Returns what a package was made from, by its SHA-256.
    pub(super) fn made_from(&self, sha256: &str) -> Option<MadeFrom> {
        let function = self.functions.get(sha256)?;
        let all: Vec<(&String, &SourceFile)> = self.files.iter().collect();
        let files: Option<BTreeMap<String, SourceFile>> = function
            .files
            .iter()
            .map(|position| {
                let (path, file) = all.get(*position)?;
                Some(((*path).clone(), (*file).clone()))
            })
            .collect();
        Some(MadeFrom {
            files: files?,
            dependencies: Arc::new(self.dependencies.get(function.dependencies)?.clone()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(files: &[(&str, &str, &str)], dependencies: &[(&str, &str)]) -> MadeFrom {
        let files = files.iter().map(|(path, package, hash)| {
            let file = SourceFile {
                package: (*package).to_owned(),
                hash: (*hash).to_owned(),
            };
            ((*path).to_owned(), file)
        });
        let dependencies = dependencies.iter();
        MadeFrom {
            files: files.collect(),
            dependencies: Arc::new(
                dependencies
                    .map(|(name, version)| ((*name).to_owned(), (*version).to_owned()))
                    .collect(),
            ),
        }
    }

    #[test]
    fn a_change_of_code_is_told_by_file_crate_and_dependency() {
        let before = made(
            &[
                ("functions/orders/src/accept.rs", "orders", "1"),
                ("functions/orders/src/lib.rs", "orders", "1"),
                ("functions/bindings/src/a.rs", "bindings", "1"),
                ("functions/bindings/src/b.rs", "bindings", "1"),
                ("functions/bindings/src/c.rs", "bindings", "1"),
            ],
            &[("http", "1.0.0"), ("serde", "1.0.1"), ("ring", "0.17.1")],
        );
        let after = made(
            &[
                ("functions/orders/src/accept.rs", "orders", "2"),
                ("functions/orders/src/lib.rs", "orders", "1"),
                ("functions/bindings/src/a.rs", "bindings", "2"),
                ("functions/bindings/src/b.rs", "bindings", "2"),
                ("functions/bindings/src/c.rs", "bindings", "2"),
                ("functions/bindings/src/d.rs", "bindings", "2"),
            ],
            &[("http", "1.0.0"), ("serde", "1.0.2"), ("sha2", "0.11.0")],
        );
        let change = CodeChange::between(&before, &after);
        assert_eq!(
            change.to_string(),
            "crate bindings (4 files); functions/orders/src/accept.rs; ring (gone); serde 1.0.1 → 1.0.2; sha2 0.11.0 (new)"
        );
        let same = CodeChange::between(&before, &before);
        assert_eq!(same, CodeChange::default());
        assert_eq!(
            same.to_string(),
            "neither a file nor a dependency: the compiler, a profile or a feature"
        );
    }

    #[test]
    fn what_is_kept_is_what_was_known() {
        let shared = [("a/lib.rs", "a", "1"), ("b/lib.rs", "b", "2")];
        let one = made(&shared, &[("serde", "1.0.1")]);
        let other = made(&shared[1..], &[("serde", "1.0.1")]);
        let third = made(&[("c/main.rs", "c", "3")], &[]);
        let kept = KeptSources::of([("x", &one), ("y", &other), ("z", &third)]);
        assert_eq!((kept.files.len(), kept.dependencies.len()), (3, 2));
        let text = serde_json::to_string(&kept).expect("is JSON");
        let read: KeptSources = serde_json::from_str(&text).expect("reads");
        for (sha256, made) in [("x", one), ("y", other), ("z", third)] {
            assert_eq!(read.made_from(sha256), Some(made), "{sha256}");
        }
        assert_eq!(read.made_from("w"), None);
        // Whoever may write into the bucket may write a position that there is not.
        let wrong = r#"{"files": {}, "dependencies": [], "functions": {"x": {"files": [7], "dependencies": 0}}}"#;
        let wrong: KeptSources = serde_json::from_str(wrong).expect("reads");
        assert_eq!(wrong.made_from("x"), None);
    }
}
