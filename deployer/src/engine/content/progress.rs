//! How far work on many objects is.

use super::Folder;
use crate::engine::{ContentStep, Event};

/// After how many objects it is told how far the work is. Fewer are done before anybody asks.
const EACH: usize = 100;

/// Counts what is done of a step.
pub(super) struct Progress<'a> {
    folder: Folder<'a>,
    step: ContentStep,
    total: usize,
    done: usize,
}

impl<'a> Progress<'a> {
    /// Begins a step of so many objects.
    pub(super) fn begin(folder: Folder<'a>, step: ContentStep, total: usize) -> Self {
        let progress = Self {
            folder,
            step,
            total,
            done: 0,
        };
        progress.tell();
        progress
    }

    /// Counts objects that are done.
    pub(super) fn add(&mut self, objects: usize) {
        let before = self.done / EACH;
        self.done += objects;
        if self.done / EACH > before || self.done == self.total {
            self.tell();
        }
    }

    fn tell(&self) {
        if self.total < EACH {
            return;
        }
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
