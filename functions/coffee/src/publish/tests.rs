//! What is handed on, and what is not.

use aws_smithy_mocks::{Rule, mock};
use serde_json::json;
use stack_bindings::IotTopicFamily;
use stack_bindings::sdk::iotdataplane::Client;
use stack_bindings::sdk::iotdataplane::error::ErrorMetadata;
use stack_bindings::sdk::iotdataplane::operation::publish::{PublishError, PublishOutput};

use super::*;
use crate::testing::{event, scripted};

/// Takes one message with this content on this topic.
fn published(topic: &'static str, content: Value) -> Rule {
    mock!(Client::publish)
        .match_requests(move |request| {
            let payload = request.payload().unwrap().as_ref();
            request.topic() == Some(topic)
                && request.qos() == Some(1)
                && serde_json::from_slice::<Value>(payload).unwrap() == content
        })
        .then_output(|| PublishOutput::builder().build())
}

#[tokio::test]
async fn administrators_get_every_event_without_its_token() {
    let rule = published(
        "serverlesspresso-admin",
        json!({"type": "OrderProcessor.WaitingCompletion", "detail": {"orderId": "1", "userId": "u1"}}),
    );
    let publisher = PublisherAdmin {
        iot: IotData::with_client(scripted!(iotdataplane, [&rule])),
        topic: IotTopic::named("serverlesspresso-admin"),
    };
    let detail = json!({"orderId": "1", "userId": "u1", "TaskToken": "secret"});
    admin(
        &publisher,
        event("OrderProcessor.WaitingCompletion", &detail),
    )
    .await
    .unwrap();
    assert_eq!(rule.num_calls(), 1);
}

#[tokio::test]
async fn everybody_gets_changes_of_the_settings() {
    let detail = json!({"NewImage": {"PK": {"S": "config"}, "storeOpen": {"BOOL": false}}});
    let rule = published(
        "serverlesspresso-config",
        json!({"type": "ConfigService.ConfigChanged", "detail": detail}),
    );
    let publisher = PublisherConfig {
        iot: IotData::with_client(scripted!(iotdataplane, [&rule])),
        topic: IotTopic::named("serverlesspresso-config"),
    };
    config(&publisher, event("ConfigService.ConfigChanged", &detail))
        .await
        .unwrap();
    assert_eq!(rule.num_calls(), 1);
}

fn users(client: Client) -> PublisherUser {
    PublisherUser {
        iot: IotData::with_client(client),
        topics: IotTopicFamily::starting_with("serverlesspresso-user-"),
    }
}

#[tokio::test]
async fn a_customer_gets_what_is_about_them() {
    let detail = json!({"userId": "u1", "orderId": "1"});
    let rule = published(
        "serverlesspresso-user-u1",
        json!({"type": "OrderManager.MakeOrder", "detail": detail}),
    );
    let publisher = users(scripted!(iotdataplane, [&rule]));
    user(&publisher, event("OrderManager.MakeOrder", &detail))
        .await
        .unwrap();
    assert_eq!(rule.num_calls(), 1);
}

#[tokio::test]
async fn an_event_about_nobody_is_not_handed_on() {
    for detail in [json!({}), json!({"userId": ""}), json!({"userId": 1})] {
        let publisher = users(scripted!(iotdataplane, []));
        user(&publisher, event("OrderManager.MakeOrder", &detail))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_failure_is_not_raised() {
    let rule = mock!(Client::publish).then_error(|| {
        PublishError::generic(
            ErrorMetadata::builder()
                .code("UnauthorizedException")
                .build(),
        )
    });
    let publisher = users(scripted!(iotdataplane, [&rule]));
    let detail = json!({"userId": "u1"});
    user(&publisher, event("OrderManager.MakeOrder", &detail))
        .await
        .unwrap();
    assert_eq!(rule.num_calls(), 1);
}
