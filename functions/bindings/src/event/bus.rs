//! Events of an EventBridge bus.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Decode, Event, EventError};
use crate::detail::Detail;

/// An event of a bus whose detail is a `D`.
///
/// `BusEvent<serde_json::Value>` takes events of every detail type, as a rule sends them whose pattern names prefixes
/// or several types. The shape is that of
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html>.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct BusEvent<D> {
    /// The id that EventBridge gave the event.
    #[serde(default)]
    pub id: String,
    /// The name of what happened, such as `Orders.Placed`.
    pub detail_type: String,
    /// Who published the event.
    pub source: String,
    /// The account in which it was published.
    #[serde(default)]
    pub account: String,
    /// When it happened, such as `2026-01-01T00:00:00Z`.
    #[serde(default)]
    pub time: String,
    /// The region in which it was published.
    #[serde(default)]
    pub region: String,
    /// The ARNs of what the event is about.
    #[serde(default)]
    pub resources: Vec<String>,
    /// What happened.
    pub detail: D,
}

/// The detail of the events that a function takes: a [`Detail`], or any JSON.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the detail of an event",
    note = "derive `Detail` for it and give the name with `#[detail(type = \"..\")]`",
    note = "a function that takes events of every type takes a `BusEvent<serde_json::Value>`"
)]
pub trait TakenDetail: DeserializeOwned + Send + 'static {
    /// Returns whether events of this type have such a detail.
    #[doc(hidden)]
    fn has_type(detail_type: &str) -> bool;
}

impl<D: Detail> TakenDetail for D {
    fn has_type(detail_type: &str) -> bool {
        detail_type == D::DETAIL_TYPE
    }
}

impl TakenDetail for Value {
    fn has_type(_: &str) -> bool {
        true
    }
}

impl<D: TakenDetail> Decode for BusEvent<D> {
    fn decode(payload: Value) -> Result<Self, EventError> {
        Self::deserialize(payload).map_err(EventError::Content)
    }
}

impl<D: TakenDetail> Event for BusEvent<D> {
    #[cfg(feature = "wiring")]
    type Sent = stack_model::contract::event::BusEvent<D>;

    fn recognises(payload: &Value) -> bool {
        payload["source"].is_string()
            && payload.get("detail").is_some()
            && payload["detail-type"].as_str().is_some_and(D::has_type)
    }
}
