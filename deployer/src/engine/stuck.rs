//! What holds a stack up: the resources that failed, and the error that names the way on.

use super::{
    Context, DeployedStack, StackError,
    inspect::{present, says_absent},
    status::Way,
};
use crate::aws::{AwsError, Clients, OrAws, texts};

/// A resource that holds a stack up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FailedResource {
    pub(super) logical_id: String,
    resource_type: String,
    reason: String,
}

impl FailedResource {
    /// Stands for any in the documentation.
    #[cfg(test)]
    pub(super) fn sample() -> Self {
        Self {
            logical_id: "LOGICAL_ID".to_owned(),
            resource_type: String::new(),
            reason: String::new(),
        }
    }

    /// Says which it is and why it failed.
    pub(super) fn text(&self) -> String {
        format!(
            "{} ({}): {}",
            self.logical_id, self.resource_type, self.reason
        )
    }
}

/// Makes the error of a stack that does not go on by itself, with the resources that hold it up.
pub(super) async fn error(
    context: &Context,
    stack: &str,
    deployed: DeployedStack,
    way: Way,
) -> StackError {
    let (failed, hints) = hints(context, stack, &deployed.id, way).await;
    StackError::Stuck {
        stack: stack.to_owned(),
        status: deployed.status,
        reason: deployed.reason,
        failed: failed.iter().map(FailedResource::text).collect(),
        hints,
    }
}

/// Returns what holds a stack up, and the hints of a way.
pub(super) async fn hints(
    context: &Context,
    stack: &str,
    stack_id: &str,
    way: Way,
) -> (Vec<FailedResource>, Vec<String>) {
    let Some(status) = way.failed_status() else {
        return (Vec::new(), way.hints(stack, &[]));
    };
    match resources(&context.clients, stack_id, status).await {
        Ok(failed) => {
            let hints = way.hints(stack, &failed);
            (failed, hints)
        }
        Err(error) => {
            // The stack is stuck whether or not its resources may be listed.
            let mut hints = way.hints(stack, &[]);
            hints.push(format!("which resources failed is not known: {error}"));
            (Vec::new(), hints)
        }
    }
}

/// Lists the resources of a stack that failed for a reason of their own; none, where there is no such stack.
///
/// What was only cancelled because of others is no candidate: CloudFormation refuses to skip it
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ContinueUpdateRollback.html>).
pub(super) async fn resources(
    clients: &Clients,
    stack_id: &str,
    status: &str,
) -> Result<Vec<FailedResource>, AwsError> {
    let mut failed = Vec::new();
    let mut next = None;
    loop {
        let page = clients
            .cloudformation
            .list_stack_resources()
            .stack_name(stack_id)
            .set_next_token(next)
            .send()
            .await
            .or_aws(clients, "ListStackResources");
        let page = match page {
            Err(error) if says_absent(&error) => return Ok(failed),
            page => page?,
        };
        for summary in page.stack_resource_summaries.unwrap_or_default() {
            let is_failed = summary
                .resource_status
                .is_some_and(|found| found.as_str() == status);
            let reason = present(summary.resource_status_reason)
                .unwrap_or_else(|| "AWS gives no reason".to_owned());
            if let (true, false, Some(logical_id)) = (
                is_failed,
                texts::says_cancelled(&reason),
                summary.logical_resource_id,
            ) {
                failed.push(FailedResource {
                    logical_id,
                    resource_type: summary.resource_type.unwrap_or_default(),
                    reason,
                });
            }
        }
        next = page.next_token;
        if next.is_none() {
            return Ok(failed);
        }
    }
}
