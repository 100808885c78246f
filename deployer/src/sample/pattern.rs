//! Events that match a pattern of EventBridge, and rows that a statement of AWS IoT selects.

use serde_json::{Map, Value};

/// Returns a value that a pattern matches, as far as a simple one can be made up
/// (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html>).
pub(super) fn matching(pattern: &Value) -> Value {
    match pattern {
        Value::Array(choices) => choices.first().map_or(Value::Null, choice),
        Value::Object(entries) => {
            let fields = entries
                .iter()
                // A choice between patterns; any one of them would do.
                .filter(|(key, value)| *key != "$or" && !is_absent(value))
                .map(|(key, value)| (key.clone(), matching(value)));
            fields.collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

/// Returns whether a pattern asks for a field that is not there.
fn is_absent(pattern: &Value) -> bool {
    pattern[0]["exists"] == false
}

/// Returns a value that one of the choices of a pattern matches.
fn choice(choice: &Value) -> Value {
    let Value::Object(matcher) = choice else {
        return choice.clone();
    };
    let Some((key, argument)) = matcher.iter().next() else {
        return Value::Null;
    };
    let text = match argument {
        Value::String(text) => text.as_str(),
        Value::Object(_) => argument["equals-ignore-case"].as_str().unwrap_or("sample"),
        _ => "sample",
    };
    match key.as_str() {
        "prefix" => format!("{text}sample").into(),
        "suffix" => format!("sample{text}").into(),
        "equals-ignore-case" => text.into(),
        "wildcard" => text.replace('*', "sample").into(),
        "numeric" => numeric(argument),
        "cidr" => text.split('/').next().unwrap_or(text).into(),
        _ => "sample".into(),
    }
}

/// Returns a number within bounds such as `[">", 0, "<=", 5]`.
fn numeric(bounds: &Value) -> Value {
    let bounds: &[Value] = bounds.as_array().map_or(&[], Vec::as_slice);
    for pair in bounds.chunks(2) {
        let [operator, bound] = pair else { continue };
        if let Some(whole) = bound.as_i64() {
            return match operator.as_str() {
                Some(">") => whole.saturating_add(1).into(),
                Some("<") if bounds.len() == 2 => whole.saturating_sub(1).into(),
                _ => whole.into(),
            };
        }
        return bound.clone();
    }
    0.into()
}

/// Returns what a statement of AWS IoT hands on: its columns by name; `*` stands for the message, which nobody knows
/// (<https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-select.html>).
pub(super) fn selected(sql: &str) -> Value {
    // Only what changes no length: what is found here is cut there.
    let lower = sql.to_ascii_lowercase();
    let start = lower.find("select ").map_or(0, |at| at + "select ".len());
    let end = lower.find(" from ").unwrap_or(sql.len()).max(start);
    let columns = sql.get(start..end).unwrap_or_default();
    let topic = lower
        .find(" from ")
        .and_then(|at| sql.get(at + " from ".len()..))
        .and_then(|rest| rest.trim().strip_prefix('\''))
        .and_then(|rest| rest.split('\'').next())
        .unwrap_or_default()
        .replace(['+', '#'], "sample");
    let mut row = Map::new();
    for column in split(columns) {
        let column = column.trim();
        let lower = column.to_ascii_lowercase();
        let (expression, name) = match lower.rfind(" as ") {
            Some(at) => (&column[..at], column[at + " as ".len()..].trim()),
            None => (column, column),
        };
        if name == "*" || name.contains('(') {
            continue;
        }
        row.insert(name.to_owned(), column_value(expression.trim(), &topic));
    }
    row.into()
}

fn column_value(expression: &str, topic: &str) -> Value {
    let argument = expression
        .strip_prefix("topic(")
        .and_then(|rest| rest.strip_suffix(')'));
    match (argument, expression) {
        (Some(""), _) => topic.into(),
        (Some(number), _) => {
            let position = number.trim().parse::<usize>().unwrap_or(1);
            let segment = topic.split('/').nth(position.saturating_sub(1));
            segment.unwrap_or("sample").into()
        }
        (None, "timestamp()") => 1_767_323_045_000_u64.into(),
        _ => "sample".into(),
    }
}

/// Splits columns at the commas that are in no parentheses.
fn split(columns: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (at, c) in columns.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&columns[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&columns[start..]);
    parts
}
