//! Both routes, case by case.

use aws_smithy_mocks::{Rule, mock};
use serde_json::Value;
use stack_bindings::sdk::dynamodb::Client;
use stack_bindings::sdk::dynamodb::operation::get_item::GetItemOutput;
use stack_bindings::sdk::dynamodb::operation::put_item::{PutItemError, PutItemOutput};
use stack_bindings::sdk::dynamodb::operation::update_item::{UpdateItemError, UpdateItemOutput};
use stack_bindings::sdk::eventbridge;
use stack_bindings::{Decode, EventBus, Table, Var};

use super::*;
use crate::testing::{
    Attributes, BUS, SOURCE, attributes, condition_failed, number, put_event, scripted, text,
};

/// 7 September 2021, 14:56 UTC: in the interval 1812251 of 15 minutes.
const NOW: i64 = 1_631_026_560_000;
const NUMBER: i64 = 1_812_251;

fn bucket(code: &str, tokens: i64) -> Attributes {
    attributes([
        ("PK", number(NUMBER)),
        ("last_id", number(NUMBER)),
        ("last_code", text(code)),
        ("start_ts", number(1_631_025_900_000)),
        ("end_ts", number(1_631_026_799_999)),
        ("start_full", text("Tue, 07 Sep 2021 14:45:00 GMT")),
        ("end_full", text("Tue, 07 Sep 2021 14:59:59 GMT")),
        ("availableTokens", number(tokens)),
    ])
}

fn get_bucket(found: Option<Attributes>) -> Rule {
    mock!(Client::get_item)
        .match_requests(|request| {
            request.key() == Some(&attributes([("PK", number(NUMBER))]))
                && request.consistent_read() == Some(true)
        })
        .then_output(move || GetItemOutput::builder().set_item(found.clone()).build())
}

/// A request with the claims of a user in these groups, and these query parameters.
fn request(groups: &str, query: &Value) -> ApiRequest {
    ApiRequest::decode(json!({
        "resource": "/qr-code",
        "path": "/qr-code",
        "httpMethod": "GET",
        "queryStringParameters": query,
        "requestContext": {"authorizer": {"claims": {"sub": "u1", "cognito:groups": groups}}},
    }))
    .unwrap()
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "stands for a source of randomness that may fail"
)]
fn letters(length: usize) -> Result<String, NoRandomness> {
    Ok("x".repeat(length))
}

fn display(client: Client) -> GetQrCode {
    GetQrCode {
        table: Table::with_client(client, "validator"),
        time_interval: Var::of(15),
        code_length: Var::of(10),
        tokens_per_bucket: Var::of(10),
    }
}

async fn shown(groups: &str, client: Client) -> ApiResponse {
    show(
        &display(client),
        &request(groups, &Value::Null),
        NOW,
        letters,
    )
    .await
    .unwrap()
}

fn body(response: &ApiResponse) -> Value {
    serde_json::from_str(&response.body).unwrap()
}

#[tokio::test]
async fn only_administrators_see_codes() {
    for groups in ["", "[barista]", "administrators"] {
        let response = shown(groups, scripted!(dynamodb, [])).await;
        assert_eq!((response.status_code, response.body.as_str()), (403, ""));
    }
    let get = get_bucket(Some(bucket("abc", 3)));
    let response = shown("[barista, admin]", scripted!(dynamodb, [&get])).await;
    assert_eq!(response.status_code, 200);
}

#[tokio::test]
async fn the_code_of_these_minutes_is_shown() {
    let get = get_bucket(Some(bucket("abc", 3)));
    let response = shown("admin", scripted!(dynamodb, [&get])).await;
    assert_eq!(
        body(&response),
        json!({"bucket": {
            "PK": NUMBER, "last_id": NUMBER, "last_code": "abc", "availableTokens": 3,
            "start_ts": 1_631_025_900_000_i64, "end_ts": 1_631_026_799_999_i64,
            "start_full": "Tue, 07 Sep 2021 14:45:00 GMT", "end_full": "Tue, 07 Sep 2021 14:59:59 GMT",
        }})
    );
    assert_eq!(response.headers["Access-Control-Allow-Headers"], "*");
    assert_eq!(response.headers["Access-Control-Allow-Origin"], "*");
    assert_eq!(
        response.headers["Access-Control-Allow-Methods"],
        "OPTIONS,POST,GET"
    );
}

