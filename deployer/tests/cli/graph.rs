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
