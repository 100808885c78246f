//! Which services may write into the log groups of a stack.

use std::panic::Location;
use std::sync::Arc;

use stack_model_cfn::logs as cfn;
use stack_model_cfn::{Pseudo, ResourceId};

use super::{LogGroupRef, LogOperation};
use crate::handle::ResourceRef;
use crate::policy::{Principal, Statement};
use crate::resource::Resource;
use crate::stack::Stack;
use crate::text;

/// The logical id of the resource policy that a stack makes.
const POLICY: &str = "LogGroupsPolicy";

impl Stack<'_> {
    /// Lets services write into a log group. A stack has one resource policy, `LogGroupsPolicy`, for all its groups: an
    /// account and region can have 10 of them. See
    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html>.
    pub(crate) fn let_logs_in(
        &mut self,
        log_group: &LogGroupRef,
        services: &[&str],
        source: &Location<'_>,
    ) -> ResourceRef {
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
        let statement = Statement::allow(
            [LogOperation::CreateStream, LogOperation::Write].map(LogOperation::action),
        )
        .on(text!("{}:*", log_group.plain_arn()));
        let statement = services.iter().fold(statement, |statement, service| {
            statement.to(Principal::Service((*service).to_owned()))
        });
        let statement = statement.because("the streams of the log group are the service's own");
        let policy = ResourceRef { id };
        self.add_statements(&policy, [statement], source);
        policy
    }
}
