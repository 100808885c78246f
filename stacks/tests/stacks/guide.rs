//! The tables "How it is tested" of the guide name tests that are there.

use std::collections::BTreeMap;
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

/// Where the tests of a level are: those of the system, and those that are about several systems.
fn places(level: &str, system: &str) -> Vec<String> {
    let several: &[&str] = match level {
        "engine" => &["pipeline", "rows", "site", "smoke"],
        "template" => &["names", "pipelines", "releases", "site", "state_machines"],
        "function" => return vec![format!("functions/{system}/src")],
        _ => panic!("{system}: there is no level {level}"),
    };
    let directory = match level {
        "engine" => "tests/tests/main",
        _ => "stacks/tests/stacks",
    };
    let files = several.iter().chain([&system]);
    files.map(|file| format!("{directory}/{file}")).collect()
}

/// Returns the text of all tests of a level.
fn tests(level: &str, system: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut code = String::new();
    for place in places(level, system) {
        let place = root.join(place);
        if place.is_dir() {
            sources(&place, &mut code);
        }
        let file = place.with_extension("rs");
        if file.is_file() {
            code.push_str(&fs::read_to_string(file).unwrap());
        }
    }
    code
}

/// Returns whether there is a test, or a step of one, with this name.
fn has(code: &str, name: &str) -> bool {
    code.contains(&format!("fn {name}("))
}

/// Every test that a row names is of one of the row's levels and about its system, and every level has one.
#[test]
fn every_row_names_tests_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for system in ["coffee", "intake", "orders", "photos", "visitors"] {
        let code: BTreeMap<&str, String> = ["engine", "function", "template"]
            .map(|level| (level, tests(level, system)))
            .into();
        let page = root.join(format!("docs/systems/{system}.md"));
        let page = fs::read_to_string(page).unwrap();
        let rows = rows(&page, "## How it is tested");
        assert!(rows.len() >= 10, "{system} has {} rows", rows.len());
        for row in rows {
            let [_, _, tests, level] = row[..] else {
                panic!("{system}: a row has four cells: {row:?}");
            };
            // What follows the levels says more about them, such as `engine, both ways of signing in`.
            let levels: Vec<&str> = level
                .split(", ")
                .filter(|level| code.contains_key(level))
                .collect();
            assert!(!levels.is_empty(), "{system}: {level}");
            let names: Vec<&str> = tests
                .split(", ")
                .map(|name| name.trim_matches('`'))
                .collect();
            for name in &names {
                assert!(
                    levels.iter().any(|level| has(&code[level], name)),
                    "{system}: there is no test `{name}` of the level {level}"
                );
            }
            for level in levels {
                assert!(
                    names.iter().any(|name| has(&code[level], name)),
                    "{system}: none of {names:?} is of the level {level}"
                );
            }
        }
    }
}
