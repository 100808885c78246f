//! The bus, over which all parts of the system hear of each other.

use stack_model::Stack;
use stack_model::contract::EventDetail;
use stack_model::events::{AnyDetail, EventBusProps, EventBusRef, EventPattern};
use stack_model::sqs::QueueRef;
use stack_model::stepfunctions::{Event, Events, Payload, Task};

use super::{Settings, lost};

pub(super) struct Bus {
    pub(super) handle: EventBusRef,
    /// Where events of the bus end with which the core can do nothing.
    pub(super) lost: QueueRef<serde_json::Value>,
    source: String,
}

pub(super) fn add(stack: &mut Stack<'_>, settings: &Settings) -> Bus {
    let bus = stack.event_bus(
        "Bus",
        EventBusProps {
            name: Some(settings.name("Serverlesspresso").into()),
            ..EventBusProps::default()
        },
    );
    Bus {
        handle: bus,
        lost: lost::queue(stack, "LostEvents"),
        source: settings.variables.source.clone(),
    }
}

impl Bus {
    /// Matches every event of the system.
    pub(super) fn events(&self) -> EventPattern<AnyDetail> {
        EventPattern::source(self.source.as_str())
    }

    /// Makes a task that announces something.
    pub(super) fn emit<D: EventDetail>(&self, detail: impl Into<Payload>) -> Task<Events> {
        let event = Event::of::<D>(self.source.as_str(), detail);
        Task::put_event(&self.handle, event).at_state_entered_time()
    }

    /// Makes a task that announces something whose detail type only the execution knows.
    pub(super) fn emit_named(
        &self,
        detail_type: impl Into<Payload>,
        detail: impl Into<Payload>,
    ) -> Task<Events> {
        let event = Event::named(detail_type, self.source.as_str(), detail);
        Task::put_event(&self.handle, event).at_state_entered_time()
    }
}
