//! What goes wrong around a deploy: no engine, no room, somebody else, a death.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::process::Command;

use serde_json::{Value, json};
use system_tests::proxy::Proxy;
use system_tests::sandbox::{Run, Running};
use tempfile::TempDir;

use crate::fixture::Fixture;

const DEPLOY: [&str; 4] = ["deploy", "--stage", "dev", "--local"];

fn plain() -> Fixture {
    Fixture::new(&json!({}))
}

fn error(run: &Run) -> Value {
    let lines = run.json_lines();
    let error = lines.iter().find_map(|line| line.get("error"));
    error.unwrap_or_else(|| panic!("no error in {run}")).clone()
}

#[test]
fn a_machine_without_python_is_told_what_to_install() {
    let fixture = plain();
    let nowhere = TempDir::new().expect("a directory can be made");
    let programs = nowhere.path().join("bin");
    fs::create_dir(&programs).expect("a directory can be made");
    // Everything that Cargo needs to build, and nothing else.
    for program in ["cargo", "rustc", "cc", "ld", "as"] {
        let found = Command::new("sh")
            .args(["-c", &format!("command -v {program}")])
            .output()
            .expect("there is a shell");
        let found = String::from_utf8_lossy(&found.stdout);
        if !found.trim().is_empty() {
            symlink(found.trim(), programs.join(program)).expect("a link can be made");
        }
    }
    let mut command = fixture
        .sandbox
        .command(&["--json", "deploy", "--stage", "dev", "--local"]);
    command
        .env("PATH", &programs)
        .env("STACKCTL_STATE_DIR", nowhere.path().join("state"))
        .env("STACKCTL_CACHE_DIR", nowhere.path().join("cache"));
    let run = Running::spawn(command).end();
    assert_eq!(run.code, Some(1), "{run}");
    let error = error(&run);
    assert_eq!(error["kind"], "local", "{error}");
    assert!(error["causes"].to_string().contains("no Python"), "{error}");
    let hints = error["hints"].to_string();
    assert!(hints.contains("3.10"), "{hints}");
    assert_eq!(fixture.status(), None);
}

#[test]
fn a_taken_port_is_named() {
    let fixture = plain();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = taken.local_addr().expect("it has an address").port();
    let elsewhere = TempDir::new().expect("a directory can be made");
    let mut command = fixture
        .sandbox
        .command(&["--json", "deploy", "--stage", "dev", "--local"]);
    command
        .env("STACKCTL_LOCAL_PORT", port.to_string())
        .env("STACKCTL_STATE_DIR", elsewhere.path());
    let run = Running::spawn(command).end();
    assert_eq!(run.code, Some(1), "{run}");
    let error = error(&run);
    assert_eq!(error["kind"], "local", "{error}");
    assert!(
        error["message"]
            .as_str()
            .is_some_and(|text| text.contains(&port.to_string())),
        "{error}"
    );
    assert_ne!(error["hints"], json!([]), "{error}");
}

#[test]
fn a_deploy_is_done_again_after_the_engine_was_killed_in_the_middle() {
    let fixture = Fixture::slow();
    let running = fixture.sandbox.spawn(&DEPLOY);
    running.says("Handle");
    let record = fixture.sandbox.state_dir().join("local/engine.json");
    let record = fs::read_to_string(record).expect("the engine left a record");
    let record: Value = serde_json::from_str(&record).expect("the record is JSON");
    let pid = record["pid"].to_string();
    let killed = Command::new("kill").args(["-KILL", &pid]).status();
    assert!(killed.expect("there is a kill command").success());
    let run = running.end();
    assert_eq!(run.code, Some(1), "{run}");
    assert!(!run.stderr.contains("panicked"), "{run}");
    assert!(run.stderr.contains("could not be reached"), "{run}");

    fixture.describe(&json!({}));
    let run = fixture.sandbox.succeed(&DEPLOY);
    assert!(run.stderr.contains("killed the last time"), "{run}");
    // The new engine is another process on another port: ask it, and not the one that the sandbox knew.
    let outputs = fixture
        .sandbox
        .succeed(&["outputs", "--stage", "dev", "--local", "--json"]);
    assert!(
        outputs.json()["slow-dev"]["QueueUrl"].is_string(),
        "{outputs}"
    );
    let again = fixture.sandbox.succeed(&DEPLOY);
    assert!(again.stderr.contains("unchanged"), "{again}");
}

