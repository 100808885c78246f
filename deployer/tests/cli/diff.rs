//! `diff` against templates in a directory: no credentials, no network.

use serde_json::json;
use snapbox::str;

use super::workspace::Workspace;

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
        json!({"stacks": [{
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
fn renames_are_refused_until_they_can_be_executed() {
    let workspace = changed();
    workspace.assembly(|_, manifest| {
        manifest["stacks"][0]["moved"] = json!({"Old": "Queue"});
    });
    let outcome = workspace.run(DIFF);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(
        outcome.stderr.contains("`Old` was renamed to `Queue`"),
        "{outcome:?}"
    );
}
