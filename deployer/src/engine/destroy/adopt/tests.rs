//! What a change set that takes back holds.

use super::*;

const ID: &str = "arn:aws:cloudformation:eu-central-1:123456789012:stack/orders-prod/0a1b";

/// What takes back what a template retains, into the stack as it is from then on.
fn into(template: &Value, stays: Option<&Value>) -> Option<Adoption> {
    let all = template["Resources"].as_object().expect("there are some");
    let found: Vec<_> = all
        .iter()
        .map(|(logical_id, entry)| DeployedResource {
            logical_id: logical_id.clone(),
            resource_type: entry["Type"].as_str().expect("has a type").to_owned(),
            physical_id: format!("the-{}", logical_id.to_lowercase()),
        })
        .collect();
    let parameters = [("Name", "orders"), ("Hidden", "****")];
    let is_kept = |it: &&DeployedResource| {
        let policy = all[&it.logical_id]["DeletionPolicy"].as_str();
        policy.is_some_and(|policy| policy.starts_with("Retain"))
    };
    Adoption::of(&Parting {
        stack_id: ID,
        template,
        parameters: &parameters
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        resources: found.iter().collect(),
        leaving: found.iter().filter(is_kept).collect(),
        stays,
    })
}

fn adoption(template: &Value) -> Option<Adoption> {
    into(template, None)
}

/// An import changes nothing of the stack that it imports into, and takes the parameters as they are
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-existing-stack.html>).
#[test]
fn what_left_a_stack_that_is_there_comes_back_beside_what_it_has() {
    let before = json!({
        "Parameters": {"Name": {"Type": "String"}},
        "Resources": {
            "Queue": {
                "Type": "AWS::SQS::Queue",
                "DeletionPolicy": "Retain",
                "Properties": {
                    "QueueName": {"Ref": "Name"},
                    "KmsMasterKeyId": {"Ref": "Key"},
                    "RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}},
                },
            },
            "Topic": {"Type": "AWS::SNS::Topic", "DeletionPolicy": "Retain"},
            "Key": {"Type": "AWS::KMS::Key"},
            "Dead": {"Type": "AWS::SQS::Queue"},
        },
    });
    let stays = json!({
        "Transform": "AWS::LanguageExtensions",
        "Parameters": {"Name": {"Type": "String"}},
        "Resources": {
            "Queue": {"Type": "AWS::SQS::Queue"},
            "QueueKept": {"Type": "AWS::SQS::Queue"},
            "Key": {"Type": "AWS::KMS::Key"},
            "Role": {"Type": "AWS::IAM::Role"},
        },
        "Outputs": {"Url": {"Value": {"Ref": "Queue"}}},
    });
    let adoption = into(&before, Some(&stays)).expect("both can be imported");
    let mut expected = stays.clone();
    expected["Resources"]["QueueKept2"] = json!({
        "Type": "AWS::SQS::Queue", "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain",
        "Properties": {"QueueName": {"Ref": "Name"}, "KmsMasterKeyId": {"Ref": "Key"}},
    });
    expected["Resources"]["Topic"] = json!({
        "Type": "AWS::SNS::Topic", "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain",
        "Properties": {},
    });
    assert_eq!(adoption.template(), &expected);
    let context = crate::engine::tests::Script::new().play().context;
    let commands = adoption.commands(&context, Path::new("/state/orders-prod.import.json"));
    let create = &commands[0];
    for part in [
        "\"LogicalResourceId\":\"QueueKept2\",\"ResourceIdentifier\":{\"QueueUrl\":\"the-queue\"}",
        "\"LogicalResourceId\":\"Topic\",\"ResourceIdentifier\":{\"TopicArn\":\"the-topic\"}",
        " --parameters ParameterKey=Name,UsePreviousValue=true --capabilities CAPABILITY_NAMED_IAM CAPABILITY_AUTO_EXPAND --region",
    ] {
        assert!(create.contains(part), "{part}: {create}");
    }
    let retained = Retained::new(
        &context,
        &DeployedResource {
            logical_id: "Queue".to_owned(),
            resource_type: "AWS::SQS::Queue".to_owned(),
            physical_id: "the-queue".to_owned(),
        },
    );
    assert!(adoption.takes(&retained), "whatever it is called then");
}

