//! What statements of a policy allow or deny that others do not.
//!
//! A statement is as many items as it has combinations of an action, a resource and a principal. An item is covered
//! where one other statement of the same effect says as much of it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::super::canonical::{intrinsic, same};
use super::text::{condition, json, list, text};

/// What a statement does with what it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// It allows it.
    Allow,
    /// It denies it.
    Deny,
    /// Only CloudFormation knows.
    Unknown,
    /// It is no statement of a policy.
    None,
}

impl Effect {
    /// Returns the effect of a canonical statement.
    pub(super) fn of(statement: &Value) -> Self {
        let Some(entries) = statement.as_object() else {
            return Self::None;
        };
        match entries.get("Effect").map(Value::as_str) {
            Some(Some("Allow")) => Self::Allow,
            Some(Some("Deny")) => Self::Deny,
            Some(_) => Self::Unknown,
            None if intrinsic(entries).is_some() => Self::Unknown,
            None => Self::None,
        }
    }

    const fn verb(self) -> &'static str {
        match self {
            Self::Allow => "allows",
            Self::Deny => "denies",
            Self::Unknown | Self::None => "allows or denies",
        }
    }
}

/// Returns whether statements say the same, whatever they are called.
pub(super) fn equal(left: &Value, right: &Value) -> bool {
    let (Value::Object(left_entries), Value::Object(right_entries)) = (left, right) else {
        return same(left, right);
    };
    if !left_entries.contains_key("Sid") && !right_entries.contains_key("Sid") {
        return same(left, right);
    }
    let said = |entries: &'_ Map<String, Value>| -> usize {
        entries.len() - usize::from(entries.contains_key("Sid"))
    };
    said(left_entries) == said(right_entries)
        && left_entries.iter().all(|(key, value)| {
            let other = right_entries.get(key);
            key == "Sid" || other.is_some_and(|other| same(value, other))
        })
}

/// Returns what a statement allows or denies that none of the earlier ones does, one line each. Who is given the policy of
/// an identity is told by `to`, where anybody is.
pub(super) fn gained(statement: &Value, earlier: &[&Value], to: &str) -> Vec<String> {
    let verb = Effect::of(statement).verb();
    let lines = beyond(statement, earlier, to).into_iter();
    let lines = lines.map(|(item, known)| {
        let mut line = format!("{verb} more: {}", item.full());
        // A part that was there without a condition goes without saying, but not beside one that was not.
        if known.iter().any(|known| known.condition.is_some()) {
            line.extend([", so far only ", &either(known.iter(), &item)]);
        }
        line
    });
    lines.collect()
}

/// Returns what a statement allowed or denied that none of the later ones does, one line each.
pub(super) fn dropped(statement: &Value, later: &[&Value], to: &str) -> Vec<String> {
    let verb = Effect::of(statement).verb();
    let lines = beyond(statement, later, to).into_iter();
    let lines = lines.map(|(item, left)| {
        let only_asked = left.iter().all(|left| left.text == item.text);
        let left = either(left.iter(), &item);
        if left.is_empty() {
            format!("{verb} no more: {}", item.full())
        } else if only_asked && item.condition.is_none() {
            format!("{verb} only {left}: {}", item.text)
        } else {
            format!("{verb} no more: {}, but only {left}", item.full())
        }
    });
    lines.collect()
}

/// Writes what others say of an item, each once.
fn either<'a>(told: impl Iterator<Item = &'a Told>, item: &Told) -> String {
    let each: BTreeSet<String> = told.map(|told| told.beside(item)).collect();
    each.into_iter().collect::<Vec<_>>().join(" or ")
}

/// What a statement says of one action on one resource by one principal, in words.
struct Told {
    text: String,
    condition: Option<String>,
}

impl Told {
    fn full(&self) -> String {
        match &self.condition {
            Some(condition) => format!("{} if {condition}", self.text),
            None => self.text.clone(),
        }
    }

    /// Writes only what differs from another: the condition, where all else is the same.
    fn beside(&self, other: &Self) -> String {
        match &self.condition {
            Some(condition) if self.text == other.text => format!("if {condition}"),
            _ => self.full(),
        }
    }
}

/// One action on one resource by one principal, as a statement has it.
struct Item<'a> {
    action: &'a Value,
    resource: &'a Value,
    principal: (&'a str, &'a Value),
    condition: Option<&'a Value>,
}

