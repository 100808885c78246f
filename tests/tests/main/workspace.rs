//! A workspace of a test's own that depends on nothing, so that it compiles in a moment, and whose stacks binary copies an
//! assembly that the test wrote.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// What a stacks binary that copies an assembly begins with: where that goes, and how it gets there.
pub(crate) const COPY: &str = r#"
fn copy(assembly: &str) {
    let out = std::env::args().skip_while(|argument| argument != "--out").nth(1).expect("--out DIR");
    for file in std::fs::read_dir(assembly).expect("there is an assembly") {
        let file = file.expect("it can be listed");
        std::fs::copy(file.path(), std::path::Path::new(&out).join(file.file_name())).expect("it can be copied");
    }
}
"#;

/// The directory of a workspace.
pub(crate) struct Workspace(TempDir);

impl Workspace {
    /// Makes one of two packages: that of the stacks, in `stacks`, and that of the functions, in `worker`.
    pub(crate) fn new(name: &str) -> Self {
        let directory =
            TempDir::with_prefix("stackctl-workspace-").expect("a directory can be made");
        let workspace = Self(directory);
        // Small binaries: what is tested is not how long they take to pack.
        workspace.write(
            "Cargo.toml",
            "[workspace]\nmembers = [\"stacks\", \"worker\"]\nresolver = \"3\"\n\n[profile.dev]\nstrip = true\n",
        );
        workspace.package("stacks", &format!("{name}-stacks"));
        workspace.package("worker", &format!("{name}-worker"));
        workspace
    }

    /// Returns the directory.
    pub(crate) fn directory(&self) -> &Path {
        self.0.path()
    }

    /// Returns where a file is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }

    /// Writes a file, and makes its directory.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        let directory = path.parent().expect("it lies in the workspace");
        fs::create_dir_all(directory).expect("the workspace can be written");
        fs::write(path, text).expect("the workspace can be written");
    }

    fn package(&self, directory: &str, name: &str) {
        let manifest =
            format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
        self.write(&format!("{directory}/Cargo.toml"), &manifest);
    }
}

/// Returns what a manifest says of the resources of a template.
pub(crate) fn described(resources: &Value) -> Map<String, Value> {
    let resources = resources.as_object().expect("resources are an object");
    resources
        .iter()
        .map(|(id, resource)| {
            let entry = json!({"type": resource["Type"], "source": "stacks/src/main.rs:1:1"});
            (id.clone(), entry)
        })
        .collect()
}

/// Returns the hash of a template, as a manifest has it.
pub(crate) fn hash(template: &str) -> String {
    hexadecimal(&Sha256::digest(template))
}

/// Writes bytes in lower case hexadecimal.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}
