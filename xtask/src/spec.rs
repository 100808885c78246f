//! `cargo xtask spec`: from the registry's schemas to the distilled facts.

mod distil;
// The format belongs to the crate that reads it; including its one file keeps the writer and the reader one.
#[expect(
    dead_code,
    reason = "a part of the reader is for the facts at run time only"
)]
#[path = "../../stack-model/cfn/src/facts/spec.rs"]
mod format;
pub(crate) mod patch;
mod permissions;
mod wheel;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use format::TypeSpec;

/// The files of the specification, and the manifest whose features follow from them.
const CRATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../stack-model/cfn");

/// What deploys need to be allowed, which the model computes rights from.
const PERMISSIONS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../stack-model/src/codebuild/deploy/permissions.txt"
);

/// What all files together may weigh.
const MAX_BYTES: usize = 6_000_000;

/// What to do with the facts.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Changes nothing and fails unless the committed files are what the pinned wheel yields.
    #[arg(long)]
    check: bool,
    /// Reads this wheel of cfn-lint instead of downloading the pinned one.
    #[arg(long, value_name = "FILE")]
    wheel: Option<PathBuf>,
}

/// Why the facts could not be refreshed or checked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot read the wheel")]
    Wheel(#[from] wheel::Error),
    #[error("cannot patch the schemas")]
    Patch(#[from] patch::Error),
    #[error("cannot distil `{resource_type}`: {problem}")]
    Distil {
        resource_type: String,
        problem: String,
    },
    #[error("these pointers of the registry lead to no property, mend them with a patch: {}", .0.join(", "))]
    Paths(Vec<String>),
    #[error("cannot use `{path}`")]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("`{0}` has no lines that begin and end the generated features")]
    Markers(PathBuf),
    #[error("the facts weigh {0} bytes, more than the {MAX_BYTES} that the repository allows them")]
    TooBig(usize),
    #[error("{} of the committed files are not current, run `cargo xtask spec`: {}", .0.len(), .0.join(", "))]
    Stale(Vec<String>),
}

/// Refreshes or checks the facts, and says what it did.
pub(crate) fn run(args: &Args) -> Result<String, Error> {
    let crate_dir = Path::new(CRATE);
    let spec_dir = crate_dir.join("spec");
    let wheel::Wheel {
        mut schemas,
        actions,
    } = wheel::read(&spec_dir, args.wheel.as_deref())?;
    let patches = patch::read(&spec_dir.join("patches"))?;
    patch::apply(&patches, &mut schemas)?;

    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut dropped = Vec::new();
    for (name, schema) in &schemas {
        let spec = distil::distil(name, schema, &mut dropped);
        let text = spec.to_string();
        let parsed = TypeSpec::parse(&text).map_err(|error| Error::Distil {
            resource_type: name.clone(),
            problem: error.to_string(),
        })?;
        if parsed != spec {
            return Err(Error::Distil {
                resource_type: name.clone(),
                problem: "what was written does not read the same".to_owned(),
            });
        }
        let service = name.split("::").nth(1).unwrap_or_default().to_lowercase();
        files.entry(service).or_default().push_str(&text);
    }
    if !dropped.is_empty() {
        return Err(Error::Paths(dropped));
    }
    let bytes = files.values().map(String::len).sum();
    if bytes > MAX_BYTES {
        return Err(Error::TooBig(bytes));
    }

    let manifest = crate_dir.join("Cargo.toml");
    let mut wanted: BTreeMap<PathBuf, Option<String>> = committed(&spec_dir)?
        .into_iter()
        .map(|path| (path, None))
        .collect();
    wanted.insert(
        manifest.clone(),
        Some(with_features(&manifest, files.keys())?),
    );
    wanted.insert(
        PathBuf::from(PERMISSIONS),
        Some(permissions::distil(&schemas, &actions)),
    );
    for (service, text) in files {
        wanted.insert(spec_dir.join(format!("{service}.txt")), Some(text));
    }
    let stale = difference(&wanted, args.check)?;
    if args.check && !stale.is_empty() {
        return Err(Error::Stale(stale));
    }
    Ok(format!(
        "{} resource types in {} files of {bytes} bytes, {} {}; {} patches",
        schemas.len(),
        wanted.len() - 2,
        stale.len(),
        if args.check {
            "stale"
        } else {
            "written or removed"
        },
        patches.len(),
    ))
}

/// Lists the committed files of facts, so that those of a vanished service are noticed.
fn committed(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |source| Error::File {
        path: dir.to_owned(),
        source,
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            files.push(path);
        }
    }
    Ok(files)
}

/// Compares the files with what they should hold (`None`: not exist), and makes them so unless `check`.
fn difference(
    wanted: &BTreeMap<PathBuf, Option<String>>,
    check: bool,
) -> Result<Vec<String>, Error> {
    let mut stale = Vec::new();
    for (path, text) in wanted {
        let failed = |source| Error::File {
            path: path.clone(),
            source,
        };
        let found = match std::fs::read_to_string(path) {
            Ok(found) => Some(found),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error)),
        };
        if found == *text {
            continue;
        }
        stale.push(
            path.file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
        );
        match text {
            _ if check => {}
            Some(text) => std::fs::write(path, text).map_err(failed)?,
            None => std::fs::remove_file(path).map_err(failed)?,
        }
    }
    Ok(stale)
}

/// Returns the manifest with one feature per service between its two marker lines.
fn with_features<'a>(
    path: &Path,
    services: impl Iterator<Item = &'a String> + Clone,
) -> Result<String, Error> {
    const BEGIN: &str = "# One feature per service, written by `cargo xtask spec`.\n";
    const END: &str = "# End of what `cargo xtask spec` writes.\n";
    let manifest = std::fs::read_to_string(path).map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })?;
    let (before, rest) = manifest
        .split_once(BEGIN)
        .ok_or_else(|| Error::Markers(path.to_owned()))?;
    let (_, after) = rest
        .split_once(END)
        .ok_or_else(|| Error::Markers(path.to_owned()))?;
    let mut text = format!("{before}{BEGIN}full = [\n");
    for service in services.clone() {
        let _ = writeln!(text, "    \"{service}\",");
    }
    text.push_str("]\n");
    for service in services {
        let _ = writeln!(text, "{service} = []");
    }
    text.push_str(END);
    text.push_str(after);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::difference;

    #[test]
    fn a_check_names_what_is_stale_and_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        std::fs::write(path("same"), "1").unwrap();
        std::fs::write(path("changed"), "1").unwrap();
        std::fs::write(path("gone"), "1").unwrap();
        let wanted = BTreeMap::from([
            (path("same"), Some("1".to_owned())),
            (path("changed"), Some("2".to_owned())),
            (path("gone"), None),
            (path("new"), Some("3".to_owned())),
        ]);
        assert_eq!(
            difference(&wanted, true).unwrap(),
            ["changed", "gone", "new"]
        );
        assert!(path("gone").exists() && !path("new").exists());
        assert_eq!(difference(&wanted, false).unwrap().len(), 3);
        assert_eq!(difference(&wanted, true).unwrap(), [""; 0]);
        assert!(!path("gone").exists());
    }
}
