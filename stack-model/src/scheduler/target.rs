//! What a schedule can send to.

use stack_model_cfn::{Pseudo, Value};

use crate::contract::{Accepts, EventDetail, event};
use crate::events::destination::Kind;
use crate::events::{ArnTarget, Destination, PutEvent};
use crate::handle::elsewhere;
use crate::lambda::FunctionRef;
use crate::policy::Statement;
use crate::sns::TopicRef;
use crate::sqs::QueueRef;
use crate::stepfunctions::StateMachineRef;
use crate::text;

/// Something that a schedule can send an `E` to.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not take `{E}`",
    label = "this target does not take what the schedule sends",
    note = "a function says in `#[function(accepts(..))]` what it takes, a queue, a topic and a state machine take their own type, and a bus takes the detail of an event with `PutEvent::on(..)`"
)]
pub trait ScheduleTarget<E> {
    /// Returns where the target is.
    fn destination(&self) -> ScheduleDestination;
}

/// Where a schedule sends, made from a handle.
#[derive(Clone, Debug)]
pub struct ScheduleDestination {
    pub(super) destination: Destination,
    /// The source and the detail type, for a bus.
    pub(super) event: Option<(String, String)>,
}

impl From<Destination> for ScheduleDestination {
    fn from(destination: Destination) -> Self {
        Self {
            destination,
            event: None,
        }
    }
}

impl<E, F: Accepts<E>> ScheduleTarget<E> for FunctionRef<F> {
    fn destination(&self) -> ScheduleDestination {
        Destination::function(self).into()
    }
}

impl<P> ScheduleTarget<event::Invocation<P>> for QueueRef<P> {
    fn destination(&self) -> ScheduleDestination {
        Destination::queue(self).into()
    }
}

impl<P> ScheduleTarget<event::Invocation<P>> for TopicRef<P> {
    fn destination(&self) -> ScheduleDestination {
        Destination::topic(self).into()
    }
}

impl<P> ScheduleTarget<event::Invocation<P>> for StateMachineRef<P> {
    fn destination(&self) -> ScheduleDestination {
        Destination::state_machine(self).into()
    }
}

impl<D: EventDetail> ScheduleTarget<event::Invocation<D>> for PutEvent<D> {
    fn destination(&self) -> ScheduleDestination {
        ScheduleDestination {
            destination: Destination::event_bus(&self.bus),
            event: Some((self.source.clone(), self.detail_type.to_owned())),
        }
    }
}

impl<E> ScheduleTarget<E> for ArnTarget {
    fn destination(&self) -> ScheduleDestination {
        ArnTarget::destination(self).into()
    }
}

/// Any call of an AWS API.
///
/// See <https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html>.
#[derive(Clone, Debug)]
pub struct UniversalTarget {
    arn: Value<String>,
    statements: Vec<Statement>,
}

impl UniversalTarget {
    /// Names a call by the service and the action as the AWS SDK for Java writes them, such as `dynamodb` and
    /// `updateItem`, and says what the role must allow for it. What the schedule sends are the parameters of the call.
    pub fn new(
        service: &str,
        action: &str,
        statements: impl IntoIterator<Item = Statement>,
    ) -> Self {
        let mut statements: Vec<Statement> = statements.into_iter().collect();
        let camel_case = action.starts_with(|c: char| c.is_ascii_lowercase());
        let problem = if !camel_case || service.contains(|c: char| c.is_ascii_uppercase()) {
            Some(format!(
                "`{service}` and `{action}` are no call: the service is lower-case and the action begins with a lower-case letter"
            ))
        } else if statements.is_empty() {
            Some(format!(
                "nothing lets the schedule call `{action}` of `{service}`: give the statements that its role needs"
            ))
        } else {
            None
        };
        if let Some(problem) = problem {
            // The role reports what is wrong with its statements, so there has to be one.
            let nothing = || Statement::allow::<String>([]);
            let last = statements.pop().unwrap_or_else(nothing);
            statements.push(last.wrong(problem));
        }
        Self {
            arn: text!(
                "arn:{}:scheduler:::aws-sdk:{}:{}",
                Pseudo::Partition,
                service,
                action
            ),
            statements,
        }
    }
}

impl<E> ScheduleTarget<E> for UniversalTarget {
    fn destination(&self) -> ScheduleDestination {
        Destination {
            id: elsewhere("call"),
            arn: self.arn.clone(),
            statements: self.statements.clone(),
            kind: Kind::Other,
        }
        .into()
    }
}
