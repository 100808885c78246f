//! What the stacks have to compile for a function package.

use std::collections::BTreeSet;
use std::process::Command;

/// Returns the names of the crates that a function package with the given features is built from.
fn crates(features: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--package", "intake", "--no-default-features"])
        .args(["--edges", "normal", "--prefix", "none", "--locked"])
        .args(["--offline", "--features", &features.join(",")])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect()
}

fn is_heavy(name: &str) -> bool {
    let families = [
        "aws-", "hyper", "http", "tokio", "rustls", "futures", "tower", "tracing",
    ];
    families.iter().any(|family| name.starts_with(family))
        || ["lambda_runtime", "ring", "serde_dynamo", "bytes"].contains(&name)
}

#[test]
fn the_stacks_compile_neither_the_sdk_nor_a_runtime() {
    let crates = crates(&["wiring"]);
    assert!(crates.contains("stack-model"), "{crates:?}");
    let heavy: Vec<_> = crates.iter().filter(|name| is_heavy(name)).collect();
    assert!(heavy.is_empty(), "{heavy:?}");
    assert!(crates.len() <= 40, "{} crates: {crates:?}", crates.len());
}

#[test]
fn the_function_does_and_compiles_no_model() {
    let crates = crates(&["runtime"]);
    for name in ["aws-sdk-dynamodb", "tokio", "lambda_runtime"] {
        assert!(is_heavy(name) && crates.contains(name), "{name}");
    }
    assert!(!crates.contains("stack-model"), "{crates:?}");
}
