//! Where something is delivered to, as rules, schedules and pipes see it.

use stack_model_cfn::{ResourceId, Value};

use super::{ApiDestinationRef, BusOperation, EventBusRef};
use crate::handle::{Handle, elsewhere};
use crate::lambda::FunctionRef;
use crate::logs::LogGroupRef;
use crate::policy::Statement;
use crate::sns::{TopicOperation, TopicRef};
use crate::sqs::{QueueOperation, QueueRef};
use crate::stepfunctions::{StateMachineOperation, StateMachineRef};

/// Where something is delivered to, made from a handle.
#[derive(Clone, Debug)]
pub struct Destination {
    pub(crate) id: ResourceId,
    pub(crate) arn: Value<String>,
    /// What a role must allow to deliver.
    pub(crate) statements: Vec<Statement>,
    pub(crate) kind: Kind,
}

/// What a service must know of a destination.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Function,
    Queue(QueueRef<()>),
    Topic(TopicRef<()>),
    LogGroup(LogGroupRef),
    StateMachine,
    EventBus,
    ApiDestination,
    Other,
}

impl Destination {
    fn new(id: &ResourceId, arn: Value<String>, statements: Vec<Statement>, kind: Kind) -> Self {
        Self {
            id: id.clone(),
            arn,
            statements,
            kind,
        }
    }

    pub(crate) fn function<F>(function: &FunctionRef<F>) -> Self {
        Self::new(
            function.resource_id(),
            function.arn().into_text(),
            vec![function.invoke_statement()],
            Kind::Function,
        )
    }

    pub(crate) fn queue<M>(queue: &QueueRef<M>) -> Self {
        Self::new(
            queue.resource_id(),
            queue.arn().into_text(),
            queue.statements(&[QueueOperation::Send]),
            Kind::Queue(queue.untyped()),
        )
    }

    pub(crate) fn topic<M>(topic: &TopicRef<M>) -> Self {
        Self::new(
            topic.resource_id(),
            topic.arn().into_text(),
            topic.statements(&[TopicOperation::Publish]),
            Kind::Topic(topic.untyped()),
        )
    }

    pub(crate) fn log_group(group: &LogGroupRef) -> Self {
        Self::new(
            group.resource_id(),
            group.plain_arn(),
            vec![group.write_statement()],
            Kind::LogGroup(group.clone()),
        )
    }

    pub(crate) fn state_machine<I>(machine: &StateMachineRef<I>) -> Self {
        Self::new(
            machine.resource_id(),
            machine.arn().into_text(),
            machine.statements(&[StateMachineOperation::Start]),
            Kind::StateMachine,
        )
    }

    pub(crate) fn event_bus(bus: &EventBusRef) -> Self {
        Self::new(
            bus.resource_id(),
            bus.arn().into_text(),
            bus.statements(&[BusOperation::Put]),
            Kind::EventBus,
        )
    }

    pub(crate) fn api(destination: &ApiDestinationRef) -> Self {
        Self::new(
            destination.resource_id(),
            destination.arn().into_text(),
            vec![destination.invoke_statement()],
            Kind::ApiDestination,
        )
    }
}

/// Something that no handle stands for, such as a Kinesis stream, by its ARN.
///
/// ```
/// use stack_model::events::ArnTarget;
/// use stack_model::policy::Statement;
///
/// let arn = "arn:aws:kinesis:eu-central-1:123456789012:stream/clicks";
/// let clicks = ArnTarget::new("Clicks", arn, [Statement::allow(["kinesis:PutRecord"]).on(arn)]);
/// ```
#[derive(Clone, Debug)]
pub struct ArnTarget(Destination);

impl ArnTarget {
    /// Takes a name, which becomes part of logical ids, the ARN, and what a role must allow to deliver.
    pub fn new(
        name: &str,
        arn: impl Into<Value<String>>,
        statements: impl IntoIterator<Item = Statement>,
    ) -> Self {
        Self(Destination::new(
            &elsewhere(name),
            arn.into(),
            statements.into_iter().collect(),
            Kind::Other,
        ))
    }

    pub(crate) fn destination(&self) -> Destination {
        self.0.clone()
    }
}
