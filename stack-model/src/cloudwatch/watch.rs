//! The alarms that a resource in production should have.

use std::panic::Location;

use super::{
    AlarmAction, AlarmProps, AlarmRef, BusRuleMetric, DistributionMetric, FunctionMetric,
    HttpStageMetric, Metric, MetricMath, PipeMetric, QueueMetric, RestStageMetric, ScheduleMetric,
    StateMachineMetric, Statistic, TableMetric, Threshold, WebSocketStageMetric,
};
use crate::apigateway::StageRef;
use crate::apigatewayv2::{HttpStageRef, WebSocketStageRef};
use crate::cloudfront::DistributionRef;
use crate::dynamodb::TableRef;
use crate::events::RuleRef;
use crate::handle::Handle;
use crate::lambda::FunctionRef;
use crate::pipes::PipeRef;
use crate::scheduler::ScheduleGroupRef;
use crate::sqs::{DeadLetterQueue, QueueRef};
use crate::stack::Stack;
use crate::stepfunctions::StateMachineRef;

/// A resource that has alarms which fit it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no alarms of its own",
    label = "add one of a metric with `stack.alarm(..)`"
)]
pub trait Watched {
    /// Returns the logical id of the resource, with which those of its alarms begin.
    fn logical_id(&self) -> &str;

    /// Returns the alarms.
    fn alarms(&self, stack: &Stack<'_>) -> Vec<DefaultAlarm>;
}

/// An alarm that fits a resource.
#[derive(Clone, Debug)]
pub struct DefaultAlarm {
    name: &'static str,
    threshold: Threshold,
    description: String,
    periods: u32,
}

impl DefaultAlarm {
    /// Makes an alarm with a name, which becomes part of its logical id.
    pub fn new(name: &'static str, threshold: Threshold, description: impl Into<String>) -> Self {
        Self {
            name,
            threshold,
            description: description.into(),
            periods: 1,
        }
    }

    /// Lets the alarm go off only after so many periods one after the other.
    #[must_use]
    pub fn after(mut self, periods: u32) -> Self {
        self.periods = periods;
        self
    }
}

impl Stack<'_> {
    /// Adds the alarms that a resource in production should have, `<Id><Name>Alarm`, and tells the same of all.
    ///
    /// | resource | alarms |
    /// |---|---|
    /// | function | `Errors`: one failed; `Throttles`: one was refused; `Duration`: the slowest percent took 90 % of the timeout for a quarter of an hour |
    /// | queue | `Age`: a message waits for a quarter of an hour |
    /// | [`DeadLetterQueue`] | `NotEmpty`: a message is in it |
    /// | table | `Throttles`: ten calls were refused; `SystemErrors`: one failed within DynamoDB |
    /// | stage of a REST or HTTP API | `Errors`: one percent of the answers failed; `Latency`: the slowest percent took five seconds for a quarter of an hour |
    /// | stage of a WebSocket API | `ExecutionErrors`: what is behind it could not be asked; `IntegrationErrors`: it answered ten times with an error |
    /// | distribution | `Errors`: one percent of the answers failed, for a quarter of an hour; in `us-east-1` alone |
    /// | state machine | `Failed`, `TimedOut`: an execution did |
    /// | rule | `Failed`: a target could not be invoked |
    /// | group of schedules | `Dropped`: an invocation was given up |
    /// | pipe | `Failed`: a run did |
    ///
    /// Counts are those of five minutes.
    #[track_caller]
    pub fn watch(&mut self, resource: &impl Watched, actions: &[AlarmAction]) -> Vec<AlarmRef> {
        let source = Location::caller();
        let mut alarms = Vec::new();
        for alarm in resource.alarms(self) {
            let id = format!("{}{}Alarm", resource.logical_id(), alarm.name);
            let props = AlarmProps {
                description: Some(alarm.description),
                periods: Some(alarm.periods.into()),
                actions: actions.to_vec(),
                ..AlarmProps::default()
            };
            alarms.push(self.alarm_from(&id, alarm.threshold, props, source));
        }
        alarms
    }
}

