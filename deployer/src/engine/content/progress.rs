//! How far work on many objects is.

use std::time::{Duration, SystemTime};

use super::Folder;
use crate::engine::{ContentStep, Event};

/// After how many objects it is told how far the work is. Fewer are mostly done before anybody asks.
const EACH: usize = 100;

/// After what time it is told in any case.
const AT_LEAST: Duration = Duration::from_secs(15);

/// Counts what is done of a step.
pub(super) struct Progress<'a> {
    folder: Folder<'a>,
    step: ContentStep,
    total: usize,
    done: usize,
    /// When it was told last, or else when the step began.
    since: SystemTime,
    is_told: bool,
}

impl<'a> Progress<'a> {
    /// Begins a step of so many objects.
    pub(super) fn begin(folder: Folder<'a>, step: ContentStep, total: usize) -> Self {
        let mut progress = Self {
            folder,
            step,
            total,
            done: 0,
            since: folder.context.timing.now(),
            is_told: false,
        };
        if total >= EACH {
            progress.tell();
        }
        progress
    }

    /// Counts objects that are done.
    pub(super) fn add(&mut self, objects: usize) {
        let before = self.done / EACH;
        self.done += objects;
        let is_due = if self.done == self.total {
            self.is_told
        } else {
            let now = self.folder.context.timing.now();
            let silent = now.duration_since(self.since).unwrap_or_default();
            self.done / EACH > before || silent >= AT_LEAST
        };
        if is_due {
            self.tell();
        }
    }

    fn tell(&mut self) {
        self.since = self.folder.context.timing.now();
        self.is_told = true;
        self.folder.context.emit(Event::ContentProgress {
            stack: self.folder.stack.to_owned(),
            content: self.folder.name.to_owned(),
            bucket: self.folder.bucket.to_owned(),
            step: self.step,
            done: self.done,
            total: self.total,
        });
    }
}
