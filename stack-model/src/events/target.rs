//! What a rule can send to.

use super::{AnyDetail, ApiDestinationRef, ArnTarget, Destination, EventBusRef};
use crate::contract::{Accepts, event};
use crate::lambda::FunctionRef;
use crate::logs::LogGroupRef;
use crate::sns::TopicRef;
use crate::sqs::QueueRef;
use crate::stepfunctions::StateMachineRef;

/// Something that a rule, or a schedule, can send an `E` to.
///
/// A function takes what it says in `accepts(..)`. A state machine takes what its input is. A queue and a topic take
/// messages of their type, or whole events where that type is JSON. Log groups, buses, APIs and what is named by its ARN
/// take anything.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not take `{E}`",
    label = "this target does not take what is delivered",
    note = "a function says in `#[function(accepts(..))]` what it takes; a queue, a topic and a state machine take their own type, such as the detail alone with `Delivery::detail()`"
)]
pub trait RuleTarget<E> {
    /// Returns where the target is.
    fn destination(&self) -> Destination;
}

impl<E, F: Accepts<E>> RuleTarget<E> for FunctionRef<F> {
    fn destination(&self) -> Destination {
        Destination::function(self)
    }
}

impl<P> RuleTarget<event::Invocation<P>> for QueueRef<P> {
    fn destination(&self) -> Destination {
        Destination::queue(self)
    }
}

impl<D> RuleTarget<event::BusEvent<D>> for QueueRef<AnyDetail> {
    fn destination(&self) -> Destination {
        Destination::queue(self)
    }
}

impl<P> RuleTarget<event::Invocation<P>> for TopicRef<P> {
    fn destination(&self) -> Destination {
        Destination::topic(self)
    }
}

impl<D> RuleTarget<event::BusEvent<D>> for TopicRef<AnyDetail> {
    fn destination(&self) -> Destination {
        Destination::topic(self)
    }
}

impl<P> RuleTarget<event::Invocation<P>> for StateMachineRef<P> {
    fn destination(&self) -> Destination {
        Destination::state_machine(self)
    }
}

impl<D> RuleTarget<event::BusEvent<D>> for StateMachineRef<event::BusEvent<D>> {
    fn destination(&self) -> Destination {
        Destination::state_machine(self)
    }
}

impl<D> RuleTarget<event::BusEvent<D>> for StateMachineRef<AnyDetail> {
    fn destination(&self) -> Destination {
        Destination::state_machine(self)
    }
}

impl<E> RuleTarget<E> for LogGroupRef {
    fn destination(&self) -> Destination {
        Destination::log_group(self)
    }
}

impl<E> RuleTarget<E> for EventBusRef {
    fn destination(&self) -> Destination {
        Destination::event_bus(self)
    }
}

impl<E> RuleTarget<E> for ApiDestinationRef {
    fn destination(&self) -> Destination {
        Destination::api(self)
    }
}

impl<E> RuleTarget<E> for ArnTarget {
    fn destination(&self) -> Destination {
        ArnTarget::destination(self)
    }
}
