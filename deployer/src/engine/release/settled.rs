//! Stacks that are as their source says, though their last operation was rolled back.
//!
//! CloudFormation keeps the status of an update that was rolled back until the next update, and there is none where the
//! source was taken back too. So a deploy that finds nothing to change writes down in which state it found the stack: whoever
//! looks later knows that nothing is left to do. The next operation, whoever begins it, leads to another state.

use serde::{Deserialize, Serialize};

use super::mark;
use crate::{
    aws::{AwsError, Clients, object},
    engine::{Context, DeployedStack, bootstrap, state_key::About},
};

/// What is written down.
#[derive(Debug, Serialize, Deserialize)]
struct Settled {
    state: String,
}

/// Writes down that a stack is as its source says, as it is now.
pub(in crate::engine) async fn write(
    clients: &Clients,
    bucket: &str,
    deployed: &DeployedStack,
) -> Result<(), AwsError> {
    let Some(state) = mark::any_state(deployed) else {
        return Ok(());
    };
    // Texts are always JSON.
    let body = serde_json::to_vec(&Settled { state }).unwrap_or_default();
    object::write(clients, bucket, &About::Settled.key(deployed.name()), body).await
}

/// Returns whether a deploy found a stack, as it is now, to be as its source says. `context` is that of its region. Where that
/// cannot be read, nobody knows of it.
pub(in crate::engine) async fn is_settled(context: &Context, deployed: &DeployedStack) -> bool {
    let read = async {
        let bucket = bootstrap::existing(context).await.ok().flatten()?;
        let object = object::read(
            &context.clients,
            &bucket,
            &About::Settled.key(deployed.name()),
        )
        .await;
        let settled: Settled = serde_json::from_slice(&object.ok()?.bytes).ok()?;
        Some(Some(settled.state) == mark::any_state(deployed))
    };
    read.await.unwrap_or_default()
}
