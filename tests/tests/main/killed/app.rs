//! A workspace in several versions, whose binaries are built once, and the commands that deploy and remove it.

use serde_json::{Value, json};
use system_tests::account::Account;
use system_tests::sandbox::Sandbox;

use crate::PROGRAM;
use crate::workspace::{COPY, Workspace, described, hash};

/// The variable that tells the stacks binary which version it renders.
pub(super) const VERSION: &str = "KILLED_APP_VERSION";

const MAIN: &str = r#"
fn main() {
    let version = std::env::var("KILLED_APP_VERSION").expect("a version");
    copy(&format!("assembly-{version}"));
}
"#;

/// The workspace of an app, and a sandbox to run the tool in.
pub(super) struct App {
    pub(super) sandbox: Sandbox,
    workspace: Workspace,
    /// They follow each other.
    pub(super) phases: &'static [Phase],
    /// Whether the tool has to take the engine for what it is, and not for AWS: it does so in one account only, and so each
    /// lane has an engine of its own.
    pub(super) is_local: bool,
}

/// A command.
pub(super) struct Phase {
    pub(super) verb: &'static [&'static str],
    /// The version of the app that it renders.
    pub(super) version: u32,
    /// Whether anything goes wrong in it; one in which nothing does leads to the one that follows.
    pub(super) is_disturbed: bool,
    /// What somebody does to the account once it is done.
    pub(super) then: fn(&Account),
}

impl Phase {
    pub(super) const fn disturbed(verb: &'static [&'static str], version: u32) -> Self {
        Self {
            verb,
            version,
            is_disturbed: true,
            then: |_| (),
        }
    }
}

impl App {
    /// Makes a workspace without any version. Its stage is protected, so that policies guard what holds data.
    pub(super) fn new(name: &str, phases: &'static [Phase]) -> Self {
        let workspace = Workspace::new(name);
        let config = format!(
            "[workspace]\nname = \"{name}\"\nstacks = \"{name}-stacks\"\n\n[stages.dev]\nregion = \"us-east-1\"\nprotected = true\n"
        );
        let sandbox = Sandbox::new(PROGRAM, workspace.directory(), &config).with_own_target();
        workspace.write("stacks/src/main.rs", &format!("{COPY}{MAIN}"));
        Self {
            sandbox,
            workspace,
            phases,
            is_local: false,
        }
    }

    /// Writes what the stacks binary renders as a version: stacks as [`Self::stack`] has them.
    pub(super) fn describe(&self, version: u32, assets: &Value, stacks: &[Value]) {
        let manifest = json!({
            "format": 1, "stage": "dev", "contracts": {}, "assets": assets, "stacks": stacks,
        });
        self.write(
            &format!("assembly-{version}/manifest.json"),
            &manifest.to_string(),
        );
    }

    /// Writes a stack of a version, and returns its entry of the manifest, which has these parts besides.
    pub(super) fn stack(&self, version: u32, name: &str, template: &Value, parts: &Value) -> Value {
        let text = template.to_string();
        let file = format!("{name}-dev.template.json");
        self.write(&format!("assembly-{version}/{file}"), &text);
        let outputs = template["Outputs"].as_object();
        let outputs: serde_json::Map<String, Value> = outputs
            .expect("outputs are an object")
            .keys()
            .map(|key| (key.clone(), json!({})))
            .collect();
        let mut manifest = json!({
            "name": format!("{name}-dev"), "id": name, "template": file,
            "sha256": hash(&text),
            "capabilities": ["CAPABILITY_IAM"],
            "outputs": outputs, "resources": described(&template["Resources"]),
        });
        for (key, part) in parts.as_object().expect("parts are an object") {
            manifest[key] = part.clone();
        }
        manifest
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        self.workspace.write(name, text);
    }
}
