//! `diff` against templates in a directory: no credentials, no network.

use serde_json::json;
use snapbox::str;

use super::workspace::{Outcome, Workspace};

fn changed() -> Workspace {
    let workspace = Workspace::valid();
    workspace.run(["synth", "--stage", "dev", "--out", "golden"]);
    workspace.assembly(|template, _| {
        template["Resources"]["Queue"]["Properties"] =
            json!({"DelaySeconds": 10, "QueueName": "orders"});
        template["Resources"]["Topic"] = json!({"Type": "AWS::SNS::Topic"});
    });
    workspace
}

const DIFF: &[&str] = &["diff", "--stage", "dev", "--against", "golden"];

#[test]
fn no_difference_is_said_and_ends_well() {
    let workspace = Workspace::valid();
    workspace.run(["synth", "--stage", "dev", "--out", "golden"]);
    let outcome = workspace.run(DIFF.iter().chain(&["--exit-code"]));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    snapbox::assert_data_eq!(
        outcome.stdout,
        str![[r#"
orders-dev (unchanged)
nothing would change

"#]]
    );
}

#[test]
fn differences_are_a_tree() {
    let outcome = changed().run(DIFF);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    snapbox::assert_data_eq!(
        outcome.stdout,
        str![[r#"
orders-dev
  ± replace Queue AWS::SQS::Queue DATA LOSS
      the replaced resource is deleted with the data that it holds
      QueueName cannot change without replacement
      DelaySeconds: 5 → 10
      QueueName: (absent) → "orders"
  + create  Topic AWS::SNS::Topic
1 to create, 1 to replace (1 with data loss)

"#]]
    );
}

#[test]
fn differences_are_json_with_the_shape_of_the_contract() {
    let outcome = changed().run(DIFF.iter().chain(&["--json", "--exit-code"]));
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    assert_eq!(
        outcome.json(),
        json!({"version": 1, "stacks": [{
            "stack": "orders-dev",
            "changes": [
                {
                    "logical_id": "Queue",
                    "resource_type": "AWS::SQS::Queue",
                    "action": "replace",
                    "grade": "data_loss",
                    "dangers": ["data_loss"],
                    "reasons": [
                        "the replaced resource is deleted with the data that it holds",
                        "QueueName cannot change without replacement",
                    ],
                    "properties": [
                        {"path": "Properties.DelaySeconds", "before": 5, "after": 10},
                        {"path": "Properties.QueueName", "before": null, "after": "orders"},
                    ],
                },
                {
                    "logical_id": "Topic",
                    "resource_type": "AWS::SNS::Topic",
                    "action": "create",
                    "grade": "none",
                    "reasons": ["it is new"],
                    "properties": [],
                },
            ],
            "other": [],
        }]})
    );
}

#[test]
fn changes_and_none_end_alike_in_every_format() {
    let changed = changed();
    let same = Workspace::valid();
    same.run(["synth", "--stage", "dev", "--out", "golden"]);
    let formats: [&[&str]; 5] = [
        &[],
        &["--verbose"],
        &["--format", "markdown"],
        &["--format", "html"],
        &["--json"],
    ];
    for format in formats {
        let run = |workspace: &Workspace, more: &[&str]| {
            let arguments = DIFF.iter().chain(format).chain(more);
            workspace.run(arguments.collect::<Vec<_>>()).code
        };
        assert_eq!(run(&changed, &["--exit-code"]), Some(3), "{format:?}");
        assert_eq!(run(&changed, &[]), Some(0), "{format:?}");
        assert_eq!(run(&same, &["--exit-code"]), Some(0), "{format:?}");
    }
}

#[test]
fn a_directory_without_an_assembly_is_told() {
    let workspace = Workspace::valid();
    let error = workspace
        .run(DIFF.iter().chain(&["--json"]))
        .error(1, "assembly");
    assert_eq!(
        error["message"],
        "there is no manifest.json in [ROOT]/golden"
    );
}

#[test]
fn a_rename_is_shown_and_replaces_nothing() {
    let workspace = Workspace::valid();
    workspace.run(["synth", "--stage", "dev", "--out", "golden"]);
    workspace.assembly(|template, manifest| {
        let resources = template["Resources"].as_object_mut().expect("is a map");
        let queue = resources.remove("Queue").expect("is there");
        resources.insert("Orders".to_owned(), queue);
        template["Outputs"]["QueueUrl"]["Value"] = json!({"Ref": "Orders"});
        let resources = &mut manifest["stacks"][0]["resources"];
        let queue = resources["Queue"].take();
        *resources = json!({"Orders": queue});
        manifest["stacks"][0]["moved"] = json!({"Queue": "Orders"});
    });
    let outcome = workspace.run(DIFF);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let told = "it was Queue: it is renamed first, and stays what it is";
    assert!(outcome.stdout.contains(told), "{outcome:?}");
    assert!(!outcome.stdout.contains("delete"), "{outcome:?}");
}

/// Writes what a comparison with AWS, or a deploy, leaves of the stack `orders-dev`.
fn seen(workspace: &Workspace, stack: &serde_json::Value) {
    let kept = json!({"version": 1, "stack": stack});
    let file = ".stackctl/deployed/dev/us-east-1/orders-dev.json";
    workspace.write(file, &kept.to_string());
}

const OFFLINE: &[&str] = &["diff", "--stage", "dev", "--offline"];

/// Runs `diff --offline`, where there are no credentials and every call to AWS would be refused.
fn offline(workspace: &Workspace) -> Outcome {
    let mut command = workspace.command(OFFLINE);
    command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    workspace.finish(command)
}

#[test]
fn what_was_seen_last_is_compared_with_without_asking_anybody() {
    let workspace = Workspace::valid();
    let template = json!({
        "Outputs": {"QueueUrl": {"Value": {"Ref": "Queue"}}},
        "Resources": {
            "Queue": {"Properties": {"DelaySeconds": 7}, "Type": "AWS::SQS::Queue"},
            "Table": {"Type": "AWS::DynamoDB::Table"},
        },
    });
    seen(
        &workspace,
        &json!({"template": template, "parameters": {}, "tags": {}}),
    );
    let outcome = offline(&workspace);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    snapbox::assert_data_eq!(
        outcome.stdout,
        str![[r#"
orders-dev
  compared with what was seen from here on [..] UTC; nobody was asked
  ~ update  Queue AWS::SQS::Queue
      DelaySeconds: 7 → 5
  - delete  Table AWS::DynamoDB::Table DATA LOSS
      it is deleted with the data that it holds
1 to update, 1 to delete (1 with data loss)

"#]]
    );
}

#[test]
fn a_stack_that_was_not_there_is_new() {
    let workspace = Workspace::valid();
    seen(&workspace, &json!(null));
    let outcome = offline(&workspace);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.contains("orders-dev (new)"), "{outcome:?}");
    assert!(outcome.stdout.contains("+ create  Queue"), "{outcome:?}");
}

#[test]
fn what_nobody_looked_at_is_not_made_up() {
    let outcome = offline(&Workspace::valid());
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(
        outcome
            .stderr
            .contains("nobody looked from here at what is deployed of `orders-dev`"),
        "{outcome:?}"
    );
}

#[test]
fn a_page_is_printed_or_written_besides() {
    let workspace = changed();
    let printed = workspace.run(DIFF.iter().chain(&["--format", "html", "--exit-code"]));
    assert_eq!(printed.code, Some(3), "{printed:?}");
    assert!(printed.stdout.starts_with("<!doctype html>"), "{printed:?}");
    for text in [
        "Changes of stage dev",
        "data loss",
        "<svg",
        "stacks/main.rs:7:5",
        "QueueName",
    ] {
        assert!(printed.stdout.contains(text), "{text}: {printed:?}");
    }
    let reports = ["--json", "--report", "a.html", "--report", "a.md"];
    let besides = workspace.run(DIFF.iter().chain(&reports));
    assert_eq!(besides.json()["stacks"][0]["stack"], "orders-dev");
    let read = |file| std::fs::read_to_string(workspace.path(file)).expect("it was written");
    assert_eq!(read("a.html"), printed.stdout);
    let markdown = workspace.run(DIFF.iter().chain(&["--format", "markdown"]));
    assert_eq!(read("a.md"), markdown.stdout);
}

#[test]
fn a_report_that_nobody_knows_the_form_of_is_wrong_usage() {
    let outcome = Workspace::empty().run(["diff", "--stage", "dev", "--report", "plan.txt"]);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(
        outcome.stderr.contains("neither with .html nor with .md"),
        "{outcome:?}"
    );
}
