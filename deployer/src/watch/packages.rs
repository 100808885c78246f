//! Which packages of the workspace need which.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use tokio::process::Command;

use crate::build::cargo;

/// The packages whose sources can be changed: those of the workspace, and those that they take from paths outside of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Packages {
    /// By directory.
    packages: BTreeMap<PathBuf, Package>,
    /// Where Cargo builds.
    target: PathBuf,
}

/// One package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Package {
    name: String,
    /// The directories of the packages that it is built from.
    needs: BTreeSet<PathBuf>,
    /// Whether a program of its own runs when it is built, which may read any file.
    has_build_script: bool,
}

/// Why the packages are not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PackagesError {
    /// Cargo could not be run.
    #[error("cannot run cargo")]
    Run(#[source] std::io::Error),
    /// Cargo cannot read the workspace.
    #[error("{0}")]
    Cargo(String),
    /// Cargo says something else than what is documented.
    #[error("cannot read what cargo tells of the workspace")]
    Answer(#[source] serde_json::Error),
}

/// What `cargo metadata` tells.
///
/// See <https://doc.rust-lang.org/cargo/commands/cargo-metadata.html#json-format>.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<MetadataPackage>,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct MetadataPackage {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Dependency {
    kind: Option<String>,
    path: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
}

impl Packages {
    /// Asks Cargo for the packages of a workspace. This resolves no versions, so it is quick and needs no network.
    pub(crate) async fn read(root: &Path) -> Result<Self, PackagesError> {
        let mut packages = Self::default();
        packages.target = packages.add(&root.join("Cargo.toml")).await?;
        // What lies outside belongs to other workspaces, which are asked one after the other.
        let mut asked = BTreeSet::new();
        while let Some(directory) = packages.unknown(&asked) {
            // One that cannot be read does not build either, which says more about it.
            let _ = packages.add(&directory.join("Cargo.toml")).await;
            asked.insert(directory);
        }
        Ok(packages)
    }

    async fn add(&mut self, manifest: &Path) -> Result<PathBuf, PackagesError> {
        let output = Command::new(cargo::program())
            .args(["metadata", "--no-deps", "--format-version=1"])
            .arg("--manifest-path")
            .arg(manifest)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(PackagesError::Run)?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = said.trim();
            let said = said.strip_prefix("error: ").unwrap_or(said);
            return Err(PackagesError::Cargo(said.to_owned()));
        }
        let metadata: Metadata =
            serde_json::from_slice(&output.stdout).map_err(PackagesError::Answer)?;
        Ok(self.take(metadata))
    }

    fn take(&mut self, metadata: Metadata) -> PathBuf {
        for package in metadata.packages {
            let Some(directory) = package.manifest_path.parent() else {
                continue;
            };
            let needs = package.dependencies.into_iter();
            let needs = needs.filter(|dependency| dependency.kind.as_deref() != Some("dev"));
            let of_kind = |kind: &str| {
                let mut kinds = package.targets.iter().flat_map(|target| &target.kind);
                kinds.any(|found| found == kind)
            };
            self.packages.insert(
                directory.to_owned(),
                Package {
                    has_build_script: of_kind("custom-build"),
                    name: package.name,
                    needs: needs.filter_map(|dependency| dependency.path).collect(),
                },
            );
        }
        metadata.target_directory
    }

    /// Returns a directory that a package needs and that nothing is known of.
    fn unknown(&self, asked: &BTreeSet<PathBuf>) -> Option<PathBuf> {
        let needed = self.packages.values().flat_map(|package| &package.needs);
        let mut unknown = needed
            .filter(|directory| !self.packages.contains_key(*directory))
            .filter(|directory| !asked.contains(*directory));
        unknown.next().cloned()
    }

    /// Returns where Cargo builds.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Returns the directories of all packages.
    pub(crate) fn directories(&self) -> impl Iterator<Item = &PathBuf> {
        self.packages.keys()
    }

    /// Returns the directories of packages and of all that they need.
    pub(crate) fn needed_by(&self, names: &BTreeSet<String>) -> BTreeSet<PathBuf> {
        let mut needed: BTreeSet<PathBuf> = self
            .packages
            .iter()
            .filter(|(_, package)| names.contains(&package.name))
            .map(|(directory, _)| directory.clone())
            .collect();
        let mut rest: Vec<PathBuf> = needed.iter().cloned().collect();
        while let Some(directory) = rest.pop() {
            let Some(package) = self.packages.get(&directory) else {
                continue;
            };
            for other in &package.needs {
                if needed.insert(other.clone()) {
                    rest.push(other.clone());
                }
            }
        }
        needed
    }

    /// Returns the directory of the package that a file belongs to: the nearest one.
    pub(crate) fn owner(&self, file: &Path) -> Option<&Path> {
        file.ancestors()
            .find_map(|directory| self.packages.get_key_value(directory))
            .map(|(directory, _)| directory.as_path())
    }

    /// Returns whether a package has a build script.
    pub(crate) fn has_build_script(&self, directory: &Path) -> bool {
        let package = self.packages.get(directory);
        package.is_some_and(|package| package.has_build_script)
    }
}

