//! Builds and packs the functions of an assembly.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use stack_model::assembly::{Architecture, Asset};

use super::cargo::{self, CargoError, Invocation, Progress};
use super::pack::{PackError, Packed, Packing, Store};
use super::sources::Sources;
use crate::engine::{Artifact, MadeFrom};

/// How archives for AWS are packed: what is uploaded and read at a cold start is small. What a binary holds is left to
/// the profile that it is built with.
const FOR_AWS: Packing = Packing {
    level: 9,
    loaded_only: false,
};

/// How archives for the local engine are packed: they never leave this machine, so being quick counts.
const FOR_THIS_MACHINE: Packing = Packing {
    level: 1,
    loaded_only: true,
};

/// The profile that functions for AWS are built with, where the workspace has one of this name.
const PROFILE: &str = "function";

/// Where the functions are to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Platform {
    /// On this machine: a plain build in the dev profile.
    Host,
    /// On AWS Lambda, each for the architecture its asset names.
    Aws {
        /// The `cargo-lambda` program.
        cargo_lambda: PathBuf,
        /// Variables that it needs, such as a `PATH` that leads to its linker.
        environment: Vec<(OsString, OsString)>,
    },
}

/// What to build.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The workspace.
    pub root: &'a Path,
    /// The state directory of the workspace; binaries for AWS and archives are kept there.
    pub state: &'a Path,
    /// The assets to build, by name.
    pub assets: BTreeMap<&'a str, &'a Asset>,
    /// The packages of all assets of the app. Cargo unifies features over the packages that it is given: were these
    /// only those of `assets`, the bytes of a function would depend on what else was selected.
    pub packages: BTreeSet<&'a str>,
    /// Where they are to run.
    pub platform: &'a Platform,
}

/// Why the functions could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Cargo did not build them.
    #[error("the functions do not build")]
    Cargo(#[source] CargoError),
    /// There is no such package in the workspace.
    #[error("the workspace has no package `{package}`")]
    PackageMissing {
        /// The asset that names it.
        asset: String,
        /// The package.
        package: String,
        /// The packages there are.
        packages: Vec<String>,
    },
    /// The package has no such binary.
    #[error("package `{package}` has no binary `{binary}`")]
    BinaryMissing {
        /// The asset that names it.
        asset: String,
        /// The package.
        package: String,
        /// The binary.
        binary: String,
        /// The binaries it has.
        binaries: Vec<String>,
    },
    /// Cargo says it built a binary, and the file is not there.
    #[error("the build left no file {}", .file.display())]
    NoFile {
        /// The file.
        file: PathBuf,
    },
    /// A binary could not be packed.
    #[error(transparent)]
    Pack(PackError),
}

/// Builds the functions with one run of Cargo per architecture, packs those that changed, and returns the artifacts
/// by asset name.
pub async fn functions(
    request: &Request<'_>,
    progress: Progress<'_>,
) -> Result<BTreeMap<String, Artifact>, BuildError> {
    let mut binaries = BTreeMap::new();
    let mut origins = BTreeMap::new();
    match request.platform {
        Platform::Host => {
            let assets: Vec<_> = request
                .assets
                .iter()
                .map(|(name, asset)| (*name, *asset))
                .collect();
            if !assets.is_empty() {
                (binaries, origins) = build(request, &assets, None, progress).await?;
            }
        }
        Platform::Aws { .. } => {
            for architecture in [Architecture::Arm64, Architecture::X86_64] {
                let assets: Vec<_> = request
                    .assets
                    .iter()
                    .filter(|(_, asset)| architecture_of(asset) == architecture)
                    .map(|(name, asset)| (*name, *asset))
                    .collect();
                if !assets.is_empty() {
                    let (files, made) =
                        build(request, &assets, Some(architecture), progress).await?;
                    binaries.extend(files);
                    origins.extend(made);
                }
            }
        }
    }
    let packing = match request.platform {
        Platform::Host => FOR_THIS_MACHINE,
        Platform::Aws { .. } => FOR_AWS,
    };
    let store = request.state.join("artifacts");
    progress("packing");
    let mut artifacts = blocking(move || pack(store, &binaries, packing))
        .await
        .map_err(BuildError::Pack)?;
    for (asset, artifact) in &mut artifacts {
        artifact.made_from = origins.remove(asset).map(Arc::new);
    }
    Ok(artifacts)
}

/// The binaries, and what each was built from, by asset.
type Binaries = (BTreeMap<String, PathBuf>, BTreeMap<String, MadeFrom>);

fn architecture_of(asset: &Asset) -> Architecture {
    let Asset::Function { architecture, .. } = asset;
    *architecture
}

