//! The intake system: deployed, used, changed, left alone, removed.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use system_tests::account::{Account, Inventory, texts};
use system_tests::proxy::Proxy;
use system_tests::sandbox::{Run, Sandbox};

use crate::rows::{self, Deployed};
use crate::{looks, shipped};

const STACK: &str = "intake-dev";

/// Returns the configuration of a stage with variables of intake.
fn config(variables: &str) -> String {
    format!("[stages.dev]\nregion = \"us-east-1\"\n\n[stages.dev.variables.intake]\n{variables}\n")
}

fn deploy(sandbox: &Sandbox) -> Run {
    sandbox.deploy(&["intake"])
}

/// Returns what the tool says that was deployed.
fn deployed(sandbox: &Sandbox) -> Deployed {
    let outputs = sandbox.outputs("intake");
    let output = |key: &str| outputs.text(STACK, key);
    Deployed {
        account: sandbox.account(),
        url: output("ApiUrl"),
        queue_url: output("QueueUrl"),
        dead_letter_queue_url: output("DeadLetterQueueUrl"),
        table: output("TableName"),
        function_arn: output("FunctionArn"),
    }
}

/// Returns the stack as CloudFormation describes it.
fn stack(account: &Account) -> String {
    let arguments = [("StackName", STACK)];
    account.query("cloudformation", "2010-05-15", "DescribeStacks", &arguments)
}

fn status(account: &Account) -> String {
    texts(&stack(account), "StackStatus").remove(0)
}

/// Returns when the stack was last changed, and every object of every bucket with the time of its last upload.
fn traces(account: &Account) -> (Vec<String>, Vec<String>, BTreeMap<String, String>) {
    let stack = stack(account);
    let objects = account.inventory()["buckets"]
        .iter()
        .flat_map(|bucket| account.objects(bucket))
        .collect();
    (
        texts(&stack, "CreationTime"),
        texts(&stack, "LastUpdatedTime"),
        objects,
    )
}

#[test]
fn queue_mode_works_from_the_first_deploy_to_nothing_left() {
    let sandbox = shipped(&config("mode = \"queue\""));
    let account = sandbox.account();
    let before = account.inventory_of_systems();

    let first = deploy(&sandbox);
    assert_eq!(status(&account), "CREATE_COMPLETE");
    for (kind, names) in account.inventory() {
        // Grants are part of their roles: the system has no policies of its own.
        assert_eq!(names.is_empty(), kind == "policies", "{kind}: {names:?}");
    }
    let system = deployed(&sandbox);
    shows_outputs(&first, &system);

    rows::queue(&system);
    looks::at(&sandbox);

    leaves_alone_what_is_unchanged(&sandbox);
    changes_a_property(&sandbox, "mode = \"queue\"");

    assert_ne!(artifacts(&account), Vec::<String>::new());
    sandbox.destroy(&["intake"]);
    leaves_nothing(&account, &before);
    // Destroying what is gone is no error.
    sandbox.destroy(&["intake"]);
}

#[test]
fn direct_mode_works_from_the_first_deploy_to_nothing_left() {
    let sandbox = shipped(&config("mode = \"direct\""));
    let account = sandbox.account();
    let before = account.inventory_of_systems();

    deploy(&sandbox);
    let system = deployed(&sandbox);
    rows::direct(&system);

    // The other mode is a change of the same stack; the table and what is in it stay.
    sandbox.configure(&config("mode = \"queue\""));
    deploy(&sandbox);
    assert_eq!(status(&account), "UPDATE_COMPLETE");
    let system = deployed(&sandbox);
    rows::answers_with_a_message_id(&system);
    assert!(rows::item(&system, "1").is_some(), "the item survived");

    assert_ne!(artifacts(&account), Vec::<String>::new());
    sandbox.destroy(&["intake"]);
    leaves_nothing(&account, &before);
}

/// The first deploy shows the outputs, and the line to try the system out works when pasted.
fn shows_outputs(run: &Run, system: &Deployed) {
    let shown = format!("{}{}", run.stdout, run.stderr);
    let line = shown
        .lines()
        .find_map(|line| line.trim().strip_prefix("curl ").map(|_| line.trim()))
        .unwrap_or_else(|| panic!("no curl line in:\n{run}"));
    assert!(line.contains(&system.url), "{line}");
    let pasted = std::process::Command::new("sh")
        .args([
            "-c",
            &format!("{line} --silent --show-error --fail-with-body --max-time 60"),
        ])
        .output()
        .expect("there is a shell");
    let answer = String::from_utf8_lossy(&pasted.stdout);
    assert!(
        pasted.status.success() && answer.contains("messageId"),
        "{line}\n{answer}\n{}",
        String::from_utf8_lossy(&pasted.stderr)
    );
}

