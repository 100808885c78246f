//! What has to be done again because of changed files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Packages;

/// What the watched files belong to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Workspace {
    /// The packages.
    pub(crate) packages: Packages,
    /// The package that holds the stacks.
    pub(crate) stacks: String,
    /// The packages that hold functions.
    pub(crate) functions: BTreeSet<String>,
    /// The files that the stacks were built from the last time, where they were built.
    pub(crate) sources: Option<BTreeSet<PathBuf>>,
    /// The configuration.
    pub(crate) configuration: PathBuf,
    /// The folders that fill buckets.
    pub(crate) contents: BTreeSet<PathBuf>,
}

/// What has to be done again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a reason of its own, and all of them go together"
)]
pub(crate) struct Affected {
    /// What the packages are may have changed.
    pub(crate) manifests: bool,
    /// The stages may have changed.
    pub(crate) configuration: bool,
    /// The stacks may render something else.
    pub(crate) stacks: bool,
    /// A folder that fills a bucket has changed.
    pub(crate) contents: bool,
    /// The packages whose functions may have other code.
    pub(crate) functions: BTreeSet<String>,
}

impl Affected {
    /// Returns whether nothing has to be done.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what something else affects.
    pub(crate) fn add(&mut self, other: Self) {
        self.manifests |= other.manifests;
        self.configuration |= other.configuration;
        self.stacks |= other.stacks;
        self.contents |= other.contents;
        self.functions.extend(other.functions);
    }
}

impl Workspace {
    /// Returns what changed files affect.
    ///
    /// A package affects those that need it. Of the stacks Cargo tells every file that they were built from, so that code
    /// of a function that they do not contain is known not to change them; a build script may read any file, though.
    pub(crate) fn affected(&self, files: &BTreeSet<PathBuf>) -> Affected {
        let mut affected = Affected::default();
        for file in files {
            if *file == self.configuration {
                affected.configuration = true;
                affected.stacks = true;
                continue;
            }
            if self.contents.iter().any(|folder| file.starts_with(folder)) {
                affected.contents = true;
            }
            if is_manifest(file) {
                affected.manifests = true;
                affected.stacks = true;
                affected.functions.extend(self.functions.iter().cloned());
                continue;
            }
            let built_from = self
                .sources
                .as_ref()
                .is_some_and(|sources| sources.contains(file));
            affected.stacks |= built_from;
            let Some(owner) = self.packages.owner(file) else {
                continue;
            };
            for function in &self.functions {
                if self.needs(function, owner) {
                    affected.functions.insert(function.clone());
                }
            }
            let exact = self.sources.is_some() && !self.packages.has_build_script(owner);
            affected.stacks |= !exact && self.needs(&self.stacks, owner);
        }
        affected
    }

    fn needs(&self, package: &str, directory: &Path) -> bool {
        let needed = self
            .packages
            .needed_by(&BTreeSet::from([package.to_owned()]));
        needed.contains(directory)
    }
}

/// Returns whether a file says what is built, and how.
fn is_manifest(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default();
    let names = [
        "Cargo.toml",
        "Cargo.lock",
        "rust-toolchain",
        "rust-toolchain.toml",
    ];
    names.iter().any(|known| name == *known)
        || file
            .parent()
            .is_some_and(|folder| folder.ends_with(".cargo"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(sources: Option<&[&str]>) -> Workspace {
        Workspace {
            packages: Packages::of(&[
                ("stacks", "/w/stacks", &["/w/functions/orders", "/w/model"]),
                ("orders", "/w/functions/orders", &["/w/functions/bindings"]),
                (
                    "billing",
                    "/w/functions/billing",
                    &["/w/functions/bindings", "/w/schema"],
                ),
                ("bindings", "/w/functions/bindings", &[]),
                ("schema!", "/w/schema", &[]),
                ("model", "/w/model", &[]),
                ("tool", "/w/tool", &["/w/model"]),
            ]),
            stacks: "stacks".to_owned(),
            functions: ["billing", "orders"].map(str::to_owned).into(),
            sources: sources.map(|sources| sources.iter().map(PathBuf::from).collect()),
            configuration: "/w/stackctl.toml".into(),
            contents: ["/w/site/dist".into()].into(),
        }
    }

    fn told(workspace: &Workspace, file: &str) -> String {
        let affected = workspace.affected(&[PathBuf::from(file)].into());
        let mut told: Vec<&str> = Vec::new();
        for (is, name) in [
            (affected.manifests, "manifests"),
            (affected.configuration, "configuration"),
            (affected.stacks, "stacks"),
            (affected.contents, "contents"),
        ] {
            if is {
                told.push(name);
            }
        }
        told.extend(affected.functions.iter().map(String::as_str));
        assert_eq!(affected.is_empty(), told.is_empty());
        told.join(" ")
    }

    #[test]
    fn a_package_affects_what_needs_it() {
        let workspace = workspace(None);
        for (file, expected) in [
            ("/w/stacks/src/main.rs", "stacks"),
            ("/w/functions/orders/src/lib.rs", "stacks orders"),
            ("/w/functions/billing/src/lib.rs", "billing"),
            ("/w/functions/bindings/src/lib.rs", "stacks billing orders"),
            ("/w/schema/orders.json", "billing"),
            ("/w/model/src/lib.rs", "stacks"),
            ("/w/tool/src/main.rs", ""),
            ("/w/README.md", ""),
            ("/w/stackctl.toml", "configuration stacks"),
            ("/w/site/dist/index.html", "contents"),
            (
                "/w/functions/orders/Cargo.toml",
                "manifests stacks billing orders",
            ),
            ("/w/Cargo.lock", "manifests stacks billing orders"),
            ("/w/.cargo/config.toml", "manifests stacks billing orders"),
        ] {
            assert_eq!(told(&workspace, file), expected, "{file}");
        }
    }

    #[test]
    fn what_the_stacks_were_built_from_is_known_by_file() {
        let contract = "/w/functions/orders/src/lib.rs";
        let mut workspace = workspace(Some(&["/w/stacks/src/main.rs", contract, "/w/shared.json"]));
        for (file, expected) in [
            ("/w/stacks/src/main.rs", "stacks"),
            ("/w/stacks/tests/golden.rs", ""),
            (contract, "stacks orders"),
            ("/w/functions/orders/src/bin/create.rs", "orders"),
            ("/w/shared.json", "stacks"),
        ] {
            assert_eq!(told(&workspace, file), expected, "{file}");
        }
        workspace.packages = Packages::of(&[("stacks!", "/w/stacks", &[])]);
        assert_eq!(told(&workspace, "/w/stacks/schema.json"), "stacks");
    }

    #[test]
    fn what_was_not_done_is_done_with_the_next_change() {
        let workspace = workspace(None);
        let of = |file: &str| workspace.affected(&[PathBuf::from(file)].into());
        let mut pending = of("/w/functions/billing/src/lib.rs");
        pending.add(of("/w/functions/orders/src/lib.rs"));
        assert!(pending.stacks && !pending.manifests);
        assert_eq!(pending.functions, workspace.functions);
    }
}
