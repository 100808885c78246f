//! Who is told of alarms.

use std::panic::Location;

use stack_model_cfn::{Pseudo, Value};

use super::AlarmRef;
use crate::contract::{Accepts, event};
use crate::handle::Handle;
use crate::lambda::{FunctionRef, permission};
use crate::resource::Resource;
use crate::sns::TopicRef;
use crate::stack::Stack;
use crate::text;

/// The principal that alarms publish to topics as.
const SERVICE: &str = "cloudwatch.amazonaws.com";

/// The principal that alarms invoke functions as; see
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html>.
const FUNCTION_SERVICE: &str = "lambda.alarms.cloudwatch.amazonaws.com";

/// Who is told when the state of an alarm changes: a topic, a function, or what an ARN names.
#[derive(Clone, Debug)]
pub struct AlarmAction {
    arn: Value<String>,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Topic(TopicRef<()>),
    Function(String),
    Other,
}

impl<M> From<&TopicRef<M>> for AlarmAction {
    /// Publishes a description of the alarm to a topic.
    fn from(topic: &TopicRef<M>) -> Self {
        Self {
            arn: topic.arn().into_text(),
            kind: Kind::Topic(topic.untyped()),
        }
    }
}

impl<F: Accepts<event::Invocation<serde_json::Value>>> From<&FunctionRef<F>> for AlarmAction {
    /// Invokes a function with a description of the alarm, which is JSON.
    fn from(function: &FunctionRef<F>) -> Self {
        Self {
            arn: function.arn().into_text(),
            kind: Kind::Function(function.resource_id().logical_id().to_owned()),
        }
    }
}

impl AlarmAction {
    /// Does what an ARN names, such as `arn:aws:automate:eu-central-1:ec2:recover`.
    pub fn arn(arn: impl Into<Value<String>>) -> Self {
        Self {
            arn: arn.into(),
            kind: Kind::Other,
        }
    }

    /// Returns the ARNs of actions; no action is no property.
    pub(super) fn arns(actions: &[Self]) -> Option<Vec<Value<String>>> {
        let arns = || actions.iter().map(|action| action.arn.clone()).collect();
        (!actions.is_empty()).then(arns)
    }
}

impl Stack<'_> {
    /// Lets the alarms of the account publish to a topic, in the stack of the topic: alarms of other stacks cannot
    /// change its policy. Alarms of the same stack do this by themselves.
    #[track_caller]
    pub fn let_alarms_publish<M>(&mut self, topic: &TopicRef<M>) {
        self.let_publish(
            topic,
            SERVICE,
            Some(alarms_of_account()),
            Location::caller(),
        );
    }

    pub(super) fn let_alarm_in(
        &mut self,
        alarm: &AlarmRef,
        action: &AlarmAction,
        source: &'static Location<'static>,
    ) {
        match &action.kind {
            Kind::Topic(topic) if topic.resource_id().stack() == self.id() => {
                self.let_publish(topic, SERVICE, Some(alarms_of_account()), source);
            }
            Kind::Topic(topic) => self.check_foreign_topic(alarm, topic, source),
            Kind::Function(function) => {
                let id = format!("{}{function}Permission", alarm.id.logical_id());
                if self.data().policies.insert(id.clone()) {
                    let arn = alarm.arn().into_text();
                    let permission =
                        permission::of_service(action.arn.clone(), FUNCTION_SERVICE, arn);
                    self.insert(&id, Resource::of(&permission, source));
                }
            }
            Kind::Other => {}
        }
    }

    /// Reports a topic of another stack that does not let alarms publish.
    fn check_foreign_topic(
        &mut self,
        alarm: &AlarmRef,
        topic: &TopicRef<()>,
        source: &Location<'_>,
    ) {
        let id = topic.resource_id();
        if !self.lets_publish(id, SERVICE) {
            let message = format!(
                "the topic `{}` of the stack `{}` does not let alarms publish: call `let_alarms_publish` where it is made",
                id.logical_id(),
                id.stack()
            );
            let path = "Properties.AlarmActions";
            self.report(alarm.id.logical_id(), Some(path), message, source);
        }
    }
}

/// Any alarm of the account: one statement for all, where one for each would soon fill the policy of the topic.
fn alarms_of_account() -> Value<String> {
    text!(
        "arn:{}:cloudwatch:{}:{}:alarm:*",
        Pseudo::Partition,
        Pseudo::Region,
        Pseudo::AccountId
    )
}
