//! What becomes of events that come to nothing.

use stack_model::lambda::{AsyncInvocations, FunctionRef};
use stack_model::sqs::{DeadLetterQueue, MessageRetention, QueueProps, QueueRef};
use stack_model::{Stack, limit};

/// Adds a queue for events that came to nothing, with an alarm that goes off as soon as there is one.
pub(super) fn queue(stack: &mut Stack<'_>, id: &str) -> QueueRef<serde_json::Value> {
    let queue = stack.queue(
        id,
        QueueProps {
            retention: Some(limit!(MessageRetention, 14 * 24 * 3600)),
            ..QueueProps::default()
        },
    );
    stack.watch(&DeadLetterQueue::from(&queue), &[]);
    queue
}

/// Puts every event with which a function failed three times into the queue.
pub(super) fn keep<F>(
    stack: &mut Stack<'_>,
    function: &FunctionRef<F>,
    queue: &QueueRef<serde_json::Value>,
) {
    stack.async_invocations(
        function,
        AsyncInvocations {
            on_failure: Some(queue.into()),
            ..AsyncInvocations::default()
        },
    );
}
