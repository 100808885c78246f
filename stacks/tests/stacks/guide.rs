//! The tables "How it is tested" of the guide name tests that are there.

use std::fs;
use std::path::{Path, PathBuf};

/// Collects the text of all Rust sources below a directory.
fn sources(directory: &Path, into: &mut String) {
    let entries = fs::read_dir(directory).unwrap();
    let paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    for path in paths {
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

/// Returns the rows of the table below a title, as their cells.
fn rows<'a>(page: &'a str, title: &str) -> Vec<Vec<&'a str>> {
    let (_, after) = page.split_once(title).unwrap();
    let section = after.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with('|'));
    rows.skip(2)
        .map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect()
}

#[test]
fn every_row_names_tests_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for system in ["coffee", "intake", "orders", "photos", "visitors"] {
        let mut code = String::new();
        for place in [
            format!("functions/{system}/src"),
            "stacks/tests".to_owned(),
            "tests/tests/main".to_owned(),
        ] {
            sources(&root.join(place), &mut code);
        }
        let page = root.join(format!("docs/systems/{system}.md"));
        let page = fs::read_to_string(page).unwrap();
        let rows = rows(&page, "## How it is tested");
        assert!(rows.len() >= 10, "{system} has {} rows", rows.len());
        for row in rows {
            let [_, _, tests, level] = row[..] else {
                panic!("{system}: a row has four cells: {row:?}");
            };
            assert!(
                ["engine", "function", "template"]
                    .iter()
                    .any(|known| level.starts_with(known)),
                "{system}: {level}"
            );
            for test in tests.split(", ") {
                let name = test.trim_matches('`');
                assert!(
                    code.contains(&format!("fn {name}(")),
                    "{system}: there is no test `{name}`"
                );
            }
        }
    }
}