impl<F> Watched for FunctionRef<F> {
    fn logical_id(&self) -> &str {
        self.resource_id().logical_id()
    }

    fn alarms(&self, _stack: &Stack<'_>) -> Vec<DefaultAlarm> {
        // Milliseconds, nine tenths.
        let near_timeout = self.timeout() * 900;
        let slow = self
            .metric(FunctionMetric::Duration)
            .statistic(Statistic::Percentile(99.0));
        vec![
            DefaultAlarm::new(
                "Errors",
                self.metric(FunctionMetric::Errors).at_least(1),
                "The function failed: look at its log",
            ),
            DefaultAlarm::new(
                "Throttles",
                self.metric(FunctionMetric::Throttles).at_least(1),
                "The function was refused instances: look at the concurrency of the function and the account",
            ),
            DefaultAlarm::new(
                "Duration",
                slow.at_least(near_timeout),
                format!("The function nears its timeout of {} s", self.timeout()),
            )
            .after(3),
        ]
    }
}

impl<M> Watched for QueueRef<M> {
    fn logical_id(&self) -> &str {
        self.resource_id().logical_id()
    }

    fn alarms(&self, _stack: &Stack<'_>) -> Vec<DefaultAlarm> {
        vec![DefaultAlarm::new(
            "Age",
            self.metric(QueueMetric::OldestAge).at_least(900),
            "A message has waited for a quarter of an hour: look at who reads the queue",
        )]
    }
}

impl Watched for DeadLetterQueue {
    fn logical_id(&self) -> &str {
        self.queue().resource_id().logical_id()
    }

    fn alarms(&self, _stack: &Stack<'_>) -> Vec<DefaultAlarm> {
        let waiting = self.queue().metric(QueueMetric::Visible).every(60);
        vec![DefaultAlarm::new(
            "NotEmpty",
            waiting.at_least(1),
            "A message could not be worked on: look at it, mend the cause, and redrive the queue",
        )]
    }
}

/// The operations that fail within DynamoDB are counted one by one; an alarm takes ten metrics.
const TABLE_OPERATIONS: [(&str, &str); 10] = [
    ("get", "GetItem"),
    ("put", "PutItem"),
    ("update", "UpdateItem"),
    ("delete", "DeleteItem"),
    ("query", "Query"),
    ("scan", "Scan"),
    ("batch_get", "BatchGetItem"),
    ("batch_write", "BatchWriteItem"),
    ("transact_get", "TransactGetItems"),
    ("transact_write", "TransactWriteItems"),
];

impl<T> Watched for TableRef<T> {
    fn logical_id(&self) -> &str {
        self.resource_id().logical_id()
    }

    fn alarms(&self, _stack: &Stack<'_>) -> Vec<DefaultAlarm> {
        // A metric that nothing was measured of is missing, and would make the sum missing, too.
        let throttles = MetricMath::new(
            "FILL(reads, 0) + FILL(writes, 0)",
            [
                ("reads", self.metric(TableMetric::ReadThrottles)),
                ("writes", self.metric(TableMetric::WriteThrottles)),
            ],
        );
        let errors = MetricMath::new(
            "SUM(METRICS())",
            TABLE_OPERATIONS.map(|(name, operation)| (name, self.system_errors(operation))),
        );
        vec![
            DefaultAlarm::new(
                "Throttles",
                throttles.at_least(10),
                "Reads or writes of the table were refused: look for a hot partition, or raise the capacity",
            ),
            DefaultAlarm::new(
                "SystemErrors",
                errors.at_least(1),
                "Calls of the table failed within DynamoDB",
            ),
        ]
    }
}

impl Watched for StageRef {
    fn logical_id(&self) -> &str {
        self.resource_id().logical_id()
    }

    fn alarms(&self, stack: &Stack<'_>) -> Vec<DefaultAlarm> {
        of_answers(
            stack.rest_stage_metric(self, RestStageMetric::ServerErrors),
            stack.rest_stage_metric(self, RestStageMetric::Latency),
        )
    }
}