#[tokio::test]
async fn the_first_display_makes_the_code() {
    let get = get_bucket(None);
    let put = mock!(Client::put_item)
        .match_requests(|request| {
            request.item() == Some(&bucket("xxxxxxxxxx", 10))
                && request.condition_expression()
                    == Some("attribute_not_exists(#binding_partition)")
        })
        .then_output(|| PutItemOutput::builder().build());
    let response = shown("admin", scripted!(dynamodb, [&get, &put])).await;
    assert_eq!(body(&response)["bucket"]["last_code"], "xxxxxxxxxx");
    assert_eq!(put.num_calls(), 1);
}

#[tokio::test]
async fn of_two_displays_both_show_the_code_of_the_first() {
    let none = get_bucket(None);
    let put = mock!(Client::put_item)
        .then_error(|| PutItemError::ConditionalCheckFailedException(condition_failed()));
    let first = get_bucket(Some(bucket("first", 10)));
    let response = shown("admin", scripted!(dynamodb, [&none, &put, &first])).await;
    assert_eq!(body(&response)["bucket"]["last_code"], "first");
}

fn scanner(table: Client, bus: eventbridge::Client) -> VerifyQrCode {
    VerifyQrCode {
        table: Table::with_client(table, "validator"),
        time_interval: Var::of(15),
        bus: EventBus::with_client(bus, BUS),
        source: Var::of(SOURCE.to_owned()),
    }
}

async fn scanned(query: Value, scanner: &VerifyQrCode) -> Result<ApiResponse, CodeError> {
    let function = Some("arn:function".to_owned());
    take(scanner, &request("", &query), function, NOW, letters).await
}

/// Scans where nothing may be taken, and checks that a page can read the answer.
async fn refused(query: Value, found: Option<Attributes>) -> (u16, Value) {
    let get = get_bucket(found);
    let scanner = scanner(scripted!(dynamodb, [&get]), scripted!(eventbridge, []));
    let response = scanned(query, &scanner).await.unwrap();
    assert_eq!(response.headers["Access-Control-Allow-Origin"], "*");
    assert_eq!(
        response.headers["Access-Control-Allow-Headers"],
        "Content-Type"
    );
    (response.status_code, body(&response))
}

#[tokio::test]
async fn what_cannot_be_taken_says_why() {
    let token = |token: &str| json!({"token": token});
    for (query, found, status, error) in [
        (Value::Null, None, 422, "Missing parameter"),
        (token("abc"), None, 400, "Invalid code"),
        (token("abd"), Some(bucket("abc", 3)), 400, "Invalid code"),
        (
            json!({"code": "abc"}),
            Some(bucket("abc", 3)),
            400,
            "Invalid code",
        ),
        (
            token("abc"),
            Some(bucket("abc", 0)),
            200,
            "No tokens remaining",
        ),
    ] {
        let expected = (status, json!({ "error": error }));
        assert_eq!(refused(query, found).await, expected);
    }
}

fn decrement(code: &'static str, left: i64) -> Rule {
    mock!(Client::update_item)
        .match_requests(|request| {
            let values = request.expression_attribute_values().unwrap();
            request.key() == Some(&attributes([("PK", number(NUMBER))]))
                && request.update_expression() == Some("ADD #binding_0 :binding_1")
                && request.condition_expression() == Some("#binding_0 >= :binding_2")
                && request.expression_attribute_names().unwrap()["#binding_0"] == "availableTokens"
                && values[":binding_1"] == number(-1)
                && values[":binding_2"] == number(1)
        })
        .then_output(move || {
            UpdateItemOutput::builder()
                .set_attributes(Some(bucket(code, left)))
                .build()
        })
}

