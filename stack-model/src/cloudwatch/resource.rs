//! The metrics of resources, by their handles.

use stack_model_cfn::Value;

use super::{Metric, MissingData, Statistic};
use crate::apigateway::StageRef;
use crate::apigatewayv2::{HttpStageRef, WebSocketStageRef};
use crate::cloudfront::DistributionRef;
use crate::dynamodb::TableRef;
use crate::events::RuleRef;
use crate::handle::Handle;
use crate::lambda::FunctionRef;
use crate::pipes::PipeRef;
use crate::scheduler::ScheduleGroupRef;
use crate::sns::TopicRef;
use crate::sqs::QueueRef;
use crate::stack::Stack;
use crate::stepfunctions::StateMachineRef;

/// Makes an enum of the metrics of a resource, with the name and the statistic of each.
macro_rules! metrics {
    (
        $(#[$docs:meta])* $kind:ident of $namespace:literal
        { $($(#[$doc:meta])* $variant:ident = $name:literal $statistic:ident,)* }
    ) => {
        $(#[$docs])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $kind {
            $($(#[$doc])* $variant,)*
        }

        impl $kind {
            /// Returns the name that CloudWatch has for it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            fn metric(self) -> Metric {
                let statistic = match self {
                    $(Self::$variant => Statistic::$statistic,)*
                };
                // What did not happen is not measured.
                Metric::new($namespace, self.name())
                    .statistic(statistic)
                    .missing_is(MissingData::NotBreaching)
            }
        }
    };
}

metrics! {
    /// What Lambda measures of a function; see <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html>.
    FunctionMetric of "AWS/Lambda" {
        /// How often it was invoked.
        Invocations = "Invocations" Sum,
        /// How often it failed.
        Errors = "Errors" Sum,
        /// How often it was not invoked, as too many instances ran already.
        Throttles = "Throttles" Sum,
        /// How long it ran, in milliseconds.
        Duration = "Duration" Average,
        /// How many instances ran at once.
        ConcurrentExecutions = "ConcurrentExecutions" Maximum,
        /// How old the newest record of a batch was, in milliseconds.
        IteratorAge = "IteratorAge" Maximum,
        /// How many asynchronous invocations were given up.
        AsyncEventsDropped = "AsyncEventsDropped" Sum,
        /// How old an asynchronous invocation was when it was tried, in milliseconds.
        AsyncEventAge = "AsyncEventAge" Maximum,
        /// How many outcomes could not be sent to their destination.
        DestinationDeliveryFailures = "DestinationDeliveryFailures" Sum,
    }
}

metrics! {
    /// What SQS measures of a queue; see
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html>.
    QueueMetric of "AWS/SQS" {
        /// How many messages wait.
        Visible = "ApproximateNumberOfMessagesVisible" Maximum,
        /// How many messages are being worked on.
        NotVisible = "ApproximateNumberOfMessagesNotVisible" Maximum,
        /// How old the oldest message is, in seconds.
        OldestAge = "ApproximateAgeOfOldestMessage" Maximum,
        /// How many messages were sent.
        Sent = "NumberOfMessagesSent" Sum,
        /// How many messages were received.
        Received = "NumberOfMessagesReceived" Sum,
        /// How many messages were deleted.
        Deleted = "NumberOfMessagesDeleted" Sum,
    }
}

metrics! {
    /// What SNS measures of a topic; see <https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html>.
    TopicMetric of "AWS/SNS" {
        /// How many messages were published.
        Published = "NumberOfMessagesPublished" Sum,
        /// How many messages could not be delivered.
        Failed = "NumberOfNotificationsFailed" Sum,
        /// How many messages went to the dead letters of a subscription.
        RedrivenToDeadLetters = "NumberOfNotificationsRedrivenToDlq" Sum,
    }
}

metrics! {
    /// What DynamoDB measures of a table; see
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html>.
    TableMetric of "AWS/DynamoDB" {
        /// How many reads were refused, as they were too many.
        ReadThrottles = "ReadThrottleEvents" Sum,
        /// How many writes were refused, as they were too many.
        WriteThrottles = "WriteThrottleEvents" Sum,
        /// How many read units were used.
        ConsumedReads = "ConsumedReadCapacityUnits" Sum,
        /// How many write units were used.
        ConsumedWrites = "ConsumedWriteCapacityUnits" Sum,
        /// How many conditions of writes did not hold.
        FailedConditions = "ConditionalCheckFailedRequests" Sum,
        /// How many items were deleted as their time was up.
        Expired = "TimeToLiveDeletedItemCount" Sum,
    }
}

metrics! {
    /// What API Gateway measures of a stage of a REST API; see
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html>.
    RestStageMetric of "AWS/ApiGateway" {
        /// How many requests came.
        Count = "Count" SampleCount,
        /// How many requests were wrong; the average is their share.
        ClientErrors = "4XXError" Sum,
        /// How many answers failed; the average is their share.
        ServerErrors = "5XXError" Sum,
        /// How long a request took, in milliseconds.
        Latency = "Latency" Average,
        /// How long what is behind the API took, in milliseconds.
        IntegrationLatency = "IntegrationLatency" Average,
    }
}

metrics! {
    /// What Step Functions measures of a state machine; see
    /// <https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html>.
    StateMachineMetric of "AWS/States" {
        /// How many executions started.
        Started = "ExecutionsStarted" Sum,
        /// How many executions succeeded.
        Succeeded = "ExecutionsSucceeded" Sum,
        /// How many executions failed.
        Failed = "ExecutionsFailed" Sum,
        /// How many executions took too long.
        TimedOut = "ExecutionsTimedOut" Sum,
        /// How many executions were stopped.
        Aborted = "ExecutionsAborted" Sum,
        /// How many starts and steps had to wait.
        Throttled = "ExecutionThrottled" Sum,
        /// How long an execution took, in milliseconds.
        Time = "ExecutionTime" Average,
    }
}

metrics! {
    /// What EventBridge measures of a rule; see
    /// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html>.
    BusRuleMetric of "AWS/Events" {
        /// How many events matched.
        Triggered = "TriggeredRules" Sum,
        /// How often a target was invoked.
        Invocations = "Invocations" Sum,
        /// How often a target could not be invoked, for good.
        Failed = "FailedInvocations" Sum,
        /// How often the rule had to wait.
        Throttled = "ThrottledRules" Sum,
        /// How many events went to dead letters.
        SentToDeadLetters = "InvocationsSentToDlq" Sum,
        /// How many events could not even go to dead letters.
        FailedToDeadLetters = "InvocationsFailedToBeSentToDlq" Sum,
    }
}

metrics! {
    /// What EventBridge Scheduler measures of a group of schedules; see
    /// <https://docs.aws.amazon.com/scheduler/latest/UserGuide/monitoring-cloudwatch.html>.
    ScheduleMetric of "AWS/Scheduler" {
        /// How often a target was invoked.
        Attempts = "InvocationAttemptCount" Sum,
        /// How often a target answered with an error.
        TargetErrors = "TargetErrorCount" Sum,
        /// How many invocations were given up.
        Dropped = "InvocationDroppedCount" Sum,
        /// How many invocations had to wait.
        Throttled = "InvocationThrottleCount" Sum,
    }
}

metrics! {
    /// What EventBridge Pipes measures of a pipe; see
    /// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-monitoring.html>.
    PipeMetric of "AWS/EventBridge/Pipes" {
        /// How often it ran.
        Invocations = "Invocations" Sum,
        /// How often it failed.
        Failed = "ExecutionFailed" Sum,
        /// How often it failed for some records of a batch.
        PartiallyFailed = "ExecutionPartiallyFailed" Sum,
        /// How often it had to wait.
        Throttled = "ExecutionThrottled" Sum,
        /// How often it took too long.
        TimedOut = "ExecutionTimeout" Sum,
    }
}

metrics! {
    /// What API Gateway measures of a stage of an HTTP API; see
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html>.
    HttpStageMetric of "AWS/ApiGateway" {
        /// How many requests came.
        Count = "Count" SampleCount,
        /// How many requests were wrong; the average is their share.
        ClientErrors = "4xx" Sum,
        /// How many answers failed; the average is their share.
        ServerErrors = "5xx" Sum,
        /// How long a request took, in milliseconds.
        Latency = "Latency" Average,
        /// How long what is behind the API took, in milliseconds.
        IntegrationLatency = "IntegrationLatency" Average,
        /// How many bytes were answered and received.
        Data = "DataProcessed" Sum,
    }
}

metrics! {
    /// What API Gateway measures of a stage of a WebSocket API; see
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-logging.html>.
    WebSocketStageMetric of "AWS/ApiGateway" {
        /// How many connections were asked for.
        Connects = "ConnectCount" Sum,
        /// How many messages were sent, either way.
        Messages = "MessageCount" Sum,
        /// How many messages were refused before anything was asked.
        ClientErrors = "ClientError" Sum,
        /// How often what is behind the API could not be asked.
        ExecutionErrors = "ExecutionError" Sum,
        /// How often what is behind the API answered with an error, such as a refused connection.
        IntegrationErrors = "IntegrationError" Sum,
        /// How long what is behind the API took, in milliseconds.
        IntegrationLatency = "IntegrationLatency" Average,
    }
}

metrics! {
    /// What CloudFront measures of a distribution, in `us-east-1` alone; see
    /// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/programming-cloudwatch-metrics.html>.
    DistributionMetric of "AWS/CloudFront" {
        /// How many requests came.
        Requests = "Requests" Sum,
        /// How many bytes were answered.
        BytesDownloaded = "BytesDownloaded" Sum,
        /// How many bytes were sent to the origin.
        BytesUploaded = "BytesUploaded" Sum,
        /// How many percent of the requests were wrong.
        ClientErrorRate = "4xxErrorRate" Average,
        /// How many percent of the answers failed.
        ServerErrorRate = "5xxErrorRate" Average,
        /// How many percent were either.
        ErrorRate = "TotalErrorRate" Average,
    }
}

impl<F> FunctionRef<F> {
    /// Returns a metric of the function.
    pub fn metric(&self, metric: FunctionMetric) -> Metric {
        metric.metric().dimension("FunctionName", self.name())
    }
}

impl<M> QueueRef<M> {
    /// Returns a metric of the queue.
    pub fn metric(&self, metric: QueueMetric) -> Metric {
        metric.metric().dimension("QueueName", self.name())
    }
}

impl<M> TopicRef<M> {
    /// Returns a metric of the topic.
    pub fn metric(&self, metric: TopicMetric) -> Metric {
        metric.metric().dimension("TopicName", self.name())
    }
}

impl<T> TableRef<T> {
    /// Returns a metric of the table.
    pub fn metric(&self, metric: TableMetric) -> Metric {
        metric.metric().dimension("TableName", self.name())
    }

    /// Returns how many calls of one operation, such as `GetItem`, failed within DynamoDB.
    pub fn system_errors(&self, operation: &str) -> Metric {
        Metric::new("AWS/DynamoDB", "SystemErrors")
            .missing_is(MissingData::NotBreaching)
            .dimension("TableName", self.name())
            .dimension("Operation", operation)
    }
}

impl<I> StateMachineRef<I> {
    /// Returns a metric of the state machine.
    pub fn metric(&self, metric: StateMachineMetric) -> Metric {
        metric
            .metric()
            .dimension("StateMachineArn", self.arn().into_text())
    }
}

impl<D> RuleRef<D> {
    /// Returns a metric of the rule.
    pub fn metric(&self, metric: BusRuleMetric) -> Metric {
        let metric = metric.metric();
        // Rules of the bus that every account has are measured without its name.
        let metric = match self.bus_name() {
            Some(bus) => metric.dimension("EventBusName", bus),
            None => metric,
        };
        metric.dimension("RuleName", self.name())
    }
}

impl ScheduleGroupRef {
    /// Returns a metric of the group of schedules.
    pub fn metric(&self, metric: ScheduleMetric) -> Metric {
        metric.metric().dimension("ScheduleGroup", self.name())
    }
}

impl PipeRef {
    /// Returns a metric of the pipe.
    pub fn metric(&self, metric: PipeMetric) -> Metric {
        metric.metric().dimension("PipeName", self.name())
    }
}

impl HttpStageRef {
    /// Returns a metric of the stage.
    pub fn metric(&self, metric: HttpStageMetric) -> Metric {
        metric
            .metric()
            .dimension("ApiId", self.api().api_id())
            .dimension("Stage", self.name())
    }
}

impl WebSocketStageRef {
    /// Returns a metric of the stage.
    pub fn metric(&self, metric: WebSocketStageMetric) -> Metric {
        metric
            .metric()
            .dimension("ApiId", self.api().api_id())
            .dimension("Stage", self.name())
    }
}

impl DistributionRef {
    /// Returns a metric of the distribution. An alarm of it belongs to a stack in `us-east-1`, where CloudFront writes
    /// what it measures.
    pub fn metric(&self, metric: DistributionMetric) -> Metric {
        metric
            .metric()
            .dimension("DistributionId", self.distribution_id())
            .dimension("Region", "Global")
    }
}

impl Stack<'_> {
    /// Returns a metric of a stage of a REST API. It is the stack that knows the name of the API, under which the API is
    /// measured.
    pub fn rest_stage_metric(&self, stage: &StageRef, metric: RestStageMetric) -> Metric {
        let api = stage.api().resource_id();
        let metric = metric.metric();
        let Some(name) = self.property_of(api, "Name") else {
            let message = format!("`{}` is not an API of this app", api.logical_id());
            return metric.wrong(message);
        };
        metric
            .dimension("ApiName", name)
            .dimension("Stage", stage.name())
    }

    /// Returns a property of a resource of any stack of the app, as it was declared.
    fn property_of(
        &self,
        id: &stack_model_cfn::ResourceId,
        property: &str,
    ) -> Option<Value<String>> {
        use stack_model_cfn::Expr;

        let resource = self.resource_of(id)?;
        let Expr::Map(properties) = &resource.properties else {
            return None;
        };
        match properties.get(property)? {
            Expr::String(text) => Some(Value::Literal(text.clone())),
            Expr::Token(token) => Some(Value::Token(token.clone())),
            _ => None,
        }
    }
}
