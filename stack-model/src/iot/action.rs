//! What a rule does with the messages that it takes.

use std::marker::PhantomData;

use stack_model_cfn::iot::topic_rule as part;
use stack_model_cfn::{ResourceId, Value};

use super::topic::{IotOperation, TopicRef};
use crate::arn::Arn;
use crate::contract::{Accepts, event};
use crate::dynamodb::{TableOperation, TableRef};
use crate::handle::Handle;
use crate::lambda::{Function, FunctionRef};
use crate::logs::{LogGroupRef, LogOperation};
use crate::policy::Statement;
use crate::s3::{BucketOperation, BucketRef};
use crate::sns::{self, TopicOperation};
use crate::sqs::{QueueOperation, QueueRef};
use crate::stepfunctions::{StateMachineOperation, StateMachineRef};

/// How surely a message is delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Qos {
    /// At most once.
    #[default]
    AtMostOnce,
    /// At least once.
    AtLeastOnce,
}

/// What a rule does with payloads of type `P`.
#[derive(Debug)]
pub struct RuleAction<P> {
    inner: Inner,
    payload: PhantomData<fn() -> P>,
}

/// What a rule does where an action fails: it sends the failure on, with the rule, the topic and the message in Base64.
///
/// See <https://docs.aws.amazon.com/iot/latest/developerguide/rule-error-handling.html>.
#[derive(Clone, Debug)]
pub struct ErrorAction {
    pub(super) inner: Inner,
}

#[derive(Clone, Debug)]
pub(super) struct Inner {
    target: Target,
    pub(super) statements: Vec<Statement>,
    /// What makes the action impossible.
    pub(super) problem: Option<String>,
}

#[derive(Clone, Debug)]
enum Target {
    Function {
        id: ResourceId,
        arn: Value<Arn<Function>>,
    },
    Queue(Value<String>),
    Topic(Value<String>),
    Table(Value<String>),
    Bucket {
        name: Value<String>,
        key: Value<String>,
    },
    Republish {
        topic: Value<String>,
        qos: Qos,
    },
    Logs(Value<String>),
    StateMachine(Value<String>),
}

impl<P> Clone for RuleAction<P> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone())
    }
}

impl<P> RuleAction<P> {
    const fn new(inner: Inner) -> Self {
        Self {
            inner,
            payload: PhantomData,
        }
    }

    fn to(target: Target, statements: Vec<Statement>) -> Self {
        Self::new(Inner {
            target,
            statements,
            problem: None,
        })
    }

    fn unless(mut self, problem: bool, message: &str) -> Self {
        if problem {
            self.inner.problem = Some(message.to_owned());
        }
        self
    }

    /// Invokes a function with each payload, and does not wait for it.
    pub fn function<F: Accepts<event::Invocation<P>>>(function: &FunctionRef<F>) -> Self {
        let target = Target::Function {
            id: function.resource_id().clone(),
            arn: function.arn(),
        };
        Self::to(target, Vec::new())
    }

    /// Sends each payload to a queue, as JSON.
    pub fn queue(queue: &QueueRef<P>) -> Self {
        let statements = queue.statements(&[QueueOperation::Send]);
        Self::to(Target::Queue(queue.url()), statements).unless(
            queue.is_fifo(),
            "a rule sends to no FIFO queue: it gives no message group",
        )
    }

    /// Publishes each payload to a topic of SNS, as JSON.
    pub fn topic(topic: &sns::TopicRef<P>) -> Self {
        let statements = topic.statements(&[TopicOperation::Publish]);
        Self::to(Target::Topic(topic.arn().into_text()), statements).unless(
            topic.is_fifo(),
            "a rule publishes to no FIFO topic: it gives no message group",
        )
    }

    /// Writes each payload to a table, every field as an attribute.
    pub fn table(table: &TableRef<P>) -> Self {
        let statements = table.statements(&[TableOperation::Put]);
        Self::to(Target::Table(table.name()), statements)
    }

