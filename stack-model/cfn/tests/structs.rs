use stack_model_cfn::{
    Expr, Property, Pseudo, Render, ResourceId, ResourceType, Tag, Token, Value, dynamodb, lambda,
    list, sqs,
};

#[test]
fn queue() {
    let queue = sqs::Queue {
        queue_name: "jobs".into(),
        delay_seconds: 5.into(),
        tags: vec![Tag::new("team", "core")].into(),
        redrive_policy: serde_json::json!({"maxReceiveCount": 3}).into(),
        ..Default::default()
    };
    assert_eq!(queue.resource_type(), "AWS::SQS::Queue");
    let wanted = serde_json::json!({
        "QueueName": "jobs",
        "DelaySeconds": 5,
        "Tags": [{"Key": "team", "Value": "core"}],
        "RedrivePolicy": {"maxReceiveCount": 3},
    });
    assert_eq!(queue.render(), Some(Expr::from(wanted)));
}

#[test]
fn table() {
    let table = dynamodb::Table {
        billing_mode: "PAY_PER_REQUEST".into(),
        attribute_definitions: [dynamodb::table::AttributeDefinition {
            attribute_name: "id".into(),
            attribute_type: "S".into(),
        }]
        .into(),
        sse_specification: dynamodb::table::SSESpecification {
            sse_enabled: true.into(),
            ..Default::default()
        }
        .into(),
        ..Default::default()
    };
    let wanted = serde_json::json!({
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "SSESpecification": {"SSEEnabled": true},
    });
    assert_eq!(table.render(), Some(Expr::from(wanted)));
}

#[test]
fn tokens_fit_everywhere() {
    let role = || Token::GetAtt(ResourceId::new("app", "Role"), "Arn".into());
    let layer = Value::Token(Token::Pseudo(Pseudo::NoValue));
    let function = lambda::Function {
        role: Property::Token(role()),
        layers: list([Value::from("arn:layer"), layer]),
        architectures: ["arm64"].into(),
        environment: lambda::function::Environment {
            variables: [("MODE", "x".to_owned())].into(),
        }
        .into(),
        ..Default::default()
    };
    let wanted = Expr::map([
        ("Role", Expr::Token(role())),
        (
            "Layers",
            Expr::list([
                Expr::from("arn:layer"),
                Expr::Token(Token::Pseudo(Pseudo::NoValue)),
            ]),
        ),
        ("Architectures", Expr::list(["arm64"])),
        (
            "Environment",
            serde_json::json!({"Variables": {"MODE": "x"}}).into(),
        ),
    ]);
    assert_eq!(function.render(), Some(wanted));
}

#[test]
fn what_only_aws_sets_is_no_field() {
    // Every field is named here, so one for the read-only `Id` would not compile.
    let policy = sqs::QueuePolicy {
        policy_document: serde_json::json!({"Statement": []}).into(),
        queues: ["url"].into(),
    };
    let wanted = serde_json::json!({"PolicyDocument": {"Statement": []}, "Queues": ["url"]});
    assert_eq!(policy.render(), Some(Expr::from(wanted)));
    assert_eq!(sqs::QueuePolicy::ATTRIBUTE_ID, "Id");
}
