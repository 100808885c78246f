//! How far the work on folders with many files is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::engine::{ContentStep, Event};
use crate::text::count;
use crate::ui::Ui;

/// After what time a log hears of a step in any case.
const SILENCE: Duration = Duration::from_secs(15);

/// A bar for each folder on a terminal, and elsewhere a line for each step, and for each tenth of a long one.
#[derive(Clone)]
pub(super) struct Contents {
    ui: Ui,
    bars: Arc<Mutex<BTreeMap<String, ProgressBar>>>,
    beats: Arc<Mutex<BTreeMap<String, Beat>>>,
}

/// What a log was told last of a step.
struct Beat {
    tenth: usize,
    since: Instant,
}

impl Beat {
    fn new(now: Instant) -> Self {
        Self {
            tenth: 0,
            since: now,
        }
    }

    /// Returns whether it is time for a line: at another tenth, so that two runs of the same tell the same, or after a while.
    fn is_due(&mut self, done: usize, total: usize, now: Instant) -> bool {
        let tenth = done.saturating_mul(10) / total.max(1);
        let is_due = tenth > self.tenth || now.duration_since(self.since) >= SILENCE;
        if is_due {
            *self = Self { tenth, since: now };
        }
        is_due
    }
}

impl Contents {
    pub(super) fn new(ui: &Ui) -> Self {
        Self {
            ui: ui.clone(),
            bars: Arc::default(),
            beats: Arc::default(),
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
        self.beat(&folder, (verb, doing), *done, *total);
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

    /// Tells a log how far a step is.
    fn beat(&self, folder: &str, (verb, doing): (&str, &str), done: usize, total: usize) {
        let mut beats = self.beats.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if done == 0 {
            beats.insert(folder.to_owned(), Beat::new(now));
        } else if done == total {
            beats.remove(folder);
        } else {
            let beat = beats.entry(folder.to_owned());
            if beat
                .or_insert_with(|| Beat::new(now))
                .is_due(done, total, now)
            {
                let text = format!("{folder}: {doing}, {done} of {total} done");
                self.ui.begin(verb, text);
            }
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
pub(super) fn words(step: ContentStep) -> (&'static str, &'static str) {
    match step {
        ContentStep::Looking => ("compare", "looking at"),
        ContentStep::Writing => ("publish", "writing"),
        ContentStep::Removing => ("remove", "removing"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_hears_of_each_tenth_and_never_nothing_for_long() {
        let begin = Instant::now();
        let mut beat = Beat::new(begin);
        let told = (100..1500).step_by(100);
        let told: Vec<usize> = told
            .filter(|done| beat.is_due(*done, 1500, begin))
            .collect();
        assert_eq!(told, [200, 300, 500, 600, 800, 900, 1100, 1200, 1400]);
        // Of a slow one, however little is done.
        let mut beat = Beat::new(begin);
        let after = |seconds| begin + Duration::from_secs(seconds);
        assert!(!beat.is_due(1, 1500, after(14)));
        assert!(beat.is_due(2, 1500, after(15)));
        assert!(!beat.is_due(3, 1500, after(16)));
        assert!(beat.is_due(4, 1500, after(30)));
    }
}