    /// Writes each payload to an object whose key is a template, such as `readings/${topic(3)}/${timestamp()}.json`. The
    /// rule may write objects that start with what stands before the first `${`.
    pub fn bucket(bucket: &BucketRef, key: impl Into<Value<String>>) -> Self {
        let key = key.into();
        let prefix = key.literal().and_then(|key| key.split("${").next());
        let statements =
            bucket.statements_under(prefix.unwrap_or_default(), &[BucketOperation::Put]);
        let name = bucket.name();
        Self::to(Target::Bucket { name, key }, statements)
    }

    /// Publishes each payload to another topic of the broker.
    pub fn republish(topic: &TopicRef<P>, qos: Qos) -> Self {
        let statements = topic.statements(&[IotOperation::Publish]);
        let topic = topic.name();
        Self::to(Target::Republish { topic, qos }, statements)
    }

    /// Writes each payload to a log group.
    pub fn logs(group: &LogGroupRef) -> Self {
        let statements = group.statements(&[
            LogOperation::CreateStream,
            LogOperation::Write,
            LogOperation::DescribeStreams,
        ]);
        Self::to(Target::Logs(group.name()), statements)
    }

    /// Starts an execution with each payload.
    pub fn state_machine(machine: &StateMachineRef<P>) -> Self {
        let statements = machine.statements(&[StateMachineOperation::Start]);
        Self::to(Target::StateMachine(machine.name()), statements)
    }

    /// Does this with the failures of a rule.
    pub fn on_error(self) -> ErrorAction {
        ErrorAction { inner: self.inner }
    }

    pub(super) fn into_inner(self) -> Inner {
        self.inner
    }
}

impl Inner {
    /// Returns the function that the action invokes, if any.
    pub(super) fn function(&self) -> Option<(&ResourceId, &Value<Arn<Function>>)> {
        match &self.target {
            Target::Function { id, arn } => Some((id, arn)),
            _ => None,
        }
    }

    pub(super) fn render(self, role: &Value<String>) -> part::Action {
        let role_arn = || role.clone().into();
        let none = part::Action::default();
        match self.target {
            Target::Function { arn, .. } => part::Action {
                lambda: part::LambdaAction {
                    function_arn: arn.into_text().into(),
                }
                .into(),
                ..none
            },
            Target::Queue(url) => part::Action {
                sqs: part::SqsAction {
                    queue_url: url.into(),
                    role_arn: role_arn(),
                    use_base64: false.into(),
                }
                .into(),
                ..none
            },
            Target::Topic(arn) => part::Action {
                sns: part::SnsAction {
                    message_format: "RAW".into(),
                    role_arn: role_arn(),
                    target_arn: arn.into(),
                }
                .into(),
                ..none
            },
            Target::Table(name) => part::Action {
                dynamo_d_bv2: part::DynamoDBv2Action {
                    put_item: part::PutItemInput {
                        table_name: name.into(),
                    }
                    .into(),
                    role_arn: role_arn(),
                }
                .into(),
                ..none
            },
            Target::Bucket { name, key } => part::Action {
                s3: part::S3Action {
                    bucket_name: name.into(),
                    key: key.into(),
                    role_arn: role_arn(),
                    ..part::S3Action::default()
                }
                .into(),
                ..none
            },
            Target::Republish { topic, qos } => part::Action {
                republish: part::RepublishAction {
                    qos: match qos {
                        Qos::AtMostOnce => 0,
                        Qos::AtLeastOnce => 1,
                    }
                    .into(),
                    role_arn: role_arn(),
                    topic: topic.into(),
                    ..part::RepublishAction::default()
                }
                .into(),
                ..none
            },
            Target::Logs(name) => part::Action {
                cloudwatch_logs: part::CloudwatchLogsAction {
                    log_group_name: name.into(),
                    role_arn: role_arn(),
                    ..part::CloudwatchLogsAction::default()
                }
                .into(),
                ..none
            },
            Target::StateMachine(name) => part::Action {
                step_functions: part::StepFunctionsAction {
                    role_arn: role_arn(),
                    state_machine_name: name.into(),
                    ..part::StepFunctionsAction::default()
                }
                .into(),
                ..none
            },
        }
    }
}
