//! Tasks that start executions, answer other tasks, and call any service.

use stack_model_cfn::Value;

use super::{HandsTokenOn, Task, integration};
use crate::payload;
use crate::policy::Statement;
use crate::stepfunctions::flow::Own;
use crate::stepfunctions::grant::TOKENS;
use crate::stepfunctions::{Expression, Payload, StateMachineOperation, StateMachineRef, context};
use crate::text;
use stack_model_cfn::Pseudo;

/// Starting an execution of another state machine.
#[derive(Debug)]
pub enum Execution {}

/// Calling any action of any service, through its SDK.
#[derive(Debug)]
pub enum Sdk {}

/// Waiting for a worker that asks for work.
#[derive(Debug)]
pub enum Activity {}

impl HandsTokenOn for Execution {}
impl HandsTokenOn for Sdk {}

impl Task<Execution> {
    /// Starts an execution of another state machine and goes on at once.
    ///
    /// See <https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html>.
    pub fn start_execution<I>(machine: &StateMachineRef<I>, input: impl Into<Payload>) -> Self {
        let parameters = payload!({
            "Input": input.into(),
            "StateMachineArn": machine.arn(),
        });
        Self::calling(
            integration("states", "startExecution"),
            Some(parameters),
            machine.statements(&[StateMachineOperation::Start]),
        )
    }

    /// Starts an execution of another state machine and waits until it ends; its output is in `Output`, as JSON.
    ///
    /// Step Functions hears of the end through a rule of its own, which the role may then make.
    pub fn run_execution<I>(machine: &StateMachineRef<I>, input: impl Into<Payload>) -> Self {
        let mut task = Self::start_execution(machine, input);
        task.suffix(".sync:2");
        task.state.statements = machine.statements(&[
            StateMachineOperation::Start,
            StateMachineOperation::DescribeExecution,
            StateMachineOperation::StopExecution,
        ]);
        task.state.statements.push(
            Statement::allow(["events:PutTargets", "events:PutRule", "events:DescribeRule"]).on(
                text!(
                    "arn:{}:events:{}:{}:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule",
                    Pseudo::Partition,
                    Pseudo::Region,
                    Pseudo::AccountId
                ),
            ),
        );
        task
    }
}

/// In which state an execution is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecutionStatus {
    /// It goes on.
    Running,
    /// It ended well.
    Succeeded,
    /// It failed.
    Failed,
    /// It took too long.
    TimedOut,
    /// It was ended from outside.
    Aborted,
    /// It failed and will go on again.
    PendingRedrive,
}

impl ExecutionStatus {
    /// Returns the word that Step Functions uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::TimedOut => "TIMED_OUT",
            Self::Aborted => "ABORTED",
            Self::PendingRedrive => "PENDING_REDRIVE",
        }
    }
}

impl Task<Sdk> {
    /// Calls an action of a service, both named as the SDK for Java names them: `dynamodb`, `describeTable`.
    ///
    /// Nothing is known of what the call needs, so the statements are given. See
    /// <https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html>.
    pub fn aws_sdk(
        service: &str,
        action: &str,
        parameters: impl Into<Payload>,
        statements: impl IntoIterator<Item = Statement>,
    ) -> Self {
        let mut task = Self::calling(
            integration(&format!("aws-sdk:{service}"), action),
            Some(parameters.into()),
            statements,
        );
        if !action.starts_with(|first: char| first.is_ascii_lowercase()) {
            task.state.wrong.push(format!(
                "calls `{action}`: the action begins with a small letter here"
            ));
        }
        task
    }

    /// Answers a task that waits for its token. The output is JSON text in the call: a plain payload is written as such,
    /// and one that is computed is made with [`json_to_string`](crate::stepfunctions::intrinsic::json_to_string).
    pub fn send_task_success(token: impl Into<Expression>, output: impl Into<Payload>) -> Self {
        let (output, wrong) = match output.into() {
            plain @ (Payload::Object(_) | Payload::List(_)) => match plain.json() {
                Some(json) => (json.to_string().into(), None),
                None => (
                    plain,
                    Some("answers with an output in which some values are computed: make it in a state before, and hand it on with `intrinsic::json_to_string`".to_owned()),
                ),
            },
            other => (other, None),
        };
        let mut task = Self::token_call(
            "sendTaskSuccess",
            StateMachineOperation::SendTaskSuccess,
            payload!({ "Output": output, "TaskToken": token.into() }),
        );
        task.state.wrong.extend(wrong);
        task
    }

    /// Fails a task that waits for its token.
    pub fn send_task_failure(
        token: impl Into<Expression>,
        error: impl Into<Payload>,
        cause: impl Into<Payload>,
    ) -> Self {
        Self::token_call(
            "sendTaskFailure",
            StateMachineOperation::SendTaskFailure,
            payload!({ "Cause": cause.into(), "Error": error.into(), "TaskToken": token.into() }),
        )
    }

    /// Says that the work behind a token goes on.
    pub fn send_task_heartbeat(token: impl Into<Expression>) -> Self {
        Self::token_call(
            "sendTaskHeartbeat",
            StateMachineOperation::SendTaskHeartbeat,
            payload!({ "TaskToken": token.into() }),
        )
    }

    fn token_call(action: &str, operation: StateMachineOperation, call: Payload) -> Self {
        let statement = Statement::allow([operation.action()]).on_everything(TOKENS);
        Self::aws_sdk("sfn", action, call, [statement])
    }

    /// Lists the executions of the state machine itself that are in a state, at most so many, in `Executions`.
    ///
    /// It reads its own ARN from the context object, so that nothing refers to itself.
    pub fn list_own_executions(status: ExecutionStatus, at_most: u32) -> Self {
        let call = payload!({
            "MaxResults": at_most,
            "StateMachineArn": context::STATE_MACHINE_ID,
            "StatusFilter": status.name(),
        });
        let action = StateMachineOperation::ListExecutions.action();
        Self::aws_sdk("sfn", "listExecutions", call, [])
            .owning(Own::StateMachine, Statement::allow([action]))
    }
}

impl Task<Activity> {
    /// Waits until a worker has done the work that it gets from an activity.
    ///
    /// See <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-activities.html>.
    pub fn activity(arn: impl Into<Value<String>>) -> Self {
        let mut task = Self::calling("", None, []);
        task.state.set("Resource", arn.into());
        task
    }
}
