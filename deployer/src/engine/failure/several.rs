//! What the failures of several stacks are as one error.

use super::Failure;
use crate::error::Kind;

/// Returns one kind for all: that of the first, the others are in the report.
pub(in crate::engine) fn kind<'a>(mut failures: impl Iterator<Item = &'a Failure>) -> Kind {
    failures.next().map_or(Kind::Deploy, |failure| failure.kind)
}

/// Returns what the reader can do about them, each once.
pub(in crate::engine) fn hints<'a>(failures: impl Iterator<Item = &'a Failure>) -> Vec<String> {
    let mut hints = Vec::new();
    for hint in failures.flat_map(|failure| &failure.hints) {
        if !hints.contains(hint) {
            hints.push(hint.clone());
        }
    }
    hints
}

/// Returns what failed and why, one after the other.
fn details<'a>(failures: impl Iterator<Item = &'a Failure>) -> Vec<String> {
    failures
        .flat_map(|failure| std::iter::once(&failure.message).chain(&failure.causes))
        .cloned()
        .collect()
}

/// Returns what failed and why, without what the error says itself: of one stack it is said once.
pub(in crate::engine) fn news<'a>(
    said: &str,
    failures: impl Iterator<Item = &'a Failure>,
) -> Vec<String> {
    let is_news = |it: &String| !said.starts_with(it.as_str());
    details(failures).into_iter().filter(is_news).collect()
}