#[test]
fn a_full_disk_leaves_nothing_half_done() {
    let fixture = plain();
    let disk = fixture.sandbox.directory().join("disk");
    fs::create_dir(&disk).expect("a directory can be made");
    let url = fixture.sandbox.engine().url().to_owned();
    let deploy = ["--json", "deploy", "--stage", "dev", "--endpoint-url", &url];
    // In a mount namespace of its own the disk is gone with the process, whatever happens to this test.
    let script = "mount -t tmpfs -o size=1m stackctl-test \"$0\" && \"$@\"; code=$?; ls -A \"$0/artifacts\" >&2; exit $code";
    let inner = fixture.sandbox.command(&deploy);
    let mut command = Command::new("unshare");
    command
        .args(["--map-root-user", "--mount", "sh", "-c", script])
        .arg(&disk)
        .arg(inner.get_program())
        .args(inner.get_args())
        .current_dir(inner.get_current_dir().expect("it was set"))
        .env_clear();
    for (name, value) in inner.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    command.env("STACKCTL_STATE_DIR", &disk);
    let mountable = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c"])
        .arg("mount -t tmpfs -o size=1m stackctl-test \"$0\"")
        .arg(&disk)
        .status();
    if !mountable.is_ok_and(|status| status.success()) {
        // A developer's system may forbid it; where the tests are to prove something, nothing is left out.
        assert!(
            std::env::var_os("CI").is_none(),
            "this system does not let a test mount a small disk of its own"
        );
        #[expect(
            clippy::print_stderr,
            reason = "a test that checks nothing must say so"
        )]
        {
            eprintln!("SKIPPED: this system does not let a test mount a small disk of its own");
        }
        return;
    }
    let run = Running::spawn(command).end();
    assert_eq!(run.code, Some(1), "{run}");
    let error = error(&run);
    assert_eq!(error["kind"], "io", "{error}");
    let text = error.to_string();
    assert!(
        text.contains("disk") && text.contains("STACKCTL_STATE_DIR"),
        "{text}"
    );
    assert!(
        !run.stderr.contains(".zip") && !run.stderr.contains(".packing"),
        "{run}"
    );
    assert_eq!(fixture.status(), None);
    // With room it works.
    fixture.sandbox.succeed(&DEPLOY);
}

#[test]
fn of_two_deploys_at_once_one_waits_its_turn() {
    let fixture = plain();
    let held = fixture.hold_synth();
    let first = fixture.sandbox.spawn(&DEPLOY);
    held.reached();

    let second = fixture
        .sandbox
        .run(&["--json", "deploy", "--stage", "dev", "--local"]);
    assert_eq!(second.code, Some(1), "{second}");
    let error = error(&second);
    assert_eq!(error["kind"], "locked", "{error}");
    assert!(error["causes"].to_string().contains("process"), "{error}");

    held.release();
    let first = first.end();
    assert_eq!(first.code, Some(0), "{first}");
    fixture.sandbox.succeed(&DEPLOY);
}

/// Two machines know nothing of each other's locks: CloudFormation itself keeps them apart.
#[test]
fn of_two_deploys_from_two_machines_one_is_told_of_the_other() {
    let fixture = Fixture::slow();
    let first = fixture.sandbox.spawn(&DEPLOY);
    first.says("Handle");
    let elsewhere = TempDir::new().expect("a directory can be made");
    let url = fixture.sandbox.engine().url().to_owned();
    let mut command =
        fixture
            .sandbox
            .command(&["deploy", "--stage", "dev", "--endpoint-url", &url]);
    command.env("STACKCTL_STATE_DIR", elsewhere.path());
    let second = Running::spawn(command);
    // It sees an operation of the same tool and waits for it.
    second.says("CREATE_IN_PROGRESS");
    fixture.signal();
    for run in [first.end(), second.end()] {
        assert_eq!(run.code, Some(0), "{run}");
    }
}

/// The tool itself dies without a chance to clean up: before its change set is executed, and after.
#[test]
fn a_deploy_is_finished_after_the_tool_was_killed() {
    let fixture = plain();
    fixture
        .sandbox
        .succeed(&["bootstrap", "--stage", "dev", "--local"]);
    for call in ["Action=ExecuteChangeSet", "Action=DescribeStackEvents"] {
        let proxy = Proxy::start(fixture.sandbox.engine().url());
        let hold = proxy.hold(call);
        let url = proxy.url();
        let running = fixture
            .sandbox
            .spawn(&["deploy", "--stage", "dev", "--endpoint-url", &url]);
        hold.reached();
        running.signal("KILL");
        let run = running.end_soon();
        assert_eq!(run.code, None, "{run}");
        hold.abandon();

        fixture.sandbox.succeed(&DEPLOY);
        assert_eq!(
            fixture.status().as_deref(),
            Some("CREATE_COMPLETE"),
            "after {call}"
        );
        fixture
            .sandbox
            .succeed(&["destroy", "--stage", "dev", "--local"]);
        assert_eq!(fixture.status(), None);
    }
}

/// AWS refuses what the engine takes over, so a deploy to the engine says so.
#[test]
fn a_name_that_something_else_has_is_told() {
    let fixture = Fixture::new(&json!({
        "Lines": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/shop/lines"}},
        "Orders": {"Type": "AWS::DynamoDB::Table", "Properties": {
            "TableName": "shop-orders", "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        }},
    }));
    let deploy = ["deploy", "--stage", "dev", "--local"];
    let account = fixture.sandbox.account();
    account.call(
        "logs",
        "Logs_20140328.CreateLogGroup",
        &json!({"logGroupName": "/shop/lines"}),
    );
    account.call(
        "dynamodb",
        "DynamoDB_20120810.CreateTable",
        &json!({
            "TableName": "shop-orders", "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        }),
    );
    let run = fixture.sandbox.succeed(&deploy);
    for name in ["/shop/lines", "shop-orders"] {
        let told = format!("`{name}` is the name of another AWS::");
        assert_eq!(run.stderr.matches(&told).count(), 1, "{run}");
    }
    // What the stack has by now is its own.
    let run = fixture.sandbox.succeed(&deploy);
    assert!(!run.stderr.contains("is the name of another"), "{run}");
}
