//! What kind of JSON a schema accepts, and within which limits.

use serde_json::Value;

use super::super::format::{Limits, Text};
use super::{Distiller, Flat, MAX_DEPTH, alternatives};

/// The kinds a schema accepts, as letters in alphabetical order; none means any.
pub(super) fn letters(flat: &Flat, distiller: &Distiller<'_>, depth: usize) -> String {
    let mut letters: Vec<char> = match flat.get("type") {
        Some(Value::String(one)) => letter(one).into_iter().collect(),
        Some(Value::Array(some)) => some
            .iter()
            .filter_map(Value::as_str)
            .filter_map(letter)
            .collect(),
        _ => implied(flat, distiller, depth),
    };
    letters.sort_unstable();
    letters.dedup();
    letters.into_iter().collect()
}

fn letter(name: &str) -> Option<char> {
    match name {
        "string" => Some('s'),
        "integer" => Some('i'),
        "number" => Some('n'),
        "boolean" => Some('b'),
        "object" => Some('o'),
        "array" => Some('a'),
        // CloudFormation has no null: a property is left out instead.
        _ => None,
    }
}

/// The kinds that keywords imply where the schema does not say its type.
fn implied(flat: &Flat, distiller: &Distiller<'_>, depth: usize) -> Vec<char> {
    let has = |keyword: &str| flat.contains_key(keyword);
    if has("properties") || has("patternProperties") {
        return vec!['o'];
    }
    if has("items") {
        return vec!['a'];
    }
    if has("pattern") || has("minLength") || has("maxLength") {
        return vec!['s'];
    }
    if let Some(values) = flat.get("enum").and_then(Value::as_array) {
        return values
            .iter()
            .filter_map(|value| match value {
                Value::String(_) => Some('s'),
                Value::Number(_) => Some('n'),
                Value::Bool(_) => Some('b'),
                _ => None,
            })
            .collect();
    }
    if depth >= MAX_DEPTH {
        return Vec::new();
    }
    let mut all = Vec::new();
    for (_, some) in alternatives(flat) {
        for schema in some {
            let kinds = letters(&distiller.flatten(schema, 1), distiller, depth + 1);
            if kinds.is_empty() && schema.get("required").is_none() {
                // One alternative accepts anything, and so the whole does.
                return Vec::new();
            }
            all.extend(kinds.chars());
        }
    }
    all
}

/// The limits of a schema; those of alternatives count where they only widen or name a format.
pub(super) fn limits(flat: &Flat, distiller: &Distiller<'_>) -> Limits<'static> {
    let mut limits = own_limits(flat);
    for (_, some) in alternatives(flat) {
        let flats: Vec<Flat> = some
            .iter()
            .map(|schema| distiller.flatten(schema, 1))
            .collect();
        let parts: Vec<Limits<'static>> = flats.iter().map(own_limits).collect();
        if limits.formats.is_empty() && parts.iter().all(|part| !part.formats.is_empty()) {
            limits.formats = parts.iter().flat_map(|part| part.formats.clone()).collect();
        }
        if limits.values.is_empty() && parts.iter().all(|part| !part.values.is_empty()) {
            limits.values = parts.iter().flat_map(|part| part.values.clone()).collect();
            limits.ignore_case = parts.iter().any(|part| part.ignore_case);
        }
    }
    limits.formats.dedup();
    limits
}

fn own_limits(flat: &Flat) -> Limits<'static> {
    let mut limits = Limits {
        values: texts(flat.get("enum")),
        ..Limits::default()
    };
    if limits.values.is_empty() {
        limits.values = texts(flat.get("enumCaseInsensitive"));
        limits.ignore_case = !limits.values.is_empty();
    }
    if limits.values.is_empty() {
        limits.values = flat.get("const").and_then(text).into_iter().collect();
    }
    limits.range = bounds(flat, "minimum", "maximum");
    limits.length = [
        ("minLength", "maxLength"),
        ("minItems", "maxItems"),
        ("minProperties", "maxProperties"),
    ]
    .into_iter()
    .find_map(|(least, greatest)| bounds(flat, least, greatest));
    limits.pattern = flat.get("pattern").and_then(text);
    if let Some(patterns) = flat.get("patternProperties").and_then(Value::as_object) {
        let mut keys = patterns.keys();
        limits.keys = match (keys.next(), keys.next()) {
            (Some(one), None) if !matches!(one.as_str(), ".*" | "^.*$" | ".+" | "^.+$" | "") => {
                Some(Text::Owned(one.clone()))
            }
            _ => None,
        };
    }
    limits.formats = flat.get("format").and_then(text).into_iter().collect();
    limits.unique = flat.get("uniqueItems") == Some(&Value::Bool(true));
    limits.unordered = flat.get("insertionOrder") == Some(&Value::Bool(false));
    // Only scalars are facts that a reader or a planner has a use for.
    limits.default = flat
        .get("default")
        .filter(|value| text(value).is_some())
        .map(|value| Text::Owned(value.to_string()));
    limits
}

/// Two bounds as they are written; a least count of zero says nothing.
fn bounds(flat: &Flat, least: &str, greatest: &str) -> Option<(Text<'static>, Text<'static>)> {
    let counts = least != "minimum";
    let least = flat
        .get(least)
        .and_then(text)
        .filter(|text| !(counts && text == "0"));
    let greatest = flat.get(greatest).and_then(text);
    (least.is_some() || greatest.is_some())
        .then(|| (least.unwrap_or_default(), greatest.unwrap_or_default()))
}

/// The scalars of a list, as they are written.
pub(super) fn texts(list: Option<&Value>) -> Vec<Text<'static>> {
    list.and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(text)
        .collect()
}

fn text(value: &Value) -> Option<Text<'static>> {
    match value {
        Value::String(text) => Some(Text::Owned(text.clone())),
        Value::Number(_) | Value::Bool(_) => Some(Text::Owned(value.to_string())),
        _ => None,
    }
}
