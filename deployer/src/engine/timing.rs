//! The clock of the engine, and how often it asks for news.

use std::{
    future::Future,
    pin::Pin,
    time::{Duration, SystemTime},
};

/// A clock and a way to wait, so that tests need neither.
pub trait Timing: Send + Sync {
    /// Returns the time.
    fn now(&self) -> SystemTime;

    /// Waits.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// The clock of the system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemTiming;

impl Timing for SystemTiming {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// How long to wait between two questions: the first wait, then each twice the one before up to a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    first: Duration,
    longest: Duration,
}

impl Pace {
    /// Makes a pace from the first wait and the longest.
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest }
    }

    /// Suits AWS, where a stack operation takes seconds at least and questions are rationed.
    pub const fn aws() -> Self {
        Self::new(Duration::from_millis(500), Duration::from_secs(4))
    }

    /// Suits an engine on this machine, where operations are usually done before the first question.
    pub const fn endpoint() -> Self {
        Self::new(Duration::from_millis(10), Duration::from_millis(500))
    }

    /// Returns the longest wait.
    pub(super) const fn longest(self) -> Duration {
        self.longest
    }

    /// Returns the waits, without an end.
    pub(super) fn waits(self) -> impl Iterator<Item = Duration> + Send {
        std::iter::successors(Some(self.first), move |wait| {
            Some((*wait * 2).min(self.longest))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_limit() {
        let pace = Pace::new(Duration::from_millis(500), Duration::from_secs(4));
        let millis: Vec<_> = pace.waits().take(6).map(|wait| wait.as_millis()).collect();
        assert_eq!(millis, [500, 1000, 2000, 4000, 4000, 4000]);
    }
}
