//! What a change set that takes back holds.

use super::*;

const ID: &str = "arn:aws:cloudformation:eu-central-1:123456789012:stack/orders-prod/0a1b";

/// What the physical ids of topics begin with.
const TOPICS: &str = "arn:aws:sns:eu-central-1:123456789012:";

/// What takes back what a template retains, into the stack as it is from then on.
fn into(template: &Value, stays: Option<&Value>) -> Option<Adoption> {
    let all = template["Resources"].as_object().expect("there are some");
    let found: Vec<_> = all
        .iter()
        .map(|(logical_id, entry)| {
            let resource_type = entry["Type"].as_str().expect("has a type").to_owned();
            let place = match resource_type.as_str() {
                "AWS::SNS::Topic" => TOPICS,
                _ => "",
            };
            DeployedResource {
                logical_id: logical_id.clone(),
                resource_type,
                physical_id: format!("{place}the-{}", logical_id.to_lowercase()),
            }
        })
        .collect();
    let parameters = [
        ("Name", "orders"),
        ("Names", "a, b"),
        ("Hidden", "****"),
        ("Looked", "/orders/name"),
    ];
    let is_kept = |it: &&DeployedResource| {
        let policy = all[&it.logical_id]["DeletionPolicy"].as_str();
        policy.is_some_and(|policy| policy.starts_with("Retain"))
    };
    Adoption::of(&Parting {
        stack_id: ID,
        template,
        parameters: &texts(&parameters),
        tags: &texts(&[("stackctl:stage", "prod"), ("team", "orders' own")]),
        resources: found.iter().collect(),
        leaving: found.iter().filter(is_kept).collect(),
        stays,
    })
}

fn adoption(template: &Value) -> Option<Adoption> {
    into(template, None)
}

