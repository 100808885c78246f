//! The tables that benchmarks print.

use std::fmt::Write as _;
use std::time::Duration;

/// A table of a benchmark: a title and rows of a name, a figure and its ratio to the floor or target.
pub(super) struct Table {
    text: String,
}

impl Table {
    pub(super) fn new(title: &str, columns: [&str; 3]) -> Self {
        let mut text = String::new();
        let [first, second, third] = columns;
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{title}\n");
        let _ = writeln!(text, "{:<46}{first:>11}{second:>11}{third:>8}", "");
        Self { text }
    }

    /// Adds a row: what was measured, the figure, what it is compared with, and the ratio.
    fn row(&mut self, name: &str, figure: &str, beside: &str, ratio: f64) {
        let _ = writeln!(self.text, "{name:<46}{figure:>11}{beside:>11}{ratio:>8.2}");
    }

    /// Adds a row of two durations.
    pub(super) fn durations(&mut self, name: &str, figure: Duration, beside: Duration) {
        let ratio = figure.as_secs_f64() / beside.as_secs_f64();
        self.row(name, &seconds(figure), &seconds(beside), ratio);
    }

    /// Adds a row of two sizes in bytes.
    #[expect(clippy::cast_precision_loss, reason = "a ratio needs three digits")]
    pub(super) fn sizes(&mut self, name: &str, figure: u64, beside: u64) {
        let ratio = figure as f64 / beside as f64;
        self.row(name, &megabytes(figure), &megabytes(beside), ratio);
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

/// Writes a duration in the unit that suits it.
fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds >= 1.0 {
        format!("{seconds:.2} s")
    } else if seconds >= 0.001 {
        format!("{:.2} ms", seconds * 1e3)
    } else {
        format!("{:.1} us", seconds * 1e6)
    }
}

/// Writes a size in megabytes.
#[expect(
    clippy::cast_precision_loss,
    reason = "a size in megabytes needs three digits"
)]
fn megabytes(bytes: u64) -> String {
    let megabytes = bytes as f64 / 1e6;
    if megabytes >= 10.0 {
        format!("{megabytes:.0} MB")
    } else {
        format!("{megabytes:.2} MB")
    }
}
