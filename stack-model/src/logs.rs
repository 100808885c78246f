//! Amazon CloudWatch Logs: log groups.

use std::panic::Location;

use stack_model_cfn::logs as cfn;
use stack_model_cfn::{Pseudo, ResourceId, Value};

use crate::arn::Arn;
use crate::handle::{Handle, get_att, reference};
use crate::kms::{KeyOperation, KeyRef};
use crate::name::NameRule;
use crate::policy::{Principal, Statement, allow_on};
use crate::resource::Resource;
use crate::stack::Stack;
use crate::text;

mod filter;
mod policy;
mod query;
mod retention;

pub(crate) use policy::LogOrigin;

pub use filter::{LogDestination, MetricFilterProps};
pub use retention::{Retention, RetentionError};

/// Marks the ARN of a log group.
#[derive(Debug)]
pub enum LogGroup {}

/// What a log group is made of.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-loggroup.html>.
#[derive(Clone, Debug, Default)]
pub struct LogGroupProps {
    /// The physical name, 1 to 512 letters, digits, `.`, `-`, `_`, `/` and `#`. Leave it out unless something outside the stack
    /// needs it: a named log group cannot be replaced.
    pub name: Option<Value<String>>,
    /// How long events are kept; 30 days by default, where AWS keeps them for ever.
    pub retention: Retention,
    /// How the events are stored; `Standard` by default, which is AWS's.
    pub class: LogGroupClass,
    /// A key of the customer's own; CloudWatch Logs encrypts with its own by default. A key of the same stack lets
    /// CloudWatch Logs use it; one of another stack must say so in its [policy](crate::Stack::key_policy).
    pub key: Option<KeyRef>,
}

/// How events are stored; a group never changes its class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogGroupClass {
    /// All features of CloudWatch Logs.
    #[default]
    Standard,
    /// Half the price to write, without live tail, metric filters and subscriptions.
    InfrequentAccess,
}

/// What a caller may do with a log group.
///
/// See <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogOperation {
    /// Creates a log stream.
    CreateStream,
    /// Writes events.
    Write,
    /// Reads the events of one stream.
    Read,
    /// Searches the events of all streams.
    Filter,
    /// Lists the streams.
    DescribeStreams,
}

impl LogOperation {
    /// Returns the IAM action.
    pub const fn action(self) -> &'static str {
        match self {
            Self::CreateStream => "logs:CreateLogStream",
            Self::Write => "logs:PutLogEvents",
            Self::Read => "logs:GetLogEvents",
            Self::Filter => "logs:FilterLogEvents",
            Self::DescribeStreams => "logs:DescribeLogStreams",
        }
    }
}

/// The handle of a log group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogGroupRef {
    id: ResourceId,
}

impl LogGroupRef {
    /// Returns the ARN with `:*` at its end, as IAM policies name a group with its streams.
    pub fn arn(&self) -> Value<Arn<LogGroup>> {
        get_att(&self.id, "Arn")
    }

    /// Returns the physical name.
    pub fn name(&self) -> Value<String> {
        reference(&self.id)
    }

    /// Returns the ARN without `:*` at its end, as other services name a group.
    pub fn plain_arn(&self) -> Value<String> {
        text!(
            "arn:{}:logs:{}:{}:log-group:{}",
            Pseudo::Partition,
            Pseudo::Region,
            Pseudo::AccountId,
            self.name()
        )
    }

    /// Returns what a role must allow for the given operations.
    pub fn statements(&self, operations: &[LogOperation]) -> Vec<Statement> {
        let actions = operations.iter().map(|operation| operation.action());
        allow_on(actions, self.arn()).into_iter().collect()
    }

    /// Returns what a role must allow to write events into streams of its own.
    pub fn write_statement(&self) -> Statement {
        Statement::allow(
            [LogOperation::CreateStream, LogOperation::Write].map(LogOperation::action),
        )
        .on(self.arn())
    }
}

impl Handle for LogGroupRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds a log group that forgets its events after a while. In a protected stage it outlives its stack.
    ///
    /// ```
    /// use stack_model::logs::{LogGroupProps, Retention};
    /// # use stack_model::{App, Stage};
    /// # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
    /// # let mut app = App::new(Stage::new(request));
    /// # let mut stack = app.stack("orders");
    ///
    /// let audit = stack.log_group("Audit", LogGroupProps {
    ///     retention: Retention::OneYear,
    ///     ..LogGroupProps::default()
    /// });
    /// stack.output("AuditLogGroup", audit.name());
    /// # app.synth().unwrap();
    /// ```
    #[track_caller]
    pub fn log_group(&mut self, logical_id: &str, props: LogGroupProps) -> LogGroupRef {
        let source = Location::caller();
        let name = props.name.as_ref();
        self.check_name(logical_id, "Properties.LogGroupName", name, NAME, source);
        if let Some(key) = &props.key
            && key.resource_id().stack() == self.id()
        {
            let statement = use_by_logs(self.region());
            self.key_policy_from(key, [statement], source);
        }
        let class = match props.class {
            LogGroupClass::Standard => None,
            LogGroupClass::InfrequentAccess => Some("INFREQUENT_ACCESS".to_owned()),
        };
        let group = cfn::LogGroup {
            kms_key_id: props.key.map(|key| key.arn().into_text()).into(),
            log_group_class: class.into(),
            log_group_name: props.name.into(),
            retention_in_days: props.retention.days().map(i64::from).into(),
            ..cfn::LogGroup::default()
        };
        LogGroupRef {
            id: self
                .insert_data(logical_id, Resource::of(&group, source))
                .id,
        }
    }
}

/// Lets CloudWatch Logs use a key for the log groups of the account, and for nothing else; see
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html>.
fn use_by_logs(region: &str) -> Statement {
    let groups = text!(
        "arn:{}:logs:{}:{}:*",
        Pseudo::Partition,
        Pseudo::Region,
        Pseudo::AccountId
    );
    let operations = [
        KeyOperation::Encrypt,
        KeyOperation::Decrypt,
        KeyOperation::ReEncryptFrom,
        KeyOperation::ReEncryptTo,
        KeyOperation::GenerateDataKey,
        KeyOperation::Describe,
    ];
    Statement::allow(operations.map(KeyOperation::action))
        .to(Principal::Service(format!("logs.{region}.amazonaws.com")))
        .when("ArnLike", "kms:EncryptionContext:aws:logs:arn", groups)
}

/// See <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html>.
const NAME: NameRule = NameRule {
    min: 1,
    max: 512,
    others: "._-/#",
};

#[cfg(doctest)]
#[doc = include_str!("../../docs/services/logs.md")]
struct Guide;
