//! The rows of the tables, as a test walks them: of each, something that AWS says has to depend.

use super::limits::LIMITS;
use super::{ALLOWED, FIXED, GONE, RETENTIONS, SWITCHES, UPDATES, protections, shown};

/// A row of a table that finds something in a change.
#[derive(Debug)]
pub(in crate::engine::plan) struct Row {
    pub(in crate::engine::plan) resource_type: &'static str,
    /// How the reason of its finding begins, and what else it holds: no other row has both.
    pub(in crate::engine::plan) finds: [String; 2],
    pub(in crate::engine::plan) source: &'static str,
}

/// Returns the rows of all tables that find something, but for the interruptions, which another test counts.
pub(in crate::engine::plan) fn finding() -> impl Iterator<Item = Row> {
    let row = |resource_type, begins: String, holds: &str, source| Row {
        resource_type,
        finds: [begins, holds.to_owned()],
        source,
    };
    // An element of a list is told by its name behind the path.
    let path = |pointer: &str| format!("{} ", shown(&pointer.replace("/*", "")));
    let fixed = FIXED.iter().map(move |it| {
        let begins = format!("{} cannot be changed once", it.property);
        row(it.resource_type, begins, "", it.source)
    });
    let says =
        move |resource_type, says: &str, source| row(resource_type, says.to_owned(), "", source);
    let gone = GONE
        .iter()
        .map(move |it| says(it.resource_type, it.says, it.source));
    let switches = SWITCHES
        .iter()
        .map(move |it| says(it.resource_type, it.says, it.source));
    let limits = LIMITS
        .iter()
        .map(move |it| row(it.resource_type, path(it.pointer), it.says, it.source));
    // Of what has no row it is told that it may be deleted.
    let retentions = RETENTIONS
        .iter()
        .map(move |it| row(it.resource_type, path(it.pointer), " is deleted", it.source));
    let protections =
        protections().map(move |it| row(it.resource_type, path(it.pointer), it.without, it.source));
    fixed
        .chain(gone)
        .chain(limits)
        .chain(retentions)
        .chain(switches)
        .chain(protections)
}

/// Returns the properties whose change a row decides about: the type, the property, and the page.
pub(in crate::engine::plan) fn deciding()
-> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let updates = UPDATES
        .iter()
        .map(|row| (row.resource_type, row.property, row.source));
    let allowed = ALLOWED
        .iter()
        .map(|row| (row.resource_type, row.property, row.source));
    updates.chain(allowed)
}
