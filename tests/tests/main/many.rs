//! Forty stacks in one app: every verb does its work on all of them, in order, and in no more memory than a small machine has.

use std::collections::BTreeSet;
use std::fs;
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

/// Runs a verb where everything is built, so that the compiler is no part of it, and returns the most memory that it took.
fn peak(sandbox: &Sandbox, verb: &[&str]) -> u64 {
    let mut command: Command = sandbox.command(verb);
    let command = command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("the tool starts");
    let ended = child.wait4().expect("it is a child of this process");
    assert!(ended.status.success(), "{verb:?}: {}", ended.status);
    ended.rusage.maxrss
}

fn config(change: u32) -> String {
    sized(RESOURCES, change)
}

fn sized(resources: usize, change: u32) -> String {
    format!(
        "[workspace]\nstacks = \"scale-stacks\"\n\n[stages.dev]\nregion = \"us-east-1\"\n\n\
         [stages.dev.variables.scale]\nstacks = {STACKS}\nresources = {resources}\nchange = {change}\n"
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
    let peak = peak(&sandbox, &[&["deploy", "--yes"], &PLACE[..]].concat());
    assert!(peak < MEMORY, "{peak} bytes");
    assert_eq!(planned(&sandbox), (BTreeSet::new(), 0));

    let removed = outcomes(&sandbox, &["destroy", "--concurrency", "20"]);
    assert_eq!(removed, all("deleted"));
    let left = account.inventory_of_systems();
    assert!(left.values().all(Vec::is_empty), "{left:#?}");
}

/// Counts the resources of the templates in a directory.
fn resources(directory: &str) -> usize {
    let files = fs::read_dir(directory).expect("it was rendered");
    let paths = files.map(|file| file.expect("it can be read").path());
    let templates = paths.filter(|path| path.to_string_lossy().ends_with(".template.json"));
    let counts = templates.map(|path| {
        let text = fs::read(path).expect("it can be read");
        let template: Value = serde_json::from_slice(&text).expect("it is JSON");
        template["Resources"]
            .as_object()
            .map_or(0, serde_json::Map::len)
    });
    counts.sum()
}

/// As many resources as forty stacks of a large app have. Nobody is asked, so no engine has to hold them.
#[test]
fn four_thousand_resources_are_rendered_and_compared_in_little_memory() {
    let sandbox = shipped(&sized(100, 1));
    let before = sandbox.directory().join("before");
    let before = before.to_str().expect("is a text");
    let stage = ["--stage", "dev"];
    let synth = [&["synth", "--out", before], &stage[..]].concat();
    sandbox.succeed(&synth);
    assert!(resources(before) >= 4000, "{}", resources(before));
    sandbox.configure(&sized(100, 2));
    let diff = [&["diff", "--against", before, "--json"], &stage[..]].concat();
    let plan = sandbox.succeed(&diff).json();
    let stacks = plan["stacks"].as_array().map(Vec::len);
    assert_eq!(stacks, Some(STACKS));
    for verb in [synth, diff] {
        let peak = peak(&sandbox, &verb);
        assert!(peak < MEMORY, "{verb:?}: {peak} bytes");
    }
}
