//! The events that functions accept, as the services send them.

mod api;
mod authorizer;
mod bus;
mod custom_resource;
mod http;
mod invocation;
mod lenient;
mod object;
mod queue;
mod stream;
mod topic;
mod websocket;

use serde_json::Value;

pub(crate) use api::null_is_empty;
pub use api::{ApiRequest, ApiResponse};
pub use authorizer::{
    ContextValue, HttpAuthorization, MethodPolicy, RequestAuthorization, SimpleAnswer,
    TokenAuthorization,
};
pub use bus::{BusEvent, TakenDetail};
pub use custom_resource::{CustomResource, ResourceAction, ResourceRequest};
pub use http::{HttpRequest, HttpResponse};
pub use invocation::Invocation;
pub use object::{ObjectChange, ObjectChanges};
pub use queue::{BatchFailures, QueueBatch, QueueMessage};
pub use stream::{ChangeAction, ItemImage, TableChange, TableChanges};
pub use topic::{TopicMessage, TopicMessages};
pub use websocket::{WebSocketContext, WebSocketEvent, WebSocketRequest, WebSocketResponse};

/// An event that a function can declare in `#[function(accepts(..))]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    note = "events are `ApiRequest`, `BusEvent<D>`, `CustomResource<P>`, `HttpAuthorization`, `HttpRequest`, `Invocation<P>`, `ObjectChanges`, `QueueBatch<M>`, `RequestAuthorization`, `TableChanges<T>`, `TokenAuthorization`, `TopicMessages<M>`, `WebSocketRequest` and those of `user_pool`"
)]
pub trait Event: Decode {
    /// What a trigger of the stacks calls the event.
    #[cfg(feature = "wiring")]
    type Sent;

    /// Whether every payload is taken to be such an event, so that nothing can be declared after it.
    const CATCHES_ALL: bool = false;

    /// Returns whether the payload has the shape of such an event.
    fn recognises(payload: &Value) -> bool;
}

/// A value that is made from the payload of an invocation.
pub trait Decode: Sized + Send + 'static {
    /// Reads the payload.
    ///
    /// # Errors
    ///
    /// Fails where the payload does not have the shape of the event, and says what is wrong with it.
    fn decode(payload: Value) -> Result<Self, EventError>;
}

/// A payload that is none of the events which a function accepts.
///
/// A caller sees its text, so it starts with `invalid event`, whatever is wrong.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// The payload has the shape of an event, but not the content.
    #[error("invalid event: {0}")]
    Content(serde_json::Error),
    /// The payload has the shape of no event that the function accepts.
    #[error("invalid event: expected {expected}")]
    Shape {
        /// The events that the function accepts.
        expected: &'static str,
    },
}
