//! The table of the bindings stands in the guide and in the documentation of the crate, and names the features that there
//! are.

use std::collections::BTreeSet;

use crate::pages::workspace;

/// Returns the table of the bindings in a page.
fn table(path: &str) -> Vec<String> {
    let text = std::fs::read_to_string(workspace().join(path)).expect("a page is text");
    text.lines()
        .skip_while(|line| !line.starts_with("| field | environment variable |"))
        .take_while(|line| line.starts_with('|'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_guide_and_the_crate_have_the_same_table() {
    let guide = table("docs/bindings.md");
    assert!(guide.len() > 10, "{guide:?}");
    assert_eq!(guide, table("functions/bindings/README.md"));
}

#[test]
fn each_feature_of_a_client_stands_in_the_table() {
    let manifest = workspace().join("functions/bindings/Cargo.toml");
    let manifest = std::fs::read_to_string(manifest).expect("a manifest is text");
    let features: BTreeSet<&str> = manifest
        .lines()
        .skip_while(|line| *line != "[features]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| Some(line.split_once(" = ")?.0))
        .filter(|name| !["default", "wiring"].contains(name))
        .collect();
    let named = table("docs/bindings.md");
    let named: BTreeSet<&str> = named
        .iter()
        .skip(2)
        .filter_map(|line| line.trim_end_matches(" |").rsplit_once("| `"))
        .map(|(_, feature)| feature.trim_end_matches('`'))
        .collect();
    assert_eq!(named, features);
}
