//! What CloudFormation finds before it begins, and tells only those who ask for it.

use std::fmt;

use aws_sdk_cloudformation::types::{EventFilter, HookStatus, ValidationStatus};
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
    /// What AWS does about it, in its words: `FAIL` refuses the change set, `WARN` does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_mode: Option<String>,
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
        f.write_str(&self.text())
    }
}

impl Finding {
    /// Makes one of the reason for which a change set is refused as a whole.
    pub fn refusal(reason: &str) -> Self {
        Self {
            logical_id: None,
            resource_type: None,
            check: None,
            path: None,
            failure_mode: Some("FAIL".to_owned()),
            reason: reason.to_owned(),
        }
    }

    /// Returns whether it only warns.
    pub fn warns(&self) -> bool {
        self.failure_mode.as_deref() == Some("WARN")
    }

    /// Returns what was found and where, for whoever sees already which resource it is about.
    pub fn text(&self) -> String {
        match &self.path {
            Some(path) => format!("{} (at {path})", self.reason),
            None => self.reason.clone(),
        }
    }
}

/// Returns whether a reason says that CloudFormation found something beforehand and does not say what.
pub(in crate::engine) fn says_early(reason: &str) -> bool {
    reason.contains("AWS::EarlyValidation::") || reason.contains("The following hook(s)")
}

/// Asks what CloudFormation found about a change set, before that is gone. One that failed holds what made it fail; one that
/// can be executed may hold what AWS warns of: a bucket that is deleted and not empty, a quota that is used up.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/validate-stack-deployments.html> and
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeEvents.html>.
pub(in crate::engine) async fn findings(
    clients: &Clients,
    change_set_id: &str,
    failed: bool,
) -> Result<Vec<Finding>, AwsError> {
    // Only what failed fails a change set, and a warning need not be counted as such.
    let filters = failed.then(|| EventFilter::builder().failed_events(true).build());
    let mut found = Vec::new();
    let mut next = None;
    loop {
        let page = clients
            .cloudformation
            .describe_events()
            .change_set_name(change_set_id)
            .set_filters(filters.clone())
            .set_next_token(next)
            .send()
            .await
            .or_aws(clients, "DescribeEvents")?;
        for event in page.operation_events.unwrap_or_default() {
            let reason = present(event.validation_status_reason)
                .or_else(|| present(event.hook_status_reason))
                .or_else(|| present(event.resource_status_reason));
            let is_hook = matches!(
                event.hook_status,
                Some(HookStatus::HookCompleteFailed | HookStatus::HookFailed)
            );
            let is_found = event.validation_status == Some(ValidationStatus::Failed) || is_hook;
            if !failed && !is_found {
                continue;
            }
            // The event of the operation itself repeats that there is something.
            let Some(reason) = reason.filter(|reason| !says_early(reason)) else {
                continue;
            };
            found.push(Finding {
                logical_id: present(event.logical_resource_id),
                resource_type: present(event.resource_type),
                check: present(event.validation_name).or_else(|| present(event.hook_type)),
                path: present(event.validation_path),
                failure_mode: event
                    .validation_failure_mode
                    .or(event.hook_failure_mode)
                    .map(|mode| mode.as_str().to_owned()),
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

/// Returns the reason of a failed change set with what CloudFormation found, where the reason only says that it found
/// something; whoever may not ask is told so.
pub(in crate::engine) async fn say(
    clients: &Clients,
    change_set_id: &str,
    reason: String,
) -> (String, Vec<Finding>) {
    if !says_early(&reason) {
        return (reason, Vec::new());
    }
    match findings(clients, change_set_id, true).await {
        Ok(findings) if findings.is_empty() => (reason, findings),
        Ok(findings) => {
            let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
            (lines.join("; "), findings)
        }
        Err(error) => {
            let reason = format!("{reason} What it found cannot be read: {error}");
            (reason, Vec::new())
        }
    }
}
