//! Rules over several properties of one map.

use std::collections::BTreeMap;

use super::{branches, is_no_value};
use crate::Expr;
use crate::facts::spec::{Group, Rule, Text};

/// Whether a property is there once the stack is deployed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Presence {
    No,
    /// A condition decides.
    Maybe,
    Yes,
}

/// Tells whether a property is there.
pub(super) fn presence(value: Option<&Expr>) -> Presence {
    let Some(value) = value else {
        return Presence::No;
    };
    match branches(value) {
        Some((then, otherwise)) => match (presence(Some(then)), presence(Some(otherwise))) {
            (a, b) if a == b => a,
            _ => Presence::Maybe,
        },
        None if is_no_value(value) => Presence::No,
        None => Presence::Yes,
    }
}

/// The entries of the map that the rules are about.
type Entries = BTreeMap<String, Expr>;

/// Returns a message for each rule that is broken for certain.
pub(super) fn broken(groups: &[Group<'_>], entries: &Entries) -> Vec<String> {
    let mut messages = Vec::new();
    for group in groups {
        match (group.rule, group.sets.as_slice()) {
            (Rule::OneOf, sets) if sets.iter().filter(|set| excludes(set, entries)).count() > 1 => {
                messages.push(format!("only one is possible of {}", names(sets)));
            }
            (Rule::OneOf, sets) if missing(sets, entries) => {
                messages.push(format!("one is missing of {}", names(sets)));
            }
            (Rule::AnyOf, sets) if missing(sets, entries) => {
                messages.push(format!("at least one is missing of {}", names(sets)));
            }
            (Rule::Needs, [first, others]) if complete(first, entries) == Presence::Yes => {
                let absent = others
                    .iter()
                    .filter(|name| presence(entries.get(&***name)) == Presence::No);
                messages.extend(absent.map(|name| format!("{} needs `{name}`", with(first))));
            }
            (Rule::Excludes, [first, others]) if excludes(first, entries) => {
                for other in others.iter().filter(|name| filled(name, entries)) {
                    let (one, other) = (with(first), format!("`{other}`"));
                    // The registry says it from both sides.
                    let (one, other) = if one < other {
                        (one, other)
                    } else {
                        (other, one)
                    };
                    messages.push(format!("{one} and {other} exclude one another"));
                }
            }
            _ => {}
        }
    }
    messages.sort();
    messages.dedup();
    messages
}

fn missing(sets: &[Vec<Text<'_>>], entries: &Entries) -> bool {
    sets.iter()
        .all(|set| complete(set, entries) == Presence::No)
}

/// Whether all properties of a set are there.
fn complete(set: &[Text<'_>], entries: &Entries) -> Presence {
    let presences = set.iter().map(|name| presence(entries.get(&**name)));
    // The least of them decides.
    presences.min().unwrap_or(Presence::No)
}

fn excludes(set: &[Text<'_>], entries: &Entries) -> bool {
    set.iter().all(|name| filled(name, entries))
}

/// Whether a property is there and says something: an empty list excludes nothing.
fn filled(name: &str, entries: &Entries) -> bool {
    let value = entries.get(name);
    presence(value) == Presence::Yes
        && !matches!(value, Some(Expr::List(elements)) if elements.is_empty())
}

fn names(sets: &[Vec<Text<'_>>]) -> String {
    sets.iter()
        .map(|set| with(set))
        .collect::<Vec<_>>()
        .join(", ")
}

fn with(set: &[Text<'_>]) -> String {
    format!("`{}`", set.join("` with `"))
}
