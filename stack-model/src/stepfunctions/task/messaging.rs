//! Tasks that invoke functions, publish events and send messages.

use stack_model_cfn::Value;

use super::{HandsTokenOn, Task, integration};
use crate::contract::{Accepts, EventDetail, event};
use crate::events::{BusOperation, EventBusRef};
use crate::lambda::FunctionRef;
use crate::payload;
use crate::sns::{TopicOperation, TopicRef};
use crate::sqs::{QueueOperation, QueueRef};
use crate::stepfunctions::Payload;
use crate::stepfunctions::context;

/// Invoking a function.
#[derive(Debug)]
pub enum Invoking {}

/// Publishing events on a bus.
#[derive(Debug)]
pub enum Events {}

/// Sending a message to a queue.
#[derive(Debug)]
pub enum Sending {}

/// Publishing a message on a topic.
#[derive(Debug)]
pub enum Publishing {}

impl HandsTokenOn for Invoking {}
impl HandsTokenOn for Events {}
impl HandsTokenOn for Sending {}
impl HandsTokenOn for Publishing {}

impl Task<Invoking> {
    /// Invokes a function with a payload; the result has the function's answer in `Payload`.
    ///
    /// See <https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html>.
    pub fn invoke<F, P>(function: &FunctionRef<F>, payload: impl Into<Payload>) -> Self
    where
        F: Accepts<event::Invocation<P>>,
    {
        let parameters = payload!({
            "FunctionName": function.arn(),
            "Payload": payload.into(),
        });
        Self::calling(
            integration("lambda", "invoke"),
            Some(parameters),
            [function.invoke_statement()],
        )
    }
}

/// An event that a task publishes.
#[derive(Clone, Debug)]
pub struct Event {
    source: Value<String>,
    detail_type: Payload,
    detail: Payload,
    resources: Vec<Payload>,
}

impl Event {
    /// An event whose detail is a `D`, from the given source.
    pub fn of<D: EventDetail>(
        source: impl Into<Value<String>>,
        detail: impl Into<Payload>,
    ) -> Self {
        Self::named(D::DETAIL_TYPE, source, detail)
    }

    /// An event whose detail type no type stands for, or is computed.
    pub fn named(
        detail_type: impl Into<Payload>,
        source: impl Into<Value<String>>,
        detail: impl Into<Payload>,
    ) -> Self {
        Self {
            source: source.into(),
            detail_type: detail_type.into(),
            detail: detail.into(),
            resources: Vec::new(),
        }
    }

    /// Names something that the event is about.
    #[must_use]
    pub fn resource(mut self, arn: impl Into<Payload>) -> Self {
        self.resources.push(arn.into());
        self
    }
}

/// How many events one call publishes at most; see
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>.
const MAX_EVENTS: usize = 10;

impl Task<Events> {
    /// Publishes an event, and fails where the bus does not take it.
    ///
    /// See <https://docs.aws.amazon.com/step-functions/latest/dg/connect-eventbridge.html>.
    pub fn put_event(bus: &EventBusRef, event: Event) -> Self {
        Self::put_events(bus, [event])
    }

    /// Publishes up to ten events, and fails where the bus does not take one of them.
    pub fn put_events(bus: &EventBusRef, events: impl IntoIterator<Item = Event>) -> Self {
        let entries: Vec<Payload> = events
            .into_iter()
            .map(|event| {
                let mut entry = payload!({
                    "Detail": event.detail,
                    "DetailType": event.detail_type,
                    "EventBusName": bus.name(),
                    "Source": event.source,
                });
                if let Payload::Object(entry) = &mut entry
                    && !event.resources.is_empty()
                {
                    entry.insert("Resources".to_owned(), Payload::List(event.resources));
                }
                entry
            })
            .collect();
        let count = entries.len();
        let mut task = Self::calling(
            integration("events", "putEvents"),
            Some(payload!({ "Entries": entries })),
            bus.statements(&[BusOperation::Put]),
        );
        if count == 0 || count > MAX_EVENTS {
            task.state.wrong.push(format!(
                "publishes {count} events, and a call takes 1 to {MAX_EVENTS}"
            ));
        }
        task
    }

    /// Gives the events the time at which the state was entered, instead of the time of the call, so that a call
    /// that is tried again publishes the same events.
    #[must_use]
    pub fn at_state_entered_time(mut self) -> Self {
        if let Some(Payload::Object(parameters)) = self.state.payloads.get_mut("Parameters")
            && let Some(Payload::List(entries)) = parameters.get_mut("Entries")
        {
            for entry in entries {
                if let Payload::Object(entry) = entry {
                    entry.insert("Time".to_owned(), context::STATE_ENTERED_TIME.into());
                }
            }
        }
        self
    }
}

impl Task<Sending> {
    /// Sends a message to a standard queue.
    ///
    /// See <https://docs.aws.amazon.com/step-functions/latest/dg/connect-sqs.html>.
    pub fn send_message<M>(queue: &QueueRef<M>, body: impl Into<Payload>) -> Self {
        let parameters = payload!({
            "MessageBody": body.into(),
            "QueueUrl": queue.url(),
        });
        let mut task = Self::calling(
            integration("sqs", "sendMessage"),
            Some(parameters),
            queue.statements(&[QueueOperation::Send]),
        );
        if queue.is_fifo() {
            task.state.wrong.push(
                "sends to a FIFO queue without a message group: use `Task::send_to_group`"
                    .to_owned(),
            );
        }
        task
    }

    /// Sends a message to a message group of a FIFO queue.
    pub fn send_to_group<M>(
        queue: &QueueRef<M>,
        group: impl Into<Payload>,
        body: impl Into<Payload>,
    ) -> Self {
        let parameters = payload!({
            "MessageBody": body.into(),
            "MessageGroupId": group.into(),
            "QueueUrl": queue.url(),
        });
        Self::calling(
            integration("sqs", "sendMessage"),
            Some(parameters),
            queue.statements(&[QueueOperation::Send]),
        )
    }
}

impl Task<Publishing> {
    /// Publishes a message on a topic.
    ///
    /// See <https://docs.aws.amazon.com/step-functions/latest/dg/connect-sns.html>.
    pub fn publish<M>(topic: &TopicRef<M>, message: impl Into<Payload>) -> Self {
        let parameters = payload!({
            "Message": message.into(),
            "TopicArn": topic.arn(),
        });
        Self::calling(
            integration("sns", "publish"),
            Some(parameters),
            topic.statements(&[TopicOperation::Publish]),
        )
    }
}
