//! Opens texts that hold JSON, so that a change in one shows where it is, and another layout is none.
//!
//! A property that is text stays one for CloudFormation: its canonical form is an `Fn::ToJsonString` of what it says. See
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-ToJsonString.html>.
//! A property that takes an object or a text is the object.

use serde_json::{Value, json};

use super::super::Knowledge;
use super::super::path::Step;
use super::{intrinsic, joined, policy};

/// The intrinsic that makes a text of an object or a list.
const TO_JSON: &str = "Fn::ToJsonString";

/// Stands on both sides of the number of a piece that is no text, where the text around it is read. It is kept for private
/// use, so no text that is meant for others has it.
const MARK: char = '\u{f8ff}';

/// Properties that are texts of JSON, with `*` for any key or position. A key that ends with `json` is the type of what a
/// template of a mapping makes.
const TEXTS: &[(&str, &[&str])] = &[
    (
        "AWS::ApiGateway::GatewayResponse",
        &["ResponseTemplates", "*json"],
    ),
    (
        "AWS::ApiGateway::Method",
        &["Integration", "RequestTemplates", "*json"],
    ),
    (
        "AWS::ApiGateway::Method",
        &[
            "Integration",
            "IntegrationResponses",
            "*",
            "ResponseTemplates",
            "*json",
        ],
    ),
    (
        "AWS::ApiGatewayV2::Integration",
        &["RequestTemplates", "*json"],
    ),
    (
        "AWS::ApiGatewayV2::IntegrationResponse",
        &["ResponseTemplates", "*json"],
    ),
    ("AWS::ApiGatewayV2::Model", &["Schema"]),
    ("AWS::CloudWatch::Dashboard", &["DashboardBody"]),
    (
        "AWS::ECR::Repository",
        &["LifecyclePolicy", "LifecyclePolicyText"],
    ),
    ("AWS::EventSchemas::Schema", &["Content"]),
    ("AWS::Events::Rule", &["Targets", "*", "Input"]),
    (
        "AWS::Lambda::EventSourceMapping",
        &["FilterCriteria", "Filters", "*", "Pattern"],
    ),
    ("AWS::Logs::AccountPolicy", &["PolicyDocument"]),
    ("AWS::Logs::Destination", &["DestinationPolicy"]),
    ("AWS::Logs::ResourcePolicy", &["PolicyDocument"]),
    (
        "AWS::Pipes::Pipe",
        &[
            "SourceParameters",
            "FilterCriteria",
            "Filters",
            "*",
            "Pattern",
        ],
    ),
    ("AWS::Scheduler::Schedule", &["Target", "Input"]),
    (
        "AWS::SecretsManager::Secret",
        &["GenerateSecretString", "SecretStringTemplate"],
    ),
    ("AWS::StepFunctions::StateMachine", &["DefinitionString"]),
    ("AWS::XRay::ResourcePolicy", &["PolicyDocument"]),
];

/// Returns what a canonical text of JSON says.
pub(in super::super) fn json_text(value: &Value) -> Option<&Value> {
    match intrinsic(value.as_object()?)? {
        (TO_JSON, structure) => Some(structure),
        _ => None,
    }
}

/// Opens the texts of JSON in a canonical resource.
pub(in super::super) fn open_texts(resource: &mut Value, knowledge: &dyn Knowledge) {
    let resource_type = super::super::compare::type_of(resource).to_owned();
    if let Some(properties) = resource.get_mut("Properties") {
        Opening {
            resource_type: &resource_type,
            knowledge,
            place: Vec::new(),
        }
        .walk(properties);
    }
}

struct Opening<'a> {
    resource_type: &'a str,
    knowledge: &'a dyn Knowledge,
    place: Vec<Step>,
}

