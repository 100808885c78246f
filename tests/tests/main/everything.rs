//! Everything that ships, as a newcomer deploys it: the shipped configuration, no names, one command; then what is
//! repeated, the other stage beside it, and the end of both.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Map, Value, json};
use system_tests::account::Account;
use system_tests::sandbox::{Run, Sandbox};

use crate::{repository, shipped};

const SYSTEMS: [&str; 5] = ["coffee", "intake", "orders", "photos", "visitors"];

/// The regions of the systems in both stages.
const REGIONS: [&str; 4] = ["us-east-1", "us-east-2", "us-west-2", "eu-central-1"];

/// One engine for all rows: what one leaves the next begins with.
#[test]
fn all_systems_are_deployed_with_one_command_and_removed_with_another() {
    let shipped_config = fs::read_to_string(repository().join("stackctl.toml"));
    let sandbox = shipped(&shipped_config.expect("the repository ships a configuration"));
    let account = sandbox.account();
    let before = inventory(&account);

    let dev = Assembly::of(&sandbox, "dev");
    let first = on(&sandbox, &["deploy", "--json"], "dev");
    everything_is_created(&dev, &first);
    stacks_wait_for_what_they_depend_on(&dev, &first);
    systems_are_deployed_side_by_side(&first);
    outputs_are_those_of_every_system(&sandbox, &dev, &first);
    a_selection_is_as_it_was_deployed(&sandbox);
    a_second_deploy_changes_nothing_and_shows_the_same(&sandbox, &dev);

    // What the shipped stage says that somebody keeps in Parameter Store.
    for region in REGIONS {
        keep(&account, region, "/CodeBuild/S3_BUCKET_ID", "builds");
    }
    let api_key = "0123456789abcdefghijklmnopqrstuvwxyz";
    keep(&account, "eu-central-1", "/CodeBuild/API_KEY", api_key);
    let prod = Assembly::of(&sandbox, "prod");
    let beside = on(&sandbox, &["deploy", "--json"], "prod");
    everything_is_created(&prod, &beside);
    stacks_wait_for_what_they_depend_on(&prod, &beside);

    // Neither stage noticed the other come, nor does one notice the other go.
    unchanged(&sandbox, &[], "dev");
    let removed = on(&sandbox, &["destroy", "--json"], "dev");
    assert_eq!(retained(&removed), BTreeSet::new());
    unchanged(&sandbox, &[], "prod");

    // The stage is protected: what it held stays, and is told.
    let removed = on(&sandbox, &["destroy", "--json"], "prod");
    let left: BTreeSet<_> = &inventory(&account) - &before;
    let mut told = retained(&removed);
    assert!(told.contains("usersTable-prod"), "{told:?}");
    // User pools are named by their region and an underscore; the inventory has none.
    told.retain(|name| !REGIONS.iter().any(|r| name.starts_with(&format!("{r}_"))));
    let other: BTreeSet<_> = &left ^ &told;
    assert_eq!(other, BTreeSet::new(), "of {left:#?}");
}

/// The stacks of a stage, as the manifest lists them.
struct Assembly(BTreeMap<String, Stack>);

struct Stack {
    dependencies: Vec<String>,
    /// The outputs that are meant for people.
    outputs: BTreeSet<String>,
}

impl Assembly {
    fn of(sandbox: &Sandbox, stage: &str) -> Self {
        let directory = sandbox.directory().join(stage);
        let path = directory.to_str().expect("temporary directories are UTF-8");
        sandbox.succeed(&["synth", "--stage", stage, "--out", path]);
        let manifest = fs::read_to_string(directory.join("manifest.json"));
        let manifest = manifest.expect("it was written");
        let manifest: Value = serde_json::from_str(&manifest).expect("it is JSON");
        let stacks = manifest["stacks"].as_array().expect("it is a list").iter();
        let stacks = stacks.map(|stack| {
            let dependencies = stack["depends_on"].as_array().expect("it is a list");
            let outputs = object(&stack["outputs"]).iter();
            let outputs = outputs.filter(|(_, output)| output["links"] != true);
            let described = Stack {
                dependencies: dependencies.iter().map(text).collect(),
                outputs: outputs.map(|(key, _)| key.clone()).collect(),
            };
            (text(&stack["name"]), described)
        });
        let assembly = Self(stacks.collect());
        for system in SYSTEMS {
            let mut names = assembly.0.keys();
            assert!(names.any(|name| system_of(name) == system), "no {system}");
        }
        assembly
    }

    fn names(&self) -> BTreeSet<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

/// Runs a command on all stacks of a stage.
#[track_caller]
fn on(sandbox: &Sandbox, command: &[&str], stage: &str) -> Run {
    sandbox.succeed(&[command, &["--stage", stage, "--local"]].concat())
}

fn text(value: &Value) -> String {
    value.as_str().expect("it is a text").to_owned()
}

#[track_caller]
fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().expect("it is an object")
}

fn system_of(stack: &str) -> &str {
    stack.split('-').next().expect("splitting yields something")
}

/// Returns what the last line of a run says of each stack.
fn summary(run: &Run) -> BTreeMap<String, Value> {
    let last = run.json_lines().pop().expect("it says something");
    assert_eq!(last["type"], "summary", "{run}");
    let stacks = last["stacks"].as_array().expect("it is a list").iter();
    stacks
        .map(|stack| (text(&stack["stack"]), stack.clone()))
        .collect()
}

/// Returns the positions of the events of a type, by stack.
fn moments(run: &Run, kind: &str) -> BTreeMap<String, usize> {
    let events = run.json_lines().into_iter().enumerate();
    events
        .filter(|(_, event)| event["type"] == kind)
        .map(|(moment, event)| (text(&event["stack"]), moment))
        // What the tool keeps for itself comes before all of them, once in each region.
        .filter(|(stack, _)| !stack.starts_with("stackctl-"))
        .collect()
}

