//! `doctor`, run for real: it sees this machine and the engine that runs, and fails where a deploy would.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use system_tests::sandbox::{Run, Running};

use crate::fixture::Fixture;

/// Returns the checks by their names.
fn checks(run: &Run) -> BTreeMap<String, Value> {
    let document = run.json();
    let checks = document["checks"].as_array().expect("there are checks");
    checks
        .iter()
        .map(|check| (check["name"].to_string(), check.clone()))
        .map(|(name, check)| (name.trim_matches('"').to_owned(), check))
        .collect()
}

#[test]
fn a_doctor_sees_what_is_there_and_what_is_wrong() {
    let fixture = Fixture::new(&json!({}));
    let sandbox = &fixture.sandbox;
    let healthy = sandbox.succeed(&["doctor", "--local", "--stage", "dev", "--json"]);
    let found = checks(&healthy);
    for name in ["configuration", "rust", "python", "local engine"] {
        assert_eq!(found[name]["state"], "ok", "{name} in {healthy}");
    }
    let engine = found["engine state"]["message"].to_string();
    assert!(engine.contains(sandbox.engine().url()), "{engine}");
    // Nobody who works locally needs the tools and credentials of deploys to AWS.
    assert!(!found.contains_key("cargo-lambda"), "{healthy}");
    assert!(!found.contains_key("stage dev"), "{healthy}");

    let unknown = sandbox.run(&["doctor", "--local", "--stage", "prod", "--json"]);
    assert_eq!(unknown.code, Some(1), "{unknown}");
    let found = checks(&unknown);
    assert_eq!(found["configuration"]["state"], "fail", "{unknown}");
    assert!(
        found["configuration"]["message"]
            .to_string()
            .contains("prod"),
        "{unknown}"
    );
    // What is wrong with one thing hides nothing of the others.
    assert_eq!(found["rust"]["state"], "ok", "{unknown}");

    let shown = sandbox.run(&["doctor", "--local", "--stage", "prod"]);
    assert_eq!(shown.code, Some(1), "{shown}");
    let line = shown
        .stdout
        .lines()
        .find(|line| line.contains("configuration"));
    assert!(line.is_some_and(|line| line.contains("fail")), "{shown}");
}

#[test]
fn without_a_python_and_a_compiler_it_says_what_is_missing() {
    let fixture = Fixture::new(&json!({}));
    let arguments = ["doctor", "--local", "--stage", "dev", "--json"];
    let mut command = fixture.sandbox.command(&arguments);
    let empty = fixture.sandbox.directory().join("no-programs");
    std::fs::create_dir(&empty).expect("a directory can be made");
    command.env("PATH", &empty);
    let run = Running::spawn(command).end();
    assert_eq!(run.code, Some(1), "{run}");
    let found = checks(&run);
    assert_eq!(found["rust"]["state"], "fail", "{run}");
    assert_eq!(found["python"]["state"], "warn", "{run}");
    for name in ["rust", "python"] {
        let mend = found[name]["mend"].as_array();
        assert!(mend.is_some_and(|mend| !mend.is_empty()), "{name} in {run}");
    }
}
