//! What becomes of invocations that nobody waits for.

use std::panic::Location;

use stack_model_cfn::Value;
use stack_model_cfn::lambda as cfn;

use super::FunctionRef;
use crate::contract::{Accepts, event};
use crate::events::{BusOperation, EventBusRef};
use crate::handle::{Handle, ResourceRef};
use crate::limit::Limited;
use crate::policy::Statement;
use crate::resource::Resource;
use crate::sns::{TopicOperation, TopicRef};
use crate::sqs::{DeadLetterQueue, QueueRef};
use crate::stack::Stack;

/// How often an asynchronous invocation is tried again.
pub type AsyncAttempts = Limited<0, 2>;

/// For how long Lambda keeps an asynchronous invocation, in seconds: one minute to six hours.
pub type AsyncAge = Limited<60, 21_600>;

/// What becomes of the invocations of a function that nobody waits for: those of rules, topics, buckets and schedules.
///
/// See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventinvokeconfig.html>.
#[derive(Clone, Debug, Default)]
pub struct AsyncInvocations {
    /// How often one that failed is tried again; twice by default, which is AWS's.
    pub attempts: Option<AsyncAttempts>,
    /// For how long one is kept; six hours by default, which is AWS's.
    pub maximum_age: Option<AsyncAge>,
    /// Where the payload and the error go when it is given up; otherwise they are lost.
    pub on_failure: Option<AsyncDestination>,
    /// Where the payload and the result go when it succeeded.
    pub on_success: Option<AsyncDestination>,
}

/// Where the outcome of an asynchronous invocation goes: a queue, a topic, a function or a bus.
#[derive(Clone, Debug)]
pub struct AsyncDestination {
    arn: Value<String>,
    statements: Vec<Statement>,
    queue: Option<DeadLetterQueue>,
    fifo_topic: bool,
}

impl<M> From<&QueueRef<M>> for AsyncDestination {
    fn from(queue: &QueueRef<M>) -> Self {
        let queue = DeadLetterQueue::from(queue);
        Self {
            arn: queue.arn(),
            statements: queue.statements(),
            queue: Some(queue),
            fifo_topic: false,
        }
    }
}

impl<M> From<&TopicRef<M>> for AsyncDestination {
    fn from(topic: &TopicRef<M>) -> Self {
        Self {
            arn: topic.arn().into_text(),
            statements: topic.statements(&[TopicOperation::Publish]),
            queue: None,
            fifo_topic: topic.is_fifo(),
        }
    }
}

impl<F: Accepts<event::Invocation<serde_json::Value>>> From<&FunctionRef<F>> for AsyncDestination {
    /// Invokes a function with a description of the invocation, which is JSON.
    fn from(function: &FunctionRef<F>) -> Self {
        Self {
            arn: function.arn().into_text(),
            statements: vec![function.invoke_statement()],
            queue: None,
            fifo_topic: false,
        }
    }
}

impl From<&EventBusRef> for AsyncDestination {
    fn from(bus: &EventBusRef) -> Self {
        Self {
            arn: bus.arn().into_text(),
            statements: bus.statements(&[BusOperation::Put]),
            queue: None,
            fifo_topic: false,
        }
    }
}

impl Stack<'_> {
    /// Says what becomes of the invocations of a function that nobody waits for, in the resource
    /// `<Function>AsyncInvocations`. The function's role may send to the destinations.
    #[track_caller]
    pub fn async_invocations<F>(
        &mut self,
        function: &FunctionRef<F>,
        invocations: AsyncInvocations,
    ) -> ResourceRef {
        let source = Location::caller();
        let id = format!("{}AsyncInvocations", function.resource_id().logical_id());
        let path = "Properties.MaximumRetryAttempts";
        self.check_limit(&id, path, invocations.attempts, source);
        let path = "Properties.MaximumEventAgeInSeconds";
        self.check_limit(&id, path, invocations.maximum_age, source);
        for destination in [&invocations.on_failure, &invocations.on_success]
            .into_iter()
            .flatten()
        {
            if let Some(queue) = &destination.queue {
                self.check_dead_letters(&id, queue, source);
            }
            if destination.fifo_topic {
                let message = "Lambda publishes outcomes to no FIFO topic: use a standard one";
                self.report(&id, None, message, source);
            }
            self.add_statements(function.role(), destination.statements.clone(), source);
        }
        let has_destinations = invocations.on_failure.is_some() || invocations.on_success.is_some();
        let destinations = cfn::event_invoke_config::DestinationConfig {
            on_failure: invocations
                .on_failure
                .map(|to| cfn::event_invoke_config::OnFailure {
                    destination: to.arn.into(),
                })
                .into(),
            on_success: invocations
                .on_success
                .map(|to| cfn::event_invoke_config::OnSuccess {
                    destination: to.arn.into(),
                })
                .into(),
        };
        let config = cfn::EventInvokeConfig {
            destination_config: has_destinations.then_some(destinations).into(),
            function_name: function.name().into(),
            maximum_event_age_in_seconds: invocations.maximum_age.map(Limited::number).into(),
            maximum_retry_attempts: invocations.attempts.map(Limited::number).into(),
            qualifier: function.qualifier().unwrap_or("$LATEST").into(),
        };
        let mut config = Resource::of(&config, source);
        let alias = function.alias();
        config.depends_on.extend(alias.map(|alias| alias.id));
        self.insert(&id, config)
    }
}