#[test]
fn what_goes_is_not_referred_to_any_more() {
    let template = json!({
        "Parameters": {"Name": {"Type": "String"}, "Hidden": {"Type": "String", "NoEcho": true}},
        "Conditions": {"Large": {"Fn::Equals": [1, 1]}},
        "Resources": {
            "Dead": {"Type": "AWS::SQS::Queue", "DeletionPolicy": "RetainExceptOnCreate"},
            "Queue": {
                "Type": "AWS::SQS::Queue",
                "DeletionPolicy": "Retain",
                "Condition": "Large",
                "DependsOn": "Key",
                "Properties": {
                    "QueueName": {"Ref": "Name"},
                    "KmsMasterKeyId": {"Ref": "Key"},
                    "RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 5},
                    "RedriveAllowPolicy": {"sourceQueueArns": [{"Fn::GetAtt": ["Gone", "Arn"]}]},
                    "DelaySeconds": {"Fn::If": ["Large", 1, 2]},
                    "Tags": [{"Key": "secret", "Value": {"Ref": "Hidden"}}],
                    "VisibilityTimeout": {"Ref": "AWS::NoValue"},
                }
            },
            "Gone": {"Type": "AWS::SQS::Queue"},
            "Key": {"Type": "AWS::KMS::Key"},
            // What it must have cannot be said any more.
            "Parameter": {
                "Type": "AWS::SSM::Parameter",
                "DeletionPolicy": "Retain",
                "Properties": {"Type": "String", "Value": {"Fn::GetAtt": ["Gone", "Arn"]}},
            },
        }
    });
    let adoption = adoption(&template).expect("two queues stay");
    let of = |properties: Value| {
        json!({
            "Type": "AWS::SQS::Queue",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": properties,
        })
    };
    assert_eq!(
        adoption.template()["Resources"],
        json!({
            "Dead": of(json!({})),
            "Queue": of(json!({
                "QueueName": "orders",
                "KmsMasterKeyId": "the-key",
                "RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 5},
            })),
        })
    );
}

/// A call takes 51,200 bytes of a template
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html>).
#[test]
fn a_template_that_is_too_long_for_a_call_is_uploaded() {
    let context = crate::engine::tests::Script::new().play().context;
    let document = json!({"Statement": "x".repeat(51_200)});
    let template = json!({"Resources": {
        "Role": {
            "Type": "AWS::IAM::Role",
            "DeletionPolicy": "Retain",
            "Properties": {"AssumeRolePolicyDocument": document},
        },
    }});
    let adoption = adoption(&template).expect("the role stays");
    let commands = adoption.commands(&context, Path::new("/state/orders-prod.import.json"));
    let place = "--region eu-central-1 --profile work";
    assert_eq!(
        commands[0],
        format!(
            "aws s3 cp /state/orders-prod.import.json s3://BUCKET/orders-prod.import.json {place}"
        )
    );
    assert!(
        commands[1].contains(
            "--change-set-type IMPORT --template-url https://BUCKET.s3.eu-central-1.amazonaws.com/orders-prod.import.json "
        ),
        "{commands:?}"
    );
    assert_eq!(commands.len(), 5);
}

#[test]
fn the_commands_can_be_pasted() {
    let context = crate::engine::tests::Script::new().play().context;
    let template = json!({"Resources": {
        "Role": {
            "Type": "AWS::IAM::Role",
            "DeletionPolicy": "Retain",
            "Properties": {"AssumeRolePolicyDocument": {}},
        },
    }});
    let adoption = adoption(&template).expect("the role stays");
    let commands = adoption.commands(
        &context,
        Path::new("/home/me/my state/orders-prod.import.json"),
    );
    let place = "--region eu-central-1 --profile work";
    assert_eq!(
        commands,
        [
            format!(
                "aws cloudformation create-change-set --stack-name orders-prod --change-set-name adopt \
                 --change-set-type IMPORT --template-body 'file:///home/me/my state/orders-prod.import.json' \
                 --resources-to-import '[{{\"ResourceType\":\"AWS::IAM::Role\",\"LogicalResourceId\":\"Role\",\"ResourceIdentifier\":{{\"RoleName\":\"the-role\"}}}}]' \
                 --capabilities CAPABILITY_NAMED_IAM {place}"
            ),
            format!(
                "aws cloudformation wait change-set-create-complete --stack-name orders-prod --change-set-name adopt {place}"
            ),
            format!(
                "aws cloudformation execute-change-set --stack-name orders-prod --change-set-name adopt {place}"
            ),
            format!(
                "aws cloudformation wait stack-import-complete --stack-name orders-prod {place}"
            ),
        ]
    );
}

#[test]
fn nothing_that_stays_is_nothing_to_take_back() {
    let template = json!({"Resources": {"Gone": {"Type": "AWS::SQS::Queue"}}});
    assert_eq!(adoption(&template), None);
}