impl Item<'_> {
    /// Returns whether all of another item is part of this one, whatever they ask for.
    fn spans(&self, other: &Item<'_>) -> bool {
        matches(self.action, other.action, true)
            && matches(self.resource, other.resource, false)
            && self.principal.0 == other.principal.0
            && matches(self.principal.1, other.principal.1, false)
    }

    /// Returns whether this applies wherever another condition is met.
    fn applies_where(&self, other: Option<&Value>) -> bool {
        let Some(wide) = self.condition else {
            return true;
        };
        other.is_some_and(|narrow| asks_as_much(narrow, wide))
    }

    fn told(&self, to: &str) -> Told {
        let mut line = format!("{} on {}", text(self.action), text(self.resource));
        if !self.principal.0.is_empty() {
            line.extend([" by ", self.principal.0, " ", &text(self.principal.1)]);
        } else if !to.is_empty() {
            line.extend([" by ", to]);
        }
        Told {
            text: line,
            condition: self.condition.map(condition),
        }
    }
}

/// Returns whether one condition asks for all that another does.
fn asks_as_much(narrow: &Value, wide: &Value) -> bool {
    let Value::Object(operators) = wide else {
        return same(narrow, wide);
    };
    operators.iter().all(|(operator, keys)| {
        let Some(asked) = narrow.get(operator) else {
            return false;
        };
        match keys {
            Value::Object(keys) if intrinsic(keys).is_none() => keys.iter().all(|(key, value)| {
                asked
                    .get(key)
                    .is_some_and(|asked| same(asked, value) || names_fewer(operator, asked, value))
            }),
            _ => same(asked, keys),
        }
    })
}

/// Returns whether an operator that asks for one of several values is asked for fewer of them. What is written with an
/// intrinsic may be many values.
fn names_fewer(operator: &str, narrow: &Value, wide: &Value) -> bool {
    let one_of = !operator.contains("Not") && !operator.starts_with("ForAllValues");
    let narrow = elements(Some(narrow));
    let wide = elements(Some(wide));
    one_of
        && !narrow.is_empty()
        && narrow
            .iter()
            .all(|one| one.is_string() && wide.contains(one))
}

/// Returns what a statement says that no other one of its effect covers, each with what the others say of it.
fn beyond(statement: &Value, others: &[&Value], to: &str) -> Vec<(Told, Vec<Told>)> {
    let Some(own) = items(statement) else {
        return vec![(whole(statement, to), Vec::new())];
    };
    let effect = Effect::of(statement);
    let alike = || others.iter().filter(|other| Effect::of(other) == effect);
    // What a statement of everything else says of an item is not known here, so it is told beside.
    let inverted = || alike().filter(|other| items(other).is_none());
    let others: Vec<Item<'_>> = alike().filter_map(|other| items(other)).flatten().collect();
    let mut found = Vec::new();
    for item in own {
        let covers = |other: &Item<'_>| other.spans(&item) && other.applies_where(item.condition);
        if others.iter().any(covers) {
            continue;
        }
        let told = item.told(to);
        let parts = others
            .iter()
            .filter(|other| item.applies_where(other.condition))
            .filter_map(|other| {
                let of_other = other.told(to);
                if other.spans(&item) {
                    // Of what is wider, that part counts.
                    let text = told.text.clone();
                    Some(Told { text, ..of_other })
                } else {
                    item.spans(other).then_some(of_other)
                }
            })
            .chain(inverted().map(|other| whole(other, to)))
            .collect();
        found.push((told, parts));
    }
    found
}

/// Returns the items of a statement; nothing, where it names none, or those that it is not about.
fn items(statement: &Value) -> Option<Vec<Item<'_>>> {
    if INVERTED.iter().any(|key| statement.get(key).is_some()) {
        return None;
    }
    let condition = tests(statement);
    let mut items = Vec::new();
    for action in elements(statement.get("Action")) {
        for resource in elements_or_any(statement.get("Resource")) {
            for principal in principals(statement) {
                items.push(Item {
                    action,
                    resource,
                    principal,
                    condition,
                });
            }
        }
    }
    (!items.is_empty()).then_some(items)
}

/// Returns the condition of a statement. An empty one asks for nothing.
fn tests(statement: &Value) -> Option<&Value> {
    let condition = statement.get("Condition")?;
    let is_empty = condition.as_object().is_some_and(Map::is_empty);
    (!is_empty).then_some(condition)
}

