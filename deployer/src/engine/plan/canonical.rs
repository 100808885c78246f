//! Brings what means the same to the same form.

mod json;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::stored::is_dynamic;

pub(super) use json::{json_text, open_texts, sorted_policies};

/// The values of parameters.
pub(super) type Parameters = BTreeMap<String, String>;

/// What CloudFormation shows instead of the value of a `NoEcho` parameter.
pub(super) const MASK: &str = "****";

/// Returns the canonical form of a template value: parameters are their values, `Fn::Sub` and `Fn::Join` are one form,
/// `AWS::NoValue` is gone, and policies and tags are sorted where their order means nothing.
pub(in crate::engine) fn canonical(value: &Value, parameters: &Parameters) -> Value {
    match value {
        Value::Array(elements) => Value::Array(
            elements
                .iter()
                .map(|element| canonical(element, parameters))
                .filter(|element| !is_no_value(element))
                .collect(),
        ),
        Value::Object(entries) => match intrinsic(entries) {
            Some((name, argument)) => function(name, argument, parameters),
            None => object(entries, parameters),
        },
        other => other.clone(),
    }
}

/// Returns the name and argument of an intrinsic: the one entry of a map of one.
pub(in crate::engine) fn intrinsic(entries: &Map<String, Value>) -> Option<(&str, &Value)> {
    let mut iterator = entries.iter();
    match (iterator.next(), iterator.next()) {
        (Some((name, argument)), None)
            if name == "Ref" || name == "Condition" || name.starts_with("Fn::") =>
        {
            Some((name, argument))
        }
        _ => None,
    }
}

/// Compares what is there on both sides, or on neither.
pub(super) fn alike(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => same(left, right),
        (left, right) => left.is_none() && right.is_none(),
    }
}

/// Compares canonical values. CloudFormation takes `5` for `"5"` and `true` for `"true"`, but in a text of JSON they are what
/// they are.
pub(super) fn same(left: &Value, right: &Value) -> bool {
    if let (Some(left), Some(right)) = (json_text(left), json_text(right)) {
        return left == right;
    }
    match (left, right) {
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(key, value)| right.get(key).is_some_and(|other| same(value, other)))
        }
        (Value::String(left), Value::String(right)) => left == right,
        _ => left == right || scalar(left).is_some_and(|text| scalar(right) == Some(text)),
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

fn is_no_value(value: &Value) -> bool {
    value.get("Ref").and_then(Value::as_str) == Some("AWS::NoValue")
}

fn object(entries: &Map<String, Value>, parameters: &Parameters) -> Value {
    let mut object: Map<String, Value> = entries
        .iter()
        .map(|(key, value)| (key.clone(), canonical(value, parameters)))
        .filter(|(_, value)| !is_no_value(value))
        .collect();
    if object.contains_key("Statement") {
        policy(&mut object);
    }
    if let Some(Value::Array(tags)) = object.get_mut("Tags")
        && tags.iter().all(|tag| tag.get("Key").is_some())
    {
        sort(tags);
    }
    Value::Object(object)
}

fn function(name: &str, argument: &Value, parameters: &Parameters) -> Value {
    match (name, argument) {
        ("Ref", Value::String(name)) => reference(name, parameters),
        ("Fn::GetAtt", Value::String(path)) => attribute(path),
        ("Fn::Sub", Value::String(text)) => substitute(text, &Map::new(), parameters),
        ("Fn::Sub", Value::Array(elements)) => match elements.as_slice() {
            [Value::String(text)] => substitute(text, &Map::new(), parameters),
            [Value::String(text), Value::Object(variables)] => {
                substitute(text, variables, parameters)
            }
            _ => unchanged(name, argument, parameters),
        },
        // What is nothing in one branch is a branch all the same.
        ("Fn::If", Value::Array(branches)) => {
            let branches: Vec<Value> = branches
                .iter()
                .map(|branch| canonical(branch, parameters))
                .collect();
            json!({ name: branches })
        }
        ("Fn::Join", Value::Array(elements)) => match elements.as_slice() {
            [Value::String(delimiter), list] => match canonical(list, parameters) {
                Value::Array(list) => {
                    let mut pieces = Vec::new();
                    for (position, element) in list.into_iter().enumerate() {
                        if position > 0 {
                            pieces.push(Value::String(delimiter.clone()));
                        }
                        pieces.push(element);
                    }
                    joined(pieces)
                }
                list => json!({ name: [delimiter, list] }),
            },
            _ => unchanged(name, argument, parameters),
        },
        ("Fn::Select", Value::Array(elements)) => match elements.as_slice() {
            [index, list] => {
                let list = canonical(list, parameters);
                let index = canonical(index, parameters);
                let position = scalar(&index).and_then(|index| index.parse::<usize>().ok());
                let element = position.and_then(|position| list.get(position));
                let element = element.filter(|_| list.is_array()).cloned();
                element.unwrap_or_else(|| json!({ name: [index, list] }))
            }
            _ => unchanged(name, argument, parameters),
        },
        // What is known is the list that it gives.
        ("Fn::Split", Value::Array(elements)) => match elements.as_slice() {
            [Value::String(delimiter), text] => match canonical(text, parameters) {
                Value::String(text) if !delimiter.is_empty() && !is_dynamic(&text) => {
                    text.split(delimiter.as_str()).map(Value::from).collect()
                }
                text => json!({ name: [delimiter, text] }),
            },
            _ => unchanged(name, argument, parameters),
        },
        _ => unchanged(name, argument, parameters),
    }
}

fn unchanged(name: &str, argument: &Value, parameters: &Parameters) -> Value {
    json!({ name: canonical(argument, parameters) })
}

