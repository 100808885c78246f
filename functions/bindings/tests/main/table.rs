//! Tables: what is sent to DynamoDB, and what becomes of its answers.

use std::collections::HashMap;

use aws_smithy_mocks::mock;
use serde_json::json;
use stack_bindings::sdk::dynamodb::Client;
use stack_bindings::sdk::dynamodb::error::ErrorMetadata;
use stack_bindings::sdk::dynamodb::operation::batch_get_item::BatchGetItemOutput;
use stack_bindings::sdk::dynamodb::operation::batch_write_item::BatchWriteItemOutput;
use stack_bindings::sdk::dynamodb::operation::delete_item::DeleteItemOutput;
use stack_bindings::sdk::dynamodb::operation::get_item::{GetItemError, GetItemOutput};
use stack_bindings::sdk::dynamodb::operation::put_item::{PutItemError, PutItemOutput};
use stack_bindings::sdk::dynamodb::operation::query::QueryOutput;
use stack_bindings::sdk::dynamodb::operation::scan::ScanOutput;
use stack_bindings::sdk::dynamodb::operation::transact_write_items::{
    TransactWriteItemsError, TransactWriteItemsOutput,
};
use stack_bindings::sdk::dynamodb::operation::update_item::UpdateItemOutput;
use stack_bindings::sdk::dynamodb::types::error::{
    ConditionalCheckFailedException, TransactionCanceledException,
};
use stack_bindings::sdk::dynamodb::types::{
    AttributeValue, CancellationReason, Delete, DeleteRequest, KeysAndAttributes, PutRequest,
    ReturnValue,
};
use stack_bindings::{Bytes, Cursor, Expression, Get, Item, Put, Reason, Scan, Table};

use crate::declared::{
    Blob, BlobKey, ByDrink, ByState, EveryOrderOperation, Order, OrderKey, Record, RecordKey, order,
};
use crate::support::scripted;

type Attributes = HashMap<String, AttributeValue>;

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn number(text: &str) -> AttributeValue {
    AttributeValue::N(text.to_owned())
}

