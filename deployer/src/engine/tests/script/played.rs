//! A script that is being played, and what it told.

use super::*;

/// A script that is being played.
pub(crate) struct Played {
    pub(crate) context: Context,
    pub(in crate::engine::tests) handle: CancelHandle,
    pub(super) rules: Vec<(&'static str, Rule)>,
    pub(super) events: Arc<Mutex<Vec<Event>>>,
    pub(super) clock: Arc<Clock>,
}

impl Played {
    /// Checks that every call of the script came. Returns the events.
    #[track_caller]
    pub(crate) fn finish(self) -> Vec<Event> {
        let missing: Vec<_> = self
            .rules
            .iter()
            .enumerate()
            .filter(|(_, (_, rule))| rule.num_calls() == 0)
            .map(|(index, (operation, _))| format!("{index}: {operation}"))
            .collect();
        assert!(missing.is_empty(), "calls that never came: {missing:?}");
        self.events.lock().expect("no holder panics").clone()
    }

    /// The same of a command that is said to take what its calls take.
    #[track_caller]
    pub(in crate::engine::tests) fn finish_as(self, command: &str) -> Vec<Event> {
        let methods = self.rules.iter().map(|(operation, _)| *operation);
        crate::aws::rights::covers(command, methods);
        self.finish()
    }

    /// Returns the calls that came.
    pub(in crate::engine::tests) fn called(&self) -> impl Iterator<Item = &'static str> {
        let came = self.rules.iter().filter(|(_, rule)| rule.num_calls() > 0);
        came.map(|(operation, _)| *operation)
    }

    /// Returns the events so far.
    pub(in crate::engine::tests) fn events(&self) -> Vec<Event> {
        self.events.lock().expect("no holder panics").clone()
    }

    /// Returns the seconds of every wait so far.
    pub(in crate::engine::tests) fn waits(&self) -> Vec<u64> {
        let waits = self.clock.waits.lock().expect("no holder panics");
        waits.iter().map(Duration::as_secs).collect()
    }

    /// Calls a function at the wait of this number, counted from one.
    pub(in crate::engine::tests) fn at_wait(
        &self,
        number: usize,
        then: impl Fn() + Send + Sync + 'static,
    ) {
        *self.clock.then.lock().expect("no holder panics") = Some((number, Box::new(then)));
    }
}

/// Names what happened, in order: the variant and what it is about.
pub(in crate::engine::tests) fn names(events: &[Event]) -> Vec<String> {
    events
        .iter()
        .map(|event| {
            let json = serde_json::to_value(event).expect("events are plain data");
            let text = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
            match event {
                Event::Resource(event) => format!("{} {}", event.logical_id, event.status),
                Event::StackFinished { .. } => format!("finished {}", text("outcome")),
                _ => text("type"),
            }
        })
        .collect()
}
