//! A clock whose time passes only when nobody has anything else to do: hours take no time, and still come in their order.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, SystemTime},
};

use aws_sdk_cloudformation::config::{AsyncSleep, Sleep};
use tokio::sync::oneshot;

use super::answers;
use crate::engine::Timing;

/// The clock. Clones show the same time.
#[derive(Clone)]
pub(super) struct VirtualTime(Arc<Mutex<Inner>>);

struct Inner {
    now: SystemTime,
    /// Those who wait, by the time that they wait for and the order in which they came.
    sleepers: BTreeMap<(SystemTime, u64), oneshot::Sender<()>>,
    came: u64,
}

impl VirtualTime {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Inner {
            now: answers::now(),
            sleepers: BTreeMap::new(),
            came: 0,
        })))
    }

    /// Runs a future to its end.
    pub(super) fn run<F: Future>(&self, future: F) -> F::Output {
        let clock = self.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .on_thread_park(move || clock.pass())
            .build()
            .expect("a runtime starts");
        runtime.block_on(future)
    }

    /// Goes on to the time that the first of those who wait waits for. Nobody wakes those who do so no more.
    fn pass(&self) {
        let mut inner = self.inner();
        while let Some(((time, _), sleeper)) = inner.sleepers.pop_first() {
            inner.now = inner.now.max(time);
            if sleeper.send(()).is_ok() {
                break;
            }
        }
    }

    fn wait(&self, duration: Duration) -> impl Future<Output = ()> + Send + Sync + use<> {
        let (sleeper, woken) = oneshot::channel();
        let mut inner = self.inner();
        let key = (inner.now + duration, inner.came);
        inner.came += 1;
        inner.sleepers.insert(key, sleeper);
        async move {
            woken.await.expect("the clock outlives those who wait");
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("no holder panics")
    }
}

impl Timing for VirtualTime {
    fn now(&self) -> SystemTime {
        self.inner().now
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(self.wait(duration))
    }
}

impl AsyncSleep for VirtualTime {
    fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::new(self.wait(duration))
    }
}

impl fmt::Debug for VirtualTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VirtualTime").field(&self.now()).finish()
    }
}

#[test]
fn time_passes_in_order_and_only_when_all_wait() {
    let clock = VirtualTime::new();
    let (begin, other) = (clock.now(), clock.clone());
    let order = clock.run(async move {
        let order = Arc::new(Mutex::new(Vec::new()));
        let tasks: Vec<_> = [3, 1, 2]
            .into_iter()
            .map(|hours| {
                let (clock, order) = (other.clone(), Arc::clone(&order));
                tokio::spawn(async move {
                    Timing::sleep(&clock, Duration::from_hours(hours)).await;
                    order.lock().expect("no holder panics").push(hours);
                })
            })
            .collect();
        // Whoever gives up waiting does not hold up the others.
        drop(Timing::sleep(&other, Duration::from_hours(4)));
        for task in tasks {
            task.await.expect("no test panics");
        }
        Timing::sleep(&other, Duration::from_hours(9)).await;
        let order = order.lock().expect("no holder panics");
        order.clone()
    });
    assert_eq!(order, [1, 2, 3]);
    assert_eq!(clock.now(), begin + Duration::from_hours(12));
}
