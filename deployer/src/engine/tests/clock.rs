//! A clock that never waits.

use std::{
    future::Future,
    pin::Pin,
    sync::Mutex,
    time::{Duration, SystemTime},
};

use aws_sdk_cloudformation::config::{AsyncSleep, Sleep};

use super::answers;
use crate::engine::Timing;

/// What happens at a wait.
type Then = Box<dyn Fn() + Send + Sync>;

/// A clock that moves when somebody waits, and at once.
pub(super) struct Clock {
    now: Mutex<SystemTime>,
    pub(super) waits: Mutex<Vec<Duration>>,
    pub(super) then: Mutex<Option<(usize, Then)>>,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            now: Mutex::new(answers::now()),
            waits: Mutex::default(),
            then: Mutex::default(),
        }
    }
}

impl Timing for Clock {
    fn now(&self) -> SystemTime {
        *self.now.lock().expect("no holder panics")
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        *self.now.lock().expect("no holder panics") += duration;
        let mut waits = self.waits.lock().expect("no holder panics");
        waits.push(duration);
        match &*self.then.lock().expect("no holder panics") {
            Some((number, then)) if *number == waits.len() => {
                then();
                // Whoever waits finds out by what was called, and not because the time is over.
                Box::pin(std::future::pending())
            }
            // Others go on meanwhile.
            _ => Box::pin(tokio::task::yield_now()),
        }
    }
}

/// Retries of the SDK do not wait either.
#[derive(Debug)]
pub(super) struct NoSleep;

impl AsyncSleep for NoSleep {
    fn sleep(&self, _duration: Duration) -> Sleep {
        Sleep::new(std::future::ready(()))
    }
}
