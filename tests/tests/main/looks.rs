//! The verbs that look at what is deployed: they tell the truth about the real thing, and change nothing.

use std::fs;

use serde_json::{Value, json};
use system_tests::poll::{PATIENCE, eventually};
use system_tests::sandbox::{Running, Sandbox};

const STACK: &str = "intake-dev";

/// Looks at a deployed intake in every way.
pub(crate) fn at(sandbox: &Sandbox) {
    status(sandbox);
    events(sandbox);
    history(sandbox);
    explain(sandbox);
    timeline(sandbox);
    drift(sandbox);
    sample(sandbox);
    invoke(sandbox);
    logs(sandbox);
    follow(sandbox);
    diff(sandbox);
}

fn ask(sandbox: &Sandbox, verb: &[&str]) -> Value {
    let place = ["--stage", "dev", "--local", "--json"];
    sandbox.succeed(&[verb, &place].concat()).json()
}

fn status(sandbox: &Sandbox) {
    let status = ask(sandbox, &["status", "intake"]);
    let expected = json!({"stack": STACK, "status": "CREATE_COMPLETE", "settled": true});
    assert_eq!(status, json!({ "stacks": [expected] }));
}

fn events(sandbox: &Sandbox) {
    let run = sandbox.succeed(&[
        "events", "intake", "--stage", "dev", "--local", "--limit", "1000",
    ]);
    let told = format!("{}{}", run.stdout, run.stderr);
    for logical_id in ["Table", "Queue", "DeadLetters", "Operations", STACK] {
        let line = told
            .lines()
            .find(|line| line.contains(logical_id) && line.contains("CREATE_COMPLETE"));
        assert!(line.is_some(), "nothing about {logical_id} in {run}");
    }
}

/// The deploy is told as ours, with the version that did it.
fn history(sandbox: &Sandbox) {
    let history = ask(sandbox, &["history", "intake"]);
    let operations = history["operations"].as_array().expect("it is a list");
    let last = operations.last().expect("the stack was deployed");
    assert_eq!(
        (&last["stack"], &last["operation"], &last["status"]),
        (&json!(STACK), &json!("create"), &json!("CREATE_COMPLETE"))
    );
    assert_eq!(last["ours"], true, "{last}");
    assert!(last["version"].is_string(), "{last}");
    assert!(last["by"].is_string(), "{last}");
}

/// What went well has nothing to explain.
fn explain(sandbox: &Sandbox) {
    let explained = ask(sandbox, &["explain", "intake"]);
    let stack = &explained["stacks"][0];
    assert_eq!(stack["status"], "CREATE_COMPLETE", "{stack}");
    assert!(stack["first_cause"].is_null(), "{stack}");
}

/// Something made the deploy take as long as it did, and the page of it stands alone.
fn timeline(sandbox: &Sandbox) {
    let timeline = ask(sandbox, &["events", "intake", "--timeline"]);
    let resources = timeline["operations"][0]["resources"]
        .as_array()
        .unwrap_or_else(|| panic!("no resources in {timeline}"));
    assert!(
        resources
            .iter()
            .any(|resource| resource["critical"] == true),
        "{timeline}"
    );
    let page = ask(sandbox, &["events", "intake", "--timeline", "deploy.html"]);
    let file = page["out"].as_str().expect("it says where the page is");
    let page = std::fs::read_to_string(file).expect("the page is there");
    assert!(page.contains("DeadLetters") && page.ends_with("</html>\n"));
    std::fs::remove_file(file).expect("the page can be removed");
}

/// The engine finds no drift, and is not asked to change any back.
fn drift(sandbox: &Sandbox) {
    let drift = ask(sandbox, &["drift", "intake", "--exit-code"]);
    assert_eq!(drift["stacks"][0]["status"], "IN_SYNC", "{drift}");
    let refused = sandbox.run(&["drift", "intake", "--revert", "--stage", "dev", "--local"]);
    assert_eq!(refused.code, Some(1), "{refused}");
}