/// The alarms of a stage that answers requests.
fn of_answers(errors: Metric, latency: Metric) -> Vec<DefaultAlarm> {
    let share = errors.statistic(Statistic::Average);
    let slow = latency.statistic(Statistic::Percentile(99.0));
    vec![
        DefaultAlarm::new(
            "Errors",
            share.at_least(0.01),
            "One percent of the answers of the API failed: look at the functions behind it",
        ),
        DefaultAlarm::new(
            "Latency",
            slow.at_least(5000),
            "The slowest percent of the answers of the API took five seconds",
        )
        .after(3),
    ]
}

impl Watched for HttpStageRef {
    fn logical_id(&self) -> &str {
        self.resource_id().logical_id()
    }

    fn alarms(&self, _stack: &Stack<'_>) -> Vec<DefaultAlarm> {
        of_answers(
            self.metric(HttpStageMetric::ServerErrors),
            self.metric(HttpStageMetric::Latency),
        )
    }
}

impl Watched for WebSocketStageRef {
    fn logical_id(&self) -> &str {
        self.resource_id().logical_id()
    }

    fn alarms(&self, _stack: &Stack<'_>) -> Vec<DefaultAlarm> {
        vec![
            DefaultAlarm::new(
                "ExecutionErrors",
                self.metric(WebSocketStageMetric::ExecutionErrors)
                    .at_least(1),
                "What is behind the API could not be asked: look at its permissions and limits",
            ),
            // A function that refuses a connection answers with an error, so one is no alarm.
            DefaultAlarm::new(
                "IntegrationErrors",
                self.metric(WebSocketStageMetric::IntegrationErrors)
                    .at_least(10),
                "What is behind the API answered with errors: look at the functions behind it",
            ),
        ]
    }
}

impl Watched for DistributionRef {
    fn logical_id(&self) -> &str {
        self.resource_id().logical_id()
    }

    fn alarms(&self, _stack: &Stack<'_>) -> Vec<DefaultAlarm> {
        vec![
            DefaultAlarm::new(
                "Errors",
                self.metric(DistributionMetric::ServerErrorRate).at_least(1),
                "One percent of the answers of the distribution failed: look at its origins",
            )
            .after(3),
        ]
    }
}

impl<I> Watched for StateMachineRef<I> {
    fn logical_id(&self) -> &str {
        self.resource_id().logical_id()
    }

    fn alarms(&self, _stack: &Stack<'_>) -> Vec<DefaultAlarm> {
        vec![
            DefaultAlarm::new(
                "Failed",
                self.metric(StateMachineMetric::Failed).at_least(1),
                "An execution failed: look at its history",
            ),
            DefaultAlarm::new(
                "TimedOut",
                self.metric(StateMachineMetric::TimedOut).at_least(1),
                "An execution took too long: look at its history",
            ),
        ]
    }
}

impl<D> Watched for RuleRef<D> {
    fn logical_id(&self) -> &str {
        self.resource_id().logical_id()
    }

    fn alarms(&self, _stack: &Stack<'_>) -> Vec<DefaultAlarm> {
        vec![DefaultAlarm::new(
            "Failed",
            self.metric(BusRuleMetric::Failed).at_least(1),
            "A target of the rule could not be invoked: look at its policy and its dead letters",
        )]
    }
}

impl Watched for ScheduleGroupRef {
    fn logical_id(&self) -> &str {
        self.resource_id().logical_id()
    }

    fn alarms(&self, _stack: &Stack<'_>) -> Vec<DefaultAlarm> {
        vec![DefaultAlarm::new(
            "Dropped",
            self.metric(ScheduleMetric::Dropped).at_least(1),
            "An invocation of a schedule was given up: look at its target and its dead letters",
        )]
    }
}

impl Watched for PipeRef {
    fn logical_id(&self) -> &str {
        self.resource_id().logical_id()
    }

    fn alarms(&self, _stack: &Stack<'_>) -> Vec<DefaultAlarm> {
        vec![DefaultAlarm::new(
            "Failed",
            self.metric(PipeMetric::Failed).at_least(1),
            "The pipe failed: look at its target and its role",
        )]
    }
}
