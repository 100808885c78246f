//! Many messages in few calls.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use serde::Serialize;

use super::Queue;
use super::client::{Sent, described, seconds};
use crate::error::{CallError, Reason};
use crate::grant::{Allows, Grants};
use crate::kind;
use crate::operation::Send;
use crate::ordered::ordered;

/// How many messages one call may send, and how many bytes their bodies may have together; see
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html>.
const MESSAGES: usize = 10;
const BYTES: usize = 1_048_576;

const ACTION: &str = "send messages to";

impl<M, G: Grants<kind::Queue>> Queue<M, G> {
    /// Sends messages in their order, as many in a call as SQS takes.
    ///
    /// A message alone will do for most queues. FIFO queues demand a group: give [`BatchMessage`]s to them. A message
    /// that such a queue refuses does not hold back the later ones of its group.
    ///
    /// # Errors
    ///
    /// Fails before anything is sent where a message cannot be encoded or is larger than a call. Fails where a whole
    /// call fails, too; the messages of earlier calls are sent then. Messages that SQS refuses one by one are in the
    /// answer.
    pub async fn send_batch<'m, At>(
        &self,
        messages: impl IntoIterator<Item = impl Into<BatchMessage<'m, M>>>,
    ) -> Result<SentBatch, CallError>
    where
        M: Serialize + 'm,
        G: Allows<Send, At>,
    {
        let mut entries = Vec::new();
        for (position, message) in messages.into_iter().enumerate() {
            entries.push(self.entry(position, message.into())?);
        }
        let mut batch = SentBatch::default();
        let mut first = 0;
        for call in calls(entries) {
            let end = first + call.len();
            self.send_call(call, (first..end).collect(), &mut batch)
                .await?;
            first = end;
        }
        Ok(batch)
    }

    /// Makes the entry of a message, whose id is the position among all messages.
    fn entry(
        &self,
        position: usize,
        message: BatchMessage<'_, M>,
    ) -> Result<SendMessageBatchRequestEntry, CallError>
    where
        M: Serialize,
    {
        let failed = |reason| CallError::new(ACTION, &described(&self.url), reason);
        let body = serde_json::to_string(message.message)
            .map_err(|error| failed(Reason::Encode).caused_by(error))?;
        if body.len() > BYTES {
            let bytes = body.len();
            return Err(failed(Reason::Invalid).caused_by(TooLarge { position, bytes }));
        }
        SendMessageBatchRequestEntry::builder()
            .id(position.to_string())
            .message_body(body)
            .set_delay_seconds(message.delay.map(seconds))
            .set_message_group_id(message.group)
            .set_message_deduplication_id(message.deduplication)
            .build()
            .map_err(|error| failed(Reason::Encode).caused_by(error))
    }

    /// Sends the messages at the given positions and adds what became of each.
    async fn send_call(
        &self,
        entries: Vec<SendMessageBatchRequestEntry>,
        mut open: BTreeSet<usize>,
        batch: &mut SentBatch,
    ) -> Result<(), CallError> {
        let answer = self
            .client
            .send_message_batch()
            .queue_url(&self.url)
            .set_entries(Some(entries))
            .send()
            .await
            .map_err(|error| CallError::from_sdk(ACTION, &described(&self.url), error))?;
        let unclear = |problem: Unclear| {
            CallError::new(ACTION, &described(&self.url), Reason::Decode).caused_by(problem)
        };
        let mut close = |id: &str| {
            let position = id.parse().ok().filter(|position| open.remove(position));
            position.ok_or_else(|| unclear(Unclear::Unknown(id.to_owned())))
        };
        for sent in answer.successful {
            let position = close(&sent.id)?;
            let sent = Sent {
                message_id: sent.message_id,
                sequence_number: sent.sequence_number,
            };
            batch.sent.push((position, sent));
        }
        for failed in answer.failed {
            batch.failed.push(SendFailure {
                position: close(&failed.id)?,
                code: failed.code,
                message: failed.message.unwrap_or_default(),
                sender_fault: failed.sender_fault,
            });
        }
        match open.first() {
            Some(position) => Err(unclear(Unclear::Missing(*position))),
            None => Ok(()),
        }
    }
}

/// Splits entries into calls that SQS takes, keeping their order.
fn calls(entries: Vec<SendMessageBatchRequestEntry>) -> Vec<Vec<SendMessageBatchRequestEntry>> {
    let mut calls: Vec<Vec<_>> = Vec::new();
    let mut bytes = 0;
    for entry in entries {
        let more = entry.message_body.len();
        match calls.last_mut() {
            Some(call) if call.len() < MESSAGES && bytes + more <= BYTES => {
                call.push(entry);
                bytes += more;
            }
            _ => {
                calls.push(vec![entry]);
                bytes = more;
            }
        }
    }
    calls
}

/// One message of a batch, with what FIFO queues want to know about it.
#[derive(Debug)]
#[must_use = "a message is sent with its batch only"]
pub struct BatchMessage<'m, M> {
    message: &'m M,
    delay: Option<Duration>,
    group: Option<String>,
    deduplication: Option<String>,
}

ordered!(['m, M] BatchMessage<'m, M>, "SQS", "queues");

impl<'m, M> BatchMessage<'m, M> {
    /// Takes the message alone.
    pub fn new(message: &'m M) -> Self {
        Self {
            message,
            delay: None,
            group: None,
            deduplication: None,
        }
    }

    /// Hides the message for the given time, at most 15 minutes; FIFO queues do not take it.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = Some(delay);
        self
    }
}

impl<'m, M> From<&'m M> for BatchMessage<'m, M> {
    fn from(message: &'m M) -> Self {
        Self::new(message)
    }
}

/// What became of a batch of messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "messages that were refused are only told here"]
pub struct SentBatch {
    /// The messages that were sent, each with its position among the given ones.
    pub sent: Vec<(usize, Sent)>,
    /// The messages that SQS refused.
    pub failed: Vec<SendFailure>,
}

/// A message of a batch that SQS refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("message {position} was refused: {code}: {message}")]
pub struct SendFailure {
    /// The position of the message among the given ones.
    pub position: usize,
    /// The error code.
    pub code: String,
    /// What SQS says about it.
    pub message: String,
    /// Whether sending the same message again would be refused again.
    pub sender_fault: bool,
}

/// A message that no call can send.
#[derive(Debug, thiserror::Error)]
#[error("message {position} has {bytes} bytes and a call takes {BYTES} at most")]
struct TooLarge {
    position: usize,
    bytes: usize,
}

/// An answer that does not tell once what became of each message.
#[derive(Debug, thiserror::Error)]
enum Unclear {
    #[error("the answer tells of a message `{0}` that the call does not hold, or twice")]
    Unknown(String),
    #[error("the answer does not tell what became of message {0}")]
    Missing(usize),
}
