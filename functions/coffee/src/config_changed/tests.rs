//! What is announced of a change.

use aws_smithy_mocks::{Rule, mock};
use serde_json::{Value, json};
use stack_bindings::sdk::eventbridge::Client;
use stack_bindings::{Decode, EventBus, Var};

use super::*;
use crate::testing::{BUS, SOURCE, put_event, scripted};

fn record(action: &str, image: Option<&Value>) -> Value {
    let mut record = json!({
        "eventID": "e1",
        "eventName": action,
        "eventSource": "aws:dynamodb",
        "dynamodb": {"Keys": {"PK": {"S": "config"}}, "SequenceNumber": "1"},
    });
    if let Some(image) = image {
        record["dynamodb"]["NewImage"] = image.clone();
    }
    json!({ "Records": [record] })
}

fn announced(detail: Value, refused: Option<&'static str>) -> Rule {
    mock!(Client::put_events)
        .match_requests(move |request| {
            let entry = &request.entries()[0];
            entry.event_bus_name() == Some(BUS)
                && entry.source() == Some(SOURCE)
                && entry.detail_type() == Some("ConfigService.ConfigChanged")
                && serde_json::from_str::<Value>(entry.detail().unwrap()).unwrap() == detail
        })
        .then_output(move || put_event(refused))
}

async fn handled(payload: Value, rule: &Rule) -> BatchFailures {
    let bindings = ConfigChanged {
        bus: EventBus::with_client(scripted!(eventbridge, [rule]), BUS),
        source: Var::of(SOURCE.to_owned()),
    };
    let changes = TableChanges::decode(payload).unwrap();
    let failures = handle(&bindings, changes).await.unwrap();
    assert_eq!(rule.num_calls(), 1);
    failures
}

#[tokio::test]
async fn the_image_goes_out_as_dynamodb_has_it() {
    let image = json!({
        "PK": {"S": "config"}, "storeOpen": {"BOOL": false},
        "maxOrdersPerUser": {"N": "1"}, "maxOrdersInQueue": {"N": "10"},
    });
    let rule = announced(json!({"NewImage": image}), None);
    let failures = handled(record("MODIFY", Some(&image)), &rule).await;
    assert!(failures.is_empty());
}

#[tokio::test]
async fn settings_that_nobody_knows_are_announced_too() {
    let image = json!({"PK": {"S": "opening-hours"}, "from": {"N": "9"}});
    let rule = announced(json!({"NewImage": image}), None);
    assert!(
        handled(record("INSERT", Some(&image)), &rule)
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn a_removal_is_announced_without_an_image() {
    let rule = announced(json!({}), None);
    assert!(handled(record("REMOVE", None), &rule).await.is_empty());
}

#[tokio::test]
async fn what_was_not_announced_is_sent_again() {
    let rule = announced(json!({}), Some("InvalidArgument"));
    let failures = handled(record("REMOVE", None), &rule).await;
    assert_eq!(failures.message_ids().collect::<Vec<_>>(), ["1"]);
}
