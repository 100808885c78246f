//! Buses of EventBridge.

use std::fmt;
use std::marker::PhantomData;

use crate::binding::Binding;
use crate::grant::{Alone, At, Grants, members, tuples};
use crate::kind;
use crate::operation::Put;

#[cfg(feature = "event-bus")]
pub use client::PutEvent;

/// A bus that takes events with the details `E`, with the operations `G` granted.
///
/// `E` is one type that derives [`Detail`](crate::Detail), or a tuple of up to twelve.
pub struct EventBus<E, G: Grants<kind::EventBus> = Put> {
    #[cfg(feature = "event-bus")]
    client: aws_sdk_eventbridge::Client,
    #[cfg(feature = "event-bus")]
    name: String,
    grants: PhantomData<fn() -> (E, G)>,
}

impl<E, G: Grants<kind::EventBus>> Binding for EventBus<E, G> {
    const KIND: &'static str = "event_bus";
    const SUFFIX: &'static str = "_NAME";
}

impl<E, G: Grants<kind::EventBus>> fmt::Debug for EventBus<E, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bus = f.debug_struct("EventBus");
        #[cfg(feature = "event-bus")]
        bus.field("name", &self.name);
        bus.finish_non_exhaustive()
    }
}

/// Details that contain the detail `D`.
///
/// `Place` says where in the tuple it stands; it is always inferred.
#[diagnostic::on_unimplemented(
    message = "this bus does not take events with the detail `{D}`",
    label = "the bus takes the details `{Self}`",
    note = "add `{D}` to the details in the type of the field, as in `EventBus<(OrderPlaced, {D})>`"
)]
pub trait Takes<D, Place> {}

#[diagnostic::do_not_recommend]
impl<D> Takes<D, Alone> for D {}

macro_rules! details {
    ($($position:literal $first:ident),+) => {
        members!(takes [$($first),+] $($position $first),+);
    };
}

macro_rules! takes {
    ([$($all:ident),+] $position:literal $first:ident) => {
        #[diagnostic::do_not_recommend]
        impl<$($all),+> Takes<$first, At<$position>> for ($($all,)+) {}
    };
}

tuples!(details);

#[cfg(feature = "event-bus")]
mod client {
    use std::future::IntoFuture;
    use std::marker::PhantomData;
    use std::time::Duration;

    use aws_sdk_eventbridge::types::{PutEventsRequestEntry, PutEventsResultEntry};

    use super::{EventBus, Takes};
    use crate::Call;
    use crate::detail::Detail;
    use crate::environment::{Connect, Environment, VariableFault};
    use crate::error::{CallError, Reason};
    use crate::grant::{Allows, Grants};
    use crate::kind;
    use crate::operation::Put;

    const ACTION: &str = "put an event on";

    /// How many events one call may put; see
    /// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>.
    const EVENTS: usize = 10;

    /// How often a call is made for what the service did not take for the moment, and how long the first pause is;
    /// each is twice the last.
    const TRIES: u32 = 5;
    const PAUSE: Duration = Duration::from_millis(50);

    impl<E, G: Grants<kind::EventBus>> Connect for EventBus<E, G> {
        fn connect(environment: &Environment, value: &str) -> Result<Self, VariableFault> {
            Ok(Self::with_client(environment.eventbridge(), value))
        }
    }

    impl<E, G: Grants<kind::EventBus>> EventBus<E, G> {
        /// Binds to the bus of the given name, for tests.
        pub fn with_client(client: aws_sdk_eventbridge::Client, name: impl Into<String>) -> Self {
            Self {
                client,
                name: name.into(),
                grants: PhantomData,
            }
        }

        /// Returns the name of the bus, or its ARN where it is another account's.
        pub fn name(&self) -> &str {
            &self.name
        }

        /// Puts an event, published by the given source; await it for the id of the event.
        pub fn put<D, Place, At>(&self, source: impl Into<String>, detail: &D) -> PutEvent<'_>
        where
            D: Detail,
            E: Takes<D, Place>,
            G: Allows<Put, At>,
        {
            PutEvent {
                client: &self.client,
                bus: &self.name,
                source: source.into(),
                detail_type: D::DETAIL_TYPE,
                detail: serde_json::to_string(detail),
                resources: Vec::new(),
            }
        }

        /// Puts events in calls of ten, and returns their ids in the same order.
        ///
        /// ```no_run
        /// # use serde::{Deserialize, Serialize};
        /// # use stack_bindings::{CallError, Detail, EventBus};
        /// # #[derive(Serialize, Deserialize, Detail)]
        /// # #[detail(type = "Orders.Placed")]
        /// # struct Placed;
        /// # async fn run(bus: EventBus<Placed>) -> Result<(), CallError> {
        /// bus.put_all([bus.put("orders", &Placed), bus.put("orders", &Placed)]).await?;
        /// # Ok(())
        /// # }
        /// ```
        ///
        /// # Errors
        ///
        /// Fails where one event cannot be put, even after retries; others may have been put then.
        pub async fn put_all<At>(
            &self,
            events: impl IntoIterator<Item = PutEvent<'_>>,
        ) -> Result<Vec<String>, CallError>
        where
            G: Allows<Put, At>,
        {
            let entries = events
                .into_iter()
                .map(PutEvent::entry)
                .collect::<Result<Vec<_>, _>>()?;
            put(&self.client, &self.name, &entries).await
        }
    }

