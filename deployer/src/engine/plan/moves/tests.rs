//! Renames in a plan.

use serde_json::json;

use super::*;
use crate::engine::plan::{App, Registry};

fn moves(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|(from, to)| ((*from).to_owned(), (*to).to_owned()))
        .collect()
}

fn deployed() -> Value {
    json!({
        "Parameters": {"Old": {"Type": "String"}},
        "Resources": {
            "Old": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 5}},
            "Alarm": {
                "Type": "AWS::CloudWatch::Alarm",
                "DependsOn": ["Old", "Other"],
                "Properties": {
                    "A": {"Fn::GetAtt": ["Old", "Arn"]},
                    "B": {"Fn::GetAtt": "Old.Arn"},
                    "C": {"Fn::Sub": "${Old.Arn} ${Old} ${!Old} ${Older} Old"},
                    "D": {"Fn::Sub": ["${Old} ${Other}", {"Old": {"Ref": "Old"}}]},
                    "E": "Old",
                },
            },
            "Other": {"Type": "AWS::SNS::Topic", "DependsOn": "Old"},
        },
        "Outputs": {"Url": {"Value": {"Ref": "Old"}}},
    })
}

#[test]
fn every_reference_follows_and_nothing_else_does() {
    let wanted = json!({
        "Parameters": {"Old": {"Type": "String"}},
        "Resources": {
            "New": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 5}},
            "Alarm": {
                "Type": "AWS::CloudWatch::Alarm",
                "DependsOn": ["New", "Other"],
                "Properties": {
                    "A": {"Fn::GetAtt": ["New", "Arn"]},
                    "B": {"Fn::GetAtt": "New.Arn"},
                    "C": {"Fn::Sub": "${New.Arn} ${New} ${!Old} ${Older} Old"},
                    "D": {"Fn::Sub": ["${Old} ${Other}", {"Old": {"Ref": "New"}}]},
                    "E": "Old",
                },
            },
            "Other": {"Type": "AWS::SNS::Topic", "DependsOn": "New"},
        },
        "Outputs": {"Url": {"Value": {"Ref": "New"}}},
    });
    assert_eq!(renamed(&deployed(), &moves(&[("Old", "New")])), wanted);
}

/// Plans a rename of `Old` to `New` in what is deployed, after a change to the new template.
fn planned(change: impl FnOnce(&mut Value)) -> Vec<ResourceChange> {
    let declared = moves(&[("Old", "New"), ("Gone", "Other")]);
    let manifest: StackManifest = serde_json::from_value(json!({
        "name": "orders-dev", "id": "orders", "template": "orders.json", "sha256": "",
        "moved": declared,
    }))
    .expect("reads");
    let old = deployed();
    let mut new = renamed(&old, &declared);
    change(&mut new);
    compared(&manifest, &old, &new)
}

fn compared(manifest: &StackManifest, old: &Value, new: &Value) -> Vec<ResourceChange> {
    let side = |template| Side {
        template: Some(template),
        ..Side::default()
    };
    let none = BTreeMap::new();
    App::default()
        .compare(manifest, &none, &side(old), &side(new), &Registry)
        .changes
}

#[test]
fn what_left_and_is_not_declared_any_more_may_be_made_anew() {
    let old =
        json!({"Resources": {"Old": {"Type": "AWS::SQS::Queue", "DeletionPolicy": "Retain"}}});
    let (declared, ids) = (moves(&[("Old", "New")]), moves(&[("Old", "https://q")]));
    let none = BTreeMap::new();
    let away = Course::new(&old, &declared, &ids, &none, &BTreeSet::new()).without();
    let away = away.expect("it leaves");
    let new = renamed(&old, &declared);
    for (declared, grade, part) in [
        (declared, Grade::UpdateInPlace, "finished first"),
        (none, Grade::DataLoss, "an empty one is made"),
    ] {
        let manifest: StackManifest = serde_json::from_value(json!({
            "name": "orders-dev", "id": "orders", "template": "orders.json", "sha256": "",
            "moved": declared,
        }))
        .expect("reads");
        let changes = compared(&manifest, &away, &new);
        let change = changes.iter().find(|change| change.logical_id == "New");
        let change = change.expect("is planned");
        assert_eq!(change.grade, grade, "{change:?}");
        assert!(change.reasons[0].contains(part), "{change:?}");
    }
}

#[test]
fn who_takes_a_rename_back_is_told_what_becomes_of_the_data() {
    let old =
        json!({"Resources": {"Old": {"Type": "AWS::SQS::Queue", "DeletionPolicy": "Retain"}}});
    let (declared, ids) = (moves(&[("Old", "New")]), moves(&[("Old", "https://q")]));
    let none = BTreeMap::new();
    let away = Course::new(&old, &declared, &ids, &none, &BTreeSet::new()).without();
    let away = away.expect("it leaves");
    let manifest = |declared: &BTreeMap<String, String>| -> StackManifest {
        serde_json::from_value(json!({
            "name": "orders-dev", "id": "orders", "template": "orders.json", "sha256": "",
            "moved": declared,
        }))
        .expect("reads")
    };
    let changes = compared(&manifest(&none), &away, &old);
    let [new, old_id] = changes.as_slice() else {
        panic!("{changes:#?}");
    };
    assert_eq!(
        (new.action, new.reasons.len()),
        (Action::Retain, 1),
        "{new:?}"
    );
    assert!(new.reasons[0].contains("belongs to nobody"), "{new:?}");
    assert_eq!(
        (old_id.action, old_id.grade),
        (Action::Create, Grade::DataLoss)
    );
    assert_eq!(old_id.dangers, [Grade::DataLoss]);
    assert!(
        old_id.reasons[0].ends_with("declare that New is renamed to Old"),
        "{old_id:?}"
    );
    // That is a rename like any other, once the first is finished.
    let back = moves(&[("New", "Old")]);
    let changes = compared(&manifest(&back), &away, &old);
    assert_eq!(changes.len(), 1, "{changes:#?}");
    assert!(changes[0].grade < Grade::Replacement, "{changes:#?}");
}

#[test]
fn a_rename_is_no_replacement() {
    let changes = planned(|_| ());
    assert_eq!(changes.len(), 1, "{changes:#?}");
    assert_eq!(changes[0].logical_id, "New");
    assert_eq!(changes[0].action, Action::Update);
    assert_eq!(changes[0].grade, Grade::None);
    assert_eq!(
        changes[0].reasons,
        ["it was Old: it is renamed first, and stays what it is"]
    );
}

#[test]
fn what_changes_besides_is_graded_as_ever() {
    let changes = planned(|new| {
        new["Resources"]["New"]["Properties"]["QueueName"] = json!("orders");
    });
    let change = changes.iter().find(|change| change.logical_id == "New");
    let change = change.expect("is planned");
    assert_eq!(change.action, Action::Replace);
    assert_eq!(change.grade, Grade::DataLoss);
    assert!(
        change
            .reasons
            .iter()
            .any(|reason| reason.starts_with("it was Old"))
    );
}

#[test]
fn another_type_is_no_rename() {
    let changes = planned(|new| {
        new["Resources"]["New"] = json!({"Type": "AWS::SNS::Topic"});
    });
    let change = changes.iter().find(|change| change.logical_id == "New");
    assert_eq!(change.expect("is planned").grade, Grade::Impossible);
    let both = json!({"Resources": {"Old": {"Type": "A"}, "New": {"Type": "A"}}});
    assert!(refused("Old", "New", &both, None).is_some());
}