#[cfg(test)]
impl Packages {
    /// Makes packages from names, directories and the directories that they need; a `!` behind a name stands for a build
    /// script.
    pub(super) fn of(packages: &[(&str, &str, &[&str])]) -> Self {
        let packages = packages.iter().map(|(name, directory, needs)| {
            let package = Package {
                name: name.trim_end_matches('!').to_owned(),
                needs: needs.iter().map(PathBuf::from).collect(),
                has_build_script: name.ends_with('!'),
            };
            (PathBuf::from(directory), package)
        });
        Self {
            packages: packages.collect(),
            target: "/w/target".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The workspace that these tests belong to is a graph that Cargo itself tells.
    #[tokio::test]
    async fn cargo_is_asked_for_packages_and_what_they_need() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("is in a workspace");
        let packages = Packages::read(root).await.expect("cargo answers");
        let needed = packages.needed_by(&BTreeSet::from(["stacks".to_owned()]));
        for part in [
            "stacks",
            "functions/orders",
            "functions/bindings/derive",
            "stack-model/cfn",
        ] {
            assert!(needed.contains(&root.join(part)), "{part} in {needed:?}");
        }
        assert!(!needed.contains(&root.join("deployer")), "{needed:?}");
        let file = root.join("functions/bindings/derive/src/lib.rs");
        let owner = root.join("functions/bindings/derive");
        assert_eq!(packages.owner(&file), Some(&*owner));
    }

    #[tokio::test]
    async fn packages_outside_of_the_workspace_are_found() {
        let directory = tempfile::tempdir().expect("a directory");
        let write = |path: &str, text: &str| {
            let path = directory.path().join(path);
            let parent = path.parent().expect("has one");
            std::fs::create_dir_all(parent).expect("is made");
            std::fs::write(path, text).expect("is written");
        };
        let package = |name: &str, dependencies: &str| {
            format!("[package]\nname = \"{name}\"\nedition = \"2024\"\n\n{dependencies}")
        };
        write("own/Cargo.toml", "[workspace]\nmembers = [\"app\"]\n");
        let needs = "[dependencies]\nlibrary = { path = \"../../other/library\" }\n\n\
                     [dev-dependencies]\ntesting = { path = \"../../other/testing\" }\n";
        write("own/app/Cargo.toml", &package("app", needs));
        write("own/app/src/main.rs", "fn main() {}");
        let members = "[workspace]\nmembers = [\"library\", \"part\", \"testing\"]\n";
        write("other/Cargo.toml", members);
        let needs = "[build-dependencies]\npart = { path = \"../part\" }\n";
        write("other/library/Cargo.toml", &package("library", needs));
        write("other/library/build.rs", "fn main() {}");
        for name in ["library", "part", "testing"] {
            if name != "library" {
                write(&format!("other/{name}/Cargo.toml"), &package(name, ""));
            }
            write(&format!("other/{name}/src/lib.rs"), "");
        }
        let root = directory.path().canonicalize().expect("is there");
        let packages = Packages::read(&root.join("own")).await.expect("is read");
        let needed = packages.needed_by(&BTreeSet::from(["app".to_owned()]));
        let expected = ["other/library", "other/part", "own/app"].map(|part| root.join(part));
        assert_eq!(needed.into_iter().collect::<Vec<_>>(), expected);
        assert!(packages.has_build_script(&root.join("other/library")));
    }

    #[tokio::test]
    async fn a_workspace_that_cannot_be_read_says_why() {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("Cargo.toml"), "[workspace").expect("is written");
        let error = Packages::read(directory.path())
            .await
            .expect_err("is wrong");
        let text = error.to_string();
        assert!(text.contains("Cargo.toml"), "{text}");
        assert!(!text.starts_with("error:"), "{text}");
    }
}
