//! What a state machine acts with, and where it says what it did.

use std::panic::Location;

use stack_model_cfn::stepfunctions::state_machine as cfn;

use super::{StateMachineProps, StateMachineType};
use crate::iam::{RoleProps, RoleRef};
use crate::logs::{LogGroupProps, LogGroupRef, Retention};
use crate::policy::Statement;
use crate::stack::Stack;

/// The role that the executions of a state machine act with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ExecutionRole {
    /// One of its own, `<Id>Role`, that is allowed exactly what the tasks do.
    #[default]
    Own,
    /// A role of the stack, that is granted what the tasks do. It must trust `states.amazonaws.com`.
    Granting(RoleRef),
    /// A role that is allowed what the tasks do in another way. It must trust `states.amazonaws.com`.
    AllowedElsewhere(RoleRef),
}

/// How much is recorded of executions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What ended an execution badly.
    Fatal,
    /// Every error.
    Error,
    /// Every event.
    All,
}

impl LogLevel {
    const fn name(self) -> &'static str {
        match self {
            Self::Off => "OFF",
            Self::Fatal => "FATAL",
            Self::Error => "ERROR",
            Self::All => "ALL",
        }
    }
}

/// What is recorded of executions, and where.
///
/// See <https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html>.
#[derive(Clone, Debug)]
pub struct Logging {
    /// How much is recorded.
    pub level: LogLevel,
    /// Whether inputs, outputs and results are recorded too: not by default, as they may hold what does not belong into
    /// logs.
    pub execution_data: bool,
    /// How long events are kept in the log group `<Id>Logs`.
    pub retention: Retention,
    /// A log group of the stack to record into, instead of `<Id>Logs`.
    pub log_group: Option<LogGroupRef>,
}

impl Logging {
    /// Records events of a level.
    #[must_use]
    pub fn of(level: LogLevel) -> Self {
        Self {
            level,
            execution_data: false,
            retention: Retention::default(),
            log_group: None,
        }
    }
}

/// Returns the props of a role that Step Functions takes on for state machines of the account, and for no other's; see
/// <https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html>.
pub(super) fn props() -> RoleProps {
    RoleProps::for_service_here("states.amazonaws.com")
}

/// What the role of a state machine that records must be allowed; see
/// <https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html#cloudwatch-iam-policy>.
pub(super) fn delivery() -> Statement {
    Statement::allow([
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
    ])
    .on_everything("the delivery of logs has no resources that these actions could name")
}

/// What the role of a state machine that is traced must be allowed; see
/// <https://docs.aws.amazon.com/step-functions/latest/dg/xray-iam.html>.
pub(super) fn tracing() -> Statement {
    Statement::allow([
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    ])
    .on_everything("X-Ray has no resources that these actions could name")
}

impl Stack<'_> {
    /// Adds the log group of a state machine that records, and returns what the state machine says of it.
    #[track_caller]
    pub(super) fn machine_logging(
        &mut self,
        logical_id: &str,
        props: &StateMachineProps,
        source: &Location<'_>,
    ) -> Option<cfn::LoggingConfiguration> {
        let express = props.kind == StateMachineType::Express;
        let logging = match &props.logging {
            None if express => Logging::of(LogLevel::Error),
            None => return None,
            Some(logging) => logging.clone(),
        };
        if logging.level == LogLevel::Off {
            if logging.execution_data || logging.log_group.is_some() {
                let message =
                    "the logging is off and says more: choose a level, or take the rest out";
                self.report(
                    logical_id,
                    Some("Properties.LoggingConfiguration"),
                    message,
                    source,
                );
            }
            return None;
        }
        let group = if let Some(group) = logging.log_group {
            group
        } else {
            // Groups below this prefix do not count against the size of the account's one resource policy.
            let name = format!("/aws/vendedlogs/states/{}-{logical_id}", self.name());
            self.log_group(
                &format!("{logical_id}Logs"),
                LogGroupProps {
                    name: Some(name.into()),
                    retention: logging.retention,
                    ..LogGroupProps::default()
                },
            )
        };
        Some(cfn::LoggingConfiguration {
            destinations: [cfn::LogDestination {
                cloud_watch_logs_log_group: cfn::CloudWatchLogsLogGroup {
                    log_group_arn: group.arn().into_text().into(),
                }
                .into(),
            }]
            .into(),
            include_execution_data: logging.execution_data.then_some(true).into(),
            level: logging.level.name().into(),
        })
    }
}
