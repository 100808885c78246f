//! Payloads that callers send as they are.

use std::ops::Deref;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Decode, Event, EventError};

/// The payload of a direct invocation: from another program, the command line, or a non-proxy integration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation<P>(pub P);

impl<P> Deref for Invocation<P> {
    type Target = P;

    fn deref(&self) -> &P {
        &self.0
    }
}

impl<P: DeserializeOwned + Send + 'static> Decode for Invocation<P> {
    fn decode(payload: Value) -> Result<Self, EventError> {
        P::deserialize(payload)
            .map(Self)
            .map_err(EventError::Content)
    }
}

impl<P: DeserializeOwned + Send + 'static> Event for Invocation<P> {
    #[cfg(feature = "wiring")]
    type Sent = stack_model::contract::event::Invocation<P>;

    const CATCHES_ALL: bool = true;

    fn recognises(_: &Value) -> bool {
        true
    }
}
