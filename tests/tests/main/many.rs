//! Forty stacks in one app: every verb does its work on all of them, in order, and in no more memory than a small machine has.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use serde_json::Value;
use system_tests::sandbox::Sandbox;
use wait4::Wait4 as _;

use crate::shipped;

const STACKS: usize = 40;
const RESOURCES: usize = 10;

/// The most memory that the tool may take, in bytes.
const MEMORY: u64 = 200_000_000;

const PLACE: [&str; 3] = ["--stage", "dev", "--local"];

fn config(change: u32) -> String {
    format!(
        "[workspace]\nstacks = \"scale-stacks\"\n\n[stages.dev]\nregion = \"us-east-1\"\n\n\
         [stages.dev.variables.scale]\nstacks = {STACKS}\nresources = {RESOURCES}\nchange = {change}\n"
    )
}

/// Runs a verb that prints JSON lines, and returns the outcomes of its summary.
fn outcomes(sandbox: &Sandbox, verb: &[&str]) -> Vec<String> {
    let run = sandbox.succeed(&[verb, &PLACE, &["--json", "--yes"]].concat());
    let lines = run.json_lines();
    let stacks = lines.last().map(|summary| summary["stacks"].clone());
    let stacks = stacks.as_ref().and_then(Value::as_array).cloned();
    let outcomes = stacks.unwrap_or_default();
    let outcomes = outcomes.iter().map(|stack| stack["outcome"].as_str());
    outcomes
        .map(|outcome| outcome.expect("there is an outcome").to_owned())
        .collect()
}

/// Returns what the plan says happens, and of how many stacks it says so.
fn planned(sandbox: &Sandbox) -> (BTreeSet<String>, usize) {
    let run = sandbox.succeed(&[&["diff", "--json"], &PLACE[..]].concat());
    let plan = run.json();
    let stacks = plan["stacks"].as_array().expect("there are stacks");
    let actions = |stack: &Value| -> Vec<String> {
        let changes = stack["changes"].as_array().into_iter().flatten();
        let actions = changes.filter_map(|change| change["action"].as_str());
        actions.map(str::to_owned).collect()
    };
    let changed = stacks.iter().filter(|stack| !actions(stack).is_empty());
    (stacks.iter().flat_map(actions).collect(), changed.count())
}

fn all(outcome: &str) -> Vec<String> {
    vec![outcome.to_owned(); STACKS]
}

#[test]
fn forty_stacks_are_deployed_compared_updated_and_removed() {
    let sandbox = shipped(&config(1));
    assert_eq!(outcomes(&sandbox, &["deploy"]), all("created"));
    let account = sandbox.account();
    assert_eq!(account.inventory()["functions"].len(), STACKS);
    assert_eq!(account.inventory()["roles"].len(), STACKS);
    assert_eq!(outcomes(&sandbox, &["deploy"]), all("unchanged"));
    assert_eq!(planned(&sandbox), (BTreeSet::new(), 0));

    sandbox.configure(&config(2));
    let updates = BTreeSet::from(["update".to_owned()]);
    assert_eq!(planned(&sandbox), (updates, STACKS));
    // What it takes is measured where everything is built, so that the compiler is no part of it.
    let mut command: Command = sandbox.command(&[&["deploy", "--yes"], &PLACE[..]].concat());
    let command = command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut deploy = command.spawn().expect("the tool starts");
    let ended = deploy.wait4().expect("it is a child of this process");
    assert!(ended.status.success(), "{}", ended.status);
    let peak = ended.rusage.maxrss;
    assert!(peak < MEMORY, "{peak} bytes");
    assert_eq!(planned(&sandbox), (BTreeSet::new(), 0));

    let removed = outcomes(&sandbox, &["destroy", "--concurrency", "20"]);
    assert_eq!(removed, all("deleted"));
    let left = account.inventory_of_systems();
    assert!(left.values().all(Vec::is_empty), "{left:#?}");
}
