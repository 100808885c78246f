//! Every operation against scripted answers of DynamoDB.
//!
//! The answers are those of the API reference, such as
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html>.

use std::error::Error;

use aws_credential_types::Credentials;
use aws_smithy_mocks::{MockResponseInterceptor, Rule, RuleMode, create_mock_http_client, mock};
use stack_bindings::sdk::dynamodb::{
    self, Client,
    config::Region,
    error::ErrorMetadata,
    operation::{
        delete_item::{DeleteItemError, DeleteItemOutput},
        get_item::GetItemOutput,
        put_item::{PutItemError, PutItemOutput},
        scan::ScanOutput,
    },
    types::AttributeValue,
};
use stack_bindings::{Decode, Table};

use super::*;
use crate::handle::handle;
use crate::operations::OperationsEvent;

const TABLE: &str = "name-dev";

fn bindings(rules: &[&Rule]) -> Operations {
    let scripted = rules.iter().fold(
        MockResponseInterceptor::new().rule_mode(RuleMode::MatchAny),
        |scripted, rule| scripted.with_rule(rule),
    );
    let config = dynamodb::Config::builder()
        .behavior_version_latest()
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("id", "secret", None, None, "tests"))
        .http_client(create_mock_http_client())
        .interceptor(scripted)
        .build();
    let client = Client::from_conf(config);
    Operations {
        table: Table::with_client(client, TABLE),
    }
}