/// The event of a function is that of its own queue.
fn sample(sandbox: &Sandbox) {
    let event = ask(
        sandbox,
        &["invoke", "Operations", "--sample", "sqs", "--print"],
    );
    let source = event["Records"][0]["eventSourceARN"]
        .as_str()
        .unwrap_or_else(|| panic!("no queue in {event}"));
    // It is called there as CloudFormation made it.
    let outputs = ask(sandbox, &["outputs", "intake"]);
    let url = outputs["intake-dev"]["QueueUrl"]
        .as_str()
        .unwrap_or_default();
    let name = url.rsplit('/').next().unwrap_or_default();
    assert!(!name.is_empty(), "{outputs}");
    assert!(source.ends_with(&format!(":{name}")), "{source} {url}");
}

/// An answer ends with 0; the function's own error is shown and ends with 1.
fn invoke(sandbox: &Sandbox) {
    let call = |payload: &str| {
        let arguments = [
            "invoke",
            "Operations",
            "--payload",
            payload,
            "--stage",
            "dev",
            "--local",
        ];
        sandbox.run(&arguments)
    };
    let pong = call(r#"{"operation": "ping"}"#);
    assert_eq!(
        (pong.code, pong.stdout.trim()),
        (Some(0), "\"pong\""),
        "{pong}"
    );
    let refused = call(r#"{"operation": "frobnicate"}"#);
    assert_eq!(refused.code, Some(1), "{refused}");
    let error: Value = serde_json::from_str(refused.stdout.trim()).expect("the error is JSON");
    assert_eq!(
        error["errorMessage"],
        "Unrecognized operation \"frobnicate\""
    );
    assert_eq!(error["errorType"], "OperationError");
    // A payload can come from another command.
    let file = sandbox.directory().join("ping.json");
    fs::write(&file, r#"{"operation": "ping"}"#).expect("writes");
    let arguments = ["invoke", "Operations", "--payload-file", "-"];
    let mut command = sandbox.command(&[&arguments[..], &["--stage", "dev", "--local"]].concat());
    command.stdin(fs::File::open(&file).expect("opens"));
    let run = Running::spawn(command).end_soon();
    assert_eq!(
        (run.code, run.stdout.trim()),
        (Some(0), "\"pong\""),
        "{run}"
    );
}

/// What came through the queue is answered to nobody, so the log is where its result is.
fn logs(sandbox: &Sandbox) {
    let lines = eventually("the result of a message in the log", PATIENCE, || {
        let run = sandbox.succeed(&["logs", "Operations", "--stage", "dev", "--local", "--json"]);
        let handled: Vec<Value> = run
            .json_lines()
            .into_iter()
            .filter(|line| line.to_string().contains("message handled"))
            .collect();
        (!handled.is_empty()).then_some(handled)
    });
    let pong = lines.iter().find(|line| line.to_string().contains("pong"));
    let pong = pong.unwrap_or_else(|| panic!("no pong in {lines:#?}"));
    assert_eq!(
        (&pong["stack"], &pong["function"]),
        (&json!(STACK), &json!("Operations"))
    );
}

/// What happens while somebody follows is told, and Ctrl-C is the regular end of following.
fn follow(sandbox: &Sandbox) {
    let place = ["--stage", "dev", "--local", "--json"];
    let following = sandbox.spawn(&[&["logs", "Operations", "--follow"], &place[..]].concat());
    following.prints("message handled");
    let payload = r#"{"operation": "followed"}"#;
    let call = ["invoke", "Operations", "--payload", payload];
    let refused = sandbox.run(&[&call, &place[..]].concat());
    assert_eq!(refused.code, Some(1), "{refused}");
    following.prints("followed");
    following.interrupt();
    let run = following.end_soon();
    assert_eq!(run.code, Some(0), "{run}");
    let lines = run.json_lines();
    let told = lines
        .iter()
        .filter(|line| line.to_string().contains("followed"));
    // A line is told once, however often the log is asked, and each failure is one line.
    assert_eq!(told.count(), 1, "{run}");
}

/// Nothing would change.
fn diff(sandbox: &Sandbox) {
    let run = sandbox.succeed(&[
        "diff",
        "intake",
        "--stage",
        "dev",
        "--local",
        "--exit-code",
        "--json",
    ]);
    let changes = &run.json()["stacks"][0]["changes"];
    assert!(changes.as_array().is_none_or(Vec::is_empty), "{changes}");
}
