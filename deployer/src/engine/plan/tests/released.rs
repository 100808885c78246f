//! Plans of earlier releases: what they say advises nobody to write another source.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::{App, Registry};
use super::app::manifest;
use super::{Plan, Side};

/// Compares stacks, as releases or as a source, each with its name and the templates before and after.
fn compared(mut app: App, stacks: &[(&str, Value, Value)]) -> Plan {
    let none = BTreeMap::new();
    let mut plans = Vec::new();
    for (name, old, new) in stacks {
        let side = |template| Side {
            template: Some(template),
            ..Side::default()
        };
        let manifest = manifest(&json!({ "name": name }));
        plans.push(app.compare(&manifest, &none, &side(old), &side(new), &Registry));
    }
    app.finish(plans)
}

fn reasons(plan: &Plan) -> String {
    let changes = plan.stacks.iter().flat_map(|stack| &stack.changes);
    let refused = plan.stacks.iter().flat_map(|stack| &stack.refused);
    let all: Vec<&str> = changes
        .flat_map(|change| &change.reasons)
        .chain(refused)
        .map(String::as_str)
        .collect();
    all.join("\n")
}

/// Says what a plan tells of a source, and what of a release.
fn both(stacks: &[(&str, Value, Value)]) -> [String; 2] {
    [App::default(), App::of_releases()].map(|app| reasons(&compared(app, stacks)))
}

#[test]
fn a_release_declares_no_renames() {
    let table = json!({"Type": "AWS::DynamoDB::Table"});
    let named = |id: &str| {
        let it = json!({"Ref": id});
        json!({"Resources": {id: table, "Function": {"Type": "AWS::Lambda::Function", "Properties": {
            "Environment": {"Variables": {"TABLE": it}},
        }}}})
    };
    let [source, release] = both(&[("data-dev", named("Purchases"), named("Orders"))]);
    assert_eq!(source.matches("moved(").count(), 1, "{source}");
    assert!(!release.contains("moved("), "{release}");
    assert!(
        release.contains("what named that one names this one, which is empty"),
        "{release}"
    );
}

#[test]
fn a_release_gives_nothing_another_name() {
    let data = |name: &str| {
        json!({
            "Resources": {"Orders": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name}}},
            "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Orders", "Arn"]}, "Export": {"Name": "data-dev-a"}}},
        })
    };
    let text = |value: &str| json!({"Outputs": {"It": {"Value": value, "Export": {"Name": "text-dev-a"}}}});
    let work = json!({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {
        "Description": {"Fn::ImportValue": "data-dev-a"}, "Path": {"Fn::ImportValue": "text-dev-a"},
    }}}});
    let [source, release] = both(&[
        ("data-dev", data("a"), data("b")),
        ("text-dev", text("one"), text("two")),
        ("work-dev", work.clone(), work),
    ]);
    let advice = [
        "give Orders another logical id",
        "export the new value under another name",
    ];
    for advice in advice {
        assert!(source.contains(advice), "{source}");
        assert!(!release.contains(advice), "{release}");
    }
    for export in ["data-dev-a", "text-dev-a"] {
        let reason = format!("the value of its export {export} would change");
        assert!(release.contains(&reason), "{release}");
    }
}
