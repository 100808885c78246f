//! The client side of a queue.

use std::collections::BTreeMap;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::time::Duration;

use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Queue;
use crate::Call;
use crate::environment::{Connect, Environment, VariableFault};
use crate::error::{CallError, Reason};
use crate::grant::{Allows, Grants};
use crate::kind;
use crate::operation::{ChangeVisibility, Delete, GetAttributes, Receive, Send};
use crate::ordered::ordered;

impl<M, G: Grants<kind::Queue>> Connect for Queue<M, G> {
    fn connect(environment: &Environment, value: &str) -> Result<Self, VariableFault> {
        Ok(Self::with_client(environment.sqs(), value))
    }
}

impl<M, G: Grants<kind::Queue>> Queue<M, G> {
    /// Binds to the queue with the given URL, for tests.
    pub fn with_client(client: aws_sdk_sqs::Client, url: impl Into<String>) -> Self {
        Self {
            client,
            url: url.into(),
            grants: PhantomData,
        }
    }

    /// Returns the URL of the queue.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sends a message; await it.
    pub fn send<At>(&self, message: &M) -> SendMessage<'_>
    where
        M: Serialize,
        G: Allows<Send, At>,
    {
        SendMessage {
            client: &self.client,
            url: &self.url,
            body: serde_json::to_string(message),
            delay: None,
            group: None,
            deduplication: None,
        }
    }

    /// Receives up to ten messages, waiting for the first as long as given, at most 20 seconds.
    ///
    /// For functions that poll by themselves; a trigger hands over a [`QueueBatch`](crate::QueueBatch) instead.
    pub async fn receive<At>(&self, most: u8, wait: Duration) -> Result<Vec<Received<M>>, CallError>
    where
        M: DeserializeOwned,
        G: Allows<Receive, At>,
    {
        let answer = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(i32::from(most.clamp(1, 10)))
            .wait_time_seconds(seconds(wait).min(20))
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .send()
            .await
            .map_err(|error| {
                CallError::from_sdk("receive messages from", &described(&self.url), error)
            })?;
        let messages = answer.messages.unwrap_or_default().into_iter();
        Ok(messages
            .map(|message| Received {
                id: message.message_id.unwrap_or_default(),
                receipt_handle: message.receipt_handle.unwrap_or_default(),
                body: serde_json::from_str(message.body.as_deref().unwrap_or_default()),
                attributes: message
                    .attributes
                    .unwrap_or_default()
                    .into_iter()
                    .map(|(name, value)| (name.as_str().to_owned(), value))
                    .collect(),
            })
            .collect())
    }

    /// Deletes a received message, so that it is not received again.
    pub async fn delete<At>(&self, message: &Received<M>) -> Result<(), CallError>
    where
        G: Allows<Delete, At>,
    {
        self.client
            .delete_message()
            .queue_url(&self.url)
            .receipt_handle(&message.receipt_handle)
            .send()
            .await
            .map(|_| ())
            .map_err(|error| {
                CallError::from_sdk("delete a message from", &described(&self.url), error)
            })
    }

    /// Hides a received message for the given time from now on, at most 12 hours; zero shows it at once.
    pub async fn change_visibility<At>(
        &self,
        message: &Received<M>,
        hidden: Duration,
    ) -> Result<(), CallError>
    where
        G: Allows<ChangeVisibility, At>,
    {
        self.client
            .change_message_visibility()
            .queue_url(&self.url)
            .receipt_handle(&message.receipt_handle)
            .visibility_timeout(seconds(hidden))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| {
                CallError::from_sdk(
                    "change the visibility of a message in",
                    &described(&self.url),
                    error,
                )
            })
    }

    /// Reads the attributes of the queue.
    pub async fn attributes<At>(&self) -> Result<QueueAttributes, CallError>
    where
        G: Allows<GetAttributes, At>,
    {
        let answer = self
            .client
            .get_queue_attributes()
            .queue_url(&self.url)
            .attribute_names(QueueAttributeName::All)
            .send()
            .await
            .map_err(|error| {
                CallError::from_sdk("read the attributes of", &described(&self.url), error)
            })?;
        let all = answer.attributes.unwrap_or_default().into_iter();
        Ok(QueueAttributes {
            all: all
                .map(|(name, value)| (name.as_str().to_owned(), value))
                .collect(),
        })
    }
}

/// A request to send one message; await it.
#[derive(Debug)]
#[must_use = "a request does nothing until it is awaited"]
pub struct SendMessage<'a> {
    client: &'a aws_sdk_sqs::Client,
    url: &'a str,
    body: Result<String, serde_json::Error>,
    delay: Option<Duration>,
    group: Option<String>,
    deduplication: Option<String>,
}

ordered!(['a] SendMessage<'a>, "SQS", "queues");

impl SendMessage<'_> {
    /// Hides the message for the given time, at most 15 minutes; FIFO queues do not take it.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = Some(delay);
        self
    }

    async fn call(self) -> Result<Sent, CallError> {
        const ACTION: &str = "send a message to";
        let body = self.body.map_err(|error| {
            CallError::new(ACTION, &described(self.url), Reason::Encode).caused_by(error)
        })?;
        let answer = self
            .client
            .send_message()
            .queue_url(self.url)
            .message_body(body)
            .set_delay_seconds(self.delay.map(seconds))
            .set_message_group_id(self.group)
            .set_message_deduplication_id(self.deduplication)
            .send()
            .await
            .map_err(|error| CallError::from_sdk(ACTION, &described(self.url), error))?;
        Ok(Sent {
            message_id: answer.message_id.unwrap_or_default(),
            sequence_number: answer.sequence_number,
        })
    }
}

impl<'a> IntoFuture for SendMessage<'a> {
    type Output = Result<Sent, CallError>;
    type IntoFuture = Call<'a, Sent>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.call())
    }
}

/// A message that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The id that SQS gave the message.
    pub message_id: String,
    /// The place of the message in its group, in FIFO queues.
    pub sequence_number: Option<String>,
}

/// A message that was received, and will be again unless it is deleted.
#[derive(Debug)]
pub struct Received<M> {
    /// The id that SQS gave the message.
    pub id: String,
    /// The body, or why it cannot be read.
    pub body: Result<M, serde_json::Error>,
    /// What SQS says about the message, such as `ApproximateReceiveCount`.
    pub attributes: BTreeMap<String, String>,
    receipt_handle: String,
}

/// The attributes of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueAttributes {
    all: BTreeMap<String, String>,
}

impl QueueAttributes {
    /// Returns about how many messages wait to be received.
    pub fn waiting(&self) -> Option<u64> {
        self.get("ApproximateNumberOfMessages")?.parse().ok()
    }

    /// Returns an attribute by the name that
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html> gives it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all.get(name).map(String::as_str)
    }
}

pub(super) fn described(url: &str) -> String {
    format!("queue `{url}`")
}

/// Returns whole seconds, rounded up, so that a short time does not become none.
pub(super) fn seconds(duration: Duration) -> i32 {
    let begun = u64::from(duration.subsec_nanos() > 0);
    let seconds = duration.as_secs().saturating_add(begun);
    i32::try_from(seconds).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_rounded_up_and_never_overflows() {
        assert_eq!(seconds(Duration::ZERO), 0);
        assert_eq!(seconds(Duration::from_millis(1001)), 2);
        assert_eq!(seconds(Duration::MAX), i32::MAX);
    }
}
