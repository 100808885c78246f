//! The few colours and their meanings.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

/// Done, created, as it should be.
pub(super) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// Running.
pub(super) const ACTIVE: Style = AnsiColor::Cyan.on_default().bold();
/// Deserves attention.
pub(super) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// Failed, or destroys something.
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Says what to do.
pub(super) const HINT: Style = AnsiColor::Cyan.on_default();
/// A line that goes.
pub(super) const REMOVED: Style = AnsiColor::Red.on_default();
/// A line that is new.
pub(super) const ADDED: Style = AnsiColor::Green.on_default();
/// Stands out.
pub(super) const STRONG: Style = Style::new().bold();
/// Stands back.
pub(super) const WEAK: Style = Style::new().dimmed();

/// Wraps text in a style. The streams strip it where it is not wanted.
pub fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}