/// Runs work that blocks, and passes a panic of it on.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Builds assets of one architecture and returns the binary of each, with what it was built from where Cargo tells.
async fn build(
    request: &Request<'_>,
    assets: &[(&str, &Asset)],
    architecture: Option<Architecture>,
    progress: Progress<'_>,
) -> Result<Binaries, BuildError> {
    let names: BTreeSet<&str> = assets
        .iter()
        .map(|(_, asset)| {
            let Asset::Function { binary, .. } = asset;
            binary.as_str()
        })
        .collect();
    let invocation = invocation(request, &names, architecture);
    let cargo::Built {
        executables,
        packages,
    } = match cargo::run(&invocation, progress).await {
        Ok(built) => built,
        Err(error) => return Err(explain(request.root, assets, error).await),
    };
    let mut binaries = BTreeMap::new();
    let mut left = Vec::new();
    for (name, asset) in assets {
        let Asset::Function {
            package, binary, ..
        } = asset;
        let built = executables
            .iter()
            .find(|built| built.package == *package && built.binary == *binary);
        let file = match (built, architecture) {
            (Some(built), None) => built.path.clone(),
            // cargo-lambda moves the binary away from where Cargo says it is.
            (Some(_), Some(architecture)) => lambda_directory(request, architecture)
                .join(binary)
                .join("bootstrap"),
            (None, _) => {
                let known = cargo::binaries(request.root).await.unwrap_or_default();
                return Err(missing(&known, name, package, binary));
            }
        };
        if !file.is_file() {
            return Err(BuildError::NoFile { file });
        }
        // What Cargo lists of a binary stays where it built it.
        left.extend(built.map(|built| {
            let path = built.path.clone();
            ((*name).to_owned(), package.clone(), path)
        }));
        binaries.insert((*name).to_owned(), file);
    }
    let root = request.root.to_owned();
    let made = blocking(move || {
        let mut sources = Sources::new(&root, &packages);
        left.into_iter()
            .filter_map(|(asset, package, binary)| Some((asset, sources.of(&package, &binary)?)))
            .collect()
    })
    .await;
    Ok((binaries, made))
}

/// Returns where cargo-lambda puts binaries: one directory per architecture, because it names them by binary alone.
fn lambda_directory(request: &Request<'_>, architecture: Architecture) -> PathBuf {
    request.state.join("functions").join(architecture.name())
}

fn invocation(
    request: &Request<'_>,
    binaries: &BTreeSet<&str>,
    architecture: Option<Architecture>,
) -> Invocation {
    let mut arguments: Vec<OsString> = Vec::new();
    let mut environment = Vec::new();
    let program = match request.platform {
        Platform::Host => {
            arguments.push("build".into());
            cargo::program()
        }
        Platform::Aws {
            cargo_lambda,
            environment: variables,
        } => {
            environment.clone_from(variables);
            // The toolchain has checked the target, with a hint that names the command; cargo-lambda would go and
            // install it unasked.
            let flags = [
                "lambda",
                "build",
                "--skip-target-check",
                "--output-format=binary",
            ];
            arguments.extend(flags.map(OsString::from));
            arguments.push("--profile".into());
            arguments.push(profile(request.root).into());
            let architecture = architecture.unwrap_or_default();
            arguments.push(match architecture {
                Architecture::X86_64 => "--x86-64".into(),
                Architecture::Arm64 => "--arm64".into(),
            });
            arguments.push("--lambda-dir".into());
            arguments.push(lambda_directory(request, architecture).into());
            cargo_lambda.clone()
        }
    };
    for package in &request.packages {
        arguments.push("-p".into());
        arguments.push(package.into());
    }
    for binary in binaries {
        arguments.push("--bin".into());
        arguments.push(binary.into());
    }
    arguments.push("--message-format=json-diagnostic-rendered-ansi".into());
    Invocation {
        program,
        arguments,
        environment,
        directory: request.root.to_owned(),
    }
}

/// Returns the profile for AWS: [`PROFILE`] where the workspace defines it, else `release`.
fn profile(root: &Path) -> &'static str {
    let defined = std::fs::read_to_string(root.join("Cargo.toml"))
        .ok()
        .and_then(|text| text.parse::<toml::Table>().ok())
        .is_some_and(|manifest| {
            manifest
                .get("profile")
                .and_then(|profiles| profiles.get(PROFILE))
                .is_some()
        });
    if defined { PROFILE } else { "release" }
}

/// Turns a failure of Cargo into one about an asset, where a package or binary is missing.
async fn explain(root: &Path, assets: &[(&str, &Asset)], error: CargoError) -> BuildError {
    if matches!(error, CargoError::Failed { .. })
        && let Some(known) = cargo::binaries(root).await
    {
        for (name, asset) in assets {
            let Asset::Function {
                package, binary, ..
            } = asset;
            let there = known
                .iter()
                .any(|(other, binaries)| other == package && binaries.contains(binary));
            if !there {
                return missing(&known, name, package, binary);
            }
        }
    }
    BuildError::Cargo(error)
}

fn missing(
    known: &[(String, Vec<String>)],
    asset: &str,
    package: &str,
    binary: &str,
) -> BuildError {
    match known.iter().find(|(name, _)| name == package) {
        None => BuildError::PackageMissing {
            asset: asset.to_owned(),
            package: package.to_owned(),
            packages: known.iter().map(|(name, _)| name.clone()).collect(),
        },
        Some((_, binaries)) => BuildError::BinaryMissing {
            asset: asset.to_owned(),
            package: package.to_owned(),
            binary: binary.to_owned(),
            binaries: binaries.clone(),
        },
    }
}

