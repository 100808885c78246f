//! Amazon EventBridge: buses, rules and their targets, archives, and connections to APIs.

use stack_model_cfn::{Expr, Pseudo, ResourceId, Token, Value};

use crate::arn::Arn;
use crate::handle::{ELSEWHERE, Handle, elsewhere, get_att, reference};
use crate::policy::{Statement, allow_on};
use crate::text;

mod archive;
mod bus;
mod check;
mod connection;
pub(crate) mod delivery;
pub(crate) mod destination;
pub(crate) mod expression;
pub(crate) mod grammar;
mod matcher;
mod pattern;
mod put;
mod rule;
mod target;
mod template;

pub(crate) use check::check;

pub use archive::{ArchiveDays, ArchiveProps, ArchiveRef};
pub use bus::{BusLogging, EventBusProps, LogLevel};
pub use connection::{
    ApiDestinationProps, ApiDestinationRef, Authorization, ConnectionRef, HttpMethod,
    InvocationRate,
};
pub use delivery::{
    Delivery, DetailAlone, EventAge, OtherPayload, RetryAttempts, RetryPolicy, Sends, WholeEvent,
};
pub use destination::{ArnTarget, Destination};
pub use expression::{Recurrence, TimeUnit};
pub use matcher::Match;
pub use pattern::EventPattern;
pub use put::PutEvent;
pub use rule::{RuleProps, RuleRef};
pub use target::RuleTarget;
pub use template::Template;

/// Marks the ARN of a bus.
#[derive(Debug)]
pub enum EventBus {}

/// The detail of events that are not all of one kind: JSON, of which nothing more is known.
///
/// A rule whose pattern names prefixes of detail types, several detail types or none sends these; a function says that
/// it takes them with `BusEvent<serde_json::Value>`.
pub type AnyDetail = serde_json::Value;

/// What a caller may do with a bus.
///
/// See <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BusOperation {
    /// Publishes events.
    Put,
}

impl BusOperation {
    /// Returns the IAM action.
    pub const fn action(self) -> &'static str {
        match self {
            Self::Put => "events:PutEvents",
        }
    }
}

/// The handle of a bus: one of the app's, the one that every account has, or one that somebody else keeps.
#[derive(Clone, Debug, PartialEq)]
pub struct EventBusRef {
    id: ResourceId,
    name: Value<String>,
    arn: Value<Arn<EventBus>>,
}

impl EventBusRef {
    fn of(id: ResourceId) -> Self {
        Self {
            name: reference(&id),
            arn: get_att(&id, "Arn"),
            id,
        }
    }

    /// Returns the bus that every account has in every region, and to which AWS services send their events.
    ///
    /// It is no resource of a stack, so nothing of it can be overridden.
    pub fn of_account() -> Self {
        let name = Value::from("default");
        Self {
            id: elsewhere("default"),
            arn: bus_arn(&name),
            name,
        }
    }

    /// Stands for a bus of the same account and region that somebody else keeps, by its name.
    pub fn named(name: impl Into<Value<String>>) -> Self {
        let name = name.into();
        Self {
            id: elsewhere("event bus"),
            arn: bus_arn(&name),
            name,
        }
    }

    /// Stands for a bus that somebody else keeps, by its ARN.
    pub fn existing(arn: impl Into<Value<Arn<EventBus>>>) -> Self {
        let arn = arn.into();
        let name = match &arn {
            Value::Literal(arn) => {
                let name = arn.as_str().split_once('/').map_or("", |(_, name)| name);
                Value::Literal(name.to_owned())
            }
            Value::Token(arn) => Value::Token(Token::Select {
                index: 1,
                list: Box::new(Expr::Token(Token::Split {
                    delimiter: "/".to_owned(),
                    text: Box::new(Expr::Token(arn.clone())),
                })),
            }),
        };
        Self {
            id: elsewhere("event bus"),
            name,
            arn,
        }
    }

    /// Returns whether this is the bus that every account has.
    fn is_default(&self) -> bool {
        self.id.stack() == ELSEWHERE && self.name.literal().is_some_and(|name| name == "default")
    }

    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<EventBus>> {
        self.arn.clone()
    }

    /// Returns the physical name.
    pub fn name(&self) -> Value<String> {
        self.name.clone()
    }

    /// Returns what a role must allow for the given operations: exactly their actions on this bus. A key of the bus is
    /// used by EventBridge itself, and needs nothing of the caller.
    pub fn statements(&self, operations: &[BusOperation]) -> Vec<Statement> {
        let actions = operations.iter().map(|operation| operation.action());
        allow_on(actions, self.arn()).into_iter().collect()
    }
}

impl Handle for EventBusRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

/// Puts together the ARN of a bus of the stack's account and region.
fn bus_arn(name: &Value<String>) -> Value<Arn<EventBus>> {
    text!(
        "arn:{}:events:{}:{}:event-bus/{}",
        Pseudo::Partition,
        Pseudo::Region,
        Pseudo::AccountId,
        name
    )
    .map(Arn::composed)
}
