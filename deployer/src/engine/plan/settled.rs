//! Settles what a template leaves to its parameters: conditions, and values of mappings.
//!
//! See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-conditions.html>.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::canonical::{Parameters, canonical, intrinsic};
use super::known::Known;

/// How deep conditions may name each other: CloudFormation takes no circle of them.
const DEEPEST: usize = 64;

/// What the parameters of one side decide.
#[derive(Clone, Debug, Default)]
pub(super) struct Settled<'a> {
    conditions: BTreeMap<String, bool>,
    mappings: Option<&'a Map<String, Value>>,
    parameters: Option<&'a Parameters>,
}

impl<'a> Settled<'a> {
    /// Reads the conditions and mappings of a template. What depends on a value that is not known stays open.
    pub(super) fn of(template: Option<&'a Value>, parameters: &'a Parameters) -> Self {
        let section = |name: &str| template?.get(name)?.as_object();
        let mut settled = Self {
            mappings: section("Mappings").filter(|mappings| !mappings.is_empty()),
            parameters: Some(parameters),
            ..Self::default()
        };
        let conditions = section("Conditions");
        let names = conditions.into_iter().flat_map(Map::keys);
        settled.conditions = names
            .filter_map(|name| {
                let holds = settled.named(conditions?, name, 0)?;
                Some((name.clone(), holds))
            })
            .collect();
        settled
    }

    /// Returns whether everything stays as it is written.
    fn is_idle(&self) -> bool {
        self.conditions.is_empty() && self.mappings.is_none()
    }

    /// Returns a resource or an output as its parameters make it; none, where its condition does not hold.
    pub(super) fn settle<'b>(&self, body: &'b Value) -> Option<Cow<'b, Value>> {
        if self.is_idle() {
            return Some(Cow::Borrowed(body));
        }
        let condition = body.get("Condition").and_then(Value::as_str);
        let holds = condition.and_then(|name| self.conditions.get(name).copied());
        if holds == Some(false) {
            return None;
        }
        let mut body = self.value(body);
        if holds == Some(true)
            && let Value::Object(entries) = &mut body
        {
            entries.remove("Condition");
        }
        Some(Cow::Owned(body))
    }

    fn value(&self, value: &Value) -> Value {
        match value {
            Value::Array(elements) => elements.iter().map(|element| self.value(element)).collect(),
            Value::Object(entries) => match intrinsic(entries) {
                Some(("Fn::If", Value::Array(choice))) => match choice.as_slice() {
                    [Value::String(name), yes, no] => match self.conditions.get(name) {
                        Some(true) => self.value(yes),
                        Some(false) => self.value(no),
                        None => self.entries(entries),
                    },
                    _ => self.entries(entries),
                },
                Some(("Fn::FindInMap", Value::Array(keys))) => {
                    self.find(keys).unwrap_or_else(|| self.entries(entries))
                }
                _ => self.entries(entries),
            },
            other => other.clone(),
        }
    }

    fn entries(&self, entries: &Map<String, Value>) -> Value {
        let entries = entries.iter();
        Value::Object(
            entries
                .map(|(key, entry)| (key.clone(), self.value(entry)))
                .collect(),
        )
    }

    fn find(&self, keys: &[Value]) -> Option<Value> {
        let [map, keys @ ..] = keys else {
            return None;
        };
        let map = self.mappings?.get(&self.text(map)?)?;
        let found = keys.iter().try_fold(map, |found, key| {
            let entries = found.as_object()?;
            entries.get(&self.text(key)?)
        })?;
        // A whole map is nothing that a template may ask for.
        (!found.is_object()).then(|| found.clone())
    }

    /// Returns a text that is known.
    fn text(&self, value: &Value) -> Option<String> {
        let parameters = self.parameters?;
        let settled = canonical(&self.value(value), parameters);
        match Known::parameters(parameters).resolve(&settled) {
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(value) => Some(value.to_string()),
            _ => None,
        }
    }

    fn named(&self, conditions: &Map<String, Value>, name: &str, depth: usize) -> Option<bool> {
        if depth > DEEPEST {
            return None;
        }
        self.holds(conditions, conditions.get(name)?, depth + 1)
    }

    fn holds(&self, conditions: &Map<String, Value>, test: &Value, depth: usize) -> Option<bool> {
        if depth > DEEPEST {
            return None;
        }
        let (name, argument) = intrinsic(test.as_object()?)?;
        let several = || argument.as_array().into_iter().flatten();
        let each = || several().map(|test| self.holds(conditions, test, depth + 1));
        match name {
            "Condition" => self.named(conditions, argument.as_str()?, depth),
            "Fn::Equals" => match argument.as_array()?.as_slice() {
                [left, right] => Some(self.text(left)? == self.text(right)?),
                _ => None,
            },
            "Fn::Not" => match argument.as_array()?.as_slice() {
                [test] => self.holds(conditions, test, depth + 1).map(|holds| !holds),
                _ => None,
            },
            // One test that does not hold decides, whatever is not known of the others.
            "Fn::And" if each().any(|holds| holds == Some(false)) => Some(false),
            "Fn::And" => each().collect::<Option<Vec<_>>>().map(|_| true),
            "Fn::Or" if each().any(|holds| holds == Some(true)) => Some(true),
            "Fn::Or" => each().collect::<Option<Vec<_>>>().map(|_| false),
            _ => None,
        }
    }
}
