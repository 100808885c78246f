//! Events that a schedule or a pipe puts on a bus.

use std::marker::PhantomData;

use super::EventBusRef;
use crate::contract::EventDetail;

/// Puts what a schedule or a pipe delivers on a bus, as the detail `D` of an event.
pub struct PutEvent<D> {
    pub(crate) bus: EventBusRef,
    pub(crate) source: String,
    pub(crate) detail_type: &'static str,
    detail: PhantomData<fn() -> D>,
}

impl<D: EventDetail> PutEvent<D> {
    /// Names the bus, and the source that the events have, such as `shop`.
    pub fn on(bus: &EventBusRef, source: impl Into<String>) -> Self {
        Self {
            bus: bus.clone(),
            source: source.into(),
            detail_type: D::DETAIL_TYPE,
            detail: PhantomData,
        }
    }
}

impl<D> std::fmt::Debug for PutEvent<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PutEvent")
            .field("source", &self.source)
            .field("detail_type", &self.detail_type)
            .finish_non_exhaustive()
    }
}
