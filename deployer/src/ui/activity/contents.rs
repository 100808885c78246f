//! How far the work on folders with many files is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::engine::{ContentStep, Event};
use crate::text::count;
use crate::ui::Ui;

/// A bar for each folder on a terminal, and a line for each step elsewhere.
#[derive(Clone)]
pub(super) struct Contents {
    ui: Ui,
    bars: Arc<Mutex<BTreeMap<String, ProgressBar>>>,
}

impl Contents {
    pub(super) fn new(ui: &Ui) -> Self {
        Self {
            ui: ui.clone(),
            bars: Arc::default(),
        }
    }

    /// Draws an event about a folder; others are none of its business.
    pub(super) fn take(&self, event: &Event) {
        let Event::ContentProgress {
            stack,
            content,
            step,
            done,
            total,
            ..
        } = event
        else {
            return;
        };
        let (verb, doing) = words(*step);
        let folder = format!("{stack}/{content}");
        if *done == 0 {
            let objects = count(*total, "object");
            self.ui.begin(verb, format!("{folder}: {doing} {objects}"));
        }
        let mut bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        if done == total {
            if let Some(bar) = bars.remove(&folder) {
                bar.finish_and_clear();
            }
            return;
        }
        let bar = match bars.get(&folder) {
            Some(bar) => bar,
            None => match self.bar(verb) {
                Some(bar) => bars.entry(folder.clone()).or_insert(bar),
                None => return,
            },
        };
        bar.set_prefix(self.ui.column(verb));
        bar.set_length(u64::try_from(*total).unwrap_or(u64::MAX));
        bar.set_position(u64::try_from(*done).unwrap_or(u64::MAX));
        bar.set_message(format!("{folder}: {doing}"));
    }

    /// Clears what is drawn.
    pub(super) fn finish(&self) {
        let mut bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        for bar in std::mem::take(&mut *bars).into_values() {
            bar.finish_and_clear();
        }
    }

    fn bar(&self, verb: &str) -> Option<ProgressBar> {
        let bar = self.ui.bars()?.add(ProgressBar::new(0));
        if let Ok(style) =
            ProgressStyle::with_template("{prefix} {spinner} {wide_msg} {human_pos}/{human_len}")
        {
            bar.set_style(style.tick_chars("-\\|/ "));
        }
        bar.set_prefix(self.ui.column(verb));
        bar.enable_steady_tick(Duration::from_millis(120));
        Some(bar)
    }
}

/// Returns the verb of a step and how it is said.
fn words(step: ContentStep) -> (&'static str, &'static str) {
    match step {
        ContentStep::Looking => ("compare", "looking at"),
        ContentStep::Writing => ("publish", "writing"),
        ContentStep::Removing => ("remove", "removing"),
    }
}
