//! What a caller may do with a state machine.

use super::StateMachineRef;
use crate::kms::KeyOperation;
use crate::policy::{Statement, allow_on};
use crate::text;

/// What a caller may do with a state machine, its executions, or the tasks that wait for an answer.
///
/// See <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsstepfunctions.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StateMachineOperation {
    /// Starts executions and does not wait for them.
    Start,
    /// Starts executions of an express state machine and waits for their results.
    StartSync,
    /// Reads what the state machine is.
    Describe,
    /// Lists the executions.
    ListExecutions,
    /// Reads the state, input and output of an execution.
    DescribeExecution,
    /// Reads the events of an execution.
    GetHistory,
    /// Ends an execution.
    StopExecution,
    /// Starts a failed execution again where it failed.
    RedriveExecution,
    /// Answers a task that waits for its token.
    SendTaskSuccess,
    /// Fails a task that waits for its token.
    SendTaskFailure,
    /// Says that the work behind a token goes on.
    SendTaskHeartbeat,
}

/// What the action of an operation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    StateMachine,
    Executions,
    Tokens,
}

/// Why the actions of tokens name no resource.
pub(super) const TOKENS: &str =
    "a task token says nothing of its state machine that IAM could compare";

impl StateMachineOperation {
    /// Returns the IAM action.
    pub const fn action(self) -> &'static str {
        match self {
            Self::Start => "states:StartExecution",
            Self::StartSync => "states:StartSyncExecution",
            Self::Describe => "states:DescribeStateMachine",
            Self::ListExecutions => "states:ListExecutions",
            Self::DescribeExecution => "states:DescribeExecution",
            Self::GetHistory => "states:GetExecutionHistory",
            Self::StopExecution => "states:StopExecution",
            Self::RedriveExecution => "states:RedriveExecution",
            Self::SendTaskSuccess => "states:SendTaskSuccess",
            Self::SendTaskFailure => "states:SendTaskFailure",
            Self::SendTaskHeartbeat => "states:SendTaskHeartbeat",
        }
    }

    const fn scope(self) -> Scope {
        match self {
            Self::Start | Self::StartSync | Self::Describe | Self::ListExecutions => {
                Scope::StateMachine
            }
            Self::DescribeExecution
            | Self::GetHistory
            | Self::StopExecution
            | Self::RedriveExecution => Scope::Executions,
            Self::SendTaskSuccess | Self::SendTaskFailure | Self::SendTaskHeartbeat => {
                Scope::Tokens
            }
        }
    }

    /// Returns what the caller must be allowed to do with the state machine's key; see
    /// <https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html>.
    const fn key_operations(self) -> &'static [KeyOperation] {
        match self {
            Self::Start
            | Self::StartSync
            | Self::StopExecution
            | Self::RedriveExecution
            | Self::SendTaskSuccess
            | Self::SendTaskFailure => &[KeyOperation::Decrypt, KeyOperation::GenerateDataKey],
            Self::Describe | Self::DescribeExecution | Self::GetHistory => &[KeyOperation::Decrypt],
            Self::ListExecutions | Self::SendTaskHeartbeat => &[],
        }
    }
}

impl<I> StateMachineRef<I> {
    /// Returns what a role must allow for the given operations: exactly their actions on this state machine or its
    /// executions, and on its key where it has one of the customer's own.
    pub fn statements(&self, operations: &[StateMachineOperation]) -> Vec<Statement> {
        let of = |scope: Scope| {
            operations
                .iter()
                .filter(move |operation| operation.scope() == scope)
                .map(|operation| operation.action())
        };
        let executions = text!("{}:*", self.execution_arn_prefix());
        let key_operations = operations
            .iter()
            .flat_map(|operation| operation.key_operations().iter().copied());
        let key = self.key.as_ref();
        [
            allow_on(of(Scope::StateMachine), self.arn()),
            allow_on(of(Scope::Executions), executions).map(|statement| {
                statement.because("an execution gets its name when it is started")
            }),
            allow_on(of(Scope::Tokens), "*").map(|statement| statement.because(TOKENS)),
            key.and_then(|key| key.through("states", key_operations)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