fn attributes<const N: usize>(attributes: [(&str, AttributeValue); N]) -> Attributes {
    attributes
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn order_attributes() -> Attributes {
    attributes([
        ("PK", text("u1")),
        ("sequenceNumber", number("7")),
        ("state", text("placed")),
        ("placedAt", number("1700000000")),
        ("drink", text("latte")),
        ("expires", AttributeValue::Null(true)),
    ])
}

fn key_attributes() -> Attributes {
    attributes([("PK", text("u1")), ("sequenceNumber", number("7"))])
}

fn key() -> OrderKey {
    order().key()
}

fn orders(client: Client) -> Table<Order, EveryOrderOperation> {
    Table::with_client(client, "orders")
}

fn names<const N: usize>(names: [(&str, &str); N]) -> HashMap<String, String> {
    names
        .into_iter()
        .map(|(placeholder, name)| (placeholder.to_owned(), name.to_owned()))
        .collect()
}

#[tokio::test]
async fn put_sends_the_item_under_its_serde_names() {
    let rule = mock!(Client::put_item)
        .match_requests(|request| {
            request.table_name() == Some("orders")
                && request.item() == Some(&order_attributes())
                && request.condition_expression().is_none()
                && request.expression_attribute_names().is_none()
        })
        .then_output(|| PutItemOutput::builder().build());
    let table = orders(scripted!(dynamodb, [&rule]));
    table.put(&order()).await.unwrap();
    assert_eq!(rule.num_calls(), 1);
}

/// The error of <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html#API_PutItem_Errors>.
#[tokio::test]
async fn a_put_of_what_is_there_already_fails_its_condition() {
    let rule = mock!(Client::put_item)
        .match_requests(|request| {
            request.condition_expression()
                == Some("(attribute_not_exists(#binding_partition)) AND (#d <> :d)")
                && request.expression_attribute_names()
                    == Some(&names([("#binding_partition", "PK"), ("#d", "drink")]))
                && request.expression_attribute_values() == Some(&attributes([(":d", text("tea"))]))
        })
        .then_error(|| {
            PutItemError::ConditionalCheckFailedException(
                ConditionalCheckFailedException::builder()
                    .message("The conditional request failed")
                    .meta(
                        ErrorMetadata::builder()
                            .code("ConditionalCheckFailedException")
                            .message("The conditional request failed")
                            .custom("aws_request_id", "R1")
                            .build(),
                    )
                    .build(),
            )
        });
    let table = orders(scripted!(dynamodb, [&rule]));
    let not_tea = Expression::new("#d <> :d")
        .name("#d", "drink")
        .value(":d", "tea");
    let error = table
        .put(&order())
        .if_absent()
        .when(not_tea)
        .await
        .unwrap_err();
    assert_eq!(error.reason(), Reason::ConditionFailed);
    assert_eq!(error.code(), Some("ConditionalCheckFailedException"));
    assert_eq!(error.request_id(), Some("R1"));
    assert_eq!(
        error.to_string(),
        "could not put an item into table `orders`: its condition does not hold \
         (ConditionalCheckFailedException)"
    );
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test]
async fn get_asks_by_the_whole_key() {
    let found = mock!(Client::get_item)
        .match_requests(|request| {
            request.table_name() == Some("orders")
                && request.key() == Some(&key_attributes())
                && request.consistent_read() == Some(true)
        })
        .then_output(|| {
            GetItemOutput::builder()
                .set_item(Some(order_attributes()))
                .build()
        });
    // DynamoDB leaves the item out where there is none; see
    // <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetItem.html#API_GetItem_ResponseSyntax>.
    let absent = mock!(Client::get_item)
        .match_requests(|request| request.consistent_read().is_none())
        .then_output(|| GetItemOutput::builder().build());
    let table = orders(scripted!(dynamodb, [&found, &absent]));
    assert_eq!(table.get(key()).consistent().await.unwrap(), Some(order()));
    assert_eq!(table.get(key()).await.unwrap(), None);
}

#[tokio::test]
async fn an_item_of_another_form_cannot_be_decoded() {
    let rule = mock!(Client::get_item).then_output(|| {
        GetItemOutput::builder()
            .set_item(Some(key_attributes()))
            .build()
    });
    let error = orders(scripted!(dynamodb, [&rule]))
        .get(key())
        .await
        .unwrap_err();
    assert_eq!(error.reason(), Reason::Decode);
    assert_eq!(
        std::error::Error::source(&error).unwrap().to_string(),
        "missing field `placedAt`"
    );
}

/// The code that every service answers with; see
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>.
#[tokio::test]
async fn a_denied_call_says_so() {
    let rule = mock!(Client::get_item).then_error(|| {
        GetItemError::generic(
            ErrorMetadata::builder()
                .code("AccessDeniedException")
                .build(),
        )
    });
    let error = orders(scripted!(dynamodb, [&rule]))
        .get(key())
        .await
        .unwrap_err();
    assert_eq!(error.reason(), Reason::AccessDenied);
}

#[tokio::test]
async fn delete_may_demand_that_there_is_an_item() {
    let rule = mock!(Client::delete_item)
        .match_requests(|request| {
            request.key() == Some(&key_attributes())
                && request.condition_expression() == Some("attribute_exists(#binding_partition)")
                && request.expression_attribute_names()
                    == Some(&names([("#binding_partition", "PK")]))
        })
        .then_output(|| DeleteItemOutput::builder().build());
    let table = orders(scripted!(dynamodb, [&rule]));
    table.delete(key()).if_present().await.unwrap();
}

#[tokio::test]
async fn update_returns_the_item_as_it_is_afterwards() {
    let rule = mock!(Client::update_item)
        .match_requests(|request| {
            request.key() == Some(&key_attributes())
                && request.update_expression() == Some("SET #s = :s")
                && request.condition_expression() == Some("#s = :old")
                && request.return_values() == Some(&ReturnValue::AllNew)
                && request.expression_attribute_values()
                    == Some(&attributes([
                        (":s", text("paid")),
                        (":old", text("placed")),
                    ]))
        })
        .then_output(|| {
            UpdateItemOutput::builder()
                .set_attributes(Some(order_attributes()))
                .build()
        });
    let table = orders(scripted!(dynamodb, [&rule]));
    let paid = Expression::new("SET #s = :s")
        .name("#s", "state")
        .value(":s", "paid");
    let placed = Expression::new("#s = :old").value(":old", "placed");
    assert_eq!(
        table.update(key(), paid).when(placed).await.unwrap(),
        order()
    );
}

#[tokio::test]
async fn query_narrows_the_sort_key_and_pages() {
    let first = mock!(Client::query)
        .match_requests(|request| {
            request.index_name().is_none()
                && request.key_condition_expression()
                    == Some(
                        "#binding_partition = :binding_partition AND \
                         #binding_sort BETWEEN :binding_sort AND :binding_sort_end",
                    )
                && request.expression_attribute_names()
                    == Some(&names([
                        ("#binding_partition", "PK"),
                        ("#binding_sort", "sequenceNumber"),
                    ]))
                && request.expression_attribute_values()
                    == Some(&attributes([
                        (":binding_partition", text("u1")),
                        (":binding_sort", number("3")),
                        (":binding_sort_end", number("9")),
                    ]))
                && request.scan_index_forward() == Some(false)
                && request.exclusive_start_key().is_none()
        })
        .then_output(|| {
            QueryOutput::builder()
                .items(order_attributes())
                .scanned_count(1)
                .set_last_evaluated_key(Some(key_attributes()))
                .build()
        });
    let second = mock!(Client::query)
        .match_requests(|request| request.exclusive_start_key() == Some(&key_attributes()))
        .then_output(|| QueryOutput::builder().items(order_attributes()).build());
    let table = orders(scripted!(dynamodb, [&first, &second]));
    let all = table
        .query("u1")
        .sort_between(3_u64, 9_u64)
        .descending()
        .all()
        .await
        .unwrap();
    assert_eq!(all, [order(), order()]);
    assert_eq!((first.num_calls(), second.num_calls()), (1, 1));
}

#[tokio::test]
async fn an_index_is_queried_by_its_own_keys() {
    let global = mock!(Client::query)
        .match_requests(|request| {
            request.index_name() == Some("state-index")
                && request.key_condition_expression()
                    == Some(
                        "#binding_partition = :binding_partition AND #binding_sort > :binding_sort",
                    )
                && request.expression_attribute_names()
                    == Some(&names([
                        ("#binding_partition", "state"),
                        ("#binding_sort", "placedAt"),
                    ]))
        })
        .then_output(|| QueryOutput::builder().build());
    let local = mock!(Client::query)
        .match_requests(|request| {
            request.index_name() == Some("drink.local")
                && request.key_condition_expression()
                    == Some(
                        "#binding_partition = :binding_partition AND \
                         begins_with(#binding_sort, :binding_sort)",
                    )
                && request.expression_attribute_names()
                    == Some(&names([
                        ("#binding_partition", "PK"),
                        ("#binding_sort", "drink"),
                    ]))
        })
        .then_output(|| QueryOutput::builder().build());
    let table = orders(scripted!(dynamodb, [&global, &local]));
    let page = table
        .query_index(ByState, "placed")
        .sort_above(5_i64)
        .await
        .unwrap();
    assert!(page.items.is_empty() && page.next.is_none());
    table
        .query_index(ByDrink, "u1")
        .sort_starts_with("lat")
        .await
        .unwrap();
    assert_eq!((global.num_calls(), local.num_calls()), (1, 1));
}

#[tokio::test]
async fn a_later_condition_on_the_sort_key_replaces_an_earlier_one() {
    let rule = mock!(Client::query)
        .match_requests(|request| {
            request.expression_attribute_values()
                == Some(&attributes([
                    (":binding_partition", text("u1")),
                    (":binding_sort", number("4")),
                ]))
        })
        .then_output(|| QueryOutput::builder().build());
    let table = orders(scripted!(dynamodb, [&rule]));
    table
        .query("u1")
        .sort_between(3_u64, 9_u64)
        .sort_is(4_u64)
        .await
        .unwrap();
}

#[tokio::test]
async fn scan_takes_limits_cursors_and_filters() {
    let rule = mock!(Client::scan)
        .match_requests(|request| {
            request.table_name() == Some("name")
                && request.limit() == Some(2)
                && request.filter_expression() == Some("#n = :n")
                && request.exclusive_start_key() == Some(&attributes([("id", text("1"))]))
        })
        .then_output(|| {
            ScanOutput::builder()
                .items(attributes([("id", text("2")), ("n", number("3"))]))
                .scanned_count(2)
                .set_last_evaluated_key(Some(attributes([("id", text("2"))])))
                .build()
        });
    let table: Table<Record, Scan> = Table::with_client(scripted!(dynamodb, [&rule]), "name");
    let start = Cursor::after::<Record>(&RecordKey::from("1")).unwrap();
    let page = table
        .scan()
        .limit(2)
        .start(start)
        .filter(Expression::new("#n = :n").name("#n", "n").value(":n", 3))
        .await
        .unwrap();
    assert_eq!(page.scanned, 2);
    assert_eq!(page.items[0].rest["n"], json!(3));
    let next = page.next.unwrap();
    assert_eq!(next.key::<Record>().unwrap(), RecordKey::from("2"));
    assert_eq!(
        serde_json::to_value(&next).unwrap(),
        json!({"id": {"S": "2"}})
    );
    assert_eq!(
        serde_json::from_value::<Cursor>(json!({"id": {"S": "2"}})).unwrap(),
        next
    );
}

#[tokio::test]
async fn an_index_can_be_scanned_to_its_end() {
    let rule = mock!(Client::scan)
        .match_requests(|request| request.index_name() == Some("state-index"))
        .then_output(|| ScanOutput::builder().items(order_attributes()).build());
    let table = orders(scripted!(dynamodb, [&rule]));
    assert_eq!(table.scan_index(ByState).all().await.unwrap(), [order()]);
}

/// DynamoDB leaves keys out of a batch when it has read 16 MB or is throttled; see
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>.
#[tokio::test]
async fn a_batch_is_split_and_what_was_left_out_is_asked_for_again() {
    let first = mock!(Client::batch_get_item)
        .match_requests(|request| {
            request
                .request_items()
                .is_some_and(|tables| tables["orders"].keys().len() == 100)
        })
        .then_output(|| {
            let left = KeysAndAttributes::builder()
                .keys(key_attributes())
                .build()
                .unwrap();
            BatchGetItemOutput::builder()
                .responses("orders", vec![order_attributes()])
                .unprocessed_keys("orders", left)
                .build()
        });
    let again = mock!(Client::batch_get_item)
        .match_requests(|request| {
            request
                .request_items()
                .is_some_and(|tables| tables["orders"].keys() == [key_attributes()])
        })
        .then_output(|| {
            BatchGetItemOutput::builder()
                .responses("orders", vec![order_attributes()])
                .build()
        });
    let second = mock!(Client::batch_get_item)
        .match_requests(|request| {
            request
                .request_items()
                .is_some_and(|tables| tables["orders"].keys().len() == 1)
        })
        .then_output(|| BatchGetItemOutput::builder().build());
    let table = orders(scripted!(dynamodb, [&first, &again, &second]));
    let keys = (0..101).map(|sequence_number| OrderKey {
        user: "u1".to_owned(),
        sequence_number,
    });
    assert_eq!(table.batch_get(keys).await.unwrap(), [order(), order()]);
    assert_eq!(second.num_calls(), 1);
}

#[tokio::test]
async fn a_batch_of_writes_puts_and_deletes() {
    let rule = mock!(Client::batch_write_item)
        .match_requests(|request| {
            let Some(writes) = request.request_items().map(|tables| &tables["orders"]) else {
                return false;
            };
            writes.len() == 2
                && writes[0].put_request().map(PutRequest::item) == Some(&order_attributes())
                && writes[1].delete_request().map(DeleteRequest::key) == Some(&key_attributes())
        })
        .then_output(|| BatchWriteItemOutput::builder().build());
    let table = orders(scripted!(dynamodb, [&rule]));
    table.batch_write([&order()], [key()]).await.unwrap();
    assert_eq!(rule.num_calls(), 1);
}

#[tokio::test]
async fn a_transaction_writes_to_several_tables() {
    let rule = mock!(Client::transact_write_items)
        .match_requests(|request| {
            let [put, update, delete, check] = request.transact_items() else {
                return false;
            };
            put.put().is_some_and(|put| {
                put.table_name() == "name"
                    && put.condition_expression()
                        == Some("attribute_not_exists(#binding_partition)")
            }) && update
                .update()
                .is_some_and(|update| update.update_expression() == "SET #s = :s")
                && delete.delete().map(Delete::key) == Some(&key_attributes())
                && check
                    .condition_check()
                    .is_some_and(|check| check.condition_expression() == "attribute_exists(PK)")
        })
        .then_output(|| TransactWriteItemsOutput::builder().build());
    let client = scripted!(dynamodb, [&rule]);
    let records: Table<Record, Put> = Table::with_client(client.clone(), "name");
    let orders = orders(client);
    let record = Record {
        id: "1".to_owned(),
        rest: serde_json::Map::new(),
    };
    orders
        .transaction()
        .put_if_absent(&records, &record)
        .update(
            &orders,
            key(),
            Expression::new("SET #s = :s")
                .name("#s", "state")
                .value(":s", "paid"),
        )
        .delete(&orders, key())
        .check(&orders, key(), Expression::new("attribute_exists(PK)"))
        .commit()
        .await
        .unwrap();
    assert_eq!(rule.num_calls(), 1);
}

/// The cancellation reasons of
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>.
#[tokio::test]
async fn a_cancelled_transaction_says_why() {
    let rule = mock!(Client::transact_write_items).then_error(|| {
        let reason = |code: &str| CancellationReason::builder().code(code).build();
        TransactWriteItemsError::TransactionCanceledException(
            TransactionCanceledException::builder()
                .cancellation_reasons(reason("None"))
                .cancellation_reasons(reason("ConditionalCheckFailed"))
                .meta(
                    ErrorMetadata::builder()
                        .code("TransactionCanceledException")
                        .build(),
                )
                .build(),
        )
    });
    let orders = orders(scripted!(dynamodb, [&rule]));
    let error = orders
        .transaction()
        .put(&orders, &order())
        .commit()
        .await
        .unwrap_err();
    assert_eq!(error.reason(), Reason::ConditionFailed);
    assert_eq!(error.code(), Some("TransactionCanceledException"));
}

/// Arbitrary JSON comes back as it was stored.
#[tokio::test]
async fn json_survives_a_round_trip() {
    let json = json!({
        "text": "", "whole": 42, "negative": -7, "large": 9_007_199_254_740_993_u64, "fraction": 2.5, "yes": true,
        "nothing": null, "list": [1, "a", [], {}], "nested": {"deep": {"n": 1.25e-3}}
    });
    let record = Record {
        id: "1".to_owned(),
        rest: json.as_object().unwrap().clone(),
    };
    let stored = std::sync::Arc::new(std::sync::Mutex::new(Attributes::new()));
    let sent = std::sync::Arc::clone(&stored);
    let put = mock!(Client::put_item)
        .match_requests(move |request| {
            *sent.lock().unwrap() = request.item().cloned().unwrap_or_default();
            true
        })
        .then_output(|| PutItemOutput::builder().build());
    let back = std::sync::Arc::clone(&stored);
    let get = mock!(Client::get_item).then_output(move || {
        GetItemOutput::builder()
            .set_item(Some(back.lock().unwrap().clone()))
            .build()
    });
    let table: Table<Record, (Put, Get)> =
        Table::with_client(scripted!(dynamodb, [&put, &get]), "name");
    table.put(&record).await.unwrap();
    assert_eq!(stored.lock().unwrap()["whole"], number("42"));
    assert_eq!(
        stored.lock().unwrap()["nothing"],
        AttributeValue::Null(true)
    );
    assert_eq!(table.get("1").await.unwrap(), Some(record));
}

#[tokio::test]
async fn bytes_are_stored_as_bytes() {
    let blob = AttributeValue::B(aws_smithy_types::Blob::new([0, 255]));
    let expected = attributes([("digest", blob)]);
    let answer = expected.clone();
    let rule = mock!(Client::get_item)
        .match_requests(move |request| request.key() == Some(&expected))
        .then_output(move || {
            GetItemOutput::builder()
                .set_item(Some(answer.clone()))
                .build()
        });
    let table: Table<Blob, Get> = Table::with_client(scripted!(dynamodb, [&rule]), "blobs");
    let digest = Bytes(vec![0, 255]);
    let found = table.get(digest.clone()).await.unwrap();
    assert_eq!(
        found,
        Some(Blob {
            digest: digest.clone()
        })
    );
    let cursor = Cursor::after::<Blob>(&BlobKey { digest }).unwrap();
    let json = serde_json::to_value(&cursor).unwrap();
    assert_eq!(json, json!({"digest": {"B": "AP8="}}));
    assert_eq!(serde_json::from_value::<Cursor>(json).unwrap(), cursor);
}

#[tokio::test]
async fn a_change_and_its_condition_are_written_by_names_and_values() {
    use stack_bindings::{AttributePath, Change};

    let rule = mock!(Client::update_item)
        .match_requests(|request| {
            let names = request.expression_attribute_names().unwrap();
            let name = |placeholder: &str| names[placeholder].as_str();
            request.update_expression()
                == Some("SET #binding_0 = if_not_exists(#binding_0, :binding_1) ADD #binding_2 :binding_3")
                && request.condition_expression()
                    == Some("(#binding_4 = :binding_5) AND (attribute_exists(#binding_6[0].#binding_7))")
                && name("#binding_0") == "createdAt"
                && name("#binding_2") == "count"
                && name("#binding_7") == "id"
                && request.expression_attribute_values().unwrap()[":binding_3"]
                    == AttributeValue::N("1".to_owned())
        })
        .then_output(|| UpdateItemOutput::builder().set_attributes(Some(order_attributes())).build());
    let updated = orders(scripted!(dynamodb, [&rule]))
        .update(
            key(),
            Change::new()
                .set_if_absent("createdAt", "now")
                .add("count", 1),
        )
        .when(Expression::is("USERID", "u1").and(Expression::exists(
            AttributePath::of("photos").at(0).field("id"),
        )))
        .await
        .unwrap();
    assert_eq!(updated, order());
    assert_eq!(rule.num_calls(), 1);
}
