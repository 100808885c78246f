//! Event source mappings: whether what a function reads from is being read.

use std::time::Duration;

use serde_json::Value;

use super::{Claim, Disproof, Look};
use crate::{
    aws::{AwsError, Clients, OrAws},
    engine::inspect::present,
};

pub(super) const TYPE: &str = "AWS::Lambda::EventSourceMapping";

/// How long a mapping may take until it reads.
const PATIENCE: Duration = Duration::from_mins(2);

/// A mapping that should be enabled.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub(super) logical_id: String,
    pub(super) uuid: String,
}

/// Returns whether a mapping is to read: its template may say that it does not, or leave it to a parameter.
pub(super) fn is_on(properties: &Value) -> bool {
    match properties.get("Enabled") {
        None => true,
        Some(enabled) => enabled == true || enabled == "true",
    }
}

/// Looks at a mapping.
///
/// Its states are those of <https://docs.aws.amazon.com/lambda/latest/api/API_GetEventSourceMapping.html>.
pub(super) async fn look(clients: &Clients, expected: &Expected) -> Result<Look, AwsError> {
    let answer = clients
        .lambda
        .get_event_source_mapping()
        .uuid(&expected.uuid)
        .send()
        .await
        .or_aws(clients, "GetEventSourceMapping")?;
    let state = present(answer.state);
    let disproof = |state: &str| {
        let reason = present(answer.state_transition_reason.clone())
            .map_or(String::new(), |reason| format!(": {reason}"));
        Disproof {
            subject: expected.logical_id.clone(),
            claim: Claim::TriggerEnabled,
            message: format!("event source mapping {} is {state}{reason}", expected.uuid),
        }
    };
    Ok(match state.as_deref() {
        Some("Enabled") | None => Look::Good,
        Some(state @ ("Creating" | "Enabling" | "Updating")) => {
            Look::NotYet(disproof(state), PATIENCE)
        }
        Some(state) => Look::Bad(disproof(state)),
    })
}