fn reference(name: &str, parameters: &Parameters) -> Value {
    match parameters.get(name) {
        Some(value) if value != MASK => Value::String(value.clone()),
        _ => json!({ "Ref": name }),
    }
}

fn attribute(path: &str) -> Value {
    match path.split_once('.') {
        Some((resource, attribute)) => json!({ "Fn::GetAtt": [resource, attribute] }),
        None => json!({ "Fn::GetAtt": path }),
    }
}

/// Takes the text of an `Fn::Sub` apart.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-sub.html>.
fn substitute(text: &str, variables: &Map<String, Value>, parameters: &Parameters) -> Value {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        pieces.push(Value::String(before.to_owned()));
        let Some((name, after)) = after.split_once('}') else {
            pieces.push(Value::String(format!("${{{after}")));
            return joined(pieces);
        };
        pieces.push(if let Some(literal) = name.strip_prefix('!') {
            Value::String(format!("${{{literal}}}"))
        } else if let Some(value) = variables.get(name) {
            canonical(value, parameters)
        } else if name.contains('.') {
            attribute(name)
        } else {
            reference(name, parameters)
        });
        rest = after;
    }
    pieces.push(Value::String(rest.to_owned()));
    joined(pieces)
}

/// Joins pieces of text without a delimiter: nested joins are opened, neighbouring texts merged, and what is left of
/// one piece is that piece.
pub(super) fn joined(pieces: Vec<Value>) -> Value {
    let mut merged: Vec<Value> = Vec::new();
    for piece in pieces {
        for piece in open(piece) {
            match (merged.last_mut(), scalar(&piece)) {
                (Some(Value::String(last)), Some(text)) => last.push_str(&text),
                (_, Some(text)) if text.is_empty() => {}
                (_, Some(text)) => merged.push(Value::String(text)),
                (_, None) => merged.push(piece),
            }
        }
    }
    match merged.len() {
        0 => Value::String(String::new()),
        1 => merged.swap_remove(0),
        _ => json!({ "Fn::Join": ["", merged] }),
    }
}

fn open(piece: Value) -> Vec<Value> {
    let inner = piece
        .get("Fn::Join")
        .and_then(Value::as_array)
        .and_then(|join| match join.as_slice() {
            [Value::String(delimiter), Value::Array(pieces)] if delimiter.is_empty() => {
                Some(pieces.clone())
            }
            _ => None,
        });
    inner.unwrap_or_else(|| vec![piece])
}

/// Sorts what has no order in a policy document, and makes lists of what may be written without one.
///
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>.
pub(super) fn policy(document: &mut Map<String, Value>) {
    let Some(statements) = document.get_mut("Statement") else {
        return;
    };
    listed(statements);
    let Value::Array(statements) = statements else {
        return;
    };
    for entries in statements.iter_mut().filter_map(Value::as_object_mut) {
        statement(entries);
    }
    sort(statements);
}

/// Does the same in one statement.
pub(super) fn statement(statement: &mut Map<String, Value>) {
    for key in ["Action", "NotAction", "Resource", "NotResource"] {
        if let Some(value) = statement.get_mut(key) {
            set(value);
        }
    }
    for key in ["Principal", "NotPrincipal"] {
        if let Some(Value::Object(principals)) = statement.get_mut(key) {
            principals.values_mut().for_each(set);
        }
    }
    if let Some(Value::Object(conditions)) = statement.get_mut("Condition") {
        for keys in conditions.values_mut().filter_map(Value::as_object_mut) {
            keys.values_mut().for_each(set);
        }
    }
}

fn listed(value: &mut Value) {
    if !value.is_array() {
        *value = Value::Array(vec![value.take()]);
    }
}

fn set(value: &mut Value) {
    // An intrinsic may yield a list by itself.
    if value.is_object() {
        return;
    }
    listed(value);
    if let Value::Array(elements) = value {
        sort(elements);
        elements.dedup();
    }
}

fn sort(elements: &mut [Value]) {
    elements.sort_by(order);
}

/// Orders values: texts first, then numbers, lists, what is true or not, and maps, of which the longer of two that begin the
/// same comes first. Whether a map keeps its keys in order depends on how `serde_json` was built.
fn order(left: &Value, right: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::String(_) => 0,
        Value::Number(_) => 1,
        Value::Array(_) => 2,
        Value::Bool(false) => 3,
        Value::Null => 4,
        Value::Bool(true) => 5,
        Value::Object(_) => 6,
    };
    match (left, right) {
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::Number(left), Value::Number(right)) => left.to_string().cmp(&right.to_string()),
        (Value::Array(left), Value::Array(right)) => {
            let mut pairs = left.iter().zip(right);
            let unequal = pairs.find_map(|(left, right)| unequal(order(left, right)));
            unequal.unwrap_or_else(|| right.len().cmp(&left.len()))
        }
        (Value::Object(left), Value::Object(right)) => {
            let (left, right) = (in_order(left), in_order(right));
            let mut pairs = left.iter().zip(&right);
            let unequal = pairs.find_map(|((key, value), (other_key, other))| {
                unequal(key.cmp(other_key)).or_else(|| unequal(order(value, other)))
            });
            unequal.unwrap_or_else(|| right.len().cmp(&left.len()))
        }
        _ => rank(left).cmp(&rank(right)),
    }
}

fn unequal(ordering: Ordering) -> Option<Ordering> {
    (ordering != Ordering::Equal).then_some(ordering)
}

fn in_order(entries: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut entries: Vec<_> = entries.iter().collect();
    entries.sort_unstable_by_key(|(key, _)| *key);
    entries
}
