//! Functions that hear of the messages of a topic.

use std::panic::Location;

use stack_model_cfn::Expr;
use stack_model_cfn::sns as cfn;

use super::{FunctionRef, PermissionProps, Trigger};
use crate::contract::{Accepts, event};
use crate::handle::{Handle, ResourceRef};
use crate::resource::Resource;
use crate::sns::{TopicRef, redrive_policy};
use crate::sqs::DeadLetterQueue;
use crate::stack::Stack;

/// The principal that SNS invokes functions as.
const SERVICE: &str = "sns.amazonaws.com";

/// The messages of a topic, made by [`TopicRef::messages`].
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-subscription.html>.
#[derive(Clone, Debug)]
pub struct TopicTrigger<M> {
    topic: TopicRef<M>,
    filter: Option<(serde_json::Value, bool)>,
    dead_letters: Option<DeadLetterQueue>,
}

impl<M> TopicRef<M> {
    /// Makes a trigger that sends the messages to a function.
    pub fn messages(&self) -> TopicTrigger<M> {
        TopicTrigger {
            topic: self.clone(),
            filter: None,
            dead_letters: None,
        }
    }
}

impl<M> TopicTrigger<M> {
    /// Lets only messages with matching attributes through. See
    /// <https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html>.
    #[must_use]
    pub fn filter(mut self, policy: serde_json::Value) -> Self {
        self.filter = Some((policy, false));
        self
    }

    /// Lets only messages through whose body is JSON that matches.
    #[must_use]
    pub fn filter_body(mut self, policy: serde_json::Value) -> Self {
        self.filter = Some((policy, true));
        self
    }

    /// Sends messages to a queue that SNS could not hand over to the function. What the function itself could not work
    /// on is a matter of its [asynchronous invocations](Stack::async_invocations).
    #[must_use]
    pub fn dead_letters(mut self, queue: impl Into<DeadLetterQueue>) -> Self {
        self.dead_letters = Some(queue.into());
        self
    }
}

impl<F: Accepts<event::TopicMessages<M>>, M> Trigger<F> for TopicTrigger<M> {
    /// Adds the subscription `<Function><Topic>Trigger` and the permission `<Function><Topic>Permission`.
    fn attach(
        self,
        stack: &mut Stack<'_>,
        function: &FunctionRef<F>,
        source: &'static Location<'static>,
    ) -> ResourceRef {
        let topic = self.topic.resource_id().logical_id();
        let prefix = format!("{}{topic}", function.resource_id().logical_id());
        let id = format!("{prefix}Trigger");
        if self.topic.is_fifo() {
            let message = format!(
                "the FIFO topic `{topic}` invokes no function: subscribe a FIFO queue, and let the queue trigger the function"
            );
            stack.report(&id, Some("Properties.Endpoint"), message, source);
        }
        let permission = PermissionProps::service(SERVICE, self.topic.arn().into_text());
        stack.permission_from(&format!("{prefix}Permission"), function, permission, source);
        if let Some(queue) = &self.dead_letters {
            let arn = self.topic.arn().into_text();
            stack.take_dead_letters(&id, queue, SERVICE, arn, source);
        }
        if let Some((filter, _)) = &self.filter {
            stack.check_filter_policy(&id, filter, source);
        }
        let (policy, on_body) = match self.filter {
            Some((policy, on_body)) => (Some(Expr::from(policy)), on_body),
            None => (None, false),
        };
        let subscription = cfn::Subscription {
            endpoint: function.arn().into_text().into(),
            filter_policy: policy.into(),
            filter_policy_scope: on_body.then(|| "MessageBody".to_owned()).into(),
            protocol: "lambda".into(),
            redrive_policy: redrive_policy(self.dead_letters.as_ref()),
            topic_arn: self.topic.arn().into_text().into(),
            ..cfn::Subscription::default()
        };
        stack.insert(&id, Resource::of(&subscription, source))
    }
}
