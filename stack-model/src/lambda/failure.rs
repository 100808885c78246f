//! Where what a function could not work on goes.

use stack_model_cfn::Value;

use crate::policy::Statement;
use crate::sns::{TopicOperation, TopicRef};
use crate::sqs::{DeadLetterQueue, QueueRef};
use crate::stack::Stack;

/// Where a description of what a function could not work on goes: a queue or a topic.
///
/// The description holds where the records stand in the stream, not the records themselves.
#[derive(Clone, Debug)]
pub struct FailureDestination(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Queue(DeadLetterQueue),
    Topic(TopicRef<()>),
}

impl<M> From<&QueueRef<M>> for FailureDestination {
    fn from(queue: &QueueRef<M>) -> Self {
        Self(Kind::Queue(queue.into()))
    }
}

impl<M> From<&TopicRef<M>> for FailureDestination {
    fn from(topic: &TopicRef<M>) -> Self {
        Self(Kind::Topic(topic.untyped()))
    }
}

impl FailureDestination {
    pub(super) fn arn(&self) -> Value<String> {
        match &self.0 {
            Kind::Queue(queue) => queue.arn(),
            Kind::Topic(topic) => topic.arn().into_text(),
        }
    }

    /// Returns what the function's role must allow.
    pub(super) fn statements(&self) -> Vec<Statement> {
        match &self.0 {
            Kind::Queue(queue) => queue.statements(),
            Kind::Topic(topic) => topic.statements(&[TopicOperation::Publish]),
        }
    }

    /// Reports a destination that keeps an order, which Lambda does not send to.
    pub(super) fn check(
        &self,
        logical_id: &str,
        stack: &mut Stack<'_>,
        source: &std::panic::Location<'_>,
    ) {
        match &self.0 {
            Kind::Queue(queue) => stack.check_dead_letters(logical_id, queue, source),
            Kind::Topic(topic) if topic.is_fifo() => {
                let message = "Lambda sends failures to no FIFO topic: use a standard one";
                stack.report(logical_id, None, message, source);
            }
            Kind::Topic(_) => {}
        }
    }
}
