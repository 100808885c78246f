//! Time, so that tests need not wait.

use std::time::{Duration, Instant};

/// Tells the time and sleeps.
pub(crate) trait Clock: Send + Sync {
    /// Returns the time of a clock that never goes back.
    fn now(&self) -> Instant;
    /// Blocks the thread.
    fn sleep(&self, duration: Duration);
}

/// Is the real clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}
