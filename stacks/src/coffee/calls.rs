//! How the state machines call services.

use stack_model::stepfunctions::Task;

/// What DynamoDB answers where the order is not as it has to be.
pub(super) const REFUSED: &str = "DynamoDB.ConditionalCheckFailedException";

/// What Step Functions answers where nothing waits with a token any more. It names errors as the SDK for Java does, and
/// the local engine as the API does.
pub(super) const DEAD_TOKEN: [&str; 4] = [
    "Sfn.TaskDoesNotExistException",
    "Sfn.TaskDoesNotExist",
    "Sfn.TaskTimedOutException",
    "Sfn.TaskTimedOut",
];

/// Tries a call again that a service throttled or failed, and not one whose answer stays the same.
///
/// An order would end half way otherwise: its drink chosen and nobody told, or its state written and the workflow not
/// answered. A call may have been carried out although its answer was lost, so each of them can be made twice; at worst
/// an event comes twice, and a number is skipped.
pub(super) fn tried_again<S>(call: Task<S>) -> Task<S> {
    call.retry_service_errors([REFUSED].into_iter().chain(DEAD_TOKEN))
}
