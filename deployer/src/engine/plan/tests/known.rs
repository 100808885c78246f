//! Values that are known before a deploy: parameters, conditions, mappings, pseudo parameters and exports.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::{StackPlan, pseudo_parameters};
use super::{Action, Grade, plan_with};

const ARN: &str = "arn:aws:sqs:eu-west-1:123456789012:a";

/// The pseudo parameters of a stack in an account.
fn pseudo() -> Vec<(String, String)> {
    let account = Some("123456789012");
    let known = pseudo_parameters("a-dev", None, account, Some("eu-west-1"));
    known.into_iter().collect()
}

fn borrowed(all: &[(String, String)]) -> Vec<(&str, &str)> {
    all.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect()
}

/// Compares with the pseudo parameters known, and these parameters before and after.
fn plan(old: &Value, before: &[(&str, &str)], new: &Value, after: &[(&str, &str)]) -> StackPlan {
    let pseudo = pseudo();
    let side = |own: &[(&str, &str)]| -> Vec<(String, String)> {
        let own = own.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
        own.chain(pseudo.clone()).collect()
    };
    let (before, after) = (side(before), side(after));
    plan_with(old, &borrowed(&before), new, &borrowed(&after))
}

fn function(properties: &Value) -> Value {
    json!({"Resources": {"Work": {"Type": "AWS::Lambda::Function", "Properties": properties}}})
}

#[test]
fn an_expression_and_its_value_are_the_same() {
    let arn = "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:a";
    let written = function(&json!({
        "Environment": {"Variables": {"QUEUE": {"Fn::Sub": arn}, "STACK": {"Ref": "AWS::StackName"}}},
        "Layers": [{"Fn::Sub": "${AWS::Region}-layer"}, "b"],
    }));
    let literal = function(&json!({
        "Environment": {"Variables": {"QUEUE": ARN, "STACK": "a-dev"}},
        "Layers": ["b", "eu-west-1-layer"],
    }));
    assert!(plan(&written, &[], &literal, &[]).is_empty());
    assert!(plan(&literal, &[], &written, &[]).is_empty());
    // Where the values are not known, nobody knows whether they are the same.
    assert!(!plan_with(&written, &[], &literal, &[]).is_empty());
    let other = function(&json!({
        "Environment": {"Variables": {"QUEUE": format!("{ARN}b"), "STACK": "a-dev"}},
        "Layers": ["b", "eu-west-1-layer"],
    }));
    let plan = plan(&written, &[], &other, &[]);
    let [property] = plan.changes[0].properties.as_slice() else {
        panic!("{plan:?}");
    };
    assert_eq!(
        property.path.to_string(),
        "Properties.Environment.Variables.QUEUE"
    );
    // What is shown is what is written.
    let before = property.before.as_ref().expect("was there").to_string();
    assert!(before.contains("AWS::AccountId"), "{before}");
}

#[test]
fn a_policy_that_names_the_same_otherwise_allows_nothing_more() {
    let role = |resource: Value, action: &str| {
        json!({"Resources": {"Policy": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {
            "Description": action,
            "PolicyDocument": {"Statement": [
                {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::z/*"},
                {"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": resource},
            ]},
        }}}})
    };
    let sub = json!({"Fn::Sub": "arn:aws:sqs:${AWS::Region}:123456789012:a"});
    let plan = plan(&role(sub, "one"), &[], &role(json!(ARN), "two"), &[]);
    let change = &plan.changes[0];
    let paths: Vec<String> = change
        .properties
        .iter()
        .map(|it| it.path.to_string())
        .collect();
    assert_eq!(paths, ["Properties.Description"]);
    assert_eq!(change.grade, Grade::UpdateInPlace, "{change:?}");
}

#[test]
fn conditions_decide_what_there_is() {
    let template = json!({
        "Conditions": {
            "Prod": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
            "Here": {"Fn::And": [{"Condition": "Prod"}, {"Fn::Not": [{"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}]}]},
            "Open": {"Fn::Or": [{"Fn::Equals": [{"Ref": "Unknown"}, "a"]}, {"Condition": "Open"}]},
        },
        "Resources": {
            "Alarm": {"Type": "AWS::SNS::Topic", "Condition": "Here"},
            "Maybe": {"Type": "AWS::SNS::Topic", "Condition": "Open"},
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {
                "DelaySeconds": {"Fn::If": ["Prod", 5, {"Ref": "AWS::NoValue"}]},
                "Tags": {"Fn::If": ["Open", [], {"Ref": "AWS::NoValue"}]},
            }},
        },
        "Outputs": {"Topic": {"Condition": "Here", "Value": {"Ref": "Alarm"}}},
    });
    let plan_of = |before, after| {
        plan(
            &template,
            &[("Stage", before)],
            &template,
            &[("Stage", after)],
        )
    };
    assert!(plan_of("prod", "prod").is_empty());
    let promoted = plan_of("dev", "prod");
    let told: Vec<(&str, Action)> = promoted
        .changes
        .iter()
        .map(|change| (change.logical_id.as_str(), change.action))
        .collect();
    assert_eq!(told, [("Alarm", Action::Create), ("Queue", Action::Update)]);
    assert_eq!(promoted.changes[1].properties[0].after, Some(json!(5)));
    let outputs: Vec<String> = promoted
        .other
        .iter()
        .map(|change| change.path.to_string())
        .filter(|path| path.starts_with("Outputs"))
        .collect();
    assert_eq!(outputs, ["Outputs.Topic"]);
    let left = plan_of("prod", "dev");
    assert_eq!(left.changes[0].action, Action::Delete);
    // A condition that comes and holds changes nothing of the resource.
    let mut free = template.clone();
    free["Resources"]["Alarm"] = json!({"Type": "AWS::SNS::Topic"});
    let stage = [("Stage", "prod")];
    assert!(plan(&free, &stage, &template, &stage).changes.is_empty());
}

#[test]
fn mappings_are_looked_up() {
    let template = |size: u32, key: Value| {
        json!({
            "Mappings": {"Sizes": {"dev": {"Memory": 128}, "prod": {"Memory": size}}},
            "Resources": {"Work": {"Type": "AWS::Lambda::Function", "Properties": {
                "MemorySize": {"Fn::FindInMap": ["Sizes", key, "Memory"]},
            }}},
        })
    };
    let stage = json!({"Ref": "Stage"});
    let (old, new) = (template(256, stage.clone()), template(512, stage));
    let changed = plan(&old, &[("Stage", "prod")], &new, &[("Stage", "prod")]);
    assert_eq!(changed.changes[0].properties[0].after, Some(json!(512)));
    let same = plan(&old, &[("Stage", "dev")], &new, &[("Stage", "dev")]);
    assert!(
        same.changes.is_empty() && !same.other.is_empty(),
        "{same:?}"
    );
    // What nobody knows stays as it is written.
    let open = template(256, json!({"Ref": "Unknown"}));
    assert!(plan(&open, &[], &open, &[]).is_empty());
}

#[test]
fn partitions_are_told_by_their_regions() {
    let partition = |region: &str| {
        let known: BTreeMap<String, String> = pseudo_parameters("a", None, None, Some(region));
        known.get("AWS::Partition").cloned()
    };
    for (region, expected) in [
        ("eu-west-1", Some("aws")),
        ("us-east-1", Some("aws")),
        ("cn-north-1", Some("aws-cn")),
        ("us-gov-west-1", Some("aws-us-gov")),
        ("us-iso-east-1", None),
        ("eusc-de-east-1", None),
        ("xx-east-1", None),
    ] {
        assert_eq!(partition(region).as_deref(), expected, "{region}");
    }
}
