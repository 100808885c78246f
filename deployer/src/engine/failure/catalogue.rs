//! The failures that are met most, as data: how each is known, what helps, and where that is written.
//!
//! AWS has no codes for most of them, so an entry is known by parts of the reason that a resource gives. Entries do not
//! overlap: a test holds a real text for each and checks that no other entry knows it.

mod access;
mod data;
mod edge;
mod lambda;
mod names;
mod stacks;
#[cfg(test)]
mod tests;

use serde::Serialize;

/// One failure that is known.
#[derive(Debug)]
pub(crate) struct Entry {
    /// How the resource type begins; empty for any.
    resource_type: &'static str,
    /// The parts of the reason that must all occur, in lower case.
    reason: &'static [&'static str],
    /// What must not occur in the resource type or the reason, in lower case: it belongs to another entry.
    unless: &'static [&'static str],
    /// What it is, as a fragment.
    title: &'static str,
    /// What helps, as a fragment.
    remedy: &'static str,
    /// Where the text is seen, or the rule behind it is written.
    source: &'static str,
}

/// What is known of a failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Known {
    /// What it is, as a fragment.
    pub title: String,
    /// What helps, as a fragment.
    pub remedy: String,
    /// Where the failure, or the rule behind it, is written down.
    pub source: String,
}

impl Entry {
    /// Returns whether this is the failure; `reason` and `of` are in lower case.
    fn knows(&self, resource_type: &str, of: &str, reason: &str) -> bool {
        resource_type.starts_with(self.resource_type)
            && self.reason.iter().all(|part| reason.contains(part))
            && !self
                .unless
                .iter()
                .any(|part| reason.contains(part) || of.contains(part))
    }
}

/// Finds the failure behind a reason; the resource type may be empty.
pub(super) fn find(resource_type: &str, reason: &str) -> Option<Known> {
    matching(resource_type, reason).next().map(|entry| Known {
        title: entry.title.to_owned(),
        remedy: entry.remedy.to_owned(),
        source: entry.source.to_owned(),
    })
}

/// Returns every entry that knows a reason.
fn matching(resource_type: &str, reason: &str) -> impl Iterator<Item = &'static Entry> {
    let (of, reason) = (resource_type.to_lowercase(), reason.to_lowercase());
    let resource_type = resource_type.to_owned();
    entries().filter(move |entry| entry.knows(&resource_type, &of, &reason))
}

fn entries() -> impl Iterator<Item = &'static Entry> {
    [
        names::ENTRIES,
        lambda::ENTRIES,
        edge::ENTRIES,
        data::ENTRIES,
        access::ENTRIES,
        stacks::ENTRIES,
    ]
    .into_iter()
    .flatten()
}