/// Packs the binaries, as many at a time as there are processors.
fn pack(
    store: PathBuf,
    binaries: &BTreeMap<String, PathBuf>,
    packing: Packing,
) -> Result<BTreeMap<String, Artifact>, PackError> {
    let mut store = Store::open(store);
    let mut done: BTreeMap<&str, Packed> = BTreeMap::new();
    let mut todo = Vec::new();
    for (asset, binary) in binaries {
        match store.find(binary, packing) {
            Some(packed) => {
                done.insert(asset, packed);
            }
            None => todo.push((asset.as_str(), binary.as_path())),
        }
    }
    if !todo.is_empty() {
        let queue = Mutex::new(todo.iter());
        let results = Mutex::new(Vec::new());
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..workers.min(todo.len()) {
                scope.spawn(|| {
                    loop {
                        let next = lock(&queue).next();
                        let Some((asset, binary)) = next else {
                            return;
                        };
                        let packed = store.pack(asset, binary, packing);
                        lock(&results).push((*asset, *binary, packed));
                    }
                });
            }
        });
        let mut fresh = Vec::new();
        for (asset, binary, packed) in lock(&results).drain(..) {
            let packed = packed?;
            fresh.push((binary.to_owned(), packing, packed.clone()));
            done.insert(asset, packed);
        }
        store.remember(&fresh)?;
    }
    Ok(done
        .into_iter()
        .map(|(asset, packed)| {
            let artifact = Artifact {
                path: store.file(&packed),
                sha256: packed.sha256,
                size: packed.size,
                made_from: None,
            };
            (asset.to_owned(), artifact)
        })
        .collect())
}

/// Locks, going on with the data where another thread panicked: the panic itself is passed on by the scope.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(package: &str, binary: &str, architecture: Architecture) -> Asset {
        Asset::Function {
            package: package.to_owned(),
            binary: binary.to_owned(),
            architecture,
        }
    }

    fn arguments(platform: &Platform, architecture: Option<Architecture>) -> String {
        let root = tempfile::tempdir().expect("a directory");
        let request = Request {
            root: root.path(),
            state: Path::new("/state"),
            assets: BTreeMap::new(),
            packages: BTreeSet::from(["orders", "billing"]),
            platform,
        };
        let binaries = BTreeSet::from(["create", "charge"]);
        let invocation = invocation(&request, &binaries, architecture);
        let texts: Vec<_> = invocation
            .arguments
            .iter()
            .map(|argument| argument.to_string_lossy())
            .collect();
        texts.join(" ")
    }

    #[test]
    fn one_invocation_builds_everything() {
        insta::assert_snapshot!(
            arguments(&Platform::Host, None),
            @"build -p billing -p orders --bin charge --bin create --message-format=json-diagnostic-rendered-ansi"
        );
        let aws = Platform::Aws {
            cargo_lambda: "cargo-lambda".into(),
            environment: Vec::new(),
        };
        insta::assert_snapshot!(
            arguments(&aws, Some(Architecture::X86_64)),
            @"lambda build --skip-target-check --output-format=binary --profile release --x86-64 --lambda-dir /state/functions/x86_64 -p billing -p orders --bin charge --bin create --message-format=json-diagnostic-rendered-ansi"
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        let known = [("orders".to_owned(), vec!["create".to_owned()])];
        let error = missing(&known, "CreateOrder", "orders", "creat");
        assert_eq!(error.to_string(), "package `orders` has no binary `creat`");
        let error = missing(&known, "CreateOrder", "order", "create");
        assert_eq!(error.to_string(), "the workspace has no package `order`");
    }

    #[test]
    fn architectures_are_read_from_the_assets() {
        let asset = function("a", "b", Architecture::X86_64);
        assert_eq!(architecture_of(&asset), Architecture::X86_64);
    }

    #[test]
    fn binaries_are_packed_together_and_once() {
        let directory = tempfile::tempdir().expect("a directory");
        let binaries: BTreeMap<String, PathBuf> = (0..5)
            .map(|number| {
                let file = directory.path().join(format!("binary-{number}"));
                std::fs::write(&file, format!("code {number}")).expect("a file");
                (format!("asset-{number}"), file)
            })
            .collect();
        let store = directory.path().join("store");
        let first = pack(store.clone(), &binaries, FOR_THIS_MACHINE).expect("packs");
        assert_eq!(first.len(), 5);
        let time = |artifact: &Artifact| {
            std::fs::metadata(&artifact.path)
                .and_then(|file| file.modified())
                .expect("is there")
        };
        let before: Vec<_> = first.values().map(time).collect();
        let second = pack(store, &binaries, FOR_THIS_MACHINE).expect("packs");
        assert_eq!(first, second);
        let after: Vec<_> = second.values().map(time).collect();
        assert_eq!(
            before, after,
            "an unchanged binary must not be packed again"
        );
    }
}
