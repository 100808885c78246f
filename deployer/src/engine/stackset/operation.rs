//! The operations of a stack set, followed to their end.

use std::collections::BTreeSet;

use aws_sdk_cloudformation::types::StackSetOperationStatus;
use serde::Serialize;

use super::{StackSetError, StackSetSettings};
use crate::aws::{AwsError, OrAws};
use crate::engine::{Context, Event, inspect::present};

/// An operation that has begun.
#[derive(Clone, Debug)]
pub(super) struct Running {
    stack_set: String,
    operation: String,
}

/// An operation that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StackSetOperation {
    /// The id.
    pub operation: String,
    /// `CREATE`, `UPDATE`, `DELETE` or `DETECT_DRIFT`.
    pub action: String,
    /// `SUCCEEDED`, `FAILED` or `STOPPED`.
    pub status: String,
    /// How it ended in every account and region that it came to.
    pub results: Vec<InstanceResult>,
}

/// How an operation ended in an account and region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct InstanceResult {
    /// The region.
    pub region: String,
    /// The account.
    pub account: String,
    /// `SUCCEEDED`, `FAILED` or `CANCELLED`.
    pub status: String,
    /// Why, where AWS says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Running {
    pub(super) fn of(
        stack_set: &str,
        operation: Option<String>,
        call: &'static str,
    ) -> Result<Self, StackSetError> {
        let operation = operation.ok_or_else(|| AwsError::incomplete(call, "operation id"))?;
        Ok(Self {
            stack_set: stack_set.to_owned(),
            operation,
        })
    }
}

/// Waits for the operations of a stack set that are running or queued, whoever began them; what becomes of them is told
/// and is no failure of this run. Returns whether there were any.
pub(super) async fn join(
    context: &Context,
    stack_set: &str,
    settings: &StackSetSettings,
) -> Result<bool, StackSetError> {
    // The newest stand first, and those that are not over are among them
    // (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackSetOperations.html>).
    let answer = context
        .clients
        .cloudformation
        .list_stack_set_operations()
        .stack_set_name(stack_set)
        .call_as(settings.call_as())
        .send()
        .await
        .or_aws(&context.clients, "ListStackSetOperations")?;
    let mut joined = false;
    for summary in answer.summaries.unwrap_or_default() {
        if summary.status.as_ref().is_some_and(is_over) {
            continue;
        }
        let Some(operation) = summary.operation_id else {
            continue;
        };
        joined = true;
        let running = Running {
            stack_set: stack_set.to_owned(),
            operation,
        };
        match follow(context, settings, running).await {
            Ok(_) | Err(StackSetError::Operation { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(joined)
}

/// Refuses to begin an operation once the run was told to stop.
pub(super) fn check_cancelled(context: &Context, stack_set: &str) -> Result<(), StackSetError> {
    if context.cancel.is_cancelled() {
        Err(StackSetError::Stopped(stack_set.to_owned()))
    } else {
        Ok(())
    }
}

fn is_over(status: &StackSetOperationStatus) -> bool {
    !matches!(
        status,
        StackSetOperationStatus::Running
            | StackSetOperationStatus::Queued
            | StackSetOperationStatus::Stopping
    )
}

/// Follows an operation to its end, and tells how it ends in every account and region as it does.
///
/// There is no limit: how long it takes is up to the number of accounts, and one that is queued waits for others
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ManagedExecution.html>). Whoever stops the run is told
/// which operation goes on.
pub(super) async fn follow(
    context: &Context,
    settings: &StackSetSettings,
    running: Running,
) -> Result<StackSetOperation, StackSetError> {
    const OPERATION: &str = "DescribeStackSetOperation";
    let mut told: BTreeSet<InstanceResult> = BTreeSet::new();
    let mut begun = false;
    for wait in context.pace.waits() {
        let answer = context
            .clients
            .cloudformation
            .describe_stack_set_operation()
            .stack_set_name(&running.stack_set)
            .operation_id(&running.operation)
            .call_as(settings.call_as())
            .send()
            .await
            .or_aws(&context.clients, OPERATION)?
            .stack_set_operation
            .ok_or_else(|| AwsError::incomplete(OPERATION, "operation"))?;
        let action = answer
            .action
            .as_ref()
            .map_or_else(String::new, |action| action.as_str().to_owned());
        if !begun {
            begun = true;
            context.emit(Event::StackSetOperating {
                stack_set: running.stack_set.clone(),
                action: action.clone(),
                operation: running.operation.clone(),
            });
        }
        // How the operation ended is asked before its results, so that none of them is missed.
        for result in results(context, settings, &running).await? {
            if told.insert(result.clone()) {
                context.emit(Event::StackSetInstance {
                    stack_set: running.stack_set.clone(),
                    result,
                });
            }
        }
        let status = answer
            .status
            .ok_or_else(|| AwsError::incomplete(OPERATION, "status"))?;
        if !is_over(&status) {
            tokio::select! {
                biased;
                () = context.cancel.cancelled() => {
                    return Err(StackSetError::Interrupted {
                        stack_set: running.stack_set,
                        operation: running.operation,
                    });
                }
                () = context.timing.sleep(wait) => {}
            }
            continue;
        }
        let operation = StackSetOperation {
            operation: running.operation,
            action,
            status: status.as_str().to_owned(),
            results: told.into_iter().collect(),
        };
        // Within what may fail, CloudFormation calls an operation a success.
        let failed = operation
            .results
            .iter()
            .any(|result| result.status == "FAILED");
        return if status == StackSetOperationStatus::Succeeded && !failed {
            Ok(operation)
        } else {
            Err(StackSetError::Operation {
                stack_set: running.stack_set,
                operation: Box::new(operation),
                reason: present(answer.status_reason),
            })
        };
    }
    Err(AwsError::incomplete(OPERATION, "end").into())
}

/// Lists how an operation has ended where it has
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackSetOperationResults.html>).
async fn results(
    context: &Context,
    settings: &StackSetSettings,
    running: &Running,
) -> Result<Vec<InstanceResult>, AwsError> {
    let mut results = Vec::new();
    let mut next = None;
    loop {
        let page = context
            .clients
            .cloudformation
            .list_stack_set_operation_results()
            .stack_set_name(&running.stack_set)
            .operation_id(&running.operation)
            .call_as(settings.call_as())
            .set_next_token(next)
            .send()
            .await
            .or_aws(&context.clients, "ListStackSetOperationResults")?;
        for summary in page.summaries.unwrap_or_default() {
            let status = summary.status.as_ref().map_or("", |status| status.as_str());
            if matches!(status, "SUCCEEDED" | "FAILED" | "CANCELLED") {
                results.push(InstanceResult {
                    region: summary.region.unwrap_or_default(),
                    account: summary.account.unwrap_or_default(),
                    status: status.to_owned(),
                    reason: present(summary.status_reason),
                });
            }
        }
        next = present(page.next_token);
        if next.is_none() {
            return Ok(results);
        }
    }
}
