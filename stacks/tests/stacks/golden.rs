//! Templates as plain files that a person reads in a review.
//!
//! `UPDATE_GOLDENS=1 cargo test -p stacks` writes them anew; what changed then shows in the diff of the repository.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use stack_model::assembly::StageRequest;
use stack_model::{App, Assembly, Stage};

/// Returns the stages of the shipped `stackctl.toml`.
fn shipped_stages() -> impl Iterator<Item = StageRequest> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stackctl.toml");
    let file: Value = toml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let stages = file["stages"].as_object().unwrap().clone();
    stages.into_iter().map(|(name, settings)| {
        let protected = settings["protected"].as_bool().unwrap_or_default();
        stage(&name, protected, &settings["variables"])
    })
}

/// Returns a stage of the shipped `stackctl.toml`.
pub(crate) fn shipped(name: &str) -> StageRequest {
    let mut stages = shipped_stages();
    stages.find(|stage| stage.name == name).unwrap()
}

/// The stages that have goldens, each with what the ids of its stacks begin with: those of the shipped `stackctl.toml`
/// with all stacks, and one per variant that none of them chooses, with the stacks that it is a variant of.
fn stages() -> Vec<(StageRequest, &'static str)> {
    shipped_stages()
        .map(|stage| (stage, ""))
        .chain([
            variant(
                "single",
                "coffee-",
                &json!({"coffee": {"stacks": "single"}}),
            ),
            variant("direct", "intake", &json!({"intake": {"mode": "direct"}})),
            variant(
                "user-pool",
                "photos-",
                &json!({"photos": {"authorization": "user-pool"}}),
            ),
        ])
        .collect()
}

fn variant(name: &str, stacks: &'static str, variables: &Value) -> (StageRequest, &'static str) {
    (stage(name, false, variables), stacks)
}

pub(crate) fn stage(name: &str, protected: bool, variables: &Value) -> StageRequest {
    serde_json::from_value(json!({
        "name": name,
        "region": "us-east-1",
        "protected": protected,
        "architecture": "arm64",
        "variables": variables.as_object().cloned().unwrap_or_default(),
    }))
    .unwrap()
}

pub(crate) fn synth(request: StageRequest) -> Assembly {
    let mut app = App::new(Stage::new(request));
    stacks::describe(&mut app).unwrap();
    app.synth()
        .unwrap_or_else(|violations| panic!("{violations}"))
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

#[test]
fn templates_are_as_the_goldens() {
    let update = std::env::var_os("UPDATE_GOLDENS").is_some_and(|value| value == "1");
    let mut expected = BTreeSet::new();
    let mut differing = Vec::new();
    for (request, prefix) in stages() {
        let assembly = synth(request);
        let stacks = assembly.manifest().stacks.iter();
        for stack in stacks.filter(|stack| stack.id.starts_with(prefix)) {
            // `<stack>.<stage>.template.json`, so that the stages of one stack stand together.
            let name = format!("{}.{}.template.json", stack.id, assembly.manifest().stage);
            let template = assembly.template(&stack.id).unwrap();
            let path = directory().join(&name);
            if update {
                fs::write(&path, template).unwrap();
            } else if fs::read_to_string(&path).ok().as_deref() != Some(template) {
                differing.push(name.clone());
            }
            expected.insert(name);
        }
    }
    assert!(
        differing.is_empty(),
        "{differing:?} differ from what the stacks render: look at the difference after \
         `UPDATE_GOLDENS=1 cargo test -p stacks`, which writes them anew"
    );
    let present: BTreeSet<String> = fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(present, expected, "a golden belongs to no stack and stage");
}

#[test]
fn rendering_twice_gives_the_same_bytes() {
    for (request, _) in stages() {
        let first = synth(request.clone());
        let second = synth(request);
        assert_eq!(first.manifest_json(), second.manifest_json());
        assert!(first.files().eq(second.files()));
    }
}
