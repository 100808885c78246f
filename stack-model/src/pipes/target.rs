//! What a pipe can send to.

use stack_model_cfn::pipes::pipe as cfn;

use crate::contract::{Accepts, EventDetail, event};
use crate::events::{ArnTarget, Destination, PutEvent};
use crate::lambda::FunctionRef;
use crate::sns::TopicRef;
use crate::sqs::QueueRef;
use crate::stepfunctions::StateMachineRef;

/// Something that a pipe can send records of the type `P` to.
///
/// A function and a state machine get a list of them, and the pipe waits for the function, so that what it could not
/// work on is tried again. Queues, topics and buses get them one by one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not take records of the type `{P}` from a pipe",
    label = "this target does not take what flows through the pipe",
    note = "a function takes `Invocation<Vec<{P}>>`, a state machine `Vec<{P}>`, a queue and a topic `{P}`, and a bus takes the detail of an event with `PutEvent::on(..)`; `Flow::transformed` changes the type"
)]
pub trait PipeTarget<P> {
    /// Returns where the target is.
    fn destination(&self) -> PipeDestination;
}

/// Where a pipe sends, made from a handle.
pub struct PipeDestination {
    pub(super) destination: Destination,
    pub(super) parameters: cfn::PipeTargetParameters,
}

impl std::fmt::Debug for PipeDestination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PipeDestination")
            .field("destination", &self.destination)
            .finish_non_exhaustive()
    }
}

type Parameters = cfn::PipeTargetParameters;

impl PipeDestination {
    fn plain(destination: Destination) -> Self {
        Self {
            destination,
            parameters: Parameters::default(),
        }
    }
}

impl<P, F: Accepts<event::Invocation<Vec<P>>>> PipeTarget<P> for FunctionRef<F> {
    fn destination(&self) -> PipeDestination {
        PipeDestination::plain(Destination::function(self))
    }
}

impl<P> PipeTarget<P> for StateMachineRef<Vec<P>> {
    /// Starts executions and does not wait for them, which standard and express state machines both allow.
    fn destination(&self) -> PipeDestination {
        PipeDestination {
            destination: Destination::state_machine(self),
            parameters: Parameters {
                step_function_state_machine_parameters: cfn::PipeTargetStateMachineParameters {
                    invocation_type: "FIRE_AND_FORGET".into(),
                }
                .into(),
                ..Parameters::default()
            },
        }
    }
}

impl<P> PipeTarget<P> for QueueRef<P> {
    fn destination(&self) -> PipeDestination {
        PipeDestination::plain(Destination::queue(self))
    }
}

impl<P> PipeTarget<P> for TopicRef<P> {
    fn destination(&self) -> PipeDestination {
        PipeDestination::plain(Destination::topic(self))
    }
}

impl<D: EventDetail> PipeTarget<D> for PutEvent<D> {
    fn destination(&self) -> PipeDestination {
        PipeDestination {
            destination: Destination::event_bus(&self.bus),
            parameters: Parameters {
                event_bridge_event_bus_parameters: cfn::PipeTargetEventBridgeEventBusParameters {
                    detail_type: self.detail_type.into(),
                    source: self.source.as_str().into(),
                    ..cfn::PipeTargetEventBridgeEventBusParameters::default()
                }
                .into(),
                ..Parameters::default()
            },
        }
    }
}

impl<P> PipeTarget<P> for ArnTarget {
    fn destination(&self) -> PipeDestination {
        PipeDestination::plain(ArnTarget::destination(self))
    }
}
