//! Orders against scripted answers of DynamoDB and SQS, which are those of
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html> and
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>.

use aws_smithy_mocks::{Rule, mock};
use stack_bindings::sdk::{dynamodb, sqs};
use stack_bindings::{Queue, Table};

use dynamodb::operation::put_item::{PutItemError, PutItemOutput};
use dynamodb::operation::query::{QueryError, QueryOutput};
use dynamodb::types::AttributeValue;
use sqs::operation::send_message::{SendMessageError, SendMessageOutput};

use super::*;
use crate::testing::{self, QUEUE_URL, assert_cors, body, moment, request, text, texts};

const ID: &str = "00010203-0405-4607-8809-0a0b0c0d0e0f";
const NOW: &str = "2026-01-02T03:04:05.678Z";

fn bindings(table: &[&Rule], queue: &[&Rule]) -> Order {
    Order {
        orders_table: Table::with_client(testing::dynamodb(table), "ExampleSite-Orders-dev"),
        orders_queue: Queue::with_client(testing::sqs(queue), QUEUE_URL),
    }
}

async fn ask(table: &[&Rule], queue: &[&Rule], request: ApiRequest) -> (u16, Value) {
    let outcome = route(&bindings(table, queue), &request, moment()).await;
    let answer = answer(&request, outcome).expect("there is an answer");
    assert_cors(&answer);
    (answer.status_code, body(&answer))
}

fn post(body: &str) -> ApiRequest {
    request("POST", "/order", &Value::Null, Some(body))
}

fn get(order_id: &str) -> ApiRequest {
    let parameters = json!({ "orderid": order_id });
    request("GET", "/order/{orderid}", &parameters, None)
}

fn denied() -> dynamodb::error::ErrorMetadata {
    let denied = dynamodb::error::ErrorMetadata::builder().code("AccessDeniedException");
    denied.build()
}

#[tokio::test]
async fn an_order_is_put_and_then_sent() {
    let put = mock!(dynamodb::Client::put_item)
        .match_requests(|request| {
            let item = request.item().expect("an item is put");
            item.len() == 6
                && item["order_id"] == text(ID)
                && item["user_id"] == text("u1")
                && item["status"] == text("NEW")
                && item["created_at"] == text(NOW)
                && item["items"] == AttributeValue::L(vec![text("tea")])
                && item["note"] == text("hot")
        })
        .then_output(|| PutItemOutput::builder().build());
    let send = mock!(sqs::Client::send_message)
        .match_requests(|request| {
            let sent = request.message_body().unwrap_or_default();
            let sent: Value = serde_json::from_str(sent).unwrap_or_default();
            request.queue_url() == Some(QUEUE_URL)
                && request.delay_seconds().is_none()
                && sent == json!({"order_id": ID, "user_id": "u1"})
        })
        .then_output(|| SendMessageOutput::builder().message_id("m1").build());
    let asked = post(r#"{"user_id": "u1", "items": ["tea"], "note": "hot"}"#);
    let (status, body) = ask(&[&put], &[&send], asked).await;
    assert_eq!((status, body), (201, json!({"order_id": ID})));
    assert_eq!((put.num_calls(), send.num_calls()), (1, 1));
}

#[tokio::test]
async fn a_body_that_is_no_order_is_refused() {
    for (sent, complaint) in [
        ("", "JSON object"),
        ("[]", "JSON object"),
        (r#"{"items": ["tea"]}"#, "`user_id` is missing"),
        (r#"{"user_id": 7, "items": ["tea"]}"#, "`user_id` must be"),
        (r#"{"user_id": "", "items": ["tea"]}"#, "`user_id` must be"),
        (r#"{"user_id": "u1"}"#, "`items` is missing"),
        (r#"{"user_id": "u1", "items": "tea"}"#, "`items` must be"),
        (r#"{"user_id": "u1", "items": []}"#, "`items` must be"),
        (
            r#"{"user_id": "u1", "items": ["tea"], "status": "FULFILLED"}"#,
            "`status` is not the caller's",
        ),
        (
            r#"{"user_id": "u1", "items": ["tea"], "order_id": "mine"}"#,
            "`order_id` is not the caller's",
        ),
    ] {
        let (status, body) = ask(&[], &[], post(sent)).await;
        assert_eq!(status, 400, "{sent}");
        let error = body["error"].as_str().unwrap_or_default();
        assert!(error.contains(complaint), "{sent}: {error}");
    }
}

#[tokio::test]
async fn a_store_that_fails_has_the_text_that_callers_know() {
    let asked = || post(r#"{"user_id": "u1", "items": ["tea"]}"#);
    let create_failed = (504, json!({"error": "Create order error."}));

    let put = mock!(dynamodb::Client::put_item).then_error(|| PutItemError::generic(denied()));
    let send = mock!(sqs::Client::send_message)
        .then_output(|| SendMessageOutput::builder().message_id("m1").build());
    assert_eq!(ask(&[&put], &[&send], asked()).await, create_failed);
    assert_eq!(
        send.num_calls(),
        0,
        "nothing is sent of an order that is not there"
    );

    let put = mock!(dynamodb::Client::put_item).then_output(|| PutItemOutput::builder().build());
    let send = mock!(sqs::Client::send_message).then_error(|| {
        let gone = sqs::error::ErrorMetadata::builder().code("QueueDoesNotExist");
        SendMessageError::generic(gone.build())
    });
    assert_eq!(ask(&[&put], &[&send], asked()).await, create_failed);
    assert_eq!(put.num_calls(), 1);

    let query = mock!(dynamodb::Client::query).then_error(|| QueryError::generic(denied()));
    let get_failed = (504, json!({"error": "Get order error."}));
    assert_eq!(ask(&[&query], &[], get("o1")).await, get_failed);
}

#[tokio::test]
async fn one_order_is_read() {
    let query = mock!(dynamodb::Client::query)
        .match_requests(|request| {
            let values = request.expression_attribute_values();
            request.consistent_read() == Some(true)
                && request.index_name().is_none()
                && values.is_some_and(|values| values[":binding_partition"] == text("o1"))
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
            QueryOutput::builder().items(item).build()
        });
    let (status, body) = ask(&[&query], &[], get("o1")).await;
    assert_eq!(status, 200);
    assert_eq!(
        body,
        json!({
            "order_id": "o1", "user_id": "u1", "items": ["tea"], "status": "FULFILLED",
            "created_at": NOW, "fulfilled_at": NOW,
        })
    );

    let none = mock!(dynamodb::Client::query).then_output(|| QueryOutput::builder().build());
    let (status, body) = ask(&[&none], &[], get("o2")).await;
    assert_eq!(
        (status, body),
        (404, json!({"error": "there is no such order"}))
    );
}

#[tokio::test]
async fn other_routes_are_not_this_functions() {
    for (method, resource) in [("GET", "/order"), ("DELETE", "/order/{orderid}")] {
        let (status, _) = ask(&[], &[], request(method, resource, &Value::Null, None)).await;
        assert_eq!(status, 404, "{method} {resource}");
    }
}