    /// A request to put one event; await it for the id of the event, or put several with [`EventBus::put_all`].
    #[derive(Debug)]
    #[must_use = "a request does nothing until it is awaited"]
    pub struct PutEvent<'a> {
        client: &'a aws_sdk_eventbridge::Client,
        bus: &'a str,
        source: String,
        detail_type: &'static str,
        detail: Result<String, serde_json::Error>,
        resources: Vec<String>,
    }

    impl PutEvent<'_> {
        /// Names something that the event is about, by its ARN.
        pub fn resource(mut self, arn: impl Into<String>) -> Self {
            self.resources.push(arn.into());
            self
        }

        fn entry(self) -> Result<PutEventsRequestEntry, CallError> {
            let detail = self.detail.map_err(|error| {
                CallError::new(ACTION, &described(self.bus), Reason::Encode).caused_by(error)
            })?;
            let entry = PutEventsRequestEntry::builder()
                .event_bus_name(self.bus)
                .source(self.source)
                .detail_type(self.detail_type)
                .detail(detail)
                .set_resources(Some(self.resources).filter(|resources| !resources.is_empty()));
            Ok(entry.build())
        }

        async fn call(self) -> Result<String, CallError> {
            let (client, bus) = (self.client, self.bus);
            let ids = put(client, bus, &[self.entry()?]).await?;
            Ok(ids.into_iter().next().unwrap_or_default())
        }
    }

    impl<'a> IntoFuture for PutEvent<'a> {
        type Output = Result<String, CallError>;
        type IntoFuture = Call<'a, String>;

        fn into_future(self) -> Self::IntoFuture {
            Box::pin(self.call())
        }
    }

    async fn put(
        client: &aws_sdk_eventbridge::Client,
        bus: &str,
        entries: &[PutEventsRequestEntry],
    ) -> Result<Vec<String>, CallError> {
        let mut ids = Vec::with_capacity(entries.len());
        for chunk in entries.chunks(EVENTS) {
            ids.extend(put_chunk(client, bus, chunk).await?);
        }
        Ok(ids)
    }

    /// Puts at most ten events. A call succeeds although it has taken only some of them, or none.
    async fn put_chunk(
        client: &aws_sdk_eventbridge::Client,
        bus: &str,
        entries: &[PutEventsRequestEntry],
    ) -> Result<Vec<String>, CallError> {
        let mut ids = vec![None; entries.len()];
        for attempt in 1.. {
            let open: Vec<usize> = (0..entries.len())
                .filter(|position| ids.get(*position).is_some_and(Option::is_none))
                .collect();
            let left: Vec<_> = open
                .iter()
                .filter_map(|position| entries.get(*position).cloned())
                .collect();
            if left.is_empty() {
                break;
            }
            let answer = client
                .put_events()
                .set_entries(Some(left))
                .send()
                .await
                .map_err(|error| CallError::from_sdk(ACTION, &described(bus), error))?;
            let answered = answer.entries.unwrap_or_default();
            if answered.len() != open.len() {
                return Err(CallError::new(ACTION, &described(bus), Reason::Decode));
            }
            for (position, result) in open.into_iter().zip(answered) {
                if let Some(failure) = failure(bus, &result) {
                    if attempt == TRIES || !is_passing(&result) {
                        return Err(failure);
                    }
                } else if let Some(id) = ids.get_mut(position) {
                    *id = Some(result.event_id.unwrap_or_default());
                }
            }
            if ids.iter().any(Option::is_none) {
                tokio::time::sleep(PAUSE * 2_u32.pow(attempt - 1)).await;
            }
        }
        Ok(ids.into_iter().flatten().collect())
    }

    /// Returns whether the service may take the event a moment later.
    fn is_passing(result: &PutEventsResultEntry) -> bool {
        matches!(
            result.error_code(),
            Some("ThrottlingException" | "InternalFailure" | "InternalException")
        )
    }

    fn failure(bus: &str, result: &PutEventsResultEntry) -> Option<CallError> {
        let code = result.error_code()?;
        let message = result.error_message().unwrap_or("no reason is given");
        Some(
            CallError::with_code(ACTION, &described(bus), code)
                .caused_by(std::io::Error::other(message.to_owned())),
        )
    }

    fn described(bus: &str) -> String {
        format!("bus `{bus}`")
    }
}
