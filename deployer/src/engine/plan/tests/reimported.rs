//! Exports that have other names, because what they are taken from is renamed, and who imports them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::{App, Registry};
use super::app::manifest;
use super::{Action, Grade, Plan, Side, StackPlan};
use crate::engine::DeployedStack;
use crate::engine::tests::described;

const ARN: &str = "arn:aws:dynamodb:eu-west-1:123456789012:table/data-dev-Orders-1";

/// A stack that exports the name and the ARN of a table under its logical id.
fn data(id: &str) -> Value {
    json!({
        "Resources": {id: {"Type": "AWS::DynamoDB::Table", "Properties": {"TableClass": "STANDARD"}}},
        "Outputs": {
            format!("Export{id}"): {"Value": {"Ref": id}, "Export": {"Name": format!("data-dev-{id}")}},
            format!("Export{id}Arn"): {
                "Value": {"Fn::GetAtt": [id, "Arn"]}, "Export": {"Name": format!("data-dev-{id}-Arn")},
            },
        },
    })
}

/// The stack as it is deployed.
fn deployed(ids: &[&str]) -> DeployedStack {
    let mut found = described("UPDATE_COMPLETE");
    for id in ids {
        for (ending, export, value) in [("", "", "data-dev-Orders-1"), ("Arn", "-Arn", ARN)] {
            let key = format!("Export{id}{ending}");
            found.outputs.insert(key.clone(), value.to_owned());
            found.exports.insert(key, format!("data-dev-{id}{export}"));
        }
    }
    found
}

/// A stack whose function works on the table.
fn work(id: &str) -> Value {
    let arn = json!({"Fn::ImportValue": format!("data-dev-{id}-Arn")});
    json!({"Resources": {
        "Fulfil": {"Type": "AWS::Lambda::Function", "Properties": {
            "Environment": {"Variables": {"ORDERS": {"Fn::ImportValue": format!("data-dev-{id}")}}},
        }},
        "FulfilRole": {"Type": "AWS::IAM::Role", "Properties": {"Policies": [{
            "PolicyName": "Grants",
            "PolicyDocument": {"Statement": [{
                "Effect": "Allow", "Action": "dynamodb:GetItem",
                "Resource": [arn, {"Fn::Join": ["", [arn, "/index/*"]]}, {"Fn::ImportValue": "data-dev-P"}],
            }]},
        }]}},
    }})
}

fn side(template: &Value) -> Side<'_> {
    Side {
        template: Some(template),
        ..Side::default()
    }
}

/// Compares both stacks: the first as it is deployed, with what its source declares.
fn both(declared: &Value, found: &DeployedStack, old: &Value, new: &Value) -> Plan {
    let none = BTreeMap::new();
    let mut app = App::default();
    let data = manifest(declared);
    let plan = app.compare(&data, &none, &side(old), &side(new), &Registry);
    app.exported(&data, (found, &side(old)), &side(new), &plan);
    let known = manifest(&json!({"name": "work-dev"}));
    let (before, after) = (work("Orders"), work("Purchases"));
    let importer = app.compare(&known, &none, &side(&before), &side(&after), &Registry);
    app.finish(vec![plan, importer])
}

fn renaming() -> Value {
    json!({"name": "data-dev", "moved": {"Orders": "Purchases"}})
}

/// What is said of resources, and where they differ.
fn told(plan: &StackPlan) -> Vec<String> {
    let told = plan.changes.iter().map(|change| {
        let paths = change.properties.iter().map(|it| it.path.to_string());
        format!(
            "{} {:?} {:?}: {} [{}]",
            change.logical_id,
            change.action,
            change.grade,
            change.reasons.join("; "),
            paths.collect::<Vec<_>>().join(", ")
        )
    });
    told.collect()
}

fn is_widened(plan: &StackPlan) -> bool {
    let mut changes = plan.changes.iter();
    changes.any(|it| it.dangers.contains(&Grade::PermissionWidened))
}