async fn ask(rules: &[&Rule], request: Value) -> Result<Value, OperationError> {
    execute(&bindings(rules), Request(request)).await
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

#[tokio::test]
async fn create_puts_the_item_and_returns_metadata() {
    let put = mock!(Client::put_item)
        .match_requests(|request| {
            let item = request.item().expect("an item is put");
            request.table_name() == Some(TABLE)
                && request.condition_expression().is_none()
                && item.len() == 2
                && item["id"] == text("1")
                && item["name"] == text("Bob")
        })
        .then_output(|| PutItemOutput::builder().build());
    let request = json!({"operation": "create", "tableName": TABLE, "payload": {"Item": {"id": "1", "name": "Bob"}}});
    let result = ask(&[&put], request).await.expect("is created");
    assert_eq!(result, json!({"ResponseMetadata": {"HTTPStatusCode": 200}}));
    assert_eq!(put.num_calls(), 1);
}

#[tokio::test]
async fn metadata_carries_the_request_id_of_aws() {
    use aws_smithy_runtime_api::http::{Response, StatusCode};
    use aws_smithy_types::body::SdkBody;
    let put = mock!(Client::put_item).then_http_response(|| {
        let status = StatusCode::try_from(200).expect("is a status");
        let mut response = Response::new(status, SdkBody::from("{}"));
        response.headers_mut().insert("x-amzn-requestid", "ABC123");
        response
    });
    let request =
        json!({"operation": "create", "tableName": TABLE, "payload": {"Item": {"id": "1"}}});
    let result = ask(&[&put], request).await.expect("is created");
    assert_eq!(
        result,
        json!({"ResponseMetadata": {"HTTPStatusCode": 200, "RequestId": "ABC123"}})
    );
}

#[tokio::test]
async fn any_plain_json_survives_the_table() {
    let item = json!({
        "id": "1", "text": "x", "empty": "", "whole": 42, "negative": -7, "large": 9_007_199_254_740_993_i64,
        "fraction": 1.5, "yes": true, "nothing": null, "list": [1, "two", {"three": [3]}], "map": {"a": {"b": {}}},
    });
    let stored = std::sync::Arc::new(std::sync::Mutex::new(None));
    let writer = std::sync::Arc::clone(&stored);
    let put = mock!(Client::put_item)
        .match_requests(move |request| {
            *writer.lock().expect("no test panics here") = request.item().cloned();
            true
        })
        .then_output(|| PutItemOutput::builder().build());
    let create = json!({"operation": "create", "tableName": TABLE, "payload": {"Item": item}});
    ask(&[&put], create).await.expect("is created");

    let stored = stored.lock().expect("no test panics here").take();
    let get = mock!(Client::get_item)
        .then_output(move || GetItemOutput::builder().set_item(stored.clone()).build());
    let read = json!({"operation": "read", "tableName": TABLE, "payload": {"Key": {"id": "1"}}});
    let result = ask(&[&get], read).await.expect("is read");
    assert_eq!(result, json!({ "Item": item }));
}

#[tokio::test]
async fn read_without_an_item_returns_none() {
    let get = mock!(Client::get_item)
        .match_requests(|request| request.key().is_some_and(|key| key["id"] == text("2")))
        .then_output(|| GetItemOutput::builder().build());
    let request = json!({"operation": "read", "tableName": TABLE, "payload": {"Key": {"id": "2"}}});
    assert_eq!(ask(&[&get], request).await.expect("is read"), json!({}));
}

#[tokio::test]
async fn delete_returns_metadata() {
    let delete = mock!(Client::delete_item)
        .match_requests(|request| {
            request.table_name() == Some(TABLE)
                && request.key().is_some_and(|key| key["id"] == text("1"))
        })
        .then_output(|| DeleteItemOutput::builder().build());
    let request =
        json!({"operation": "delete", "tableName": TABLE, "payload": {"Key": {"id": "1"}}});
    let result = ask(&[&delete], request).await.expect("is deleted");
    assert_eq!(result, json!({"ResponseMetadata": {"HTTPStatusCode": 200}}));
}

#[tokio::test]
async fn list_returns_what_a_scan_finds() {
    let scan = mock!(Client::scan)
        .match_requests(|request| {
            request.limit().is_none() && request.exclusive_start_key().is_none()
        })
        .then_output(|| {
            ScanOutput::builder()
                .items(
                    [
                        ("id".to_owned(), text("1")),
                        ("name".to_owned(), text("Bob")),
                    ]
                    .into(),
                )
                .count(1)
                .scanned_count(1)
                .build()
        });
    let request = json!({"operation": "list", "tableName": TABLE, "payload": {}});
    let result = ask(&[&scan], request).await.expect("is listed");
    assert_eq!(
        result,
        json!({"Items": [{"id": "1", "name": "Bob"}], "Count": 1, "ScannedCount": 1})
    );
}

#[tokio::test]
async fn list_goes_on_from_a_key_and_says_where_to_go_on() {
    let scan = mock!(Client::scan)
        .match_requests(|request| {
            request.limit() == Some(1)
                && request.consistent_read() == Some(true)
                && request
                    .exclusive_start_key()
                    .is_some_and(|key| key["id"] == text("1"))
        })
        .then_output(|| {
            ScanOutput::builder()
                .items([("id".to_owned(), text("2"))].into())
                .count(1)
                .scanned_count(1)
                .last_evaluated_key("id", text("2"))
                .build()
        });
    let payload = json!({"Limit": 1, "ExclusiveStartKey": {"id": "1"}, "ConsistentRead": true});
    let request = json!({"operation": "list", "tableName": TABLE, "payload": payload});
    let result = ask(&[&scan], request).await.expect("is listed");
    assert_eq!(
        result,
        json!({"Items": [{"id": "2"}], "Count": 1, "ScannedCount": 1, "LastEvaluatedKey": {"id": "2"}})
    );
}

#[tokio::test]
async fn echo_and_ping_need_no_table() {
    let payload = json!({"somekey1": "somevalue1", "somekey2": "somevalue2"});
    let echo = json!({"operation": "echo", "payload": payload});
    assert_eq!(ask(&[], echo).await.expect("echoes"), payload);
    let ping = json!({"operation": "ping"});
    assert_eq!(ask(&[], ping).await.expect("answers"), "pong");
}

/// Returns an error as the caller and API Gateway see it.
async fn message(rules: &[&Rule], request: Value) -> String {
    let error = ask(rules, request).await.expect_err("fails");
    error.to_string()
}

/// Returns the prefixes by which [`crate::CLIENT_ERROR_PATTERN`] recognises an error.
fn prefixes() -> Vec<&'static str> {
    let pattern = crate::CLIENT_ERROR_PATTERN;
    let inner = pattern
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(r")[\s\S]*"))
        .expect("the pattern is a list of prefixes");
    inner.split('|').collect()
}

#[tokio::test]
async fn errors_tell_a_bad_request_from_a_failure() {
    let is_client_error =
        |message: &str| prefixes().iter().any(|prefix| message.starts_with(prefix));

    let unknown = message(&[], json!({"operation": "frobnicate"})).await;
    assert_eq!(unknown, "Unrecognized operation \"frobnicate\"");
    assert!(is_client_error(&unknown));
    assert!(is_client_error(&message(&[], json!([])).await));
    assert!(is_client_error(
        &message(&[], json!({"operation": "list"})).await
    ));

    let create =
        json!({"operation": "create", "tableName": TABLE, "payload": {"Item": {"id": "1"}}});
    let too_large = mock!(Client::put_item).then_error(|| {
        PutItemError::generic(
            ErrorMetadata::builder()
                .code("ValidationException")
                .message("Item size has exceeded the maximum allowed size")
                .build(),
        )
    });
    let refused = message(&[&too_large], create).await;
    assert_eq!(
        refused,
        "Invalid request: DynamoDB finds the arguments wrong"
    );
    assert!(is_client_error(&refused));

    let delete =
        json!({"operation": "delete", "tableName": TABLE, "payload": {"Key": {"id": "1"}}});
    let denied = mock!(Client::delete_item).then_error(|| {
        DeleteItemError::generic(
            ErrorMetadata::builder()
                .code("AccessDeniedException")
                .build(),
        )
    });
    let failed = message(&[&denied], delete).await;
    assert!(!is_client_error(&failed), "{failed}");
    assert!(!failed.is_empty());
}

