//! Takes events apart: a batch from the queue, or one request.

use serde_json::Value;
use stack_bindings::{Invocation, QueueBatch};
use tracing::info;

use crate::execute::{OperationError, execute};
use crate::operation::Request;
use crate::operations::{Operations, OperationsEvent};

/// Handles one event of the function.
///
/// One request is answered with its result. Of a batch, nobody waits for the results: they are logged, and the
/// messages that failed are reported, so that they alone are delivered again. Every operation can be repeated.
///
/// # Errors
///
/// Fails where a single request fails; a batch never does.
pub async fn handle(
    bindings: &Operations,
    event: OperationsEvent,
) -> Result<Value, OperationError> {
    match event {
        OperationsEvent::Invocation(Invocation(request)) => execute(bindings, request).await,
        OperationsEvent::QueueBatch(batch) => handle_batch(bindings, batch).await,
    }
}

async fn handle_batch(
    bindings: &Operations,
    batch: QueueBatch<Request>,
) -> Result<Value, OperationError> {
    let failures = batch
        .process(async |request| {
            let result = execute(bindings, request).await?;
            info!(%result, "message handled");
            Ok::<_, OperationError>(())
        })
        .await;
    serde_json::to_value(failures).map_err(|error| OperationError::Convert(Box::new(error)))
}
