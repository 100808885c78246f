//! `docs/getting-started.md`: the files of a workspace of one's own, as the page has them, fit together.

use std::path::Path;
use std::process::Command;

use crate::pages::{pages, workspace};

/// Returns the files that the page shows, by their paths; each follows a line that begins with its path.
fn files() -> Vec<(String, String)> {
    let page = pages()
        .into_iter()
        .find(|page| page.path == Path::new("docs/getting-started.md"))
        .expect("the page is there");
    let text = std::fs::read_to_string(workspace().join(&page.path)).expect("a page is text");
    let lines: Vec<&str> = text.lines().collect();
    let name = |before: usize| {
        let above = lines
            .get(..before)?
            .iter()
            .rev()
            .find(|line| !line.is_empty())?;
        let (name, _) = above.strip_prefix('`')?.split_once('`')?;
        Some(name.to_owned())
    };
    page.blocks()
        .into_iter()
        .filter_map(|block| Some((name(block.line - 1)?, block.lines.join("\n") + "\n")))
        .collect()
}

#[test]
fn cargo_takes_the_workspace_as_it_is_written() {
    let files = files();
    assert_eq!(
        files
            .iter()
            .map(|(path, _)| path.as_str())
            .collect::<Vec<_>>(),
        [
            "Cargo.toml",
            "stackctl.toml",
            "functions/orders/Cargo.toml",
            "functions/orders/src/lib.rs",
            "functions/orders/src/bin/orders-fulfil.rs",
            "stacks/Cargo.toml",
            "stacks/src/main.rs",
        ]
    );
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("own-workspace");
    let repository = workspace();
    for (path, text) in &files {
        // The page writes the paths from a workspace that lies beside the repository.
        let depth = path.split('/').count();
        let beside = format!("{}stackctl/", "../".repeat(depth));
        let text = text.replace(&beside, &format!("{}/", repository.display()));
        let file = root.join(path);
        std::fs::create_dir_all(file.parent().expect("a file has a folder")).expect("it is made");
        std::fs::write(file, text).expect("it is written");
    }
    // The versions are those of this workspace, so that nothing has to be asked of the network.
    std::fs::copy(repository.join("Cargo.lock"), root.join("Cargo.lock")).expect("it is copied");

    // Resolves packages and features; the Rust is compiled by the tests that hold it. A machine that never built for another
    // platform does not have the packages of that.
    let resolved = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--format-version", "1"])
        .args(["--filter-platform", "host-tuple"])
        .current_dir(&root)
        .output()
        .expect("cargo runs");

    let text = String::from_utf8_lossy(&resolved.stderr);
    assert!(resolved.status.success(), "{text}");
    let metadata: serde_json::Value = serde_json::from_slice(&resolved.stdout).expect("it is JSON");
    let nodes = metadata["resolve"]["nodes"].as_array().expect("packages");
    let stacks = nodes
        .iter()
        .find(|node| {
            node["id"]
                .as_str()
                .is_some_and(|id| id.contains("/stacks#"))
        })
        .expect("the stacks are a package");
    let needed: Vec<&str> = stacks["deps"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|dependency| dependency["name"].as_str())
        .collect();
    assert_eq!(needed, ["orders", "stack_model"]);
}