impl Opening<'_> {
    fn walk(&mut self, value: &mut Value) {
        if may_be_json(value) {
            self.open(value);
            return;
        }
        match value {
            Value::Array(elements) => {
                for (position, element) in elements.iter_mut().enumerate() {
                    self.place.push(Step::Position(position));
                    self.walk(element);
                    self.place.pop();
                }
            }
            Value::Object(entries) if intrinsic(entries).is_none() => {
                for (key, entry) in entries.iter_mut() {
                    self.place.push(Step::Key(key.clone()));
                    self.walk(entry);
                    self.place.pop();
                }
            }
            _ => {}
        }
    }

    fn open(&self, value: &mut Value) {
        let is_text = TEXTS
            .iter()
            .any(|(of, pattern)| *of == self.resource_type && matches(&self.place, pattern));
        if !is_text && !self.knowledge.is_free(self.resource_type, &self.place) {
            return;
        }
        if let Some(structure) = structure(value) {
            *value = if is_text {
                json!({ TO_JSON: structure })
            } else {
                structure
            };
        }
    }
}

fn matches(place: &[Step], pattern: &[&str]) -> bool {
    place.len() == pattern.len()
        && place.iter().zip(pattern).all(|(step, wanted)| match step {
            Step::Key(key) => match wanted.strip_prefix('*') {
                Some(end) => key.ends_with(end),
                None => key == wanted,
            },
            Step::Position(_) => *wanted == "*",
        })
}

/// Returns the pieces of a canonical text.
fn pieces(value: &Value) -> Option<&[Value]> {
    match value {
        Value::String(_) => Some(std::slice::from_ref(value)),
        Value::Object(entries) => match intrinsic(entries)? {
            ("Fn::Join", Value::Array(join)) => match join.as_slice() {
                [Value::String(between), Value::Array(pieces)] if between.is_empty() => {
                    Some(pieces)
                }
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// Returns whether a value is a text that begins as an object or a list does.
fn may_be_json(value: &Value) -> bool {
    let first = pieces(value).and_then(<[Value]>::first);
    let first = first.and_then(Value::as_str).unwrap_or_default();
    first.trim_start().starts_with(['{', '['])
}

/// Reads a text, parts of which may be known to CloudFormation only: those have to stand in texts of the JSON.
fn structure(value: &Value) -> Option<Value> {
    let pieces = pieces(value)?;
    let mut text = String::new();
    for (position, piece) in pieces.iter().enumerate() {
        match piece {
            Value::String(piece) if piece.contains(MARK) => return None,
            Value::String(piece) => text.push_str(piece),
            _ => {
                text.push(MARK);
                text.push_str(&position.to_string());
                text.push(MARK);
            }
        }
    }
    let structure: Value = serde_json::from_str(&text).ok()?;
    if pieces.len() == 1 {
        return Some(sorted_policies(structure));
    }
    filled(structure, pieces).map(sorted_policies)
}

/// Puts the pieces back where they were marked.
fn filled(value: Value, pieces: &[Value]) -> Option<Value> {
    match value {
        Value::String(text) if text.contains(MARK) => {
            let parts = text.split(MARK).enumerate().map(|(position, part)| {
                // Every other part is the number of a piece.
                if position % 2 == 0 {
                    return Some(Value::String(part.to_owned()));
                }
                pieces.get(part.parse::<usize>().ok()?).cloned()
            });
            Some(joined(parts.collect::<Option<_>>()?))
        }
        Value::Array(elements) => elements
            .into_iter()
            .map(|element| filled(element, pieces))
            .collect::<Option<Vec<_>>>()
            .map(Value::Array),
        Value::Object(entries) => entries
            .into_iter()
            .map(|(key, entry)| {
                let whole = !key.contains(MARK);
                Some((whole.then_some(key)?, filled(entry, pieces)?))
            })
            .collect::<Option<serde_json::Map<_, _>>>()
            .map(Value::Object),
        other => Some(other),
    }
}

/// Sorts policies in what was read, which has no intrinsics of its own.
pub(in super::super) fn sorted_policies(mut value: Value) -> Value {
    match &mut value {
        Value::Array(elements) => {
            for element in elements.iter_mut() {
                *element = sorted_policies(element.take());
            }
        }
        Value::Object(entries) => {
            for entry in entries.values_mut() {
                *entry = sorted_policies(entry.take());
            }
            if entries.contains_key("Statement") {
                policy(entries);
            }
        }
        _ => {}
    }
    value
}
