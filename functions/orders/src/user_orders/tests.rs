//! The orders of a user against scripted answers of DynamoDB, which are those of
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html>.

use std::collections::HashMap;

use aws_smithy_mocks::{Rule, mock};
use serde_json::Value;
use stack_bindings::Table;
use stack_bindings::sdk::dynamodb::{
    Client,
    error::ErrorMetadata,
    operation::query::{QueryError, QueryOutput},
    types::AttributeValue,
};

use super::*;
use crate::testing::{assert_cors, body, dynamodb, request, text, texts};

async fn ask(rules: &[&Rule], user_id: &str) -> (u16, Value) {
    let bindings = UserOrder {
        orders_table: Table::with_client(dynamodb(rules), "ExampleSite-Orders-dev"),
    };
    let parameters = json!({ "userid": user_id });
    let request = request("GET", "/user/{userid}/orders", &parameters, None);
    let answer = handle(&bindings, request)
        .await
        .expect("there is an answer");
    assert_cors(&answer);
    (answer.status_code, body(&answer))
}

fn order(order_id: &str) -> HashMap<String, AttributeValue> {
    let mut item = texts([
        ("order_id", order_id),
        ("user_id", "u1"),
        ("status", "NEW"),
        ("created_at", "2026-01-02T03:04:05.678Z"),
    ]);
    item.insert("items".to_owned(), AttributeValue::L(vec![text("tea")]));
    item
}

#[tokio::test]
async fn all_pages_of_the_index_are_read() {
    let is_of_the_user = |request: &stack_bindings::sdk::dynamodb::operation::query::QueryInput| {
        request.index_name() == Some("user_id-index")
            && request
                .expression_attribute_names()
                .is_some_and(|names| names.values().any(|name| name == "user_id"))
            && request
                .expression_attribute_values()
                .is_some_and(|values| values.values().any(|value| *value == text("u1")))
    };
    let first = mock!(Client::query)
        .match_requests(move |request| {
            is_of_the_user(request) && request.exclusive_start_key().is_none()
        })
        .then_output(|| {
            QueryOutput::builder()
                .items(order("o1"))
                .set_last_evaluated_key(Some(texts([
                    ("order_id", "o1"),
                    ("user_id", "u1"),
                    ("created_at", "2026-01-02T03:04:05.678Z"),
                ])))
                .build()
        });
    let second = mock!(Client::query)
        .match_requests(move |request| {
            is_of_the_user(request)
                && request
                    .exclusive_start_key()
                    .is_some_and(|key| key["order_id"] == text("o1"))
        })
        .then_output(|| QueryOutput::builder().items(order("o2")).build());
    let (status, body) = ask(&[&first, &second], "u1").await;
    assert_eq!(status, 200);
    let orders = body["orders"].as_array().expect("it is a list");
    let ids: Vec<&Value> = orders.iter().map(|order| &order["order_id"]).collect();
    assert_eq!(ids, ["o1", "o2"]);
    assert_eq!(
        orders[0],
        json!({
            "order_id": "o1", "user_id": "u1", "status": "NEW", "items": ["tea"],
            "created_at": "2026-01-02T03:04:05.678Z",
        })
    );
}

#[tokio::test]
async fn a_user_without_orders_has_an_empty_list() {
    let none = mock!(Client::query).then_output(|| QueryOutput::builder().build());
    assert_eq!(ask(&[&none], "u2").await, (200, json!({"orders": []})));
}

#[tokio::test]
async fn a_store_that_fails_has_the_text_that_callers_know() {
    let failing = mock!(Client::query).then_error(|| {
        QueryError::generic(
            ErrorMetadata::builder()
                .code("ResourceNotFoundException")
                .build(),
        )
    });
    let expected = (504, json!({"error": "Get orders error."}));
    assert_eq!(ask(&[&failing], "u1").await, expected);
}

#[tokio::test]
async fn an_id_that_no_table_takes_is_refused() {
    assert_eq!(ask(&[], &"x".repeat(2049)).await.0, 400);
}
