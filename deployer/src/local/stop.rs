//! Stopping an engine and deleting its state.

use std::time::Duration;

use super::error::{StateError, StopError};
use super::process::{self, Signal};
use super::state::StateDir;
use super::{LocalEngine, LocalEvent, Stopped};

/// Saving takes a second or two, plus three for requests that are still open.
const SAVE_LIMIT: Duration = Duration::from_secs(30);
/// A killed process is gone as soon as the kernel gets to it.
const KILL_LIMIT: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(20);

impl LocalEngine {
    pub(crate) fn stop_blocking(&self) -> Result<Stopped, StopError> {
        let state = self.state();
        if !state.root().exists() {
            return Ok(Stopped::NotRunning);
        }
        let _lock = state.lock(&self.cancel)?;
        self.end(&state)
    }

    pub(crate) fn reset_blocking(&self) -> Result<Stopped, StopError> {
        let state = self.state();
        if !state.root().exists() {
            return Ok(Stopped::NotRunning);
        }
        let _lock = state.lock(&self.cancel)?;
        let stopped = self.end(&state)?;
        state.clear()?;
        Ok(stopped)
    }

    /// Ends the engine; the caller holds the lock, so that no other one is started meanwhile.
    fn end(&self, state: &StateDir) -> Result<Stopped, StopError> {
        let Some(record) = state.running()? else {
            return Ok(Stopped::NotRunning);
        };
        let pid = record.pid.ok_or_else(|| StateError::NoRecord {
            path: state.record_file(),
        })?;
        send(state, pid, &record.start_id, Signal::Terminate)?;
        self.emit(LocalEvent::Stopping);
        if !self.wait_for_end(state, SAVE_LIMIT)? {
            send(state, pid, &record.start_id, Signal::Kill)?;
            self.emit(LocalEvent::Killed);
            if !self.wait_for_end(state, KILL_LIMIT)? {
                return Err(StopError::StillRunning { pid });
            }
        }
        Ok(if state.lost_state()? {
            Stopped::Unsaved
        } else {
            Stopped::Saved
        })
    }

    fn wait_for_end(&self, state: &StateDir, limit: Duration) -> Result<bool, StateError> {
        let deadline = self.clock.now() + limit;
        while state.is_alive()? {
            if self.clock.now() >= deadline {
                return Ok(false);
            }
            self.clock.sleep(POLL);
        }
        Ok(true)
    }
}

fn send(state: &StateDir, pid: u32, start_id: &str, signal: Signal) -> Result<(), StopError> {
    if process::is_engine(pid, start_id) {
        return process::signal(pid, signal).map_err(|source| StopError::Signal { pid, source });
    }
    // It may have ended by itself since we looked.
    if state.is_alive()? {
        Err(StopError::NotOurProcess { pid })
    } else {
        Ok(())
    }
}
