//! What is made of log events while they arrive: metrics, and events for somebody else.

use std::panic::Location;

use stack_model_cfn::logs as cfn;
use stack_model_cfn::{Pseudo, Value};

use super::LogGroupRef;
use crate::cloudwatch::Metric;
use crate::contract::{Accepts, event};
use crate::events::ArnTarget;
use crate::handle::ResourceRef;
use crate::iam::RoleProps;
use crate::lambda::{FunctionRef, permission};
use crate::policy::{Principal, Statement};
use crate::resource::Resource;
use crate::stack::Stack;
use crate::text;

/// The most characters of a filter pattern; see
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutMetricFilter.html>.
const MAX_PATTERN: usize = 1024;

/// What a metric filter is made of.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-metricfilter.html>.
#[derive(Clone, Debug)]
pub struct MetricFilterProps {
    /// Which events count, such as `{ $.level = "ERROR" }` or `?ERROR ?panicked`. See
    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html>.
    pub pattern: String,
    /// The namespace of the metric, which does not begin with `AWS/`.
    pub namespace: String,
    /// The name of the metric.
    pub name: String,
    /// What each event adds: a number, or a field such as `$.duration`; 1 by default.
    pub value: String,
}

impl MetricFilterProps {
    /// Counts events.
    pub fn count(
        pattern: impl Into<String>,
        namespace: impl Into<String>,
        name: impl Into<String>,
    ) -> Self {
        Self {
            pattern: pattern.into(),
            namespace: namespace.into(),
            name: name.into(),
            value: "1".to_owned(),
        }
    }
}

/// Who gets the events of a log group as they arrive.
#[derive(Clone, Debug)]
pub struct LogDestination {
    arn: Value<String>,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Function,
    /// What a role must allow.
    Stream(Vec<Statement>),
}

impl<F: Accepts<event::Invocation<serde_json::Value>>> From<&FunctionRef<F>> for LogDestination {
    /// Invokes a function with JSON that holds the events, compressed.
    fn from(function: &FunctionRef<F>) -> Self {
        Self {
            arn: function.arn().into_text(),
            kind: Kind::Function,
        }
    }
}

impl From<&ArnTarget> for LogDestination {
    /// Writes to a Kinesis stream or to Firehose.
    fn from(target: &ArnTarget) -> Self {
        let destination = target.destination();
        Self {
            arn: destination.arn,
            kind: Kind::Stream(destination.statements),
        }
    }
}

impl Stack<'_> {
    /// Makes a metric of the events of a log group; alarms and dashboards take what is returned.
    ///
    /// ```
    /// use stack_model::cloudwatch::AlarmProps;
    /// use stack_model::logs::{LogGroupProps, MetricFilterProps};
    /// # use stack_model::{App, Stage};
    /// # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
    /// # let mut app = App::new(Stage::new(request));
    /// # let mut stack = app.stack("orders");
    ///
    /// let audit = stack.log_group("Audit", LogGroupProps::default());
    /// let refused = MetricFilterProps::count(r#"{ $.outcome = "refused" }"#, "Orders", "Refused");
    /// let refused = stack.metric_filter("RefusedOrders", &audit, refused);
    /// stack.alarm("ManyRefused", refused.above(10), AlarmProps::default());
    /// # app.synth().unwrap();
    /// ```
    #[track_caller]
    pub fn metric_filter(
        &mut self,
        logical_id: &str,
        log_group: &LogGroupRef,
        props: MetricFilterProps,
    ) -> Metric {
        let source = Location::caller();
        self.check_pattern(logical_id, &props.pattern, source);
        let path = "Properties.MetricTransformations";
        if props.namespace.starts_with("AWS/") {
            let message = format!(
                "the namespace `{}` belongs to AWS: choose one of the application",
                props.namespace
            );
            self.report(logical_id, Some(path), message, source);
        }
        let field = props.value.starts_with('$');
        if !field && props.value.parse::<f64>().is_err() {
            let message = format!(
                "`{}` is neither a number nor a field such as `$.duration`",
                props.value
            );
            self.report(logical_id, Some(path), message, source);
        }
        let metric = Metric::new(props.namespace.as_str(), props.name.as_str()).sparse();
        let filter = cfn::MetricFilter {
            filter_pattern: props.pattern.into(),
            log_group_name: log_group.name().into(),
            metric_transformations: [cfn::metric_filter::MetricTransformation {
                metric_name: props.name.into(),
                metric_namespace: props.namespace.into(),
                metric_value: props.value.into(),
                ..cfn::metric_filter::MetricTransformation::default()
            }]
            .into(),
            ..cfn::MetricFilter::default()
        };
        self.insert(logical_id, Resource::of(&filter, source));
        metric
    }

    /// Sends the events of a log group that match a pattern, or all where it is empty, to a function or a stream as they
    /// arrive. A log group has at most two of these.
    ///
    /// A function gets a permission `<Id>Permission`; a stream is written with a role `<Id>Role`.
    #[track_caller]
    pub fn log_subscription(
        &mut self,
        logical_id: &str,
        log_group: &LogGroupRef,
        pattern: impl Into<String>,
        destination: impl Into<LogDestination>,
    ) -> ResourceRef {
        let source = Location::caller();
        let (pattern, destination) = (pattern.into(), destination.into());
        self.check_pattern(logical_id, &pattern, source);
        let mut filter = cfn::SubscriptionFilter {
            destination_arn: destination.arn.clone().into(),
            filter_pattern: pattern.into(),
            log_group_name: log_group.name().into(),
            ..cfn::SubscriptionFilter::default()
        };
        let permission = match destination.kind {
            Kind::Function => {
                let id = format!("{logical_id}Permission");
                let arn = log_group.arn().into_text();
                let service = "logs.amazonaws.com";
                let permission = permission::of_service(destination.arn, service, arn);
                Some(self.insert(&id, Resource::of(&permission, source)).id)
            }
            Kind::Stream(statements) => {
                let role = self.role(&format!("{logical_id}Role"), trusted_by_logs());
                self.add_statements(&role, statements, source);
                filter.role_arn = role.arn().into_text().into();
                None
            }
        };
        let mut resource = Resource::of(&filter, source);
        // CloudWatch Logs tries the function out at once.
        resource.depends_on.extend(permission);
        self.insert(logical_id, resource)
    }

    fn check_pattern(&mut self, logical_id: &str, pattern: &str, source: &Location<'_>) {
        let length = pattern.chars().count();
        if length > MAX_PATTERN {
            let message =
                format!("the pattern has {length} characters and AWS takes {MAX_PATTERN}");
            self.report(
                logical_id,
                Some("Properties.FilterPattern"),
                message,
                source,
            );
        }
        let braces = pattern.trim();
        if braces.starts_with('{') != braces.ends_with('}') {
            let message = "a pattern for JSON stands in braces, such as `{ $.level = \"ERROR\" }`";
            self.report(
                logical_id,
                Some("Properties.FilterPattern"),
                message,
                source,
            );
        }
    }
}

/// A role that CloudWatch Logs takes on for the log groups of this account, and for no others. See
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html>.
fn trusted_by_logs() -> RoleProps {
    let groups = text!(
        "arn:{}:logs:{}:{}:*",
        Pseudo::Partition,
        Pseudo::Region,
        Pseudo::AccountId
    );
    RoleProps::trusting(
        Statement::allow(["sts:AssumeRole"])
            .to(Principal::Service("logs.amazonaws.com".to_owned()))
            .when("StringLike", "aws:SourceArn", groups),
    )
}