#[tokio::test]
async fn a_good_code_takes_a_drink_and_starts_an_order() {
    let get = get_bucket(Some(bucket("abc", 10)));
    let update = decrement("abc", 9);
    let put = mock!(eventbridge::Client::put_events)
        .match_requests(|request| {
            let entry = &request.entries()[0];
            let detail: Value = serde_json::from_str(entry.detail().unwrap()).unwrap();
            entry.event_bus_name() == Some(BUS)
                && entry.source() == Some(SOURCE)
                && entry.detail_type() == Some("Validator.NewOrder")
                && entry.resources() == ["arn:function"]
                && detail["orderId"] == "x".repeat(21)
                && detail["userId"] == "u1"
                && detail["Message"].is_string()
                && detail["bucket"]["availableTokens"] == 9
                && detail["bucket"]["start_ts"] == 1_631_025_900_000_i64
                && detail["bucket"]["end_ts"] == 1_631_026_799_999_i64
        })
        .then_output(|| put_event(None));
    let scanner = scanner(
        scripted!(dynamodb, [&get, &update]),
        scripted!(eventbridge, [&put]),
    );
    let response = scanned(json!({"token": "abc"}), &scanner).await.unwrap();
    assert_eq!(response.status_code, 200);
    assert_eq!(body(&response), json!({"orderId": "x".repeat(21)}));
    assert_eq!(
        response.headers["Access-Control-Allow-Methods"],
        "OPTIONS,POST,GET"
    );
    assert_eq!(put.num_calls(), 1);
}

#[tokio::test]
async fn who_is_late_for_the_last_drink_gets_none() {
    let get = get_bucket(Some(bucket("abc", 1)));
    let update = mock!(Client::update_item)
        .then_error(|| UpdateItemError::ConditionalCheckFailedException(condition_failed()));
    let scanner = scanner(
        scripted!(dynamodb, [&get, &update]),
        scripted!(eventbridge, []),
    );
    let response = scanned(json!({"token": "abc"}), &scanner).await.unwrap();
    assert_eq!(response.status_code, 200);
    assert_eq!(body(&response), json!({"error": "No tokens remaining"}));
}

#[tokio::test]
async fn a_drink_without_an_order_is_given_back() {
    let get = get_bucket(Some(bucket("abc", 10)));
    let update = decrement("abc", 9);
    let back = mock!(Client::update_item)
        .match_requests(|request| {
            request.expression_attribute_values().unwrap()[":binding_1"] == number(1)
        })
        .then_output(|| {
            UpdateItemOutput::builder()
                .set_attributes(Some(bucket("abc", 10)))
                .build()
        });
    let put = mock!(eventbridge::Client::put_events)
        .then_output(|| put_event(Some("NotAuthorizedForDetailTypeException")));
    let scanner = scanner(
        scripted!(dynamodb, [&get, &update, &back]),
        scripted!(eventbridge, [&put]),
    );
    let failure = scanned(json!({"token": "abc"}), &scanner)
        .await
        .unwrap_err();
    assert_eq!(back.num_calls(), 1);
    let response = CONTENT_TYPE.failed(&failure);
    assert_eq!(response.status_code, 500);
    assert_eq!(body(&response), json!({"error": "The request failed"}));
    assert_eq!(response.headers["Access-Control-Allow-Origin"], "*");
}

#[test]
fn intervals_follow_each_other_without_a_gap() {
    assert_eq!(interval_of(NOW, 15), NUMBER);
    assert_eq!(interval_of(1_631_025_900_000, 15), NUMBER);
    assert_eq!(interval_of(1_631_025_899_999, 15), NUMBER - 1);
    assert_eq!(interval_of(1_631_026_799_999, 15), NUMBER);
    // A configuration without sense must not end in a division by zero.
    assert_eq!(interval_of(60_000, 0), 1);
}