fn texts(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    let entries = entries.iter();
    entries
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

/// A queue as what takes it back has it.
fn queue(properties: &Value) -> Value {
    json!({
        "Type": "AWS::SQS::Queue",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": properties,
    })
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
        "Properties": {"QueueName": "orders", "KmsMasterKeyId": {"Ref": "Key"}},
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
        "\"LogicalResourceId\":\"Topic\",\"ResourceIdentifier\":{\"TopicArn\":\"arn:aws:sns:eu-central-1:123456789012:the-topic\"}",
        " --parameters ParameterKey=Name,UsePreviousValue=true --capabilities CAPABILITY_NAMED_IAM CAPABILITY_AUTO_EXPAND --region",
    ] {
        assert!(create.contains(part), "{part}: {create}");
    }
    assert_eq!(commands.len(), 4, "the stack has its tags");
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

/// What has the old id in the stack is another resource by then, and parameters may have other values.
#[test]
fn what_comes_back_refers_to_what_it_did_and_to_nothing_that_came_after() {
    let before = json!({
        "Parameters": {
            "Name": {"Type": "String"},
            "Names": {"Type": "CommaDelimitedList"},
            "Hidden": {"Type": "String", "NoEcho": true},
            "Looked": {"Type": "AWS::SSM::Parameter::Value<String>"},
        },
        "Resources": {
            "Dead": {"Type": "AWS::SQS::Queue", "DeletionPolicy": "Retain"},
            "DeadKept": {"Type": "AWS::SQS::Queue", "DeletionPolicy": "Retain"},
            "Queue": {
                "Type": "AWS::SQS::Queue",
                "DeletionPolicy": "Retain",
                "Properties": {
                    "QueueName": {"Fn::Sub": ["${Name}-${Own}-${AWS::Region}", {"Own": {"Ref": "Name"}}]},
                    "KmsMasterKeyId": {"Ref": "Key"},
                    "RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}},
                    "RedriveAllowPolicy": {"sourceQueueArns": [
                        {"Fn::Sub": "${DeadKept.Arn}-${Name}"}, {"Ref": "Names"},
                    ]},
                    "Tags": [{"Key": "a", "Value": {"Ref": "Hidden"}}, {"Key": "b", "Value": {"Ref": "Looked"}}],
                },
            },
            // It leaves as well, and CloudFormation does not import it.
            "Key": {"Type": "Custom::Key", "DeletionPolicy": "Retain"},
        },
    });
    let stays = json!({
        "Parameters": before["Parameters"],
        "Resources": {"Dead": {"Type": "AWS::SQS::Queue"}, "Key": {"Type": "Custom::Key"}},
    });
    let adoption = into(&before, Some(&stays)).expect("the queues can be imported");
    let resources = &adoption.template()["Resources"];
    assert_eq!(resources["Dead"], stays["Resources"]["Dead"]);
    assert_eq!(resources["DeadKept"], queue(&json!({})));
    assert_eq!(resources["DeadKeptKept"], queue(&json!({})));
    assert_eq!(
        resources["Queue"],
        queue(&json!({
            "QueueName": {"Fn::Sub": ["orders-${Own}-${AWS::Region}", {"Own": "orders"}]},
            "KmsMasterKeyId": "the-key",
            "RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["DeadKept", "Arn"]}},
            "RedriveAllowPolicy": {"sourceQueueArns": [{"Fn::Sub": "${DeadKeptKept.Arn}-orders"}, ["a", "b"]]},
            "Tags": [{"Key": "a", "Value": {"Ref": "Hidden"}}, {"Key": "b", "Value": {"Ref": "Looked"}}],
        }))
    );
}

/// CloudFormation imports nothing where one of it is not there any more, or belongs to another stack by now.
#[test]
fn what_is_not_there_any_more_is_left_out_of_what_comes_back_together() {
    let context = crate::engine::tests::Script::new().play().context;
    let template = json!({"Resources": {
        "Dead": {"Type": "AWS::SQS::Queue", "DeletionPolicy": "Retain"},
        "Queue": {
            "Type": "AWS::SQS::Queue",
            "DeletionPolicy": "Retain",
            "Properties": {
                "DelaySeconds": 1,
                "RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}},
            },
        },
    }});
    let whole = adoption(&template).expect("two queues stay");
    let written = whole.written(&context, "/state/orders-prod.import.json".into());
    let without = |gone: &[&str]| {
        let template = whole.template().clone();
        written.without(template, |_, id| gone.contains(&id))
    };
    assert_eq!(without(&["other"]), Some(whole.clone()));
    let rest = without(&["the-dead"]).expect("one queue stays");
    assert_eq!(
        rest.template()["Resources"],
        json!({"Queue": queue(&json!({"DelaySeconds": 1}))})
    );
    let written = rest.written(&context, "/state/orders-prod.2.import.json".into());
    assert!(written.takes("AWS::SQS::Queue", "the-queue"));
    assert!(!written.takes("AWS::SQS::Queue", "the-dead"));
    assert!(written.adopt[4].contains("stackctl:stage"), "{written:?}");
    assert_eq!(without(&["the-dead", "the-queue"]), None);
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
    assert_eq!(
        adoption.template()["Resources"],
        json!({
            "Dead": queue(&json!({})),
            "Queue": queue(&json!({
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
    assert_eq!(commands.len(), 7);
}

/// An import that names tags is refused: `As part of the import operation, you cannot modify or add [Tags]`. A stack without them is
/// nobody's, and no destroy of ours removes it.
#[test]
fn the_commands_can_be_pasted_and_give_a_new_stack_the_tags_of_the_old_one() {
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
            format!(
                "aws cloudformation update-stack --stack-name orders-prod --use-previous-template --tags \
                 '[{{\"Key\":\"stackctl:stage\",\"Value\":\"prod\"}},{{\"Key\":\"team\",\"Value\":\"orders'\\'' own\"}}]' \
                 --capabilities CAPABILITY_NAMED_IAM {place}"
            ),
            format!(
                "aws cloudformation wait stack-update-complete --stack-name orders-prod {place}"
            ),
        ]
    );
}

#[test]
fn nothing_that_stays_is_nothing_to_take_back() {
    let template = json!({"Resources": {"Gone": {"Type": "AWS::SQS::Queue"}}});
    assert_eq!(adoption(&template), None);
}

/// A rule is identified by its ARN, and a stack calls it by its name; the policy of a bucket that is older than its provider has an
/// id that nobody else knows, and is identified by its bucket
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-rule.html>).
#[test]
fn what_a_stack_calls_otherwise_comes_back_by_what_identifies_it() {
    let template = json!({"Resources": {
        "Daily": {"Type": "AWS::Events::Rule", "DeletionPolicy": "Retain"},
        "Policy": {
            "Type": "AWS::S3::BucketPolicy",
            "DeletionPolicy": "Retain",
            "Properties": {"Bucket": {"Ref": "Uploads"}, "PolicyDocument": {}},
        },
        "Uploads": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"},
        "Build": {"Type": "AWS::CodeBuild::Project", "DeletionPolicy": "Retain"},
    }});
    let adoption = adoption(&template).expect("three can be imported");
    let context = crate::engine::tests::Script::new().play().context;
    let create = &adoption.commands(&context, Path::new("/state/orders.json"))[0];
    let imports = create.split('\'').nth(1).expect("they are quoted");
    let imports: Value = serde_json::from_str(imports).expect("is JSON");
    let import = |resource_type: &str, id: &str, by: &Value| json!({"ResourceType": resource_type, "LogicalResourceId": id, "ResourceIdentifier": by});
    let arn = "arn:aws:events:eu-central-1:123456789012:rule/the-daily";
    assert_eq!(
        imports,
        json!([
            import("AWS::Events::Rule", "Daily", &json!({"Arn": arn})),
            import(
                "AWS::S3::BucketPolicy",
                "Policy",
                &json!({"Bucket": "the-uploads"})
            ),
            import(
                "AWS::S3::Bucket",
                "Uploads",
                &json!({"BucketName": "the-uploads"})
            ),
        ])
    );
    // What the stack called it is what the rest of the ledger knows it by, also once that was written down and read.
    let written = adoption.written(&context, PathBuf::new());
    let read = serde_json::to_value(&written).expect("is JSON");
    let read: TakenBack = serde_json::from_value(read).expect("is one");
    assert!(read.takes("AWS::Events::Rule", "the-daily"));
    assert!(read.takes("AWS::S3::BucketPolicy", "the-policy"));
    let rest = read.without(adoption.template().clone(), |_, id| id == "the-policy");
    let rest = rest.expect("others stay");
    let imports = [0, 2].map(|at| adoption.imports[at].clone());
    assert_eq!(rest.imports, imports);
}
