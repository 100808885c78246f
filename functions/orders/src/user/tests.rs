//! Users against scripted answers of DynamoDB, which are those of
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html> and its neighbours.

use aws_smithy_mocks::{Rule, mock};
use serde_json::Value;
use stack_bindings::Table;
use stack_bindings::sdk::dynamodb::{
    Client,
    error::ErrorMetadata,
    operation::{
        get_item::{GetItemError, GetItemOutput},
        put_item::{PutItemError, PutItemOutput},
        scan::{ScanError, ScanOutput},
    },
    types::error::ConditionalCheckFailedException,
};

use super::*;
use crate::testing::{assert_cors, body, dynamodb, moment, request, text, texts};

const TABLE: &str = "ExampleSite-Users-dev";

async fn ask(rules: &[&Rule], request: ApiRequest) -> (u16, Value) {
    let bindings = User {
        users_table: Table::with_client(dynamodb(rules), TABLE),
    };
    let outcome = route(&bindings, &request, moment()).await;
    let answer = answer(&request, outcome).expect("there is an answer");
    assert_cors(&answer);
    (answer.status_code, body(&answer))
}

fn post(body: &str) -> ApiRequest {
    request("POST", "/user", &Value::Null, Some(body))
}

fn get(user_id: &str) -> ApiRequest {
    request("GET", "/user/{userid}", &json!({"userid": user_id}), None)
}

fn denied() -> ErrorMetadata {
    ErrorMetadata::builder()
        .code("AccessDeniedException")
        .build()
}

