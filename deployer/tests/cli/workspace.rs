//! Small Cargo workspaces to run the binary in.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// A stacks program that copies a prepared assembly to where it is asked to.
const COPYING: &str = r#"
fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, verb, flag, out] = arguments.as_slice() else { std::process::exit(9) };
    assert!(verb == "synth" && flag == "--out");
    for file in std::fs::read_dir("assembly").unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), std::path::Path::new(out).join(file.file_name())).unwrap();
    }
}
"#;

/// A Cargo workspace in a temporary directory.
pub(crate) struct Workspace {
    directory: TempDir,
}

/// What a run of the binary left.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The exit code.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Workspace {
    /// Makes a workspace with two stages and no packages.
    pub(crate) fn empty() -> Self {
        let workspace = Self {
            directory: tempfile::tempdir().expect("a directory"),
        };
        workspace.write(
            "Cargo.toml",
            "[workspace]\nresolver = \"3\"\nmembers = []\n",
        );
        workspace.write(
            "stackctl.toml",
            "[stages.dev]\nregion = \"us-east-1\"\n\n[stages.prod]\nregion = \"eu-west-1\"\nprotected = true\n",
        );
        workspace
    }

    /// Makes a workspace whose stacks program is this source.
    pub(crate) fn with_stacks(source: &str) -> Self {
        let workspace = Self::empty();
        workspace.package("stacks", "stacks", source);
        workspace
    }

    /// Makes a workspace whose stacks program yields a valid assembly of one stack, `orders`.
    pub(crate) fn valid() -> Self {
        let workspace = Self::with_stacks(COPYING);
        workspace.assembly(|_, _| {});
        workspace
    }

    /// Adds a package with one binary.
    pub(crate) fn package(&self, name: &str, binary: &str, source: &str) {
        self.write(
            &format!("{name}/Cargo.toml"),
            &format!(
                "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[[bin]]\nname = \"{binary}\"\npath = \"main.rs\"\n"
            ),
        );
        self.write(&format!("{name}/main.rs"), source);
        let manifest = self.path("Cargo.toml");
        let text = fs::read_to_string(&manifest).expect("is there");
        fs::write(
            manifest,
            text.replace("members = [", &format!("members = [\"{name}\", ")),
        )
        .expect("writes");
    }

    /// Writes the assembly that the stacks program copies, after changing template and manifest.
    pub(crate) fn assembly(&self, change: impl FnOnce(&mut Value, &mut Value)) {
        // The keys are sorted, because whether maps keep another order depends on who else uses serde_json.
        let mut template = json!({
            "Outputs": {"QueueUrl": {"Value": {"Ref": "Queue"}}},
            "Resources": {"Queue": {"Properties": {"DelaySeconds": 5}, "Type": "AWS::SQS::Queue"}},
        });
        let mut manifest = json!({
            "format": 1,
            "stage": "dev",
            "stacks": [{
                "name": "orders-dev",
                "id": "orders",
                "template": "orders-dev.template.json",
                "sha256": "",
                "outputs": {"QueueUrl": {}},
                "resources": {"Queue": {"type": "AWS::SQS::Queue", "source": "stacks/main.rs:7:5"}},
            }],
            "assets": {},
            "contracts": {},
        });
        change(&mut template, &mut manifest);
        let bytes = serde_json::to_vec(&template).expect("is JSON");
        let hash = &mut manifest["stacks"][0]["sha256"];
        if hash == "" {
            let mut text = String::new();
            for byte in Sha256::digest(&bytes) {
                write!(text, "{byte:02x}").expect("writes");
            }
            *hash = text.into();
        }
        let _ = fs::remove_dir_all(self.path("assembly"));
        self.write("assembly/manifest.json", &manifest.to_string());
        let text = String::from_utf8(bytes).expect("is text");
        self.write("assembly/orders-dev.template.json", &text);
    }

    /// Makes the assembly use one function: binary `binary` of package `package`.
    pub(crate) fn assembly_with_function(&self, package: &str, binary: &str) {
        self.assembly(|template, manifest| {
            template["Parameters"] = json!({
                "ArtifactBucket": {"Type": "String"},
                "CreateKey": {"Type": "String"},
            });
            template["Resources"]["Create"] = json!({
                "Type": "AWS::Lambda::Function",
                "Properties": {"Code": {"S3Bucket": {"Ref": "ArtifactBucket"}, "S3Key": {"Ref": "CreateKey"}}},
            });
            let stack = &mut manifest["stacks"][0];
            stack["artifacts"] = json!({"CreateKey": "create"});
            stack["resources"]["Create"] =
                json!({"type": "AWS::Lambda::Function", "source": "stacks/main.rs:12:9"});
            manifest["assets"] = json!({"create": {
                "kind": "function", "package": package, "binary": binary, "architecture": "arm64",
            }});
        });
    }

    /// Returns a path in the workspace.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.directory.path().join("w").join(relative)
    }

    /// Writes a file of the workspace.
    pub(crate) fn write(&self, relative: &str, text: &str) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().expect("has one")).expect("directories");
        fs::write(path, text).expect("writes");
    }

    /// Returns the binary, called in the workspace with nothing of this process's environment but its tools.
    pub(crate) fn command<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stackctl"));
        let root = self.directory.path();
        let home = root.join("home");
        fs::create_dir_all(&home).expect("a directory");
        command
            .args(arguments)
            .current_dir(self.path(""))
            .env_clear()
            .env("HOME", &home)
            .env("CARGO_TARGET_DIR", root.join("target"))
            .env("CARGO_NET_OFFLINE", "true")
            .env("STACKCTL_CACHE_DIR", root.join("cache"))
            .env("AWS_EC2_METADATA_DISABLED", "true");
        for name in ["PATH", "CARGO", "RUSTUP_TOOLCHAIN", "TMPDIR"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        // The tools find themselves below the home of the user, which is not given to them here.
        for (name, folder) in [("RUSTUP_HOME", ".rustup"), ("CARGO_HOME", ".cargo")] {
            let value = std::env::var_os(name)
                .map(PathBuf::from)
                .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(folder)));
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Outcome {
        self.finish(self.command(arguments))
    }

    /// Runs a command to its end.
    pub(crate) fn finish(&self, mut command: Command) -> Outcome {
        let output = command.output().expect("runs");
        let text = |bytes: Vec<u8>| {
            String::from_utf8(bytes)
                .expect("is text")
                .replace(&*self.path("").to_string_lossy(), "[ROOT]/")
                .replace(
                    self.path("").to_string_lossy().trim_end_matches('/'),
                    "[ROOT]",
                )
        };
        Outcome {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr)
                .lines()
                .map(|line| timeless(line) + "\n")
                .collect(),
        }
    }
}

impl Outcome {
    /// Returns the one JSON document on standard output.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!("standard output is not one document: {error}\n{self:?}")
        })
    }

    /// Makes sure that the run failed with a code and a kind, printed nothing else on standard output, and returns
    /// the error. The run must have had `--json`.
    #[track_caller]
    pub(crate) fn error(&self, code: i32, kind: &str) -> Value {
        assert_eq!(self.code, Some(code), "{self:?}");
        let error = self.json()["error"].take();
        assert_eq!(error["kind"], kind, "{error:#}");
        error
    }
}

/// Replaces the time that a step took.
fn timeless(line: &str) -> String {
    match line.rsplit_once(" in ") {
        Some((before, time)) if time.ends_with(" ms") || time.ends_with(" s") => {
            format!("{before} in [TIME]")
        }
        _ => line.to_owned(),
    }
}
