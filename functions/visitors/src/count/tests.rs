//! Visits against scripted answers of DynamoDB, which are those of
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html>.

use aws_credential_types::Credentials;
use aws_smithy_mocks::{MockResponseInterceptor, Rule, RuleMode, create_mock_http_client, mock};
use serde_json::Value;
use stack_bindings::sdk::dynamodb::{
    self, Client,
    config::Region,
    error::ErrorMetadata,
    operation::update_item::{UpdateItemError, UpdateItemInput, UpdateItemOutput},
    types::{AttributeValue, ReturnValue},
};
use stack_bindings::{Decode as _, Table};

use super::*;

const NOW: Duration = Duration::new(1_580_000_000, 1_500_000);

fn bindings(rule: &Rule) -> Count {
    let config = dynamodb::Config::builder()
        .behavior_version_latest()
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("id", "secret", None, None, "tests"))
        .http_client(create_mock_http_client())
        .interceptor(
            MockResponseInterceptor::new()
                .rule_mode(RuleMode::MatchAny)
                .with_rule(rule),
        )
        .build();
    Count {
        users_table: Table::with_client(Client::from_conf(config), "usersTable-dev"),
    }
}

/// Makes a request as API Gateway hands it over, in the "input format" of
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>.
fn visit(user_id: &str) -> ApiRequest {
    let event = json!({
        "resource": "/count/{userId}",
        "path": format!("/count/{user_id}"),
        "httpMethod": "GET",
        "headers": {"x-api-key": "key"},
        "queryStringParameters": null,
        "multiValueQueryStringParameters": null,
        "pathParameters": {"userId": user_id},
        "stageVariables": null,
        "requestContext": {"stage": "Prod"},
        "body": null,
        "isBase64Encoded": false,
    });
    ApiRequest::decode(event).expect("it is a request")
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: &str) -> AttributeValue {
    AttributeValue::N(value.to_owned())
}

/// Returns the update expression of a request with what its placeholders stand for.
fn expression(request: &UpdateItemInput) -> String {
    let mut text = request.update_expression().unwrap_or_default().to_owned();
    for (placeholder, name) in request.expression_attribute_names().into_iter().flatten() {
        text = text.replace(placeholder, name);
    }
    for (placeholder, value) in request.expression_attribute_values().into_iter().flatten() {
        let value = match value {
            AttributeValue::S(value) if value == "1580000000.001500" => "'now'",
            AttributeValue::N(value) => value,
            other => panic!("nothing else is written: {other:?}"),
        };
        text = text.replace(placeholder, value);
    }
    text
}

/// Answers as the table does after the update.
fn updated(item: &[(&str, AttributeValue)]) -> Rule {
    let item: Vec<(String, AttributeValue)> = item
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    mock!(Client::update_item).then_output(move || {
        UpdateItemOutput::builder()
            .set_attributes(Some(item.iter().cloned().collect()))
            .build()
    })
}

async fn counted(rule: &Rule) -> (u16, Value) {
    let answer = count(&bindings(rule), &visit("default"), NOW).await;
    let answer = answer.expect("there is an answer");
    for (name, value) in [
        ("Access-Control-Allow-Headers", "*"),
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Allow-Methods", "OPTIONS,GET"),
    ] {
        assert_eq!(answer.headers.get(name).map(String::as_str), Some(value));
    }
    let body = serde_json::from_str(&answer.body).expect("the body is JSON");
    (answer.status_code, body)
}

#[tokio::test]
async fn one_request_creates_or_increments() {
    let update = mock!(Client::update_item)
        .match_requests(|request| {
            request.table_name() == Some("usersTable-dev")
                && request
                    .key()
                    .is_some_and(|key| key.len() == 1 && key["userId"] == text("default"))
                && expression(request)
                    == "SET createdAt = if_not_exists(createdAt, 'now'), updatedAt = 'now' ADD userCount 1"
                && request.condition_expression().is_none()
                && request.return_values() == Some(&ReturnValue::AllNew)
        })
        .then_output(|| {
            let first = [
                ("userId", text("default")),
                ("userCount", number("1")),
                ("createdAt", text("1580000000.001500")),
                ("updatedAt", text("1580000000.001500")),
            ];
            let first = first.map(|(name, value)| (name.to_owned(), value));
            UpdateItemOutput::builder().set_attributes(Some(first.into())).build()
        });
    let (status, body) = counted(&update).await;
    assert_eq!(status, 200);
    assert_eq!(
        body,
        json!({"userId": "default", "userCount": 1, "createdAt": "1580000000.001500"})
    );
    assert_eq!(update.num_calls(), 1);
}

#[tokio::test]
async fn a_later_visit_answers_with_every_attribute() {
    let update = updated(&[
        ("userId", text("default")),
        ("userCount", number("1042")),
        ("createdAt", text("1570000000.5")),
        ("updatedAt", text("1580000000.001500")),
        ("country", text("ES")),
        ("likes", number("3")),
    ]);
    let (status, body) = counted(&update).await;
    assert_eq!(status, 200);
    assert_eq!(
        body,
        json!({
            "userId": "default", "userCount": 1042, "createdAt": "1570000000.5",
            "updatedAt": "1580000000.001500", "country": "ES", "likes": 3,
        })
    );
    // Clients take the numbers for integers.
    assert!(
        body["userCount"].is_u64() && body["likes"].is_u64(),
        "{body}"
    );
}

/// A count that somebody has set back to zero is not a first visit.
#[tokio::test]
async fn a_counter_that_was_reset_keeps_its_times() {
    let update = updated(&[
        ("userId", text("default")),
        ("userCount", number("1")),
        ("createdAt", text("1570000000.5")),
        ("updatedAt", text("1580000000.001500")),
    ]);
    let (_, body) = counted(&update).await;
    assert_eq!(body["updatedAt"], "1580000000.001500");
}

#[tokio::test]
async fn a_table_that_fails_is_an_error_the_page_can_read() {
    let denied = mock!(Client::update_item).then_error(|| {
        UpdateItemError::generic(
            ErrorMetadata::builder()
                .code("AccessDeniedException")
                .message("User is not authorized to perform dynamodb:UpdateItem on usersTable-dev")
                .build(),
        )
    });
    let (status, body) = counted(&denied).await;
    assert_eq!(status, 500);
    assert_eq!(body, json!({"error": "the visit could not be counted"}));
}

#[tokio::test]
async fn an_id_that_no_table_takes_is_refused() {
    let update = updated(&[]);
    for user_id in [String::new(), "x".repeat(LONGEST_ID + 1)] {
        let answer = count(&bindings(&update), &visit(&user_id), NOW).await;
        let answer = answer.expect("there is an answer");
        assert_eq!(answer.status_code, 400);
        assert_eq!(answer.headers["Access-Control-Allow-Origin"], "*");
    }
    assert_eq!(update.num_calls(), 0);
}
