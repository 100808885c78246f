//! What resources have to agree on, however they were added.

use serde_json::{Value as Json, json};
use stack_model::sqs::{QueueProps, QueueRef};
use stack_model::{Handle, Stack};

use crate::support::{dev, texts, violations};

fn role(stack: &mut Stack<'_>) -> Json {
    let trust = json!({"Statement": []});
    stack.raw(
        "Role",
        "AWS::IAM::Role",
        json!({ "AssumeRolePolicyDocument": trust }),
    );
    json!({"Fn::GetAtt": ["Role", "Arn"]})
}

#[test]
fn a_message_stays_hidden_whatever_was_overridden() {
    let found = |visibility: Option<u32>, timeout: Option<u32>| {
        violations(dev(), |stack| {
            let queue: QueueRef<String> = stack.queue("Orders", QueueProps::default());
            if let Some(seconds) = visibility {
                stack.override_property(&queue, "VisibilityTimeout", seconds);
            }
            let mut function = json!({"Role": role(stack), "Handler": "x", "Runtime": "provided.al2023", "Code": {"ZipFile": "x"}});
            if let Some(seconds) = timeout {
                function["Timeout"] = json!(seconds);
            }
            stack.raw("Work", "AWS::Lambda::Function", function);
            let mapping = json!({"EventSourceArn": {"Fn::GetAtt": "Orders.Arn"}, "FunctionName": {"Ref": "Work"}});
            stack.raw("Mapping", "AWS::Lambda::EventSourceMapping", mapping);
        })
    };
    let message = |hidden: u32, runs: u32| {
        [format!(
            "orders / Mapping: the visibility timeout of `Orders` is {hidden} s and the function may run {runs} s: a message would be delivered again while it is being worked on; AWS recommends six times the function's timeout"
        )]
    };
    assert_eq!(found(None, Some(31)), message(30, 31));
    assert_eq!(found(Some(2), None), message(2, 3));
    assert_eq!(found(Some(60), Some(60)), [""; 0]);
    assert_eq!(found(None, None), [""; 0]);
}

#[test]
fn a_key_has_the_length_that_api_gateway_takes() {
    for (length, fits) in [(19, false), (20, true), (128, true), (129, false)] {
        let found = violations(dev(), |stack| {
            let key = json!({"Value": "k".repeat(length)});
            stack.raw("Key", "AWS::ApiGateway::ApiKey", key);
        });
        let expected = format!(
            "orders / Key / Properties.Value: the value of the key has {length} characters and API Gateway takes 20 to 128"
        );
        let expected = (!fits).then_some(expected);
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn a_certificate_stands_where_it_is_used() {
    let arn = |region: &str| format!("arn:aws:acm:{region}:123456789012:certificate/1");
    let mut app = dev();
    let mut far = app.stack("far");
    far.in_region("us-east-1");
    let domain = json!({"DomainName": "example.com"});
    let certificate = far.raw(
        "Certificate",
        "AWS::CertificateManager::Certificate",
        domain,
    );
    let mut stack = app.stack("orders");
    // Stages are in eu-central-1.
    let mut domain = |id: &str, own: Json| {
        let mut properties = json!({"DomainName": "api.example.com"});
        properties
            .as_object_mut()
            .unwrap()
            .extend(own.as_object().unwrap().clone());
        stack.raw(id, "AWS::ApiGateway::DomainName", properties)
    };
    domain("Edge", json!({"CertificateArn": arn("eu-central-1")}));
    domain("FineEdge", json!({"CertificateArn": arn("us-east-1")}));
    domain(
        "Regional",
        json!({"RegionalCertificateArn": arn("us-east-1")}),
    );
    domain(
        "FineRegional",
        json!({"RegionalCertificateArn": arn("eu-central-1")}),
    );
    let other = domain("Other", json!({}));
    stack.override_property(&other, "RegionalCertificateArn", certificate.reference());
    let config = json!({"CertificateArn": arn("eu-west-1")});
    stack.raw(
        "Login",
        "AWS::Cognito::UserPoolDomain",
        json!({"Domain": "login.example.com", "UserPoolId": "eu-central-1_a", "CustomDomainConfig": config}),
    );
    assert_eq!(certificate.resource_id().logical_id(), "Certificate");
    assert_eq!(
        texts(&app.synth().unwrap_err()),
        [
            "orders / Edge / Properties.CertificateArn: the certificate stands in eu-central-1 and an edge-optimised domain takes one from us-east-1: take one of us-east-1",
            "orders / Login / Properties.CustomDomainConfig.CertificateArn: the certificate stands in eu-west-1 and a domain of a user pool takes one from us-east-1: take one of us-east-1",
            "orders / Other / Properties.RegionalCertificateArn: the certificate stands in us-east-1 and a regional domain takes one from eu-central-1: take one of eu-central-1",
            "orders / Regional / Properties.RegionalCertificateArn: the certificate stands in us-east-1 and a regional domain takes one from eu-central-1: take one of eu-central-1",
        ]
    );
}

#[test]
fn credentials_are_for_named_origins() {
    let found = |origin: &str, credentials: bool| {
        violations(dev(), |stack| {
            let cors = json!({"AllowCredentials": credentials, "AllowOrigins": [origin]});
            let api = json!({"Name": "http", "ProtocolType": "HTTP", "CorsConfiguration": cors});
            stack.raw("Api", "AWS::ApiGatewayV2::Api", api);
            let url = json!({"AuthType": "AWS_IAM", "TargetFunctionArn": "work", "Cors": cors});
            stack.raw("Url", "AWS::Lambda::Url", url);
            let items = |item: &str| json!({"Items": [item]});
            let cors = json!({
                "AccessControlAllowCredentials": credentials,
                "AccessControlAllowHeaders": items("accept"),
                "AccessControlAllowMethods": items("GET"),
                "AccessControlAllowOrigins": items(origin),
                "OriginOverride": true,
            });
            let policy =
                json!({"ResponseHeadersPolicyConfig": {"Name": "cors", "CorsConfig": cors}});
            stack.raw("Headers", "AWS::CloudFront::ResponseHeadersPolicy", policy);
        })
    };
    let message = "a browser hands no credentials to an answer for any origin: name the origins, or allow no credentials";
    assert_eq!(
        found("*", true),
        [
            ("Api", "CorsConfiguration"),
            ("Headers", "ResponseHeadersPolicyConfig.CorsConfig"),
            ("Url", "Cors"),
        ]
        .map(|(id, path)| format!("orders / {id} / Properties.{path}: {message}"))
    );
    assert_eq!(found("*", false), [""; 0]);
    assert_eq!(found("https://www.example.com", true), [""; 0]);
}
