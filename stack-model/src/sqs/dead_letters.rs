//! Queues that take what another service could not deliver.

use std::panic::Location;

use stack_model_cfn::{Pseudo, Value};

use super::{QueueOperation, QueueRef};
use crate::handle::Handle;
use crate::kms::KeyOperation;
use crate::policy::{Principal, Statement};
use crate::stack::Stack;
use crate::text;

/// A queue that takes what another service could not deliver, whatever it is; made from the handle of a queue.
///
/// ```
/// use stack_model::sqs::{DeadLetterQueue, QueueProps};
/// # use stack_model::{App, Stage};
/// # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
/// # let mut app = App::new(Stage::new(request));
/// # let mut stack = app.stack("orders");
///
/// let lost = stack.queue::<String>("Lost", QueueProps::default());
/// let dead_letters = DeadLetterQueue::from(&lost);
/// # app.synth().unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct DeadLetterQueue(QueueRef<()>);

impl<M> From<&QueueRef<M>> for DeadLetterQueue {
    fn from(queue: &QueueRef<M>) -> Self {
        Self(queue.untyped())
    }
}

impl DeadLetterQueue {
    /// Returns the ARN.
    pub fn arn(&self) -> Value<String> {
        self.0.arn().into_text()
    }

    /// Returns what a role must allow to send dead letters.
    pub(crate) fn statements(&self) -> Vec<Statement> {
        self.0.statements(&[QueueOperation::Send])
    }

    pub(crate) fn queue(&self) -> &QueueRef<()> {
        &self.0
    }

    /// Returns the logical id of the queue.
    pub(crate) fn logical_id(&self) -> &str {
        self.0.resource_id().logical_id()
    }

    pub(crate) fn is_fifo(&self) -> bool {
        self.0.is_fifo()
    }
}

impl Stack<'_> {
    /// Lets a service send to a queue on behalf of one of its resources, and use the queue's key; see
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html> and
    /// <https://docs.aws.amazon.com/sns/latest/dg/sns-enable-encryption-for-topic-sqs-queue-subscriptions.html>.
    pub(crate) fn let_send<M>(
        &mut self,
        queue: &QueueRef<M>,
        service: &str,
        source_arn: Value<String>,
        source: &Location<'_>,
    ) {
        let send = Statement::allow([QueueOperation::Send.action()])
            .to(Principal::Service(service.to_owned()))
            .when("ArnEquals", "aws:SourceArn", source_arn);
        self.attach_queue_policy(queue, [send], source);
        if let Some(key) = queue.key()
            && key.resource_id().stack() == self.id()
        {
            // The key cannot name the source, which the same key may encrypt; what the service has in the account and
            // region will do.
            let sources = text!(
                "arn:{}:{}:{}:{}:*",
                Pseudo::Partition,
                service.split('.').next().unwrap_or(service),
                Pseudo::Region,
                Pseudo::AccountId
            );
            let operations = [KeyOperation::GenerateDataKey, KeyOperation::Decrypt];
            let statement = Statement::allow(operations.map(KeyOperation::action))
                .to(Principal::Service(service.to_owned()))
                .when("ArnLike", "aws:SourceArn", sources);
            self.key_policy_from(key, [statement], source);
        }
    }

    /// Lets a service send dead letters of one of its resources, and reports a queue that cannot take them.
    pub(crate) fn take_dead_letters(
        &mut self,
        logical_id: &str,
        queue: &DeadLetterQueue,
        service: &str,
        source_arn: Value<String>,
        source: &Location<'_>,
    ) {
        self.check_dead_letters(logical_id, queue, source);
        self.let_send(&queue.0, service, source_arn, source);
    }

    /// Reports a FIFO queue, which services do not send dead letters to.
    pub(crate) fn check_dead_letters(
        &mut self,
        logical_id: &str,
        queue: &DeadLetterQueue,
        source: &Location<'_>,
    ) {
        if queue.is_fifo() {
            let message = format!(
                "the FIFO queue `{}` cannot take these dead letters: use a standard queue",
                queue.logical_id()
            );
            self.report(logical_id, None, message, source);
        }
    }
}
