//! What a rule sends to a target, and what happens where that fails.

use std::marker::PhantomData;
use std::panic::Location;

use serde::Serialize;
use stack_model_cfn::events::rule as cfn;
use stack_model_cfn::{Expr, Property, Value};

use super::Template;
use super::template::is_path;
use crate::contract::event;
use crate::limit::Limited;
use crate::sqs::DeadLetterQueue;
use crate::stack::Stack;
use crate::text::json;

/// For how long EventBridge tries to deliver, in seconds: one minute to one day.
pub type EventAge = Limited<60, 86_400>;

/// How often EventBridge tries again.
pub type RetryAttempts = Limited<0, 185>;

/// How long something is tried again that could not be delivered; for a day and 185 times by default, which is AWS's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetryPolicy {
    /// For how long, in seconds.
    pub maximum_age: Option<EventAge>,
    /// How often.
    pub attempts: Option<RetryAttempts>,
}

/// What a rule sends to a target, and what happens where that fails; `S` says what is sent of an event.
pub struct Delivery<S> {
    payload: Payload,
    pub(super) dead_letters: Option<DeadLetterQueue>,
    pub(super) retry: RetryPolicy,
    pub(super) message_group: Option<Value<String>>,
    sent: PhantomData<fn() -> S>,
}

/// What is sent of an event with the detail `D`.
pub trait Sends<D> {
    /// What the target gets.
    type Sent;
}

/// The whole event is sent.
#[derive(Debug)]
pub enum WholeEvent {}

/// The detail alone is sent.
#[derive(Debug)]
pub enum DetailAlone {}

/// A payload `P` is sent, made from the event or without it.
#[derive(Debug)]
pub struct OtherPayload<P>(PhantomData<fn() -> P>);

impl<D> Sends<D> for WholeEvent {
    type Sent = event::BusEvent<D>;
}

impl<D> Sends<D> for DetailAlone {
    type Sent = event::Invocation<D>;
}

impl<D, P> Sends<D> for OtherPayload<P> {
    type Sent = event::Invocation<P>;
}

#[derive(Clone, Debug)]
enum Payload {
    Event,
    Part(String),
    Constant(Result<Expr, String>),
    Template(Template),
}

impl<S> Clone for Delivery<S> {
    fn clone(&self) -> Self {
        Self {
            payload: self.payload.clone(),
            dead_letters: self.dead_letters.clone(),
            retry: self.retry,
            message_group: self.message_group.clone(),
            sent: PhantomData,
        }
    }
}

impl<S> std::fmt::Debug for Delivery<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Delivery").field(&self.payload).finish()
    }
}

impl Delivery<WholeEvent> {
    /// Sends the whole event.
    pub fn event() -> Self {
        Self::of(Payload::Event)
    }

    /// Sends the detail alone.
    pub fn detail() -> Delivery<DetailAlone> {
        Delivery::of(Payload::Part("$.detail".to_owned()))
    }

    /// Sends one part of the event, by its path, such as `$.detail.order`; the target reads it as a `P`.
    pub fn part<P>(path: impl Into<String>) -> Delivery<OtherPayload<P>> {
        Delivery::of(Payload::Part(path.into()))
    }

    /// Sends the same value for every event.
    pub fn constant<P: Serialize>(value: &P) -> Delivery<OtherPayload<P>> {
        let value = serde_json::to_value(value);
        Delivery::of(Payload::Constant(
            value.map(Expr::from).map_err(|error| error.to_string()),
        ))
    }

    /// Sends the same JSON for every event, which may hold attributes of handles; the target reads it as a `P`.
    pub fn constant_json<P>(value: impl Into<Expr>) -> Delivery<OtherPayload<P>> {
        Delivery::of(Payload::Constant(Ok(value.into())))
    }

    /// Sends JSON with parts of the event in it; the target reads it as a `P`.
    pub fn transformed<P>(template: Template) -> Delivery<OtherPayload<P>> {
        Delivery::of(Payload::Template(template))
    }
}

impl<S> Delivery<S> {
    fn of(payload: Payload) -> Self {
        Self {
            payload,
            dead_letters: None,
            retry: RetryPolicy::default(),
            message_group: None,
            sent: PhantomData,
        }
    }

    /// Sends events that could not be delivered to a queue; otherwise they are lost.
    #[must_use]
    pub fn dead_letters(mut self, queue: impl Into<DeadLetterQueue>) -> Self {
        self.dead_letters = Some(queue.into());
        self
    }

    /// Says how long delivery is tried again.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Names the message group for a FIFO queue, which needs one.
    #[must_use]
    pub fn message_group(mut self, group: impl Into<Value<String>>) -> Self {
        self.message_group = Some(group.into());
        self
    }

    /// Fills in what the target gets, and reports what is wrong with it.
    pub(super) fn fill(
        &self,
        target: &mut cfn::Target,
        rule: &str,
        stack: &mut Stack<'_>,
        source: &Location<'_>,
    ) {
        let mut violations = Vec::new();
        match &self.payload {
            Payload::Event => {}
            Payload::Part(path) => {
                if !is_path(path) {
                    violations.push(format!(
                        "`{path}` is no path into an event: it looks like `$.detail.order`"
                    ));
                }
                target.input_path = path.as_str().into();
            }
            Payload::Constant(value) => {
                target.input = constant(value, MAX_CONSTANT, &mut violations);
            }
            Payload::Template(template) => {
                let rendered = template.render();
                violations.extend(rendered.violations);
                let paths = rendered
                    .paths
                    .into_iter()
                    .map(|(name, path)| (name, Value::Literal(path)))
                    .collect();
                target.input_transformer = cfn::InputTransformer {
                    input_paths_map: Property::Literal(paths),
                    input_template: rendered.template.into(),
                }
                .into();
            }
        }
        for message in violations {
            stack.report(rule, Some("Properties.Targets"), message, source);
        }
    }
}

/// The most characters of a constant input; see
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Target.html>.
const MAX_CONSTANT: usize = 8192;

/// Renders a constant input as text, and says what is wrong with it.
pub(crate) fn constant(
    value: &Result<Expr, String>,
    most: usize,
    violations: &mut Vec<String>,
) -> Property<String> {
    let text = match value {
        Ok(value) => json(value),
        Err(error) => {
            violations.push(format!("the input cannot be written as JSON: {error}"));
            return Property::Absent;
        }
    };
    let length = text.literal().map_or(0, |text| text.chars().count());
    if length > most {
        violations.push(format!(
            "the input has {length} characters and EventBridge takes {most}"
        ));
    }
    text.into()
}
