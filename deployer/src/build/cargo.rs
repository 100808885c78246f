//! Runs Cargo and reads its messages.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::Command;

use crate::text::count;
use crate::toolchain::child::Group;

/// How many lines of Cargo's own words are kept for an error.
const KEPT_LINES: usize = 40;

/// Receives what Cargo is doing right now.
pub type Progress<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// One run of Cargo.
#[derive(Clone, Debug)]
pub(crate) struct Invocation {
    /// The program: Cargo, or a subcommand of it.
    pub(crate) program: PathBuf,
    /// All arguments.
    pub(crate) arguments: Vec<OsString>,
    /// Variables on top of the environment.
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// The directory it runs in.
    pub(crate) directory: PathBuf,
}

/// A binary that Cargo built or found up to date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Executable {
    /// The package.
    pub(crate) package: String,
    /// The binary.
    pub(crate) binary: String,
    /// The file.
    pub(crate) path: PathBuf,
}

/// What a run of Cargo built, or found up to date.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Built {
    /// The binaries.
    pub(crate) executables: Vec<Executable>,
    /// The names and versions of all packages that they were built from.
    pub(crate) packages: BTreeSet<(String, String)>,
}

/// Why a run of Cargo did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum CargoError {
    /// The program could not be started.
    #[error("cannot run {}", .program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Its output could not be read.
    #[error("cannot read what cargo prints")]
    Output(#[source] io::Error),
    /// The code does not compile.
    #[error("{} in the code", count(.errors.len(), "error"))]
    Compile {
        /// Each error as one line, with its place.
        errors: Vec<String>,
        /// The diagnostics as the compiler renders them, with colours.
        rendered: String,
    },
    /// Cargo failed without the compiler's doing.
    #[error("cargo failed")]
    Failed {
        /// Its last words.
        output: String,
    },
}

/// Returns the Cargo that runs this process, or else the one on `PATH`.
pub(crate) fn program() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

/// Returns whether `cargo run` or `cargo test` set the variable for the process it started.
///
/// Such variables would reach the build scripts of the inner build, which watch some of them: a build started by
/// `cargo run` and one started from a shell would then each undo what the other built.
fn is_of_outer_cargo(name: &str) -> bool {
    name.starts_with("CARGO_PKG_")
        || name.starts_with("CARGO_BIN_EXE_")
        || matches!(
            name,
            "CARGO_MANIFEST_DIR"
                | "CARGO_MANIFEST_PATH"
                | "CARGO_MANIFEST_LINKS"
                | "CARGO_CRATE_NAME"
                | "CARGO_BIN_NAME"
                | "CARGO_PRIMARY_PACKAGE"
                | "CARGO_TARGET_TMPDIR"
                | "OUT_DIR"
        )
}

/// Runs Cargo with `--message-format=json-diagnostic-rendered-ansi` among its arguments and returns what it names as
/// built.
///
/// The process and the compilers it started are killed when the future is dropped.
pub(crate) async fn run(
    invocation: &Invocation,
    progress: Progress<'_>,
) -> Result<Built, CargoError> {
    let mut command = Command::new(&invocation.program);
    command
        .args(&invocation.arguments)
        .envs(invocation.environment.iter().cloned())
        .current_dir(&invocation.directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_of_outer_cargo) {
            command.env_remove(name);
        }
    }
    let mut child = command.spawn().map_err(|source| CargoError::Start {
        program: invocation.program.clone(),
        source,
    })?;
    let group = Group::of(child.id());
    let mut messages = Messages::default();
    let mut words = Words::default();
    let stdout = child.stdout.take();
    let stderr = child.stderr.take();
    let read = async {
        tokio::try_join!(
            each_line(stdout, |line| messages.take(line)),
            each_line(stderr, |line| words.take(line, progress)),
        )
    };
    read.await.map_err(CargoError::Output)?;
    let status = child.wait().await.map_err(CargoError::Output)?;
    group.ended();
    if status.success() {
        Ok(messages.built)
    } else if messages.errors.is_empty() {
        Err(CargoError::Failed {
            output: words.lines.join("\n"),
        })
    } else {
        Err(CargoError::Compile {
            errors: messages.errors,
            rendered: messages.rendered,
        })
    }
}