fn leaves_alone_what_is_unchanged(sandbox: &Sandbox) {
    let account = sandbox.account();
    let before = traces(&account);
    assert!(!before.2.is_empty(), "the function was uploaded");

    let again = deploy(sandbox);
    assert!(again.stderr.contains("unchanged"), "{again}");
    assert_eq!(traces(&account), before);

    let summary = sandbox
        .succeed(&["deploy", "intake", "--stage", "dev", "--local", "--json"])
        .json_lines()
        .pop()
        .expect("there is a summary");
    assert_eq!(summary["type"], "summary");
    assert_eq!(summary["stacks"][0]["outcome"], "unchanged", "{summary}");

    // The same once more, with somebody listening: nothing that writes is even asked for.
    let proxy = Proxy::start(account.endpoint());
    sandbox.succeed(&[
        "deploy",
        "intake",
        "--stage",
        "dev",
        "--endpoint-url",
        &proxy.url(),
    ]);
    let calls = proxy.calls();
    assert!(
        calls
            .iter()
            .any(|call| call.contains("Action=DescribeStacks")),
        "{calls:#?}"
    );
    let writes: Vec<_> = calls
        .iter()
        .filter(|call| {
            let reads = [
                "Action=Describe",
                "Action=Get",
                "Action=List",
                "GET ",
                "HEAD ",
            ];
            !reads.iter().any(|read| call.contains(read))
        })
        .collect();
    assert!(writes.is_empty(), "{writes:#?}");
    assert_eq!(traces(&account), before);
}

fn changes_a_property(sandbox: &Sandbox, variables: &str) {
    let account = sandbox.account();
    let (created, _, objects) = traces(&account);
    let old = deployed(sandbox);
    sandbox.configure(&config(&format!("{variables}\nstage_name = \"Live\"")));

    let diff = sandbox.run(&[
        "diff",
        "intake",
        "--stage",
        "dev",
        "--local",
        "--exit-code",
        "--json",
    ]);
    assert_eq!(diff.code, Some(3), "{diff}");
    let changed: Vec<Value> = diff.json()["stacks"][0]["changes"]
        .as_array()
        .expect("there are changes")
        .iter()
        .map(|change| change["logical_id"].clone())
        .collect();
    assert!(changed.contains(&json!("ApiStage")), "{changed:?}");
    for unconcerned in ["Table", "Queue", "DeadLetters", "Operations"] {
        assert!(!changed.contains(&json!(unconcerned)), "{changed:?}");
    }

    deploy(sandbox);
    assert_eq!(status(&account), "UPDATE_COMPLETE");
    let (created_now, updated_now, objects_now) = traces(&account);
    assert_eq!(created_now, created, "the stack is the same one");
    assert!(!updated_now.is_empty(), "the stack was updated");
    assert_eq!(
        packages(objects_now),
        packages(objects),
        "the code did not change, so nothing was uploaded"
    );
    let new = deployed(sandbox);
    assert!(
        new.url.contains("/Live/") && old.url.contains("/Staging/"),
        "{}",
        new.url
    );
    rows::answers_with_a_message_id(&new);
}

/// Returns the packages of functions among objects: what else a deploy writes down is another one each time.
fn packages(mut objects: BTreeMap<String, String>) -> BTreeMap<String, String> {
    objects.retain(|key, _| Path::new(key).extension().is_some_and(|kind| kind == "zip"));
    objects
}

/// Returns every version of every artifact of the stack.
fn artifacts(account: &Account) -> Vec<String> {
    account.inventory()["buckets"]
        .iter()
        .flat_map(|bucket| account.versions(bucket, &format!("{STACK}/")))
        .collect()
}

/// Whatever the deploy made is gone, the artifacts too.
fn leaves_nothing(account: &Account, before: &Inventory) {
    assert_eq!(artifacts(account), Vec::<String>::new());
    assert_eq!(&account.inventory_of_systems(), before);
}