/// What makes a statement one of everything else.
const INVERTED: [&str; 3] = ["NotAction", "NotResource", "NotPrincipal"];

/// Writes a statement as one, whose items cannot be told.
fn whole(statement: &Value, to: &str) -> Told {
    let part = |name: &str, inverted: &str| match (statement.get(name), statement.get(inverted)) {
        (Some(value), None) => Some(list(value)),
        (None, Some(value)) => Some(format!("everything but {}", list(value))),
        _ => None,
    };
    let by = |name: &str| {
        let kinds = statement.get(name)?.as_object()?;
        let mut kinds: Vec<String> = kinds
            .iter()
            .map(|(kind, names)| format!("{kind} {}", list(names)))
            .collect();
        kinds.sort();
        Some(kinds.join(" and "))
    };
    let principals = match (by("Principal"), by("NotPrincipal")) {
        (Some(kinds), None) => Some(format!(" by {kinds}")),
        (None, Some(kinds)) => Some(format!(" by everybody but {kinds}")),
        // What is for everybody is written as one text, and nothing is in the policy of an identity.
        (None, None) => match (statement.get("Principal"), statement.get("NotPrincipal")) {
            (None, None) if to.is_empty() => Some(String::new()),
            (None, None) => Some(format!(" by {to}")),
            (Some(Value::String(name)), None) => Some(format!(" by AWS {name}")),
            _ => None,
        },
        _ => None,
    };
    let resource = part("Resource", "NotResource").or_else(|| {
        let neither = ["Resource", "NotResource"].map(|key| statement.get(key).is_none());
        (neither == [true; 2]).then(|| "the resource itself".to_owned())
    });
    match (part("Action", "NotAction"), resource, principals) {
        (Some(action), Some(resource), Some(principals)) => Told {
            text: format!("{action} on {resource}{principals}"),
            condition: tests(statement).map(condition),
        },
        _ => Told {
            text: json(statement),
            condition: None,
        },
    }
}

/// Stands for a part that a statement does not have.
static ANY: Value = Value::Null;

pub(in super::super) fn elements(value: Option<&Value>) -> Vec<&Value> {
    match value {
        Some(Value::Array(elements)) => elements.iter().collect(),
        Some(other) => vec![other],
        None => Vec::new(),
    }
}

fn elements_or_any(value: Option<&Value>) -> Vec<&Value> {
    match value {
        None => vec![&ANY],
        some => elements(some),
    }
}

/// Returns the principals of a statement with their kinds. A policy of an identity has none.
pub(super) fn principals(statement: &Value) -> Vec<(&str, &Value)> {
    match statement.get("Principal") {
        None => vec![("", &ANY)],
        Some(Value::Object(kinds)) => kinds
            .iter()
            .flat_map(|(kind, names)| {
                elements(Some(names))
                    .into_iter()
                    .map(move |name| (kind.as_str(), name))
            })
            .collect(),
        Some(other) => vec![("AWS", other)],
    }
}

/// Returns whether a pattern covers a value. Intrinsics cover only themselves.
pub(super) fn matches(wide: &Value, narrow: &Value, ignore_case: bool) -> bool {
    if wide == narrow {
        return true;
    }
    let (Some(wide), Some(narrow)) = (wide.as_str(), narrow.as_str()) else {
        return wide.as_str() == Some("*");
    };
    if ignore_case {
        covers(
            wide.to_ascii_lowercase().as_bytes(),
            narrow.to_ascii_lowercase().as_bytes(),
        )
    } else {
        covers(wide.as_bytes(), narrow.as_bytes())
    }
}

/// Matches `*` and `?` as IAM does. A narrow text with wildcards of its own is covered where the wide one takes them
/// literally, which is right: `s3:*` covers `s3:Get*`.
pub(in crate::engine) fn covers(wide: &[u8], narrow: &[u8]) -> bool {
    let (mut at, mut of) = (0, 0);
    let mut star = None;
    while let Some(byte) = narrow.get(of) {
        match wide.get(at) {
            Some(b'*') => {
                star = Some((at, of));
                at += 1;
            }
            Some(b'?') if *byte != b'*' => (at, of) = (at + 1, of + 1),
            Some(other) if other == byte => (at, of) = (at + 1, of + 1),
            _ => match &mut star {
                Some((start, reached)) => {
                    *reached += 1;
                    (at, of) = (*start + 1, *reached);
                }
                None => return false,
            },
        }
    }
    wide.get(at..)
        .is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}
