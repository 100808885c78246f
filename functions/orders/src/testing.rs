//! Scripted services and requests, for the tests of all handlers.

use aws_credential_types::Credentials;
use aws_smithy_mocks::{MockResponseInterceptor, Rule, RuleMode, create_mock_http_client};
use serde_json::{Value, json};
use stack_bindings::sdk::dynamodb::{self, types::AttributeValue};
use stack_bindings::sdk::sqs;
use stack_bindings::{ApiRequest, ApiResponse, Decode as _};

use crate::moment::Moment;

pub(crate) const QUEUE_URL: &str =
    "https://sqs.us-east-1.amazonaws.com/123456789012/ExampleSite-OrdersQueue-dev";

fn scripted(rules: &[&Rule]) -> MockResponseInterceptor {
    rules.iter().fold(
        MockResponseInterceptor::new().rule_mode(RuleMode::MatchAny),
        |scripted, rule| scripted.with_rule(rule),
    )
}

pub(crate) fn dynamodb(rules: &[&Rule]) -> dynamodb::Client {
    let config = dynamodb::Config::builder()
        .behavior_version_latest()
        .region(dynamodb::config::Region::new("us-east-1"))
        .credentials_provider(Credentials::new("id", "secret", None, None, "tests"))
        .http_client(create_mock_http_client())
        .interceptor(scripted(rules))
        .build();
    dynamodb::Client::from_conf(config)
}

pub(crate) fn sqs(rules: &[&Rule]) -> sqs::Client {
    let config = sqs::Config::builder()
        .behavior_version_latest()
        .region(sqs::config::Region::new("us-east-1"))
        .credentials_provider(Credentials::new("id", "secret", None, None, "tests"))
        .http_client(create_mock_http_client())
        .interceptor(scripted(rules))
        .build();
    sqs::Client::from_conf(config)
}

/// Returns a moment that a test knows.
pub(crate) fn moment() -> Moment {
    Moment {
        now: "2026-01-02T03:04:05.678Z".to_owned(),
        fresh_id: "00010203-0405-4607-8809-0a0b0c0d0e0f".to_owned(),
    }
}

/// Makes a request as API Gateway hands it over, in the "input format" of
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>.
pub(crate) fn request(
    method: &str,
    resource: &str,
    parameters: &Value,
    body: Option<&str>,
) -> ApiRequest {
    let event = json!({
        "resource": resource,
        "path": resource,
        "httpMethod": method,
        "headers": {"Content-Type": "application/json"},
        "queryStringParameters": null,
        "multiValueQueryStringParameters": null,
        "pathParameters": parameters,
        "stageVariables": null,
        "requestContext": {"stage": "dev"},
        "body": body,
        "isBase64Encoded": false,
    });
    ApiRequest::decode(event).expect("it is a request")
}

/// Reads the body of an answer.
pub(crate) fn body(answer: &ApiResponse) -> Value {
    serde_json::from_str(&answer.body).expect("the body is JSON")
}

/// Every answer may be read by pages of every origin.
#[track_caller]
pub(crate) fn assert_cors(answer: &ApiResponse) {
    for (name, value) in [
        ("Access-Control-Allow-Origin", "*"),
        (
            "Access-Control-Allow-Headers",
            "Accept,Authorization,Content-Type,X-Amz-Date,X-Amz-Security-Token,X-Api-Key",
        ),
        ("Access-Control-Max-Age", "600"),
    ] {
        assert_eq!(answer.headers.get(name).map(String::as_str), Some(value));
    }
}

pub(crate) fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

/// Makes an item of texts.
pub(crate) fn texts<const N: usize>(
    attributes: [(&str, &str); N],
) -> std::collections::HashMap<String, AttributeValue> {
    attributes
        .map(|(name, value)| (name.to_owned(), text(value)))
        .into()
}