/// Calls `take` with every line; bytes that are not UTF-8 are replaced.
async fn each_line(
    stream: Option<impl AsyncRead + Unpin>,
    mut take: impl FnMut(&str),
) -> io::Result<()> {
    let Some(stream) = stream else {
        return Ok(());
    };
    let mut reader = BufReader::with_capacity(64 << 10, stream);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).await? > 0 {
        take(String::from_utf8_lossy(&line).trim_end());
        line.clear();
    }
    Ok(())
}

/// What Cargo prints on standard output.
///
/// See <https://doc.rust-lang.org/cargo/reference/external-tools.html#json-messages>.
#[derive(Debug, Default)]
struct Messages {
    built: Built,
    errors: Vec<String>,
    rendered: String,
}

#[derive(Deserialize)]
#[serde(tag = "reason")]
enum Message {
    #[serde(rename = "compiler-artifact")]
    Artifact(ArtifactMessage),
    #[serde(rename = "compiler-message")]
    Diagnostic { message: Diagnostic },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct ArtifactMessage {
    package_id: String,
    manifest_path: PathBuf,
    target: TargetMessage,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct TargetMessage {
    kind: Vec<String>,
    name: String,
}

#[derive(Deserialize)]
struct Diagnostic {
    rendered: Option<String>,
    message: String,
    level: String,
    #[serde(default)]
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    line_start: usize,
    column_start: usize,
    is_primary: bool,
}

impl Messages {
    /// Takes one line; a line that is no message comes from a build script or a macro and means nothing here.
    fn take(&mut self, line: &str) {
        match serde_json::from_str(line) {
            Ok(Message::Artifact(artifact)) => self.take_artifact(artifact),
            Ok(Message::Diagnostic { message }) => self.take_diagnostic(&message),
            Ok(Message::Other) | Err(_) => {}
        }
    }

    fn take_artifact(&mut self, artifact: ArtifactMessage) {
        let (id, manifest) = (&artifact.package_id, &artifact.manifest_path);
        let versioned = (package_name(id, manifest), package_version(id));
        self.built.packages.insert(versioned);
        let ArtifactMessage {
            package_id,
            manifest_path,
            target,
            executable: Some(path),
        } = artifact
        else {
            return;
        };
        if target.kind.iter().any(|kind| kind == "bin") {
            self.built.executables.push(Executable {
                package: package_name(&package_id, &manifest_path),
                binary: target.name,
                path,
            });
        }
    }

    fn take_diagnostic(&mut self, diagnostic: &Diagnostic) {
        if !diagnostic.level.starts_with("error") {
            return;
        }
        if let Some(rendered) = &diagnostic.rendered {
            self.rendered.push_str(rendered);
        }
        let place = diagnostic.spans.iter().find(|span| span.is_primary);
        // The compiler ends with a count of its errors, which has no place.
        if let Some(span) = place {
            self.errors.push(format!(
                "{}:{}:{}: {}",
                span.file_name, span.line_start, span.column_start, diagnostic.message
            ));
        } else if self.errors.is_empty() {
            self.errors.push(diagnostic.message.clone());
        }
    }
}

/// Returns the name in a package id, which is left out where it is the last part of the path.
///
/// See <https://doc.rust-lang.org/cargo/reference/pkgid-spec.html>.
fn package_name(id: &str, manifest: &Path) -> String {
    let fragment = id.rsplit_once('#').map_or("", |(_, fragment)| fragment);
    match fragment.split_once('@') {
        Some((name, _)) => name.to_owned(),
        None => manifest
            .parent()
            .and_then(Path::file_name)
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default(),
    }
}

/// Returns the version in a package id: what stands last in it.
fn package_version(id: &str) -> String {
    let fragment = id.rsplit_once('#').map_or("", |(_, fragment)| fragment);
    let version = fragment.rsplit_once('@');
    version.map_or(fragment, |(_, version)| version).to_owned()
}

/// What Cargo prints on standard error.
#[derive(Debug, Default)]
struct Words {
    lines: Vec<String>,
}

impl Words {
    fn take(&mut self, line: &str, progress: Progress<'_>) {
        let text = line.trim();
        if text.is_empty() {
            return;
        }
        if let Some(("Compiling" | "Building" | "Downloading" | "Downloaded" | "Blocking", _)) =
            text.split_once(' ')
        {
            progress(text);
        } else {
            if self.lines.len() == KEPT_LINES {
                self.lines.remove(0);
            }
            self.lines.push(line.to_owned());
        }
    }
}

/// The packages of a workspace and their binaries, as `cargo metadata` tells them.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<MetadataPackage>,
}

#[derive(Deserialize)]
struct MetadataPackage {
    name: String,
    targets: Vec<TargetMessage>,
}

/// Returns the packages of the workspace with their binaries. This takes time, so it is asked only to explain a
/// failure.
pub(crate) async fn binaries(root: &Path) -> Option<Vec<(String, Vec<String>)>> {
    let output = Command::new(program())
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(root)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .ok()?;
    let metadata: Metadata = serde_json::from_slice(&output.stdout).ok()?;
    Some(
        metadata
            .packages
            .into_iter()
            .map(|package| {
                let binaries = package
                    .targets
                    .into_iter()
                    .filter(|target| target.kind.iter().any(|kind| kind == "bin"))
                    .map(|target| target.name)
                    .collect();
                (package.name, binaries)
            })
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_names_are_found_in_every_form_of_id() {
        let manifest = Path::new("/w/functions/intake/Cargo.toml");
        for (id, expected) in [
            ("path+file:///w/functions/intake#0.1.0", "intake"),
            ("path+file:///w/functions/other#intake@0.1.0", "intake"),
            ("registry+https://github.com/x#serde@1.0.0", "serde"),
        ] {
            assert_eq!(package_name(id, manifest), expected, "{id}");
            let version = if expected == "serde" {
                "1.0.0"
            } else {
                "0.1.0"
            };
            assert_eq!(package_version(id), version, "{id}");
        }
    }

    #[test]
    fn messages_are_read_and_noise_is_not() {
        let mut messages = Messages::default();
        for line in [
            "noise of a build script",
            r#"{"reason":"build-script-executed","package_id":"x"}"#,
            r#"{"reason":"compiler-artifact","package_id":"path+file:///w/a#0.1.0","manifest_path":"/w/a/Cargo.toml","target":{"kind":["lib"],"name":"a"},"executable":null}"#,
            r#"{"reason":"compiler-artifact","package_id":"path+file:///w/a#0.1.0","manifest_path":"/w/a/Cargo.toml","target":{"kind":["bin"],"name":"x"},"executable":"/w/target/debug/x"}"#,
            r#"{"reason":"compiler-message","message":{"rendered":"warning: w\n","message":"w","level":"warning","spans":[]}}"#,
            r#"{"reason":"compiler-message","message":{"rendered":"error: e\n","message":"e","level":"error","spans":[{"file_name":"src/main.rs","line_start":3,"column_start":5,"is_primary":true}]}}"#,
            r#"{"reason":"compiler-message","message":{"rendered":"error: aborting\n","message":"aborting due to 1 previous error","level":"error","spans":[]}}"#,
        ] {
            messages.take(line);
        }
        assert_eq!(
            messages.built.executables,
            [Executable {
                package: "a".into(),
                binary: "x".into(),
                path: "/w/target/debug/x".into()
            }]
        );
        let packages: Vec<_> = messages.built.packages.into_iter().collect();
        assert_eq!(packages, [("a".to_owned(), "0.1.0".to_owned())]);
        assert_eq!(messages.errors, ["src/main.rs:3:5: e"]);
        assert_eq!(messages.rendered, "error: e\nerror: aborting\n");
    }

    #[test]
    fn variables_of_the_outer_cargo_are_known() {
        for name in ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR", "OUT_DIR"] {
            assert!(is_of_outer_cargo(name), "{name}");
        }
        for name in ["CARGO", "CARGO_HOME", "CARGO_TARGET_DIR", "PATH"] {
            assert!(!is_of_outer_cargo(name), "{name}");
        }
    }
}
