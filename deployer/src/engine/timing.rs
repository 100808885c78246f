//! The clock of the engine, and how often it asks for news.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
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
    /// How long each of those who ask at once leaves to the others.
    share: Duration,
}

impl Pace {
    /// Makes a pace from the first wait and the longest.
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            longest,
            share: Duration::ZERO,
        }
    }

    /// Suits AWS, where a stack operation takes seconds at least and questions are rationed: all who ask do so four times a
    /// second together, which leaves something of the rate of an API to those who ask once.
    pub const fn aws() -> Self {
        Self {
            share: Duration::from_millis(250),
            ..Self::new(Duration::from_millis(500), Duration::from_secs(4))
        }
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

    /// Returns the waits that together take no longer than a limit.
    pub(super) fn waits_within(self, limit: Duration) -> impl Iterator<Item = Duration> + Send {
        let mut whole = Duration::ZERO;
        self.waits().take_while(move |wait| {
            whole += *wait;
            whole <= limit
        })
    }
}

/// Counts the operations that are followed at once.
#[derive(Clone, Debug, Default)]
pub struct Followers(Arc<AtomicU32>);

/// When to ask for news of one operation: soon after there was some, seldom while nothing happens, and never so often that
/// all who follow one ask more than they may together.
#[derive(Debug)]
pub(super) struct Polls {
    pace: Pace,
    wait: Duration,
    followers: Followers,
}

impl Polls {
    /// Begins to follow an operation.
    pub(super) fn begin(pace: Pace, followers: &Followers) -> Self {
        followers.0.fetch_add(1, Ordering::Relaxed);
        Self {
            pace,
            wait: Duration::ZERO,
            followers: followers.clone(),
        }
    }

    /// Returns how long to wait after a look.
    pub(super) fn after(&mut self, news: bool) -> Duration {
        self.wait = if news || self.wait.is_zero() {
            self.pace.first
        } else {
            (self.wait * 2).min(self.pace.longest)
        };
        let followers = self.followers.0.load(Ordering::Relaxed);
        self.wait.max(self.pace.share.saturating_mul(followers))
    }
}

impl Drop for Polls {
    fn drop(&mut self) {
        self.followers.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_are_asked_for_soon_after_news_and_seldom_without() {
        let mut polls = Polls::begin(Pace::aws(), &Followers::default());
        let looks = [true, true, false, false, false, false, true, false];
        let millis = looks.map(|news| polls.after(news).as_millis());
        assert_eq!(millis, [500, 500, 1000, 2000, 4000, 4000, 500, 1000]);
    }

    #[test]
    fn those_who_follow_at_once_share_what_may_be_asked() {
        let followers = Followers::default();
        let mut polls: Vec<Polls> = (0..40)
            .map(|_| Polls::begin(Pace::aws(), &followers))
            .collect();
        assert_eq!(polls[0].after(true), Duration::from_secs(10));
        polls.truncate(2);
        assert_eq!(polls[0].after(true), Duration::from_millis(500));
        let mut here = Polls::begin(Pace::endpoint(), &followers);
        assert_eq!(here.after(true), Duration::from_millis(10));
    }

    #[test]
    fn waits_grow_to_the_limit() {
        let pace = Pace::new(Duration::from_millis(500), Duration::from_secs(4));
        let millis: Vec<_> = pace.waits().take(6).map(|wait| wait.as_millis()).collect();
        assert_eq!(millis, [500, 1000, 2000, 4000, 4000, 4000]);
    }
}
