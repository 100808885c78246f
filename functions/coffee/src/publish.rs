//! Hands events of the bus on to web pages, over topics of the broker.
//!
//! Nobody waits for these messages, and a page that missed one asks the API. A failure is logged and not raised, since
//! another try would come too late and out of order.

use std::convert::Infallible;
use std::error::Error;

use serde_json::Value;
use stack_bindings::{BusEvent, IotData, IotTopic};
use tracing::error;

use crate::contract::{Notice, PublisherAdmin, PublisherConfig, PublisherUser};

/// Hands an event on to those who run the bar.
///
/// # Errors
///
/// Never fails.
pub async fn admin(bindings: &PublisherAdmin, event: BusEvent<Value>) -> Result<(), Infallible> {
    publish(&bindings.iot, &bindings.topic, event).await;
    Ok(())
}

/// Hands a change of the settings on to everybody.
///
/// # Errors
///
/// Never fails.
pub async fn config(bindings: &PublisherConfig, event: BusEvent<Value>) -> Result<(), Infallible> {
    publish(&bindings.iot, &bindings.topic, event).await;
    Ok(())
}

/// Hands an event on to the customer it is about.
///
/// # Errors
///
/// Never fails.
pub async fn user(bindings: &PublisherUser, event: BusEvent<Value>) -> Result<(), Infallible> {
    let user = event.detail["userId"]
        .as_str()
        .filter(|user| !user.is_empty());
    if let Some(user) = user {
        let topic = bindings.topics.topic(user);
        publish(&bindings.iot, &topic, event).await;
    } else {
        error!(
            detail_type = event.detail_type,
            id = event.id,
            "the event names no user"
        );
    }
    Ok(())
}

async fn publish(iot: &IotData, topic: &IotTopic<Notice>, event: BusEvent<Value>) {
    let id = event.id.clone();
    let notice = notice(event);
    if let Err(failure) = iot.publish(topic, &notice).await {
        error!(
            detail_type = notice.detail_type,
            id,
            error = %failure,
            cause = failure.source().map(tracing::field::display),
            "the event was not published"
        );
    }
}

/// Takes out what only the back end may know: whoever has the token of a task can answer for the barista.
fn notice(event: BusEvent<Value>) -> Notice {
    let mut detail = event.detail;
    if let Some(fields) = detail.as_object_mut() {
        fields.remove("TaskToken");
    }
    Notice {
        detail_type: event.detail_type,
        detail,
    }
}

#[cfg(test)]
mod tests;