#[tokio::test]
async fn a_user_is_put_where_there_is_none() {
    let put = mock!(Client::put_item)
        .match_requests(|request| {
            let item = request.item().expect("an item is put");
            request.table_name() == Some(TABLE)
                && item.len() == 2
                && item["user_id"] == text("u1")
                && item["name"] == text("Ann")
                && request.condition_expression()
                    == Some("attribute_not_exists(#binding_partition)")
        })
        .then_output(|| PutItemOutput::builder().build());
    let (status, body) = ask(&[&put], post(r#"{"user_id": "u1", "name": "Ann"}"#)).await;
    assert_eq!(
        (status, body),
        (201, json!({"user_id": "u1", "name": "Ann"}))
    );
    assert_eq!(put.num_calls(), 1);
}

#[tokio::test]
async fn a_user_without_an_id_gets_one() {
    for sent in [r#"{"name": "Ann"}"#, r#"{"user_id": null, "name": "Ann"}"#] {
        let put = mock!(Client::put_item)
            .match_requests(|request| {
                let id = request.item().and_then(|item| item.get("user_id"));
                id == Some(&text("00010203-0405-4607-8809-0a0b0c0d0e0f"))
            })
            .then_output(|| PutItemOutput::builder().build());
        let (status, body) = ask(&[&put], post(sent)).await;
        let expected = json!({"user_id": "00010203-0405-4607-8809-0a0b0c0d0e0f", "name": "Ann"});
        assert_eq!((status, body), (201, expected));
    }
}

#[tokio::test]
async fn an_id_that_is_taken_is_a_conflict() {
    let taken = mock!(Client::put_item).then_error(|| {
        PutItemError::ConditionalCheckFailedException(
            ConditionalCheckFailedException::builder()
                .message("The conditional request failed")
                .meta(
                    ErrorMetadata::builder()
                        .code("ConditionalCheckFailedException")
                        .build(),
                )
                .build(),
        )
    });
    let (status, body) = ask(&[&taken], post(r#"{"user_id": "u1"}"#)).await;
    assert_eq!(
        (status, body),
        (409, json!({"error": "there is a user with this id"}))
    );
}

#[tokio::test]
async fn a_body_that_is_no_user_is_refused() {
    let long = format!(r#"{{"user_id": "{}"}}"#, "x".repeat(2049));
    for sent in [
        "",
        "no JSON",
        "[]",
        r#""u1""#,
        r#"{"user_id": 1}"#,
        r#"{"user_id": ""}"#,
        &long,
    ] {
        let (status, body) = ask(&[], post(sent)).await;
        assert_eq!(status, 400, "{sent}: {body}");
    }
    let too_large = mock!(Client::put_item).then_error(|| {
        let metadata = ErrorMetadata::builder()
            .code("ValidationException")
            .message("Item size has exceeded the maximum allowed size");
        PutItemError::generic(metadata.build())
    });
    let (status, _) = ask(&[&too_large], post(r#"{"user_id": "u1"}"#)).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn all_pages_of_users_are_listed() {
    let first = mock!(Client::scan)
        .match_requests(|request| request.exclusive_start_key().is_none())
        .then_output(|| {
            ScanOutput::builder()
                .items(texts([("user_id", "u1"), ("name", "Ann")]))
                .last_evaluated_key("user_id", text("u1"))
                .build()
        });
    let second = mock!(Client::scan)
        .match_requests(|request| {
            request
                .exclusive_start_key()
                .is_some_and(|key| key["user_id"] == text("u1"))
        })
        .then_output(|| {
            ScanOutput::builder()
                .items(texts([("user_id", "u2")]))
                .build()
        });
    let (status, body) = ask(
        &[&first, &second],
        request("GET", "/user", &Value::Null, None),
    )
    .await;
    let users = json!([{"user_id": "u1", "name": "Ann"}, {"user_id": "u2"}]);
    assert_eq!((status, body), (200, json!({"users": users})));
}

#[tokio::test]
async fn one_user_is_read() {
    let found = mock!(Client::get_item)
        .match_requests(|request| {
            request.consistent_read() == Some(true)
                && request
                    .key()
                    .is_some_and(|key| key.len() == 1 && key["user_id"] == text("u1"))
        })
        .then_output(|| {
            let item = texts([("user_id", "u1"), ("name", "Ann")]);
            GetItemOutput::builder().set_item(Some(item)).build()
        });
    let (status, body) = ask(&[&found], get("u1")).await;
    assert_eq!(
        (status, body),
        (200, json!({"user_id": "u1", "name": "Ann"}))
    );

    let absent = mock!(Client::get_item).then_output(|| GetItemOutput::builder().build());
    let (status, body) = ask(&[&absent], get("u2")).await;
    assert_eq!(
        (status, body),
        (404, json!({"error": "there is no such user"}))
    );
}

#[tokio::test]
async fn a_store_that_fails_has_the_text_that_callers_know() {
    let put = mock!(Client::put_item).then_error(|| PutItemError::generic(denied()));
    let scan = mock!(Client::scan).then_error(|| ScanError::generic(denied()));
    let read = mock!(Client::get_item).then_error(|| GetItemError::generic(denied()));
    for (rule, request, text) in [
        (&put, post("{}"), "Create User error."),
        (
            &scan,
            request("GET", "/user", &Value::Null, None),
            "List users error.",
        ),
        (&read, get("u1"), "Get user error."),
    ] {
        assert_eq!(ask(&[rule], request).await, (504, json!({"error": text})));
    }
}

#[tokio::test]
async fn other_routes_are_not_this_functions() {
    for (method, resource) in [
        ("DELETE", "/user"),
        ("POST", "/user/{userid}"),
        ("GET", "/"),
    ] {
        let (status, _) = ask(&[], request(method, resource, &Value::Null, None)).await;
        assert_eq!(status, 404, "{method} {resource}");
    }
}

/// The ids and times of production differ from call to call.
#[tokio::test]
async fn the_handler_makes_ids_of_its_own() {
    let put = mock!(Client::put_item).then_output(|| PutItemOutput::builder().build());
    let bindings = User {
        users_table: Table::with_client(dynamodb(&[&put]), TABLE),
    };
    let mut ids = Vec::new();
    for _ in 0..2 {
        let answer = handle(&bindings, post("{}")).await;
        let answer = answer.expect("there is an answer");
        ids.push(body(&answer)["user_id"].to_string());
    }
    assert_ne!(ids[0], ids[1]);
}
