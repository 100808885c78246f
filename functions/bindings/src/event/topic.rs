//! Messages of an SNS topic.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Decode, Event, EventError};

/// Messages of type `M` from an SNS topic.
///
/// The shape is that of <https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html>. SNS sends one message at a time;
/// a handler that fails is tried twice more.
#[derive(Debug)]
pub struct TopicMessages<M> {
    /// The messages.
    pub messages: Vec<TopicMessage<M>>,
}

/// One message of a topic.
#[derive(Debug)]
pub struct TopicMessage<M> {
    /// The id that SNS gave the message.
    pub id: String,
    /// The message, read as JSON, or why it cannot be read.
    pub message: Result<M, serde_json::Error>,
    /// The subject, where the publisher gave one.
    pub subject: Option<String>,
    /// The ARN of the topic.
    pub topic_arn: String,
    /// When it was published, such as `2026-01-01T00:00:00.000Z`.
    pub time: String,
    /// The attributes of the message, as texts.
    pub attributes: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Records {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Record {
    sns: Notification,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Notification {
    message_id: String,
    message: String,
    subject: Option<String>,
    #[serde(default)]
    topic_arn: String,
    #[serde(default)]
    timestamp: String,
    #[serde(default)]
    message_attributes: BTreeMap<String, Attribute>,
}

#[derive(Deserialize)]
struct Attribute {
    #[serde(rename = "Value")]
    value: String,
}

impl<M: DeserializeOwned + Send + 'static> Decode for TopicMessages<M> {
    fn decode(payload: Value) -> Result<Self, EventError> {
        let records = Records::deserialize(payload).map_err(EventError::Content)?;
        let messages = records.records.into_iter().map(|record| {
            let sns = record.sns;
            let attributes = sns.message_attributes.into_iter();
            TopicMessage {
                id: sns.message_id,
                message: serde_json::from_str(&sns.message),
                subject: sns.subject,
                topic_arn: sns.topic_arn,
                time: sns.timestamp,
                attributes: attributes
                    .map(|(name, attribute)| (name, attribute.value))
                    .collect(),
            }
        });
        Ok(Self {
            messages: messages.collect(),
        })
    }
}

impl<M: DeserializeOwned + Send + 'static> Event for TopicMessages<M> {
    #[cfg(feature = "wiring")]
    type Sent = stack_model::contract::event::TopicMessages<M>;

    fn recognises(payload: &Value) -> bool {
        // SNS writes the name of this field as no other service does.
        payload["Records"]
            .get(0)
            .is_some_and(|record| record["EventSource"] == "aws:sns")
    }
}
