//! What only AWS knows: whether a resource stays or another one takes its place.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::{App, Registry, ResourceChange, compare};
use super::app::manifest;
use super::{Action, Grade, Plan, Sample, Side, StackPlan, plan_of, resources};

/// Returns what is said of each change, one line each.
fn lines(plan: &StackPlan) -> Vec<String> {
    let line = |change: &ResourceChange| {
        format!(
            "{} {:?}{} {:?}: {}",
            change.logical_id,
            change.action,
            if change.perhaps { " perhaps" } else { "" },
            change.grade,
            change.reasons.join("; ")
        )
    };
    plan.changes.iter().map(line).collect()
}

fn registered(old: &Value, new: &Value) -> StackPlan {
    let side = |template| Side {
        template: Some(template),
        ..Side::default()
    };
    compare("x", &side(old), &side(new), &BTreeMap::new(), &Registry)
}

#[test]
fn what_refers_to_what_may_be_replaced_is_told_with_an_if() {
    let template = |maybe: u32, name: &str| {
        resources(&json!({
            "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {"Maybe": maybe}},
            "Mapping": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {
                "EventSourceArn": {"Fn::GetAtt": ["Table", "StreamArn"]},
            }},
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Sub": "${Table}-letters"}}},
            "Function": {"Type": "AWS::Lambda::Function", "Properties": {
                "FunctionName": name,
                "Environment": {"Variables": {"TABLE": {"Fn::Sub": "x-${Table}"}}},
            }},
            "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {
                "Dimensions": [{"Name": "m", "Value": {"Ref": "Mapping"}}, {"Name": "f", "Value": {"Ref": "Function"}}],
            }},
            "Far": {"Type": "AWS::SNS::Topic"},
        }))
    };
    snapbox::assert_data_eq!(
        lines(&plan_of(&template(1, "a"), &template(2, "a"))).join("\n"),
        snapbox::str![[r#"
Alarm Update UpdateInPlace: it refers to Mapping, which may be replaced
Function Update UpdateInPlace: it refers to Table, which may be replaced
Mapping Update perhaps Replacement: EventSourceArn may change, which needs replacement; it refers to Table, which may be replaced
Queue Update perhaps DataLoss: QueueName may change, which needs replacement; if so, the replaced resource is deleted with the data that it holds; it refers to Table, which may be replaced
Table Update perhaps DataLoss: Maybe may need replacement; if so, the replaced resource is deleted with the data that it holds
"#]]
    );
    // What is certain stays so beside what is possible.
    let both = plan_of(&template(1, "a"), &template(2, "b"));
    let [alarm, function, ..] = &*both.changes else {
        panic!("{both:#?}");
    };
    assert_eq!(
        alarm.reasons,
        [
            "it refers to Function, which is replaced",
            "it refers to Mapping, which may be replaced"
        ]
    );
    assert!(!alarm.only_follows());
    assert_eq!(
        (function.action, function.perhaps),
        (Action::Replace, false)
    );
    let alone = plan_of(&template(1, "a"), &template(2, "a"));
    let only: Vec<bool> = alone
        .changes
        .iter()
        .map(ResourceChange::only_follows)
        .collect();
    assert_eq!(only, [true, true, true, true, false]);
}

#[test]
fn a_function_of_the_user_decides_what_becomes_of_a_custom_resource() {
    let template = |rows: u32, policy: &str| {
        resources(&json!({
            "Seed": {"Type": "Custom::Seed", "UpdateReplacePolicy": policy, "Properties": {
                "ServiceToken": "arn", "Rows": rows,
            }},
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": "Seed"}}},
            "Function": {"Type": "AWS::Lambda::Function", "Properties": {
                "Environment": {"Variables": {"SEED": {"Fn::GetAtt": ["Seed", "Id"]}}},
            }},
        }))
    };
    let plan = registered(&template(1, "Delete"), &template(2, "Delete"));
    snapbox::assert_data_eq!(
        lines(&plan).join("\n"),
        snapbox::str![[r#"
Function Update UpdateInPlace: it refers to Seed, which may be replaced
Queue Update perhaps DataLoss: QueueName may change, which needs replacement; if so, the replaced resource is deleted with the data that it holds; it refers to Seed, which may be replaced
Seed Update perhaps Replacement: its function decides whether another one takes its place, and has to delete the earlier one then
"#]]
    );
    assert_eq!(plan.changes[2].sources.len(), 1);
    let kept = registered(&template(1, "Retain"), &template(2, "Retain"));
    assert_eq!(
        kept.changes[2].reasons,
        ["its function decides whether another one takes its place"]
    );
}

/// What cannot be changed once it is there is refused where it changes, and not where it may.
#[test]
fn what_may_change_is_not_refused() {
    let template = |rows: u32| {
        resources(&json!({
            "Seed": {"Type": "Custom::Seed", "Properties": {"ServiceToken": "arn", "Rows": rows}},
            "Second": {"Type": "Custom::Second", "Properties": {"ServiceToken": {"Fn::GetAtt": ["Seed", "Worker"]}}},
        }))
    };
    let plan = registered(&template(1), &template(2));
    assert_eq!(
        lines(&plan)[0],
        "Second Update perhaps Replacement: ServiceToken may change, which needs replacement; it refers to Seed, which may be replaced"
    );
}

#[test]
fn what_may_be_replaced_reaches_other_stacks() {
    let data = |maybe: u32, name: &str| {
        json!({
            "Resources": {
                "Orders": {"Type": "AWS::SNS::Topic", "Properties": {"Maybe": maybe}},
                "Work": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": name}},
            },
            "Outputs": {
                "Arn": {"Value": {"Ref": "Orders"}, "Export": {"Name": "data-dev-a"}},
                "Both": {"Value": {"Fn::Sub": "${Orders} ${Work}"}, "Export": {"Name": "data-dev-b"}},
            },
        })
    };
    let reader = json!({
        "Resources": {
            "Mapping": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {
                "EventSourceArn": {"Fn::ImportValue": "data-dev-a"},
            }},
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"Description": {"Fn::ImportValue": "data-dev-b"}}},
        },
        "Outputs": {"Mapping": {"Value": {"Ref": "Mapping"}, "Export": {"Name": "reader-dev-a"}}},
    });
    let far = json!({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {
        "Description": {"Fn::ImportValue": "reader-dev-a"},
    }}}});
    let elsewhere = json!({"Resources": {"Function": {"Type": "AWS::Lambda::Function", "Properties": {
        "Environment": {"Variables": {"ARN": {"Ref": "OrdersArn"}}},
    }}}});
    let told = |old: &Value, new: &Value| -> Vec<String> {
        let mut app = App::default();
        let none = BTreeMap::new();
        let stacks = [
            (json!({"name": "data-dev"}), old, new),
            (json!({"name": "reader-dev"}), &reader, &reader),
            (json!({"name": "far-dev"}), &far, &far),
            (
                json!({"name": "us-dev", "region": "us-east-1", "references": {
                    "OrdersArn": {"stack": "data-dev", "region": "eu-central-1", "output": "Arn"},
                }}),
                &elsewhere,
                &elsewhere,
            ),
        ];
        let plans = stacks.map(|(known, old, new)| {
            let side = |template| Side {
                template: Some(template),
                ..Side::default()
            };
            app.compare(&manifest(&known), &none, &side(old), &side(new), &Sample)
        });
        plans.iter().skip(1).flat_map(lines).collect()
    };
    snapbox::assert_data_eq!(
        told(&data(1, "a"), &data(2, "a")).join("\n"),
        snapbox::str![[r#"
Mapping Update perhaps Replacement: EventSourceArn may change, which needs replacement; it refers to Orders of data-dev, which may be replaced
Role Update UpdateInPlace: it refers to Orders of data-dev, which may be replaced
Role Update UpdateInPlace: it refers to Mapping of reader-dev, which may be replaced
Function Update UpdateInPlace: it refers to Orders of data-dev, which may be replaced
"#]]
    );
    // What is certain of an output counts before what is possible.
    assert_eq!(
        told(&data(1, "a"), &data(2, "b"))[1],
        "Role Update UpdateInPlace: it refers to Work of data-dev, which is replaced"
    );
    assert_eq!(told(&data(1, "a"), &data(1, "a")), [""; 0]);
}

/// A value that others import and that may become another is refused by nobody but CloudFormation, and graded as what may
/// happen.
#[test]
fn an_export_of_what_follows_may_change_under_its_importers() {
    let data = |maybe: u32| {
        json!({
            "Resources": {
                "Orders": {"Type": "AWS::SNS::Topic", "Properties": {"Maybe": maybe}},
                "Mapping": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {
                    "EventSourceArn": {"Ref": "Orders"},
                }},
            },
            "Outputs": {"Id": {"Value": {"Ref": "Mapping"}, "Export": {"Name": "data-dev-a"}}},
        })
    };
    let importing = json!({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {
        "Description": {"Fn::ImportValue": "data-dev-a"},
    }}}});
    let (old, new) = (data(1), data(2));
    let mut app = App::default();
    let none = BTreeMap::new();
    let plans = [
        ("data-dev", &old, &new),
        ("work-dev", &importing, &importing),
    ];
    let plans = plans.map(|(name, old, new)| {
        let side = |template| Side {
            template: Some(template),
            ..Side::default()
        };
        let known = manifest(&json!({"name": name}));
        app.compare(&known, &none, &side(old), &side(new), &Sample)
    });
    let plan: Plan = app.finish(plans.into());
    assert!(plan.impossible().is_empty(), "{:?}", plan.impossible());
    let mapping = &plan.stacks[0].changes[0];
    assert_eq!(mapping.grade, Grade::Replacement);
    let last = mapping.reasons.last().map(String::as_str);
    let told = "the value of its export data-dev-a would change, if Mapping, from which it is taken, is made anew";
    assert!(last.is_some_and(|last| last.starts_with(told)), "{last:?}");
}
