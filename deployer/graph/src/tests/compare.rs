//! What is drawn of a change.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{Change, Changed, Danger, Graph, Place, Template};

fn place(stack: &str, logical_id: &str) -> Place {
    Place {
        stack: stack.to_owned(),
        logical_id: logical_id.to_owned(),
    }
}

fn table(worker: &str) -> Value {
    json!({"Type": "AWS::Lambda::Function", "Properties": {
        "Role": {"Fn::GetAtt": [format!("{worker}Role"), "Arn"]},
        "Environment": {"Variables": {"TABLE": {"Ref": "Table"}}},
    }})
}

fn before() -> Value {
    json!({
        "Resources": {
            "Table": {"Type": "AWS::DynamoDB::Table"},
            "Worker": table("Worker"),
            "WorkerRole": {"Type": "AWS::IAM::Role", "Properties": {"Policies": [{"Ref": "Table"}]}},
            "OtherRole": {"Type": "AWS::IAM::Role"},
            "Old": {"Type": "AWS::SQS::Queue"},
            "OldTrigger": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {
                "EventSourceArn": {"Fn::GetAtt": ["Old", "Arn"]}, "FunctionName": {"Ref": "Worker"},
            }},
            "Far": {"Type": "AWS::SQS::Queue"},
        },
        "Outputs": {"Table": {"Value": {"Ref": "Table"}, "Export": {"Name": "Table"}}},
    })
}

fn after() -> Value {
    let mut template = before();
    if let Some(resources) = template["Resources"].as_object_mut() {
        resources.remove("Old");
        resources.remove("OldTrigger");
        resources.insert("New".to_owned(), json!({"Type": "AWS::SQS::Queue"}));
        resources.insert(
            "NewTrigger".to_owned(),
            json!({"Type": "AWS::Lambda::EventSourceMapping", "Properties": {
                "EventSourceArn": {"Fn::GetAtt": ["New", "Arn"]}, "FunctionName": {"Ref": "Worker"},
            }}),
        );
    }
    template
}

/// A stack that knows the table by its export.
fn reader() -> Value {
    json!({"Resources": {"Reader": {"Type": "AWS::Lambda::Function", "Properties": {
        "Environment": {"Variables": {"TABLE": {"Fn::ImportValue": "Table"}}},
    }}}})
}

fn compared() -> Graph {
    let (before, after, reader) = (before(), after(), reader());
    let (own, import) = (json!({"Ref": "Table"}), json!({"Fn::ImportValue": "Table"}));
    let (one, other) = (json!("a"), json!("b"));
    let of = |resource_type, change, danger, values| Changed {
        resource_type,
        change,
        danger,
        values,
    };
    let anew = |value| vec![(Some(value), Some(value))];
    let mapping = "AWS::Lambda::EventSourceMapping";
    let changes = BTreeMap::from([
        (
            place("data", "Table"),
            of(
                "AWS::DynamoDB::Table",
                Change::Replaced,
                Some(Danger::DataLoss),
                vec![(Some(&one), Some(&other))],
            ),
        ),
        (
            place("data", "Worker"),
            of("AWS::Lambda::Function", Change::Changed, None, anew(&own)),
        ),
        (
            place("data", "WorkerRole"),
            of("AWS::IAM::Role", Change::Changed, None, anew(&own)),
        ),
        (
            place("data", "OtherRole"),
            of(
                "AWS::IAM::Role",
                Change::Changed,
                None,
                vec![(None, Some(&one))],
            ),
        ),
        (
            place("data", "Old"),
            of(
                "AWS::SQS::Queue",
                Change::Removed,
                Some(Danger::DataLoss),
                Vec::new(),
            ),
        ),
        (
            place("data", "OldTrigger"),
            of(
                mapping,
                Change::Removed,
                Some(Danger::Interruption),
                Vec::new(),
            ),
        ),
        (
            place("data", "New"),
            of("AWS::SQS::Queue", Change::New, None, Vec::new()),
        ),
        (
            place("data", "NewTrigger"),
            of(mapping, Change::New, None, Vec::new()),
        ),
        (
            place("reader", "Reader"),
            of(
                "AWS::Lambda::Function",
                Change::Changed,
                None,
                anew(&import),
            ),
        ),
        (
            place("elsewhere", "Bucket"),
            of("AWS::S3::Bucket", Change::New, None, Vec::new()),
        ),
    ]);
    let template = |stack, json| Template { stack, json };
    Graph::compared(
        &[template("data", &before), template("reader", &reader)],
        &[template("data", &after), template("reader", &reader)],
        &changes,
    )
}

