//! Placed orders against scripted answers of DynamoDB, which are those of
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html>.

use aws_smithy_mocks::{Rule, mock};
use serde_json::{Value, json};
use stack_bindings::sdk::dynamodb::{
    Client,
    error::ErrorMetadata,
    operation::update_item::{UpdateItemError, UpdateItemInput, UpdateItemOutput},
    types::{AttributeValue, error::ConditionalCheckFailedException},
};
use stack_bindings::{Decode as _, Table};

use super::*;
use crate::testing::{dynamodb, text, texts};

const NOW: &str = "2026-01-02T03:04:05.678Z";

/// Makes a batch as SQS sends it; see
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event>.
fn batch(bodies: &[&str]) -> QueueBatch<Placed> {
    let records: Vec<Value> = bodies
        .iter()
        .enumerate()
        .map(|(position, body)| {
            json!({
                "messageId": format!("message-{position}"),
                "receiptHandle": "handle",
                "body": body,
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:ExampleSite-OrdersQueue-dev",
                "awsRegion": "us-east-1",
            })
        })
        .collect();
    QueueBatch::decode(json!({ "Records": records })).expect("it is a batch")
}

async fn failures(rules: &[&Rule], bodies: &[&str]) -> Vec<String> {
    let bindings = Orders {
        orders_table: Table::with_client(dynamodb(rules), "ExampleSite-Orders-dev"),
    };
    let failures = work(&bindings, batch(bodies), NOW).await;
    failures.message_ids().map(str::to_owned).collect()
}

/// Returns the change and the condition of a request with what their placeholders stand for.
fn expressions(request: &UpdateItemInput) -> [String; 2] {
    let change = request.update_expression().unwrap_or_default();
    let condition = request.condition_expression().unwrap_or_default();
    [change, condition].map(|text| {
        let mut text = text.to_owned();
        for (placeholder, name) in request.expression_attribute_names().into_iter().flatten() {
            text = text.replace(placeholder, name);
        }
        for (placeholder, value) in request.expression_attribute_values().into_iter().flatten() {
            let value = match value.as_s().map(String::as_str) {
                Ok(NOW) => "'NOW'",
                Ok("FULFILLED") => "'FULFILLED'",
                _ => panic!("nothing else is written: {value:?}"),
            };
            text = text.replace(placeholder, value);
        }
        text
    })
}

/// Answers for the order `o1`, which is in the table, and for no other.
fn table() -> [Rule; 2] {
    let fulfilled = mock!(Client::update_item)
        .match_requests(|request| {
            request.table_name() == Some("ExampleSite-Orders-dev")
                && request
                    .key()
                    .is_some_and(|key| key.len() == 1 && key["order_id"] == text("o1"))
                && expressions(request)
                    == [
                        "SET status = 'FULFILLED', fulfilled_at = if_not_exists(fulfilled_at, 'NOW')",
                        "attribute_exists(order_id)",
                    ]
        })
        .then_output(|| {
            let mut item = texts([
                ("order_id", "o1"),
                ("user_id", "u1"),
                ("status", "FULFILLED"),
                ("created_at", NOW),
                ("fulfilled_at", NOW),
            ]);
            item.insert("items".to_owned(), AttributeValue::L(vec![text("tea")]));
            UpdateItemOutput::builder().set_attributes(Some(item)).build()
        });
    let missing = mock!(Client::update_item)
        .match_requests(|request| {
            request
                .key()
                .is_some_and(|key| key["order_id"] != text("o1"))
        })
        .then_error(|| {
            let metadata = ErrorMetadata::builder().code("ConditionalCheckFailedException");
            UpdateItemError::ConditionalCheckFailedException(
                ConditionalCheckFailedException::builder()
                    .message("The conditional request failed")
                    .meta(metadata.build())
                    .build(),
            )
        });
    [fulfilled, missing]
}

const PLACED: &str = r#"{"order_id": "o1", "user_id": "u1"}"#;

#[tokio::test]
async fn an_order_is_fulfilled_however_often_its_message_comes() {
    let [fulfilled, missing] = table();
    for _ in 0..2 {
        let failures = failures(&[&fulfilled, &missing], &[PLACED]).await;
        assert_eq!(failures, Vec::<String>::new());
    }
    assert_eq!(fulfilled.num_calls(), 2);
}

#[tokio::test]
async fn a_message_that_leads_to_no_order_fails_alone() {
    let [fulfilled, missing] = table();
    let bodies = [
        r#"{"order_id": "nobody's", "user_id": "u1"}"#,
        PLACED,
        "no JSON",
        r#"{"user_id": "u1"}"#,
    ];
    let failures = failures(&[&fulfilled, &missing], &bodies).await;
    assert_eq!(failures, ["message-0", "message-2", "message-3"]);
    assert_eq!(fulfilled.num_calls(), 1);
}

#[tokio::test]
async fn a_table_that_fails_has_the_message_delivered_again() {
    let denied = mock!(Client::update_item).then_error(|| {
        let metadata = ErrorMetadata::builder().code("AccessDeniedException");
        UpdateItemError::generic(metadata.build())
    });
    assert_eq!(failures(&[&denied], &[PLACED]).await, ["message-0"]);
}
