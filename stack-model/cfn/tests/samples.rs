//! One resource type of each kind of shape, from a struct to the JSON of a template, and valid by the facts.

use serde_json::{Value as Json, json};
use stack_model_cfn::{
    Expr, ResourceType, Tag, apigateway, cloudwatch, events, facts, iam, kms, lambda, list, logs,
    s3, scheduler, sns, ssm, stepfunctions, wafv2,
};

#[track_caller]
fn renders(resource: &dyn ResourceType, name: &str, wanted: Json) {
    let Some(rendered) = resource.render() else {
        panic!("a resource always renders to a map");
    };
    assert_eq!(resource.resource_type(), name);
    assert_eq!(rendered, Expr::from(wanted));
    assert_eq!(facts::validate(name, &rendered), []);
}

#[test]
fn nothing() {
    renders(&sns::Topic::default(), "AWS::SNS::Topic", json!({}));
    assert_eq!(sns::Topic::TYPE, "AWS::SNS::Topic");
    assert_eq!(sns::Topic::ATTRIBUTE_TOPIC_ARN, "TopicArn");
    assert_eq!(sns::Topic::ATTRIBUTE_TOPIC_NAME, "TopicName");
    assert_eq!(
        lambda::Function::ATTRIBUTE_SNAP_START_RESPONSE_APPLY_ON,
        "SnapStartResponse.ApplyOn"
    );
}

#[test]
fn nested_structs_and_lists_of_them() {
    let bucket = s3::Bucket {
        bucket_encryption: s3::bucket::BucketEncryption {
            server_side_encryption_configuration: [s3::bucket::ServerSideEncryptionRule {
                server_side_encryption_by_default: s3::bucket::ServerSideEncryptionByDefault {
                    sse_algorithm: "AES256".into(),
                    ..Default::default()
                }
                .into(),
                ..Default::default()
            }]
            .into(),
        }
        .into(),
        tags: [Tag::new("team", "core")].into(),
        ..Default::default()
    };
    let wanted = json!({
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}],
        },
        "Tags": [{"Key": "team", "Value": "core"}],
    });
    renders(&bucket, "AWS::S3::Bucket", wanted);
}

#[test]
fn maps() {
    let method = apigateway::Method {
        http_method: "GET".into(),
        resource_id: "r".into(),
        rest_api_id: "a".into(),
        authorization_type: "NONE".into(),
        request_parameters: [("method.request.querystring.limit", false)].into(),
        request_models: [("application/json", "Model".to_owned())].into(),
        ..Default::default()
    };
    let wanted = json!({
        "HttpMethod": "GET",
        "ResourceId": "r",
        "RestApiId": "a",
        "AuthorizationType": "NONE",
        "RequestParameters": {"method.request.querystring.limit": false},
        "RequestModels": {"application/json": "Model"},
    });
    renders(&method, "AWS::ApiGateway::Method", wanted);
}

#[test]
fn free_json() {
    let document = json!({"Version": "2012-10-17", "Statement": []});
    let role = iam::Role {
        assume_role_policy_document: document.clone().into(),
        policies: [iam::role::Policy {
            policy_name: "p".into(),
            policy_document: document.clone().into(),
        }]
        .into(),
        ..Default::default()
    };
    let wanted = json!({
        "AssumeRolePolicyDocument": document,
        "Policies": [{"PolicyName": "p", "PolicyDocument": document}],
    });
    renders(&role, "AWS::IAM::Role", wanted);
    let key = kms::Key {
        key_policy: document.clone().into(),
        enable_key_rotation: true.into(),
        ..Default::default()
    };
    renders(
        &key,
        "AWS::KMS::Key",
        json!({"KeyPolicy": document, "EnableKeyRotation": true}),
    );
    let pattern = events::Rule {
        event_pattern: json!({"source": ["a"]}).into(),
        ..Default::default()
    };
    renders(
        &pattern,
        "AWS::Events::Rule",
        json!({"EventPattern": {"source": ["a"]}}),
    );
}

#[test]
fn reserved_names() {
    let parameter = ssm::Parameter {
        type_: "String".into(),
        value: "v".into(),
        ..Default::default()
    };
    renders(
        &parameter,
        "AWS::SSM::Parameter",
        json!({"Type": "String", "Value": "v"}),
    );
}

#[test]
fn numbers_and_booleans() {
    let alarm = cloudwatch::Alarm {
        comparison_operator: "GreaterThanThreshold".into(),
        evaluation_periods: 1.into(),
        threshold: 0.5.into(),
        metric_name: "m".into(),
        namespace: "n".into(),
        period: 60.into(),
        statistic: "Sum".into(),
        actions_enabled: false.into(),
        alarm_actions: list(["arn:aws:sns:eu-west-1:123456789012:t"]),
        ..Default::default()
    };
    let wanted = json!({
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1,
        "Threshold": 0.5,
        "MetricName": "m",
        "Namespace": "n",
        "Period": 60,
        "Statistic": "Sum",
        "ActionsEnabled": false,
        "AlarmActions": ["arn:aws:sns:eu-west-1:123456789012:t"],
    });
    renders(&alarm, "AWS::CloudWatch::Alarm", wanted);
    let group = logs::LogGroup {
        retention_in_days: 14.into(),
        ..Default::default()
    };
    renders(
        &group,
        "AWS::Logs::LogGroup",
        json!({"RetentionInDays": 14}),
    );
}

#[test]
fn required_properties() {
    let machine = stepfunctions::StateMachine {
        role_arn: "arn:aws:iam::123456789012:role/r".into(),
        definition: json!({"StartAt": "A"}).into(),
        ..Default::default()
    };
    let wanted =
        json!({"RoleArn": "arn:aws:iam::123456789012:role/r", "Definition": {"StartAt": "A"}});
    renders(&machine, "AWS::StepFunctions::StateMachine", wanted);
    let schedule = scheduler::Schedule {
        schedule_expression: "rate(5 minutes)".into(),
        flexible_time_window: scheduler::schedule::FlexibleTimeWindow {
            mode: "OFF".into(),
            ..Default::default()
        }
        .into(),
        target: scheduler::schedule::Target {
            arn: "arn:aws:sqs:eu-west-1:123456789012:q".into(),
            role_arn: "arn:aws:iam::123456789012:role/r".into(),
            ..Default::default()
        }
        .into(),
        ..Default::default()
    };
    let wanted = json!({
        "ScheduleExpression": "rate(5 minutes)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": "arn:aws:sqs:eu-west-1:123456789012:q", "RoleArn": "arn:aws:iam::123456789012:role/r"},
    });
    renders(&schedule, "AWS::Scheduler::Schedule", wanted);
}

#[test]
fn shapes_that_hold_themselves() {
    use wafv2::web_acl::{NotStatement, RateBasedStatement, Statement};
    let rate = Statement {
        rate_based_statement: RateBasedStatement {
            limit: 100.into(),
            aggregate_key_type: "IP".into(),
            ..Default::default()
        }
        .into(),
        ..Default::default()
    };
    let statement = Statement {
        not_statement: NotStatement {
            statement: rate.into(),
        }
        .into(),
        ..Default::default()
    };
    let rendered = stack_model_cfn::Render::render(&statement).unwrap();
    let wanted = json!({
        "NotStatement": {"Statement": {"RateBasedStatement": {"Limit": 100, "AggregateKeyType": "IP"}}},
    });
    assert_eq!(rendered, Expr::from(wanted));
}