#[test]
fn what_goes_what_comes_and_what_is_reached_is_in_one_drawing() {
    let graph = compared();
    insta::assert_snapshot!(graph.mermaid(), @r#"
    flowchart LR
        subgraph s1["data"]
            n1["Far<br><small>SQS Queue</small>"]
            n2["New<br><small>SQS Queue</small><br><b>+ new</b>"]:::new-t-new
            n3["NewTrigger<br><small>Lambda EventSourceMapping</small><br><b>+ new</b>"]:::new-t-new
            n4["Old<br><small>SQS Queue</small><br><b>- removed, data loss</b>"]:::removed-t-loss
            n5["OldTrigger<br><small>Lambda EventSourceMapping</small><br><b>- removed</b>"]:::removed-t-interruption
            n6["Table<br><small>DynamoDB Table</small><br><b>± replaced, data loss</b>"]:::replaced-t-loss
            n7["Worker<br><small>Lambda Function</small><br><b>~ reached</b>"]:::changed-t-in-place
            n8["WorkerRole<br><small>IAM Role</small><br><b>~ reached</b>"]:::changed-t-in-place
        end
        subgraph s2["elsewhere"]
            n9["Bucket<br><small>S3 Bucket</small><br><b>+ new</b>"]:::new-t-new
        end
        subgraph s3["reader"]
            n10["Reader<br><small>Lambda Function</small><br><b>~ reached</b>"]:::changed-t-in-place
        end
        n2 == new ==> n3
        n3 == new ==> n7
        n4 -. gone .-> n5
        n5 -. gone .-> n7
        n7 == reached ==> n6
        n7 --> n8
        n8 == reached ==> n6
        n10 == reached ==> n6
        legend["Legend<br>+ new: is created<br>~ changed: changes in place<br>± replaced: another one takes its place<br>- removed: is deleted<br>new: used from now on<br>gone: used no more<br>reached: reached by a replacement"]
        style legend text-align:left,stroke-dasharray:2 2
        classDef changed-t-in-place fill:#ddf4ff,stroke:#0969da,color:#1d1d1f,stroke-width:1.5px
        classDef new-t-new fill:#dafbe1,stroke:#1a7f37,color:#1d1d1f,stroke-width:3px
        classDef removed-t-interruption fill:#fff3b8,stroke:#7d5700,color:#1d1d1f,stroke-width:2px,stroke-dasharray:7 4
        classDef removed-t-loss fill:#ffe3e0,stroke:#c11c28,color:#1d1d1f,stroke-width:2px,stroke-dasharray:7 4
        classDef replaced-t-loss fill:#ffe3e0,stroke:#c11c28,color:#1d1d1f,stroke-width:5px
    "#);
    let dot = graph.dot();
    for line in [
        r##""data/Table" [label="Table\nDynamoDB Table\n± replaced, data loss", style="rounded,filled", color="#c11c28", fillcolor="#ffe3e0", peripheries=2];"##,
        r#""data/Far" [label="Far\nSQS Queue"];"#,
        r##""data/NewTrigger" -> "data/Worker" [label="new", style=bold, color="#1a7f37"];"##,
        r##""reader/Reader" -> "data/Table" [label="reached", style="dashed,bold", color="#bc4c00"];"##,
        r#""data/Worker" -> "data/WorkerRole";"#,
        r"± replaced: another one takes its place\l",
    ] {
        assert!(dot.contains(line), "{line}: {dot}");
    }
    let reach: Vec<String> = graph
        .reach()
        .iter()
        .map(|(from, to)| format!("{} -> {}", from.logical_id, to.logical_id))
        .collect();
    assert_eq!(
        reach,
        ["Table -> Worker", "Table -> WorkerRole", "Table -> Reader"]
    );
    // The other role.
    assert_eq!(graph.undrawn(), 1);
}

#[test]
fn what_neither_changes_nor_stands_next_to_it_is_left_out() {
    let far = place("data", "Far");
    let graph = compared();
    assert!(graph.nodes().contains_key(&far));
    let affected = graph.affected();
    assert!(!affected.nodes().contains_key(&far));
    assert_eq!(affected.nodes().len(), graph.nodes().len() - 1);
    assert_eq!(affected.marks(), graph.marks());
}

#[test]
fn marks_do_not_rest_on_colours() {
    let svg = compared().svg("a change");
    for text in [
        "± replaced, data loss",
        "~ reached",
        "- removed, data loss",
        "+ new",
        "new: is created",
        "reached by a replacement",
        "used no more",
    ] {
        assert!(svg.contains(&format!("\n{text}\n")), "{text}: {svg}");
    }
    // What is replaced has a second frame, in the drawing and in the legend.
    assert_eq!(svg.matches("class=\"inner\"").count(), 2, "{svg}");
    let plain = Graph::of(&[Template {
        stack: "data",
        json: &before(),
    }]);
    let plain = plain.svg("no change");
    assert!(
        !plain.contains("legend") && !plain.contains("badge"),
        "{plain}"
    );
}

#[test]
fn another_version_of_what_keeps_its_name_reaches_nobody() {
    let template = json!({"Resources": {
        "Work": {"Type": "AWS::Lambda::Function"},
        "Version": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Work"}}},
        "Alias": {"Type": "AWS::Lambda::Alias", "Properties": {
            "FunctionName": {"Ref": "Work"}, "FunctionVersion": {"Fn::GetAtt": ["Version", "Version"]},
        }},
    }});
    let version = json!({"Fn::GetAtt": ["Version", "Version"]});
    let of = |resource_type, change, values| Changed {
        resource_type,
        change,
        danger: None,
        values,
    };
    let values = vec![(Some(&version), Some(&version))];
    let changes = BTreeMap::from([
        (
            place("s", "Version"),
            of("AWS::Lambda::Version", Change::Replaced, Vec::new()),
        ),
        (
            place("s", "Alias"),
            of("AWS::Lambda::Alias", Change::Changed, values),
        ),
    ]);
    let templates = [Template {
        stack: "s",
        json: &template,
    }];
    let graph = Graph::compared(&templates, &templates, &changes);
    assert!(
        graph.reach().is_empty() && graph.marks().is_empty(),
        "{graph:#?}"
    );
    assert_eq!(graph.undrawn(), 2);
}
