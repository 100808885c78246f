//! Stacks in statuses that no update is accepted from, and two callers at once.

use std::process::Command;

use serde_json::{Value, json};
use system_tests::account::texts;
use system_tests::poll::{PATIENCE, eventually};
use system_tests::sandbox::{Run, Running};
use tempfile::TempDir;

use crate::fixture::{Fixture, STACK};

const DEPLOY: [&str; 4] = ["deploy", "--stage", "dev", "--local"];

/// Updates the stack by hand to something that fails, and keeps what failed.
fn fail_by_hand(fixture: &Fixture) {
    let account = fixture.sandbox.account();
    let answer = account.query(
        "cloudformation",
        "2010-05-15",
        "GetTemplate",
        &[("StackName", STACK)],
    );
    let body = texts(&answer, "TemplateBody").remove(0);
    let body = body.replace("&quot;", "\"").replace("&amp;", "&");
    let mut template: Value = serde_json::from_str(&body).expect("the template is JSON");
    template["Resources"]["Extra"] = json!({"Type": "AWS::SQS::Queue"});
    // The zone is none, which nobody finds out before the record is made.
    template["Resources"]["Bad"] = json!({
        "Type": "AWS::Route53::RecordSet",
        "DependsOn": "Extra",
        "Properties": {"HostedZoneName": "gone.example.com.", "Name": "a.gone.example.com", "Type": "A",
                       "TTL": "60", "ResourceRecords": ["192.0.2.1"]},
    });
    account.query(
        "cloudformation",
        "2010-05-15",
        "UpdateStack",
        &[
            ("StackName", STACK),
            ("TemplateBody", &template.to_string()),
            ("DisableRollback", "true"),
            ("Capabilities.member.1", "CAPABILITY_IAM"),
            ("Parameters.member.1.ParameterKey", "ArtifactBucket"),
            ("Parameters.member.1.UsePreviousValue", "true"),
            ("Parameters.member.2.ParameterKey", "WorkerArtifact"),
            ("Parameters.member.2.UsePreviousValue", "true"),
        ],
    );
    eventually("the failure of the update", PATIENCE, || {
        (fixture.status().as_deref() == Some("UPDATE_FAILED")).then_some(())
    });
}

#[test]
fn a_failed_update_is_named_and_rolled_back_by_the_named_command() {
    let fixture = Fixture::new(&json!({}));
    fixture.sandbox.succeed(&DEPLOY);
    fail_by_hand(&fixture);

    let refused = fixture.sandbox.run(&DEPLOY);
    assert_eq!(refused.code, Some(1), "{refused}");
    let command = fixture.sandbox.named(&["rollback", "slow-dev"]);
    assert!(refused.stderr.contains(&command), "{refused}");
    let status = ["status", "--stage", "dev", "--local", "--json"];
    let refused = fixture.sandbox.succeed(&status);
    assert_eq!(refused.json()["stacks"][0]["next"], command, "{refused}");

    let rollback = fixture.sandbox.paste(&command, &["--json"]);
    let lines = rollback.json_lines();
    let summary = lines.last().expect("there is a summary");
    assert_eq!(summary["type"], "summary", "{rollback}");
    assert_eq!(
        summary["stacks"],
        json!([{"stack": STACK, "outcome": "rolled_back"}])
    );
    assert_eq!(
        fixture.status().as_deref(),
        Some("UPDATE_ROLLBACK_COMPLETE")
    );

    // The stack takes the next update, and whoever looks is told what to do.
    let settled = fixture.sandbox.succeed(&status).json();
    let stack = &settled["stacks"][0];
    let deploy = fixture.sandbox.named(&["deploy", "slow-dev"]);
    assert_eq!(stack["next"], deploy, "{stack}");
    assert!(stack["rolled_back"].is_string(), "{stack}");
    let explain = ["explain", "--stage", "dev", "--local"];
    let explained = fixture.sandbox.succeed(&explain);
    assert!(
        explained
            .stdout
            .contains("next: the stack is as it was before: mend the cause"),
        "{explained}"
    );

    // A name that no stack has costs no synth where no source changed.
    let misspelt = fixture
        .sandbox
        .run(&["deploy", "slwo", "--stage", "dev", "--local"]);
    assert_eq!(misspelt.code, Some(2), "{misspelt}");
    assert!(
        misspelt.stderr.contains("did you mean `slow`")
            && misspelt.stderr.contains("no source has changed since"),
        "{misspelt}"
    );

    let again = ["rollback", "slow-dev", "--local", "--stage", "dev"];
    let again = fixture.sandbox.succeed(&again);
    assert!(again.stderr.contains("nothing to roll back"), "{again}");
    fixture.sandbox.succeed(&DEPLOY);
    let resources = fixture.sandbox.account().query(
        "cloudformation",
        "2010-05-15",
        "DescribeStackResources",
        &[("StackName", STACK)],
    );
    assert!(!texts(&resources, "LogicalResourceId").contains(&"Extra".to_owned()));
}

/// What another machine has: credentials of its own, and no state in common.
struct Machine<'a> {
    fixture: &'a Fixture,
    environment: Vec<(&'static str, String)>,
    state: TempDir,
}

impl<'a> Machine<'a> {
    fn new(fixture: &'a Fixture) -> Self {
        let all = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"}]});
        let caller = fixture.sandbox.account().as_role("colleague", Some(&all));
        Self {
            fixture,
            environment: caller.environment(),
            state: TempDir::new().expect("a directory can be made"),
        }
    }

    fn command(&self, more: &[&str]) -> Command {
        let url = self.fixture.sandbox.account().endpoint().to_owned();
        let arguments = ["deploy", "--stage", "dev", "--endpoint-url", &url];
        let mut command = self
            .fixture
            .sandbox
            .command(&[&arguments[..], more].concat());
        command
            .env("STACKCTL_STATE_DIR", self.state.path())
            .envs(self.environment.iter().cloned());
        command
    }

    fn deploy(&self) -> Run {
        Running::spawn(self.command(&[])).end()
    }
}

#[test]
fn the_second_of_two_machines_is_told_who_is_at_work_and_may_wait() {
    let fixture = Fixture::slow();
    let first = fixture.sandbox.spawn(&DEPLOY);
    first.says("Handle");
    let machine = Machine::new(&fixture);

    let refused = machine.deploy();
    assert_eq!(refused.code, Some(1), "{refused}");
    for told in [
        "stack slow-dev is busy: it is CREATE_IN_PROGRESS since 2",
        "begun by arn:aws:iam::000000000000:root",
        "add `--wait`",
    ] {
        assert!(refused.stderr.contains(told), "no {told} in {refused}");
    }

    let waiting = Running::spawn(machine.command(&["--wait"]));
    waiting.says("by arn:aws:iam::000000000000:root");
    fixture.signal();
    let first = first.end();
    assert_eq!(first.code, Some(0), "{first}");
    let second = waiting.end();
    assert_eq!(second.code, Some(0), "{second}");
    assert!(second.stderr.contains("unchanged"), "{second}");
}