#[test]
fn who_imports_what_is_renamed_is_allowed_what_it_was() {
    let plan = both(
        &renaming(),
        &deployed(&["Orders"]),
        &data("Orders"),
        &data("Purchases"),
    );
    let work = &plan.stacks[1];
    let same = "it imports the same value as before, which is exported under another name";
    let policy = "Properties.Policies[0].PolicyDocument.Statement[0].Resource";
    assert_eq!(
        told(work),
        [
            format!("Fulfil Update None: {same} [Properties.Environment.Variables.ORDERS]"),
            format!("FulfilRole Update None: {same} [{policy}[1], {policy}[2]]"),
        ]
    );
    assert!(work.changes.iter().all(|it| it.dangers.is_empty()));
    let property = &work.changes[0].properties[0];
    assert_eq!(
        (&property.before, &property.after),
        (
            &Some(json!({"Fn::ImportValue": "data-dev-Orders"})),
            &Some(json!({"Fn::ImportValue": "data-dev-Purchases"})),
        )
    );
    // What else changes about it leaves its name and its ARN.
    let mut changed = data("Purchases");
    changed["Resources"]["Purchases"]["Properties"]["TableClass"] = "INFREQUENT".into();
    let plan = both(
        &renaming(),
        &deployed(&["Orders"]),
        &data("Orders"),
        &changed,
    );
    assert_eq!(plan.stacks[0].changes[0].grade, Grade::UpdateInPlace);
    assert!(!is_widened(&plan.stacks[1]), "{:#?}", plan.stacks[1]);
}

/// A deploy of the exporter alone keeps the earlier exports as texts: whoever is compared then, with it or alone, says the same.
#[test]
fn who_imports_a_kept_export_is_told_the_same_alone() {
    let found = deployed(&["Orders", "Purchases"]);
    let mut kept = data("Purchases");
    let earlier = data("Orders");
    for (key, output) in earlier["Outputs"].as_object().expect("is a map") {
        kept["Outputs"][key] = output.clone();
        kept["Outputs"][key]["Value"] = found.outputs[key].clone().into();
    }
    let plan = both(&renaming(), &found, &kept, &data("Purchases"));
    let with = &plan.stacks[1];

    let mut app = App::default();
    let known = manifest(&json!({"name": "work-dev"}));
    let (before, after) = (work("Orders"), work("Purchases"));
    let foreign = app.foreign(&known, &side(&before), &side(&after));
    let values = foreign.into_iter().map(|name| {
        let value = if name.ends_with("-Arn") {
            ARN
        } else {
            "data-dev-Orders-1"
        };
        (name, value.to_owned())
    });
    app.known(&known, values);
    let none = BTreeMap::new();
    let alone = app.compare(&known, &none, &side(&before), &side(&after), &Registry);
    assert_eq!(alone.changes, with.changes);
    let actions: Vec<Action> = alone.changes.iter().map(|it| it.action).collect();
    assert_eq!(actions, [Action::Update, Action::Update]);
    assert!(!is_widened(&alone), "{alone:#?}");
}

#[test]
fn who_imports_something_else_is_allowed_more() {
    let found = deployed(&["Orders"]);
    let widened = |declared: &Value, new: &Value| {
        let plan = both(declared, &found, &data("Orders"), new);
        is_widened(&plan.stacks[1])
    };
    let new = data("Purchases");
    assert!(!widened(&renaming(), &new));
    // Another table, one that cannot be renamed, one that is replaced, and another value.
    assert!(widened(&json!({"name": "data-dev"}), &new));
    let mut other = new.clone();
    other["Resources"]["Purchases"]["Type"] = "AWS::DynamoDB::GlobalTable".into();
    assert!(widened(&renaming(), &other));
    let mut replaced = new.clone();
    replaced["Resources"]["Purchases"]["Properties"]["TableName"] = "purchases".into();
    assert!(widened(&renaming(), &replaced));
    let mut longer = new.clone();
    longer["Outputs"]["ExportPurchasesArn"]["Value"] = json!({"Fn::Sub": "${Purchases.Arn}/*"});
    assert!(widened(&renaming(), &longer));
    let mut streamed = new.clone();
    streamed["Outputs"]["ExportPurchasesArn"]["Value"] =
        json!({"Fn::GetAtt": ["Purchases", "StreamArn"]});
    assert!(widened(&renaming(), &streamed));
}