#[tokio::test]
async fn a_failure_keeps_its_cause_for_the_log() {
    let denied = mock!(Client::put_item).then_error(|| {
        let metadata = ErrorMetadata::builder()
            .code("ValidationException")
            .message("Item size has exceeded the maximum allowed size");
        PutItemError::generic(metadata.build())
    });
    let create =
        json!({"operation": "create", "tableName": TABLE, "payload": {"Item": {"id": "1"}}});
    let error = ask(&[&denied], create).await.expect_err("fails");
    let mut texts = Vec::new();
    let mut cause: Option<&dyn Error> = Some(&error);
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    let chain = texts.join("; ");
    assert!(chain.contains("Item size has exceeded"), "{chain}");
}

/// Makes a batch as SQS sends it; see
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event>.
fn records(bodies: &[&str]) -> Value {
    let records: Vec<Value> = bodies
        .iter()
        .enumerate()
        .map(|(position, body)| {
            json!({
                "messageId": format!("message-{position}"),
                "receiptHandle": "handle",
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": "1545082649183",
                    "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                    "ApproximateFirstReceiveTimestamp": "1545082649185",
                },
                "messageAttributes": {},
                "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:POC-Queue-dev",
                "awsRegion": "us-east-1",
            })
        })
        .collect();
    json!({ "Records": records })
}

async fn send(rules: &[&Rule], event: Value) -> Result<Value, OperationError> {
    let event = OperationsEvent::decode(event).expect("the function accepts the event");
    handle(&bindings(rules), event).await
}

#[tokio::test]
async fn a_batch_fails_message_by_message() {
    let put = mock!(Client::put_item).then_output(|| PutItemOutput::builder().build());
    let event = records(&[
        r#"{"operation": "create", "tableName": "name-dev", "payload": {"Item": {"id": "1"}}}"#,
        r#"{"operation": "frobnicate"}"#,
        "no JSON",
        r#"{"operation": "create", "tableName": "name-dev", "payload": {"Item": {"id": "2"}}}"#,
        "[]",
    ]);
    let result = send(&[&put], event).await.expect("a batch never fails");
    assert_eq!(
        result,
        json!({"batchItemFailures": [
            {"itemIdentifier": "message-1"}, {"itemIdentifier": "message-2"}, {"itemIdentifier": "message-4"},
        ]})
    );
    assert_eq!(put.num_calls(), 2);
}

#[tokio::test]
async fn a_batch_that_succeeds_reports_no_failures() {
    let event = records(&[r#"{"operation": "ping"}"#]);
    let result = send(&[], event).await.expect("a batch never fails");
    assert_eq!(result, json!({"batchItemFailures": []}));
}

#[tokio::test]
async fn a_message_may_come_twice() {
    let put = mock!(Client::put_item).then_output(|| PutItemOutput::builder().build());
    let body =
        r#"{"operation": "create", "tableName": "name-dev", "payload": {"Item": {"id": "1"}}}"#;
    for _ in 0..2 {
        let result = send(&[&put], records(&[body])).await;
        assert_eq!(result.expect("succeeds"), json!({"batchItemFailures": []}));
    }
}

#[tokio::test]
async fn one_request_is_the_event_itself() {
    let result = send(&[], json!({"operation": "ping"})).await;
    assert_eq!(result.expect("answers"), "pong");
}

/// The function that this one replaces took every event for a request, so a batch of its own queue failed: that is
/// why the event is looked at first.
#[tokio::test]
async fn a_batch_taken_for_a_request_has_no_operation() {
    let event = records(&[r#"{"operation": "ping"}"#]);
    let error = execute(&bindings(&[]), Request(event)).await;
    assert_eq!(
        error.expect_err("is no request").to_string(),
        "Invalid request: the field \"operation\" is missing"
    );
}
