use serde_json::json;
use stack_model_cfn::facts::validate;
use stack_model_cfn::{Expr, Pseudo, ResourceId, Token};

/// The findings as lines.
fn findings(resource_type: &str, properties: impl Into<Expr>) -> Vec<String> {
    validate(resource_type, &properties.into())
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn valid() {
    let queue = json!({
        "QueueName": "jobs",
        "DelaySeconds": 5,
        "FifoQueue": "true",
        "RedrivePolicy": {"maxReceiveCount": 3},
        "Tags": [{"Key": "team", "Value": "größe & co".replace(" & ", " - ")}],
    });
    assert_eq!(findings("AWS::SQS::Queue", queue), [""; 0]);
}

#[test]
fn unknown_and_missing() {
    assert_eq!(
        findings("AWS::SQS::Queue", json!({"DelaySecond": 5})),
        ["DelaySecond: unknown property, did you mean `DelaySeconds`?"]
    );
    assert_eq!(
        findings("AWS::SQS::Queue", json!({"Colour": 5})),
        ["Colour: unknown property"]
    );
    assert_eq!(
        findings("AWS::SQS::Queue", json!({"Tags": [{"Key": "a"}]})),
        ["Tags/0: the property `Value` is missing"]
    );
    assert_eq!(
        findings(
            "AWS::Lambda::Permission",
            json!({"Action": "lambda:InvokeFunction"})
        ),
        [
            "the property `FunctionName` is missing",
            "the property `Principal` is missing"
        ]
    );
}

#[test]
fn wrong_kinds() {
    let queue = json!({
        "DelaySeconds": "soon",
        "FifoQueue": 1,
        "MaximumMessageSize": 1024.5,
        "QueueName": ["a"],
        "Tags": {"a": "b"},
        "RedrivePolicy": [],
        "VisibilityTimeout": null,
    });
    assert_eq!(
        findings("AWS::SQS::Queue", queue),
        [
            "DelaySeconds: expected a whole number, found the text `soon`",
            "FifoQueue: expected a boolean, found the number 1",
            "MaximumMessageSize: expected a whole number, found the number 1024.5",
            "QueueName: expected a text, found a list",
            "RedrivePolicy: expected a map or a text, found a list",
            "Tags: expected a list, found a map",
            "VisibilityTimeout: null is not possible in a template, leave the property out",
        ]
    );
    assert_eq!(
        findings("AWS::SQS::Queue", Expr::list(["a"])),
        ["expected a map, found a list"]
    );
    assert_eq!(
        findings("AWS::SQS::Queue", json!({"DelaySeconds": "NaN"})).len(),
        1
    );
}

#[test]
fn limits() {
    assert_eq!(
        findings(
            "AWS::SQS::Queue",
            json!({"DelaySeconds": 901, "MaximumMessageSize": "1"})
        ),
        [
            "DelaySeconds: 901 is more than the most of 900",
            "MaximumMessageSize: 1 is less than the least of 1024",
        ]
    );
    let long = "x".repeat(129);
    assert_eq!(
        findings(
            "AWS::SQS::Queue",
            json!({"Tags": [{"Key": long, "Value": ""}, {"Key": "a*", "Value": ""}]})
        ),
        [
            "Tags/0/Key: 129 characters are more than the most of 128",
            r"Tags/1/Key: `a*` does not match the pattern `^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$`",
        ]
    );
    let table = json!({
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASCH"}],
        "BillingMode": "PAY_PER_REQUESTS",
        "TableClass": "?",
    });
    assert_eq!(
        findings("AWS::DynamoDB::Table", table),
        [
            "BillingMode: `PAY_PER_REQUESTS` is not possible, did you mean `PAY_PER_REQUEST`?",
            "KeySchema/0/KeyType: `HASCH` is not possible, did you mean `HASH`?",
            "TableClass: `?` is not possible, only `STANDARD`, `STANDARD_INFREQUENT_ACCESS`",
        ]
    );
}

#[test]
fn what_only_aws_sets() {
    assert_eq!(
        findings(
            "AWS::SQS::Queue",
            json!({"Arn": "arn:aws:sqs:eu-west-1:1:q"})
        ),
        ["Arn: only AWS sets this property"]
    );
}

#[test]
fn computed_values_are_believed() {
    let role = Token::GetAtt(ResourceId::new("app", "Role"), "Arn".into());
    let queue = Expr::map([
        ("DelaySeconds", Expr::Token(role)),
        ("QueueName", json!({"Fn::Sub": "a-${AWS::Region}"}).into()),
        ("KmsMasterKeyId", json!({"Ref": "Key"}).into()),
        ("Tags", json!({"Fn::FindInMap": ["a", "b", "c"]}).into()),
        ("MaximumMessageSize", "{{resolve:ssm:size}}".into()),
    ]);
    assert_eq!(findings("AWS::SQS::Queue", queue), [""; 0]);
}

#[test]
fn both_branches_of_a_condition_are_checked() {
    let delay = Token::If {
        condition: "Slow".into(),
        then: Box::new(901.into()),
        otherwise: Box::new(Expr::Token(Token::Pseudo(Pseudo::NoValue))),
    };
    let queue = Expr::map([
        ("DelaySeconds", Expr::Token(delay)),
        (
            "VisibilityTimeout",
            json!({"Fn::If": ["Slow", "long", 30]}).into(),
        ),
        (
            "Tags",
            json!([{"Fn::If": ["Slow", {"Key": "a"}, {"Ref": "AWS::NoValue"}]}]).into(),
        ),
    ]);
    assert_eq!(
        findings("AWS::SQS::Queue", queue),
        [
            "DelaySeconds: 901 is more than the most of 900",
            "Tags/0: the property `Value` is missing",
            "VisibilityTimeout: expected a whole number, found the text `long`",
        ]
    );
    // What is taken away is missing; what may be taken away is not.
    let permission = json!({
        "Action": {"Ref": "AWS::NoValue"},
        "FunctionName": {"Fn::If": ["A", "f", {"Ref": "AWS::NoValue"}]},
        "Principal": {"Fn::If": ["A", {"Ref": "AWS::NoValue"}, {"Ref": "AWS::NoValue"}]},
    });
    assert_eq!(
        findings("AWS::Lambda::Permission", permission),
        [
            "the property `Action` is missing",
            "the property `Principal` is missing"
        ]
    );
}

#[test]
fn rules_over_several_properties() {
    let origin = |more: serde_json::Value| {
        let mut origin = json!({"Id": "a", "DomainName": "example.com"});
        origin
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({"DistributionConfig": {
            "Enabled": true,
            "DefaultCacheBehavior": {"TargetOriginId": "a", "ViewerProtocolPolicy": "https-only", "CachePolicyId": "p"},
            "Origins": [origin],
        }})
    };
    let custom = json!({"OriginProtocolPolicy": "https-only"});
    assert_eq!(
        findings(
            "AWS::CloudFront::Distribution",
            origin(json!({"S3OriginConfig": {}}))
        ),
        [""; 0]
    );
    let both = origin(json!({"S3OriginConfig": {}, "CustomOriginConfig": custom}));
    assert_eq!(
        findings("AWS::CloudFront::Distribution", both),
        [
            "DistributionConfig/Origins/0: `CustomOriginConfig` and `S3OriginConfig` exclude one another",
        ]
    );
}

#[test]
fn one_of_several() {
    let policy = json!({"PolicyName": "p", "PolicyDocument": {}});
    let message = "at least one is missing of `Users`, `Groups`, `Roles`";
    assert_eq!(findings("AWS::IAM::Policy", policy), [message]);
    let policy = json!({"PolicyName": "p", "PolicyDocument": {}, "Roles": [{"Ref": "Role"}]});
    assert_eq!(findings("AWS::IAM::Policy", policy), [""; 0]);

    let ingress =
        json!({"IpProtocol": "tcp", "GroupId": "sg-1", "CidrIp": "0.0.0.0/0", "CidrIpv6": "::/0"});
    let finding = findings("AWS::EC2::SecurityGroupIngress", ingress);
    assert!(
        finding[0].starts_with("only one is possible of `CidrIp`"),
        "{finding:?}"
    );

    let table = json!({
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "SSESpecification": {"SSEEnabled": true, "KMSMasterKeyId": "alias/key"},
    });
    assert_eq!(
        findings("AWS::DynamoDB::Table", table),
        ["SSESpecification: `KMSMasterKeyId` needs `SSEType`"]
    );

    // An empty list says nothing.
    let alarm = json!({
        "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "Threshold": 1,
        "Dimensions": [], "Metrics": [{"Id": "e1", "Expression": "m1"}],
    });
    assert_eq!(findings("AWS::CloudWatch::Alarm", alarm), [""; 0]);
}

#[test]
fn duplicates() {
    let arn = |name: &str| format!("arn:aws:iam::aws:policy/{name}");
    let group = json!({"ManagedPolicyArns": [arn("A"), arn("B"), arn("A")]});
    assert_eq!(
        findings("AWS::IAM::Group", group),
        ["ManagedPolicyArns/2: the same element is in the list before"]
    );
}

#[test]
fn resource_types() {
    assert_eq!(
        findings("AWS::SQS::Queues", json!({})),
        ["unknown resource type `AWS::SQS::Queues`, did you mean `AWS::SQS::Queue`?"]
    );
    assert_eq!(
        findings("Nonsense", json!({})),
        ["unknown resource type `Nonsense`"]
    );
    assert_eq!(
        findings(
            "Custom::Thing",
            json!({"ServiceToken": "arn:aws:lambda:a", "Any": 1})
        ),
        [""; 0]
    );
    assert_eq!(
        findings("Custom::Thing", json!({"Any": 1})),
        ["the property `ServiceToken` is missing"]
    );
    assert_eq!(findings("Acme::Billing::Plan", json!({"Any": 1})), [""; 0]);
    assert_eq!(
        findings("AWS::S3::Bucket::MODULE", json!({"Any": 1})),
        [""; 0]
    );
}
