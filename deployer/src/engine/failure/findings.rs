//! What CloudFormation finds before it begins, and tells only those who ask for it.

use std::fmt;

use aws_sdk_cloudformation::types::EventFilter;
use serde::Serialize;

use super::super::inspect::present;
use crate::aws::{AwsError, Clients, OrAws};

/// Something that CloudFormation found wrong beforehand.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// The logical id of the resource, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logical_id: Option<String>,
    /// The resource type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// What was checked, in the word of AWS: `NAME_CONFLICT_VALIDATION`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// Where in the template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Why, as AWS said it.
    pub reason: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.logical_id, &self.resource_type) {
            (Some(id), Some(resource_type)) => write!(f, "{id} ({resource_type}): ")?,
            (Some(id), None) => write!(f, "{id}: ")?,
            _ => {}
        }
        f.write_str(&self.reason)?;
        match &self.path {
            Some(path) => write!(f, " (at {path})"),
            None => Ok(()),
        }
    }
}

/// Returns whether a reason says that CloudFormation found something beforehand and does not say what.
pub(in crate::engine) fn says_early(reason: &str) -> bool {
    reason.contains("AWS::EarlyValidation::")
}

/// Asks what CloudFormation found about a change set, before that is gone.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeEvents.html>.
pub(in crate::engine) async fn findings(
    clients: &Clients,
    change_set_id: &str,
) -> Result<Vec<Finding>, AwsError> {
    let mut found = Vec::new();
    let mut next = None;
    loop {
        let page = clients
            .cloudformation
            .describe_events()
            .change_set_name(change_set_id)
            .filters(EventFilter::builder().failed_events(true).build())
            .set_next_token(next)
            .send()
            .await
            .or_aws(clients, "DescribeEvents")?;
        for event in page.operation_events.unwrap_or_default() {
            let reason = present(event.validation_status_reason)
                .or_else(|| present(event.hook_status_reason))
                .or_else(|| present(event.resource_status_reason));
            // The event of the operation itself repeats that there is something.
            let Some(reason) = reason.filter(|reason| !says_early(reason)) else {
                continue;
            };
            found.push(Finding {
                logical_id: present(event.logical_resource_id),
                resource_type: present(event.resource_type),
                check: present(event.validation_name).or_else(|| present(event.hook_type)),
                path: present(event.validation_path),
                reason,
            });
        }
        next = page.next_token;
        if next.is_none() {
            break;
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// Adds to the reason of a failed change set what CloudFormation found, where the reason only says that it found
/// something; whoever may not ask is told so.
pub(in crate::engine) async fn say(
    clients: &Clients,
    change_set_id: &str,
    reason: String,
) -> String {
    if !says_early(&reason) {
        return reason;
    }
    match findings(clients, change_set_id).await {
        Ok(findings) if findings.is_empty() => reason,
        Ok(findings) => {
            let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
            lines.join("; ")
        }
        Err(error) => format!("{reason} What it found cannot be read: {error}"),
    }
}
