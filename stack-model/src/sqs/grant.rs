//! What a caller may do with a queue.

use super::QueueRef;
use crate::kms::{self, KeyOperation};
use crate::policy::Statement;

/// What a caller may do with a queue. Batches need no operation of their own.
///
/// See <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QueueOperation {
    /// Sends messages.
    Send,
    /// Receives messages.
    Receive,
    /// Deletes received messages.
    Delete,
    /// Changes how long a received message is hidden.
    ChangeVisibility,
    /// Reads attributes, such as the number of messages.
    GetAttributes,
    /// Looks up the URL by the name.
    GetUrl,
    /// Deletes every message.
    Purge,
}

impl QueueOperation {
    /// Returns the IAM action.
    pub const fn action(self) -> &'static str {
        match self {
            Self::Send => "sqs:SendMessage",
            Self::Receive => "sqs:ReceiveMessage",
            Self::Delete => "sqs:DeleteMessage",
            Self::ChangeVisibility => "sqs:ChangeMessageVisibility",
            Self::GetAttributes => "sqs:GetQueueAttributes",
            Self::GetUrl => "sqs:GetQueueUrl",
            Self::Purge => "sqs:PurgeQueue",
        }
    }

    /// Returns what the caller must be allowed to do with the queue's key; see
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html>.
    const fn key_operations(self) -> &'static [KeyOperation] {
        match self {
            Self::Send => &[KeyOperation::GenerateDataKey, KeyOperation::Decrypt],
            Self::Receive => &[KeyOperation::Decrypt],
            Self::Delete
            | Self::ChangeVisibility
            | Self::GetAttributes
            | Self::GetUrl
            | Self::Purge => &[],
        }
    }
}

impl<M> QueueRef<M> {
    /// Returns what a role must allow for the given operations: exactly their actions on this queue, and on its
    /// key where it has one of the customer's own.
    pub fn statements(&self, operations: &[QueueOperation]) -> Vec<Statement> {
        let operations = operations
            .iter()
            .map(|operation| (operation.action(), operation.key_operations()));
        kms::allow_with_key(operations, self.arn(), "sqs", self.key.as_ref())
    }
}
