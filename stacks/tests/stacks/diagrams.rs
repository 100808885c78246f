//! The diagrams of the guide show the stacks as they are.
//!
//! `UPDATE_GOLDENS=1 cargo test -p stacks diagrams` draws them anew.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use stack_graph::{Graph, Template};

use crate::golden::{stage, synth};

/// The shipped systems, by what the ids of their stacks begin with.
const SYSTEMS: [&str; 5] = ["coffee", "intake", "orders", "photos", "visitors"];

#[test]
fn diagrams_are_as_the_stacks() {
    let update = std::env::var_os("UPDATE_GOLDENS").is_some_and(|value| value == "1");
    let assembly = synth(stage("dev", false, &json!({})));
    for system in SYSTEMS {
        let of_system = |id: &str| {
            id.strip_prefix(system)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        let stacks: Vec<(&str, Value)> = assembly
            .manifest()
            .stacks
            .iter()
            // A pipeline deploys a system and is no part of it.
            .filter(|stack| of_system(&stack.id) && !stack.id.ends_with("-pipeline"))
            .map(|stack| {
                let template = assembly.template(&stack.id).unwrap();
                (stack.id.as_str(), serde_json::from_str(template).unwrap())
            })
            .collect();
        let templates: Vec<Template<'_>> = stacks
            .iter()
            .map(|(stack, json)| Template { stack, json })
            .collect();
        let drawing = Graph::of(&templates).svg(&format!("The stacks of {system}"));
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../docs/systems/{system}.svg"));
        if update {
            fs::write(&path, drawing).unwrap();
        } else {
            assert!(
                fs::read_to_string(&path).unwrap_or_default() == drawing,
                "{} is not what the stacks are: UPDATE_GOLDENS=1 draws it anew",
                path.display()
            );
        }
    }
}
