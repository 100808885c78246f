//! Finds what protected the elements of a list.
//!
//! Which element is which is told by what AWS tells them apart by, and otherwise by all that they say besides the protection.

use serde_json::Value;

use super::super::super::super::canonical::same;
use super::super::super::super::widen::{elements, is_unknown, text};
use super::super::super::{Seen, is_on, shown};
use super::{Protection, taken};

/// The properties that AWS tells elements of a list apart by.
const KEYS: [&str; 6] = [
    "ArtifactIdentifier",
    "ClientId",
    "Id",
    "Key",
    "ProviderName",
    "SourceIdentifier",
];

/// Returns what protects elements of a list no more, and which new ones nothing protects, one line each.
pub(super) fn unprotected(
    row: &Protection,
    seen: &Seen<'_>,
    list: &str,
    inner: &str,
) -> Vec<String> {
    let path = shown(&format!("{list}{inner}"));
    let mut left = elements(seen.before(list));
    // What did not change is none of those that another one may have been.
    let mut others = elements(seen.after(list));
    others.retain(|element| {
        let unchanged = left.iter().position(|earlier| same(earlier, element));
        unchanged.map(|position| left.remove(position)).is_none()
    });
    let (mut found, mut new) = (Vec::new(), Vec::new());
    for element in others {
        let mut all = left.iter();
        let earlier = all.position(|earlier| is_one(earlier, element, inner));
        match earlier.map(|position| left.remove(position)) {
            Some(earlier) => {
                let sides = [earlier.pointer(inner), element.pointer(inner)];
                let path = format!("{path} of {}", name(element));
                found.extend(taken(row, &path, sides));
            }
            None => new.push(element),
        }
    }
    let is_open = |element: &&Value| {
        let value = element.pointer(inner);
        is_unknown(element) || value.is_some_and(is_unknown) || !(row.protects)(value)
    };
    // What nothing protected under another name is no more open than before.
    let renamed = left.into_iter().filter(is_open).count();
    for element in new.into_iter().filter(is_open).skip(renamed) {
        let (name, without) = (name(element), row.without);
        let value = element.pointer(inner);
        let unknown = [Some(element), value]
            .into_iter()
            .flatten()
            .find(|value| is_unknown(value));
        found.push(match unknown {
            Some(value) => format!(
                "{path} of {name}, which is new, may be no protection, as nobody knows what {} is: {without}",
                text(value)
            ),
            None if is_on(value) => {
                format!("{path} of {name}, which is new, is switched on: {without}")
            }
            None => format!("{path} of {name}, which is new, is no protection: {without}"),
        });
    }
    found
}

/// Returns whether two elements are the same one, whatever protects it.
fn is_one(one: &Value, other: &Value, inner: &str) -> bool {
    let keys = |element: &Value| KEYS.map(|key| element.get(key).cloned());
    let (mine, its) = (keys(one), keys(other));
    if mine.iter().chain(&its).any(Option::is_some) {
        return mine == its;
    }
    let rest = |element: &Value| {
        let mut rest = element.clone();
        if let Some((outer, last)) = inner.rsplit_once('/')
            && let Some(Value::Object(entries)) = rest.pointer_mut(outer)
        {
            entries.remove(last);
        }
        rest
    };
    same(&rest(one), &rest(other))
}

/// Returns what an element is called. What else it says may be a secret.
fn name(element: &Value) -> String {
    let keys = KEYS.iter().filter_map(|key| element.get(*key));
    let keys: Vec<String> = keys.map(text).collect();
    if keys.is_empty() {
        "one of them".to_owned()
    } else {
        keys.join(" of ")
    }
}
