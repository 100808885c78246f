//! `graph`: drawings of what is rendered.

use serde_json::json;
use snapbox::str;

use super::workspace::Workspace;

#[test]
fn stacks_are_drawn_in_the_form_that_was_asked_for() {
    let workspace = Workspace::valid();
    let svg = workspace.run(["graph", "--stage", "dev"]);
    assert_eq!(svg.code, Some(0), "{svg:?}");
    assert!(svg.stdout.starts_with("<svg") && svg.stdout.contains("orders-dev"));

    let mermaid = workspace.run(["graph", "--stage", "dev", "--format", "mermaid"]);
    snapbox::assert_data_eq!(
        mermaid.stdout,
        str![[r#"
flowchart LR
    subgraph s1["orders-dev"]
        n1["Queue<br><small>SQS Queue</small>"]
    end

"#]]
    );

    let outcome = workspace.run(["graph", "--stage", "dev", "--json"]);
    assert_eq!(
        outcome.json(),
        json!({
            "nodes": [{
                "stack": "orders-dev",
                "logical_id": "Queue",
                "label": "Queue",
                "resource_type": "AWS::SQS::Queue",
            }],
            "edges": [],
        })
    );
}

#[test]
fn a_drawing_goes_to_a_file_and_one_that_cannot_be_written_is_an_error() {
    let workspace = Workspace::valid();
    let outcome = workspace.run([
        "graph", "--stage", "dev", "--format", "dot", "--out", "a.dot",
    ]);
    assert_eq!(outcome.stdout, "");
    let written = std::fs::read_to_string(workspace.path("a.dot")).expect("it was written");
    assert!(written.starts_with("digraph"), "{written}");

    let outcome = workspace.run(["graph", "--stage", "dev", "--out", "nowhere/a.svg"]);
    assert_eq!(outcome.code, Some(1));
    assert!(
        outcome.stderr.contains("cannot write [ROOT]/nowhere/a.svg"),
        "{outcome:?}"
    );
}

/// Returns a workspace whose stack has a queue more than the templates in `golden`, and another name for the first.
fn changed() -> Workspace {
    let workspace = Workspace::valid();
    workspace.run(["synth", "--stage", "dev", "--out", "golden"]);
    workspace.assembly(|template, _| {
        template["Resources"]["Queue"]["Properties"] = json!({"QueueName": "orders"});
        template["Resources"]["More"] = json!({"Type": "AWS::SQS::Queue", "Properties": {
            "RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["Queue", "Arn"]}, "maxReceiveCount": 3},
        }});
    });
    workspace
}

const AGAINST: [&str; 5] = ["graph", "--stage", "dev", "--against", "golden"];

#[test]
fn what_changes_is_marked_in_every_form() {
    let workspace = changed();
    for (format, begins) in [
        ("svg", "<svg"),
        ("mermaid", "flowchart"),
        ("dot", "digraph"),
        ("html", "<!doctype html>"),
    ] {
        let drawn = workspace.run(AGAINST.iter().chain(&["--format", format]));
        assert_eq!(drawn.code, Some(0), "{drawn:?}");
        assert!(drawn.stdout.starts_with(begins), "{drawn:?}");
        for text in [
            "± replaced, data loss",
            "+ new",
            "another one takes its place",
        ] {
            assert!(drawn.stdout.contains(text), "{format} {text}: {drawn:?}");
        }
    }
    let outcome = workspace.run(AGAINST.iter().chain(&["--json", "--affected"]));
    assert_eq!(
        outcome.json(),
        json!({
            "nodes": [
                {
                    "stack": "orders-dev",
                    "logical_id": "More",
                    "label": "More",
                    "resource_type": "AWS::SQS::Queue",
                    "action": "create",
                    "grade": "none",
                },
                {
                    "stack": "orders-dev",
                    "logical_id": "Queue",
                    "label": "Queue",
                    "resource_type": "AWS::SQS::Queue",
                    "action": "replace",
                    "grade": "data_loss",
                },
            ],
            "edges": [{"from": "orders-dev/More", "to": "orders-dev/Queue", "change": "new"}],
            "reach": [],
        })
    );
}

#[test]
fn the_name_of_the_file_says_the_form() {
    let workspace = changed();
    for (file, begins) in [
        ("a.html", "<!doctype html>"),
        ("a.mmd", "flowchart"),
        ("a.gv", "digraph"),
        ("a.svg", "<svg"),
    ] {
        let outcome = workspace.run(["graph", "--stage", "dev", "--out", file]);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        let written = std::fs::read_to_string(workspace.path(file)).expect("it was written");
        assert!(written.starts_with(begins), "{file}: {written}");
    }
}

#[test]
fn what_is_affected_needs_something_to_compare_with() {
    let error = Workspace::valid()
        .run(["graph", "--stage", "dev", "--affected", "--json"])
        .error(2, "usage");
    assert_eq!(
        error["message"],
        "`--affected` needs something to compare with"
    );
}

#[test]
fn what_was_seen_last_is_drawn_without_asking_anybody() {
    let workspace = Workspace::valid();
    let offline = |more: &[&str]| {
        let arguments = [
            "graph",
            "--stage",
            "dev",
            "--offline",
            "--format",
            "mermaid",
        ];
        let mut command = workspace.command(arguments.iter().chain(more));
        command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
        workspace.finish(command)
    };
    let unknown = offline(&[]);
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    let kept = json!({"version": 1, "stack": {"parameters": {}, "tags": {}, "template": {"Resources": {
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "other"}},
        "Topic": {"Type": "AWS::SNS::Topic"},
    }}}});
    workspace.write(
        ".stackctl/deployed/dev/us-east-1/orders-dev.json",
        &kept.to_string(),
    );
    let drawn = offline(&["--affected"]);
    assert_eq!(drawn.code, Some(0), "{drawn:?}");
    for text in ["± replaced, data loss", "- removed"] {
        assert!(drawn.stdout.contains(text), "{text}: {drawn:?}");
    }
    let both = offline(&["--diff"]);
    assert_eq!(both.code, Some(2), "{both:?}");
}
