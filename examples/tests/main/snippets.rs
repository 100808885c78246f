//! The Rust of the guide is compiled: as a doctest of the page itself, or somewhere in the workspace.

use std::path::{Path, PathBuf};

use crate::pages::{files_below, pages, workspace};

/// Where code stands that is compiled, in files or in doctests.
const SOURCES: [&str; 5] = [
    "examples/src",
    "examples/tests",
    "functions/bindings/src",
    "functions/bindings/tests",
    "stack-model/src",
];

/// Reduces code to what does not depend on where it stands: without indentation, empty lines, the marks of comments that
/// are doctests, and lines that these hide.
fn reduced<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let lines = lines.map(str::trim).filter_map(|line| {
        let doctest = ["//! ", "/// "]
            .iter()
            .find_map(|mark| line.strip_prefix(mark));
        match doctest.map(str::trim) {
            Some(hidden) if hidden.starts_with("# ") => None,
            Some(line) => Some(line),
            None => Some(line),
        }
    });
    let lines = lines.filter(|line| !["", "//!", "///"].contains(line));
    let mut text = String::from("\n");
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
    text
}

#[test]
fn every_rust_block_is_compiled() {
    let workspace = workspace();
    let mut paths: Vec<PathBuf> = Vec::new();
    for folder in SOURCES {
        files_below(&workspace.join(folder), "rs", &mut paths);
    }
    let sources: Vec<String> = paths
        .iter()
        .map(|path| std::fs::read_to_string(path).expect("source is text"))
        .collect();
    let is_doctest = |page: &Path| {
        let include = format!("include_str!(\"../../{}\")", page.display());
        sources.iter().any(|source| source.contains(&include))
    };
    let code: Vec<String> = sources
        .iter()
        .map(|source| reduced(source.lines()))
        .collect();

    let mut rotten = Vec::new();
    let mut checked = 0;
    for page in pages() {
        let doctest = is_doctest(&page.path);
        for block in page.blocks() {
            if !block.info.starts_with("rust") {
                continue;
            }
            checked += 1;
            if doctest && block.info == "rust" {
                continue;
            }
            // What stands between empty lines stands together in one file, and all of it in the same.
            let pieces: Vec<String> = block
                .lines
                .split(String::is_empty)
                .map(|piece| reduced(piece.iter().map(String::as_str)))
                .collect();
            let compiled = code
                .iter()
                .any(|code| pieces.iter().all(|piece| code.contains(piece.as_str())));
            if !compiled {
                rotten.push(format!("{}:{}", page.path.display(), block.line));
            }
        }
    }
    assert!(checked > 30, "the guide has Rust");
    assert!(
        rotten.is_empty(),
        "no test compiles this Rust:\n{}",
        rotten.join("\n")
    );
}
