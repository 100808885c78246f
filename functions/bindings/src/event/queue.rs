//! Batches of messages from an SQS queue.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Decode, Event, EventError};

/// A batch of messages from a queue, each with a body of the type `M`.
///
/// The shape is that of
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event>. The bodies are
/// JSON, and each is read on its own: a message that cannot be read fails alone.
#[derive(Debug)]
pub struct QueueBatch<M> {
    messages: Vec<QueueMessage<M>>,
}

/// One message of a batch.
#[derive(Debug)]
pub struct QueueMessage<M> {
    /// The id that SQS gave the message.
    pub id: String,
    /// The body, or why it cannot be read.
    pub body: Result<M, serde_json::Error>,
    /// The group of a message from a FIFO queue.
    pub group: Option<String>,
    /// How often the message was received, this time included.
    pub receive_count: u32,
    /// The ARN of the queue.
    pub queue_arn: String,
    /// What SQS says about the message, such as `SentTimestamp`.
    pub attributes: BTreeMap<String, String>,
}

/// The messages of a batch that failed, and will be received again; the others are deleted from the queue.
///
/// The trigger must ask for it with `ReportBatchItemFailures`; see
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting>.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchFailures {
    batch_item_failures: Vec<ItemFailure>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemFailure {
    item_identifier: String,
}

impl BatchFailures {
    /// Reports the message with the given id as failed.
    pub fn add(&mut self, message_id: impl Into<String>) {
        self.batch_item_failures.push(ItemFailure {
            item_identifier: message_id.into(),
        });
    }

    /// Returns the ids of the failed messages.
    pub fn message_ids(&self) -> impl Iterator<Item = &str> {
        self.batch_item_failures
            .iter()
            .map(|failure| failure.item_identifier.as_str())
    }

    /// Returns whether every message succeeded.
    pub fn is_empty(&self) -> bool {
        self.batch_item_failures.is_empty()
    }
}

impl<M> QueueBatch<M> {
    /// Makes a batch of the given messages, for tests.
    pub fn new(messages: impl IntoIterator<Item = QueueMessage<M>>) -> Self {
        Self {
            messages: messages.into_iter().collect(),
        }
    }

    /// Returns the messages in the order in which they were received.
    pub fn messages(&self) -> &[QueueMessage<M>] {
        &self.messages
    }

    /// Takes the messages out, in the order in which they were received.
    pub fn into_messages(self) -> Vec<QueueMessage<M>> {
        self.messages
    }

    /// Handles the messages one after the other, logs the ones that fail, and reports them.
    ///
    /// A message that cannot be read counts as failed. Messages of a FIFO queue stay in order: after the first
    /// failure the rest of the batch is reported as failed without being tried, as AWS recommends. What the handler
    /// returns besides an error is dropped, so that the answer of a call can be its last word.
    #[cfg(feature = "runtime")]
    pub async fn process<F, T, E>(self, mut handle: F) -> BatchFailures
    where
        F: AsyncFnMut(M) -> Result<T, E>,
        E: std::error::Error,
    {
        let mut failures = BatchFailures::default();
        for QueueMessage {
            id,
            body,
            group,
            receive_count,
            ..
        } in self.messages
        {
            if group.is_some() && !failures.is_empty() {
                failures.add(id);
                continue;
            }
            let failure = match body {
                Ok(body) => handle(body).await.err().map(|e| crate::run::chain(&e)),
                Err(error) => Some(format!("the body cannot be read: {error}")),
            };
            if let Some(failure) = failure {
                tracing::warn!(
                    message_id = id,
                    receive_count,
                    error = failure,
                    "message failed"
                );
                failures.add(id);
            }
        }
        failures
    }
}

#[derive(Deserialize)]
struct Records {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    message_id: String,
    body: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    #[serde(default, rename = "eventSourceARN")]
    event_source_arn: String,
}

impl<M: DeserializeOwned + Send + 'static> Decode for QueueBatch<M> {
    fn decode(payload: Value) -> Result<Self, EventError> {
        let records = Records::deserialize(payload).map_err(EventError::Content)?;
        let messages = records.records.into_iter().map(|record| QueueMessage {
            id: record.message_id,
            body: serde_json::from_str(&record.body),
            group: record.attributes.get("MessageGroupId").cloned(),
            receive_count: record
                .attributes
                .get("ApproximateReceiveCount")
                .and_then(|count| count.parse().ok())
                .unwrap_or(1),
            queue_arn: record.event_source_arn,
            attributes: record.attributes,
        });
        Ok(Self::new(messages))
    }
}

impl<M: DeserializeOwned + Send + 'static> Event for QueueBatch<M> {
    #[cfg(feature = "wiring")]
    type Sent = stack_model::contract::event::QueueBatch<M>;

    fn recognises(payload: &Value) -> bool {
        payload["Records"]
            .get(0)
            .is_some_and(|record| record["eventSource"] == "aws:sqs")
    }
}
