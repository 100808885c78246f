//! Waiting for something that happens in another process.

use std::thread;
use std::time::{Duration, Instant};

/// How long a test waits for something that should happen soon, on a busy machine.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// How long to wait between two looks.
pub const LOOK: Duration = Duration::from_millis(20);

/// Asks until there is an answer, and returns it.
///
/// # Panics
///
/// Panics where there is no answer in time, and says what was waited for.
pub fn eventually<T>(what: &str, patience: Duration, ask: impl FnMut() -> Option<T>) -> T {
    within(patience, ask).unwrap_or_else(|| panic!("waited {patience:?} for {what}"))
}

/// Asks until there is an answer, and returns it; nothing, where there is none in time.
pub fn within<T>(patience: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if Instant::now() >= deadline {
            return None;
        }
        thread::sleep(LOOK);
    }
}
