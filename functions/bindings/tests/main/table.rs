//! Tables: what is sent to DynamoDB, and what becomes of its answers.

use std::collections::HashMap;

use aws_smithy_mocks::{RuleMode, mock, mock_client};
use stack_bindings::sdk::dynamodb as aws_sdk_dynamodb;
use stack_bindings::sdk::dynamodb::Client;
use stack_bindings::sdk::dynamodb::operation::get_item::GetItemOutput;
use stack_bindings::sdk::dynamodb::operation::put_item::{PutItemError, PutItemOutput};
use stack_bindings::sdk::dynamodb::types::AttributeValue;
use stack_bindings::sdk::dynamodb::types::error::ConditionalCheckFailedException;
use stack_bindings::{Get, Put, Reason, Table};

use crate::declared::{EveryOrderOperation, Order, OrderKey, Record, order};

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn number(text: &str) -> AttributeValue {
    AttributeValue::N(text.to_owned())
}

fn order_attributes() -> HashMap<String, AttributeValue> {
    HashMap::from([
        ("PK".to_owned(), text("u1")),
        ("orderNumber".to_owned(), number("7")),
        ("state".to_owned(), text("placed")),
        ("placedAt".to_owned(), number("1700000000")),
        ("drink".to_owned(), text("latte")),
        ("expires".to_owned(), AttributeValue::Null(true)),
    ])
}

fn order_key() -> HashMap<String, AttributeValue> {
    HashMap::from([
        ("PK".to_owned(), text("u1")),
        ("orderNumber".to_owned(), number("7")),
    ])
}

fn key() -> OrderKey {
    OrderKey {
        user: "u1".to_owned(),
        order_number: 7,
    }
}

#[tokio::test]
async fn put_sends_the_item_under_its_serde_names() {
    let put = mock!(Client::put_item)
        .match_requests(|request| {
            request.table_name() == Some("orders") && request.item() == Some(&order_attributes())
        })
        .then_output(|| PutItemOutput::builder().build());
    let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&put]);
    let table: Table<Order, (Get, Put)> = Table::with_client(client, "orders");
    table.put(&order()).await.unwrap();
    assert_eq!(put.num_calls(), 1);
}
