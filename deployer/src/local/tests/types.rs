//! Resource types that the engine does not know.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::interpret;
use crate::local::adapt::UNKNOWN_TYPES;

const KNOWN: &str = "import json, sys
from ministack.services.cloudformation import provisioners
json.dump(sorted(provisioners._RESOURCE_HANDLERS), sys.stdout)
";

/// Returns the resource types of all templates that are kept as files, but for custom resources.
fn types_in_use() -> BTreeSet<String> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut types = BTreeSet::new();
    for directory in ["stack-model/tests/golden", "stacks/golden"] {
        for file in fs::read_dir(workspace.join(directory)).unwrap() {
            let text = fs::read(file.unwrap().path()).unwrap();
            let template: Value = serde_json::from_slice(&text).unwrap();
            let resources = template["Resources"].as_object().unwrap().values();
            types.extend(resources.map(|resource| resource["Type"].as_str().unwrap().to_owned()));
        }
    }
    types.retain(|kind| !kind.starts_with("Custom::"));
    types
}

#[test]
fn what_the_engine_does_not_know_is_left_out_and_nothing_else() {
    let known: BTreeSet<String> = serde_json::from_value(interpret(KNOWN, "")).unwrap();
    let unknown: BTreeSet<String> = UNKNOWN_TYPES.map(str::to_owned).into();
    let needless: Vec<&String> = unknown.intersection(&known).collect();
    assert!(needless.is_empty(), "the engine knows {needless:?}");
    let mut missing = types_in_use();
    missing.retain(|kind| !known.contains(kind) && !unknown.contains(kind));
    assert!(missing.is_empty(), "the engine does not know {missing:?}");
}
