//! A step that takes time: a spinner on a terminal, otherwise a line when it begins and one when it is done.

use std::time::{Duration, Instant};

use anstyle::Style;
use indicatif::{ProgressBar, ProgressStyle};

use super::report::fitted;
use super::{Ui, paint, palette};

/// How wide the column of verbs is.
const VERB_WIDTH: usize = 9;

impl Ui {
    /// Prints a line with a verb in front.
    pub(super) fn labelled(&self, verb: &str, style: Style, text: &str) {
        let text = self.options.complete(text);
        self.line(labelled(verb, style, &text, self.width()));
    }
}

/// Writes a line with a verb in front, broken between words where a width is given.
fn labelled(verb: &str, style: Style, text: &str, width: Option<usize>) -> String {
    let line = format!("{} {text}", paint(style, column(verb)));
    fitted(&line, width, VERB_WIDTH + 3)
}

/// Writes a verb as wide as its column.
pub(super) fn column(verb: &str) -> String {
    format!("{verb:>VERB_WIDTH$}")
}

/// A running step. Dropping it clears what it drew.
#[derive(Debug)]
pub struct Task {
    ui: Ui,
    verb: &'static str,
    subject: String,
    started: Instant,
    bar: Option<ProgressBar>,
}

impl Task {
    pub(super) fn start(ui: Ui, verb: &'static str, subject: String) -> Self {
        let bar = ui.bars().map(|bars| {
            let bar = bars.add(ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("{prefix} {spinner} {wide_msg}") {
                bar.set_style(style.tick_chars("-\\|/ "));
            }
            bar.set_prefix(ui.column(verb));
            bar.set_message(subject.clone());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self {
            ui,
            verb,
            subject,
            started: Instant::now(),
            bar,
        }
    }

    /// Says what the step is doing right now: on a terminal in its line, elsewhere only where more is asked for.
    pub fn message(&self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{}: {text}", self.subject));
        } else if self.ui.verbose() > 0 {
            self.ui.labelled(self.verb, palette::ACTIVE, text);
        }
    }

    /// Ends the step and says what came of it, with the time it took.
    pub fn done(self, text: impl AsRef<str>) {
        let line = format!(
            "{} {}",
            text.as_ref(),
            paint(
                palette::WEAK,
                format_args!("in {}", duration(self.started.elapsed()))
            )
        );
        self.ui.done(self.verb, line);
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Writes a length of time as a person would say it.
pub(super) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 1 {
        format!("{} ms", time.as_millis())
    } else if seconds < 60 {
        format!("{:.1} s", time.as_secs_f64())
    } else if seconds < 3600 {
        format!("{} min {} s", seconds / 60, seconds % 60)
    } else {
        format!("{} h {} min", seconds / 3600, seconds % 3600 / 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        for (milliseconds, expected) in [
            (0, "0 ms"),
            (940, "940 ms"),
            (1_250, "1.2 s"),
            (59_900, "59.9 s"),
            (61_000, "1 min 1 s"),
            (3_720_000, "1 h 2 min"),
        ] {
            assert_eq!(duration(Duration::from_millis(milliseconds)), expected);
        }
    }
}
