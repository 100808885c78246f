//! Which services may write into the log groups of a stack.

use std::panic::Location;
use std::sync::Arc;

use stack_model_cfn::logs as cfn;
use stack_model_cfn::{Pseudo, ResourceId, Value};

use super::{LogGroupRef, LogOperation};
use crate::handle::ResourceRef;
use crate::policy::{Principal, Statement};
use crate::resource::Resource;
use crate::stack::Stack;
use crate::text;

/// The logical id of the resource policy that a stack makes.
const POLICY: &str = "LogGroupsPolicy";

const DELIVERY: &str = "delivery.logs.amazonaws.com";

/// For what a service writes into a log group.
pub(crate) enum LogOrigin {
    /// For a rule of EventBridge, which is named where events are written and not where their stream is made; see
    /// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-cloudwatchlogs-permissions>.
    Rule(Value<String>),
    /// For deliveries of this account; see
    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-V2-CloudWatchLogs.html>.
    Delivery,
}

impl Stack<'_> {
    /// Lets services write into a log group. A stack has one resource policy, `LogGroupsPolicy`, for all its groups: an
    /// account and region can have 10 of them. See
    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html>.
    pub(crate) fn let_logs_in(
        &mut self,
        log_group: &LogGroupRef,
        origin: LogOrigin,
        source: &Location<'_>,
    ) -> ResourceRef {
        let services: &[&str] = match origin {
            LogOrigin::Rule(_) => &["events.amazonaws.com", DELIVERY],
            LogOrigin::Delivery => &[DELIVERY],
        };
        let id = ResourceId::new(Arc::clone(&self.data_ref().id), POLICY);
        if !self.data_ref().policies.contains(POLICY) {
            let taken = self.data_ref().resources.contains_key(POLICY);
            let policy = cfn::ResourcePolicy {
                policy_name: text!("{}-log-groups", Pseudo::StackName).into(),
                ..cfn::ResourcePolicy::default()
            };
            self.insert(
                POLICY,
                Resource::of(&policy, source).with_policy_at("PolicyDocument"),
            );
            if taken {
                // The clash is reported; the statement has no place in what took the logical id.
                return ResourceRef { id };
            }
            self.data().policies.insert(POLICY.to_owned());
        }
        let allow = |operations: &[LogOperation]| {
            let statement = Statement::allow(operations.iter().map(|o| o.action()))
                .on(text!("{}:*", log_group.plain_arn()))
                .because("the streams of the log group are the service's own");
            services.iter().fold(statement, |statement, service| {
                statement.to(Principal::Service((*service).to_owned()))
            })
        };
        let (create, write) = (LogOperation::CreateStream, LogOperation::Write);
        let statements = match origin {
            LogOrigin::Rule(rule) => vec![
                allow(&[create]),
                allow(&[write]).when("ArnEquals", "aws:SourceArn", rule),
            ],
            LogOrigin::Delivery => vec![
                allow(&[create, write])
                    .when(
                        "StringEquals",
                        "aws:SourceAccount",
                        text!("{}", Pseudo::AccountId),
                    )
                    .when(
                        "ArnLike",
                        "aws:SourceArn",
                        text!(
                            "arn:{}:logs:{}:{}:*",
                            Pseudo::Partition,
                            Pseudo::Region,
                            Pseudo::AccountId
                        ),
                    ),
            ],
        };
        let policy = ResourceRef { id };
        self.add_statements(&policy, statements, source);
        policy
    }
}