fn everything_is_created(assembly: &Assembly, run: &Run) {
    let told = summary(run);
    let names: BTreeSet<_> = told.keys().map(String::as_str).collect();
    assert_eq!(names, assembly.names());
    for (name, stack) in told {
        assert_eq!(stack["outcome"], "created", "{name}: {run}");
    }
}

fn stacks_wait_for_what_they_depend_on(assembly: &Assembly, run: &Run) {
    let (started, finished) = (
        moments(run, "stack_started"),
        moments(run, "stack_finished"),
    );
    let mut waits = 0;
    for (name, stack) in &assembly.0 {
        for dependency in &stack.dependencies {
            assert!(
                finished[dependency] < started[name],
                "{name} did not wait for {dependency}: {run}"
            );
            waits += 1;
        }
    }
    assert!(waits > 5, "hardly any stack depends on another");
}

/// Every system has begun before the first stack of any is done.
fn systems_are_deployed_side_by_side(run: &Run) {
    let finished = moments(run, "stack_finished");
    let first = finished.values().min().expect("there are stacks");
    let started = moments(run, "stack_started").into_iter();
    let begun = started.filter(|(_, moment)| moment < first);
    let systems: BTreeSet<_> = begun.map(|(name, _)| system_of(&name).to_owned()).collect();
    assert_eq!(systems, SYSTEMS.map(str::to_owned).into(), "{run}");
}

fn outputs_are_those_of_every_system(sandbox: &Sandbox, assembly: &Assembly, run: &Run) {
    let outputs = on(sandbox, &["outputs", "--json"], "dev").json();
    let told = object(&outputs);
    let names: BTreeSet<_> = told.keys().map(String::as_str).collect();
    assert_eq!(names, assembly.names());
    for (name, stack) in &assembly.0 {
        let keys: BTreeSet<_> = object(&told[name]).keys().cloned().collect();
        assert!(keys.is_superset(&stack.outputs), "{name}: {outputs}");
    }
    for (stack, key, value) in [
        ("intake-dev", "TableName", "name-dev"),
        (
            "orders-backend-dev",
            "UsersTableName",
            "ExampleSite-Users-dev",
        ),
        ("photos-data-dev", "TableName", "devPhotoUsers"),
        ("visitors-api-dev", "TableName", "usersTable-dev"),
    ] {
        assert_eq!(outputs[stack][key], value, "{stack}");
    }
    let pool = text(&outputs["coffee-core-dev"]["UserPoolID"]);
    assert!(pool.starts_with("us-east-2_"), "{pool}");
    for (name, stack) in summary(run) {
        let at_the_end = stack.get("outputs").cloned().unwrap_or(json!({}));
        assert_eq!(at_the_end, told[&name], "{name}");
    }
}

/// Functions that are built without those of the other systems are the same bytes.
fn a_selection_is_as_it_was_deployed(sandbox: &Sandbox) {
    let run = unchanged(sandbox, &["intake-*"], "dev");
    for stack in ["intake-dev", "intake-pipeline-dev"] {
        assert!(run.stdout.contains(stack), "{run}");
    }
    assert!(!run.stdout.contains("orders-"), "{run}");
}

/// Expects that a deploy of stacks would change nothing.
#[track_caller]
fn unchanged(sandbox: &Sandbox, stacks: &[&str], stage: &str) -> Run {
    let run = on(sandbox, &[&["diff", "--exit-code"], stacks].concat(), stage);
    assert!(run.stdout.ends_with("nothing would change\n"), "{run}");
    run
}

/// People read the outputs below the name of their stack.
fn a_second_deploy_changes_nothing_and_shows_the_same(sandbox: &Sandbox, assembly: &Assembly) {
    let outputs = on(sandbox, &["outputs", "--json"], "dev").json();
    let run = on(sandbox, &["deploy"], "dev");
    for (name, stack) in &assembly.0 {
        let unchanged = format!("unchanged {name} in ");
        assert!(run.stderr.contains(&unchanged), "{name}: {run}");
        if stack.outputs.is_empty() {
            continue;
        }
        let after = run.stdout.split_once(&format!("{name}\n"));
        let (_, after) = after.unwrap_or_else(|| panic!("no {name} in {run}"));
        let below: Vec<_> = after
            .lines()
            .take_while(|line| line.starts_with(' '))
            .collect();
        let below = below.join("\n");
        for key in &stack.outputs {
            let value = text(&outputs[name][key]);
            assert!(
                below.contains(key) && below.contains(&value),
                "{name}: {key}: {run}"
            );
        }
    }
}

/// Puts a text into Parameter Store.
fn keep(account: &Account, region: &str, name: &str, value: &str) {
    let arguments = json!({"Name": name, "Value": value, "Type": "String"});
    let account = account.in_region(region);
    account.call("ssm", "AmazonSSM.PutParameter", &arguments);
}

/// Returns the physical ids of what a destroy says that it left behind.
fn retained(run: &Run) -> BTreeSet<String> {
    let stacks = summary(run).into_values();
    let lists = stacks.filter_map(|stack| stack.get("retained").cloned());
    lists
        .flat_map(|list| object(&list).values().map(text).collect::<Vec<_>>())
        // The engine names the host of a queue as it was asked for it, which the inventory does by address.
        .map(|id| id.replacen("//localhost:", "//127.0.0.1:", 1))
        .collect()
}

/// Returns everything that deploys left in all regions.
fn inventory(account: &Account) -> BTreeSet<String> {
    let regions = REGIONS.map(|region| account.in_region(region).inventory_of_systems());
    regions
        .into_iter()
        .flat_map(BTreeMap::into_values)
        .flatten()
        .collect()
}
