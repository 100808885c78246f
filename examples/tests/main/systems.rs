//! The pages of the shipped systems say what a stage can decide.

use crate::pages::workspace;

/// Returns the names of the fields of `struct Variables` in a source file.
fn variables(source: &str) -> Vec<&str> {
    let (_, behind) = source
        .split_once("\nstruct Variables {")
        .expect("a system has variables");
    let (fields, _) = behind.split_once("\n}").expect("a struct ends");
    fields
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("//") && !line.starts_with('#'))
        .filter_map(|line| Some(line.split_once(':')?.0))
        .collect()
}

#[test]
fn every_stage_variable_is_described() {
    let workspace = workspace();
    let mut missing = Vec::new();
    for system in ["coffee", "intake", "orders", "photos", "visitors"] {
        let read = |path: String| std::fs::read_to_string(workspace.join(path)).expect("text");
        let source = read(format!("stacks/src/{system}.rs"));
        let page = read(format!("docs/systems/{system}.md"));
        let described: Vec<&str> = page
            .lines()
            .filter(|line| line.starts_with("| `"))
            .collect();
        let variables = variables(&source);
        assert!(!variables.is_empty(), "{system} has variables");
        for name in variables {
            let cell = format!("`{name}`");
            if !described.iter().any(|line| line.contains(&cell)) {
                missing.push(format!("{system}: {name}"));
            }
        }
    }
    assert!(missing.is_empty(), "not described: {missing:?}");
}
