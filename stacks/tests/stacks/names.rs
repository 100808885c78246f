//! What the stages of one account share: nothing that has a name.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::golden::{shipped, synth};

/// Names that are unique within something which each stage has of its own.
const INNER: [(&str, &str); 8] = [
    ("AWS::ApiGateway::Authorizer", "Name"),
    ("AWS::ApiGateway::Stage", "StageName"),
    ("AWS::Cognito::UserPoolClient", "ClientName"),
    ("AWS::Cognito::UserPoolGroup", "GroupName"),
    ("AWS::CodePipeline::Pipeline", "ArtifactStoreName"),
    ("AWS::CloudWatch::Alarm", "MetricName"),
    ("AWS::IAM::Policy", "PolicyName"),
    ("AWS::Route53::RecordSet", "HostedZoneName"),
];

/// Returns whether a value is the same in every stack of an account and region, whatever the stack is called.
fn is_account_wide(value: &Value) -> bool {
    const EVERYWHERE: [&str; 5] = [
        "AWS::AccountId",
        "AWS::Partition",
        "AWS::Region",
        "AWS::URLSuffix",
        "AWS::NoValue",
    ];
    match value {
        Value::Array(items) => items.iter().all(is_account_wide),
        Value::Object(entries) => entries.iter().all(|(key, value)| match key.as_str() {
            "Ref" => EVERYWHERE.iter().any(|name| value == name),
            "Fn::GetAtt" => false,
            "Fn::Sub" => {
                let text = value.as_str().unwrap_or_default();
                let mut names = text.split("${").skip(1);
                names.all(|rest| EVERYWHERE.iter().any(|name| rest.starts_with(name)))
            }
            _ => is_account_wide(value),
        }),
        _ => true,
    }
}

/// Returns everything in the stacks of a stage that has a name which nothing else in the account may have.
fn names(stage: &str) -> BTreeSet<String> {
    let assembly = synth(shipped(stage));
    let mut names = BTreeSet::new();
    for stack in &assembly.manifest().stacks {
        names.insert(format!("stack {}", stack.name));
        let template: Value = serde_json::from_str(assembly.template(&stack.id).unwrap()).unwrap();
        for (id, resource) in template["Resources"].as_object().unwrap() {
            let kind = resource["Type"].as_str().unwrap();
            let properties = resource["Properties"].as_object().into_iter().flatten();
            for (property, value) in properties {
                if property.ends_with("Name")
                    && !INNER.contains(&(kind, property))
                    && is_account_wide(value)
                {
                    // The id tells which of them it is, and counts for nothing.
                    names.insert(format!("{kind} {property} {value}"));
                    assert!(value.is_string() || value.is_object(), "{id}: {value}");
                }
            }
        }
        let outputs = template["Outputs"].as_object().into_iter().flatten();
        for (_, output) in outputs {
            if let Some(export) = output.get("Export") {
                assert!(is_account_wide(export), "{export}");
                names.insert(format!("export {}", export["Name"]));
            }
        }
    }
    names
}

#[test]
fn stages_live_side_by_side_in_one_account() {
    let (dev, prod) = (names("dev"), names("prod"));
    // The test looks at something: every system has names and exports of its own.
    for known in [
        "AWS::DynamoDB::Table TableName \"serverlesspresso-order-table-dev\"",
        "AWS::S3::Bucket BucketName \"crpics2app-dev\"",
        "AWS::SSM::Parameter Name \"/ServerlesspressoWorkshop-4-dev/core/realtime\"",
        "export \"coffee-core-dev-IotEndpointAddress\"",
        "stack intake-dev",
    ] {
        assert!(dev.contains(known), "there is no {known} in {dev:#?}");
    }
    let both: Vec<&String> = dev.intersection(&prod).collect();
    assert!(both.is_empty(), "both stages have {both:#?}");
}
