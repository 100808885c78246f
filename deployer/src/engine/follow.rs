//! Follows the events of stacks until the run is stopped, through whatever passes by itself.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Duration;

use super::{Context, ResourceEvent, StackTarget, activity, inspect::says_absent};
use crate::aws::{AwsError, Fault};

/// The longest that a follower waits after AWS was asked too much, or could not be reached.
const LONGEST: Duration = Duration::from_mins(1);

/// How long a follower waits for the next look: longer after each that failed in a way that passes.
#[derive(Debug, Default)]
pub(super) struct Patience {
    failures: u32,
}

impl Patience {
    /// Returns how long to wait after a look.
    ///
    /// An error is returned where it does not pass by itself, and where the first look already failed: then it is more
    /// likely that something is wrong than that AWS is busy.
    pub(super) fn after(
        &mut self,
        context: &Context,
        first: bool,
        look: Result<(), AwsError>,
    ) -> Result<Duration, AwsError> {
        let wait = context.pace.longest();
        match look {
            Ok(()) => {
                self.failures = 0;
                Ok(wait)
            }
            Err(error) if !first && passes(&error) => {
                self.failures = (self.failures + 1).min(8);
                Ok(wait
                    .saturating_mul(1 << self.failures)
                    .min(LONGEST.max(wait)))
            }
            Err(error) => Err(error),
        }
    }
}

fn passes(error: &AwsError) -> bool {
    matches!(error.fault(), Fault::Throttled { .. } | Fault::Unreachable)
}

/// Hands on the newest events of stacks and then what comes, the oldest first, until the run is stopped. A stack that is
/// not there may come to be.
pub async fn follow_events(
    context: &Context,
    stacks: &[StackTarget],
    limit: usize,
    sink: &mut (dyn FnMut(ResourceEvent) + Send),
) -> Result<(), AwsError> {
    let mut seen: Vec<Option<BTreeSet<String>>> = vec![None; stacks.len()];
    let mut patience = Patience::default();
    let mut first = true;
    loop {
        let mut fresh = Vec::new();
        let mut result = Ok(());
        for (stack, seen) in stacks.iter().zip(&mut seen) {
            match news(context, stack, seen, limit).await {
                Ok(events) => fresh.extend(events),
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        // The sort is stable, so that events of one moment keep the order that AWS gives them.
        fresh.sort_by_cached_key(|event| event.time.parse::<jiff::Timestamp>().ok());
        for event in fresh {
            sink(event);
        }
        let wait = patience.after(context, first, result)?;
        first = false;
        tokio::select! {
            () = context.timing.sleep(wait) => {}
            () = context.cancel.cancelled() => return Ok(()),
        }
    }
}

/// Reads the events of a stack that were not seen before; of one that is looked at for the first time, the newest.
async fn news(
    context: &Context,
    stack: &StackTarget,
    seen: &mut Option<BTreeSet<String>>,
    limit: usize,
) -> Result<Vec<ResourceEvent>, AwsError> {
    let clients = context.clients.in_region(stack.region.as_deref());
    let count = Cell::new(0_usize);
    let read = activity::read_until(&clients, &stack.name, |event| {
        if let Some(seen) = &*seen {
            return event.event_id.as_ref().is_some_and(|id| seen.contains(id));
        }
        count.set(count.get() + 1);
        count.get() > limit
    })
    .await;
    let events = match read {
        Ok(events) => events,
        Err(error) if says_absent(&error) => Vec::new(),
        Err(error) => return Err(error),
    };
    let seen = seen.get_or_insert_default();
    Ok(events
        .into_iter()
        .map(|event| {
            seen.extend(event.event_id.clone());
            activity::resource(event, None)
        })
        .collect())
}
