//! Looks up what a template takes from its mappings, and what of its parameters is a list.
//!
//! See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-findinmap.html>
//! and <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html>.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Side;
use super::canonical::{MASK, Parameters, canonical, intrinsic};
use super::stored::is_dynamic;

/// Returns whether the value of a parameter is a list, by how it is declared.
pub(super) fn is_list(parameter: &Value) -> bool {
    let kind = parameter.get("Type").and_then(Value::as_str);
    kind.is_some_and(|kind| kind == "CommaDelimitedList" || kind.starts_with("List<"))
}

/// The mappings of one side, and the values of the parameters that choose in them.
#[derive(Clone, Debug)]
pub(super) struct Mappings<'a> {
    maps: Option<&'a Map<String, Value>>,
    /// The parameters whose values are lists, with what is known of those.
    lists: BTreeMap<&'a str, Value>,
    parameters: &'a Parameters,
}

impl<'a> Mappings<'a> {
    /// Reads the mappings of a side.
    pub(super) fn of(side: &'a Side<'_>) -> Self {
        let mappings = side.template.and_then(|template| template.get("Mappings"));
        let mappings = mappings.and_then(Value::as_object);
        let declared = side
            .template
            .and_then(|template| template.get("Parameters"));
        let declared = declared.and_then(Value::as_object).into_iter().flatten();
        let lists = declared.filter_map(|(name, parameter)| {
            let value = side.parameters.get(name).filter(|_| is_list(parameter))?;
            let known = value != MASK && !is_dynamic(value);
            // CloudFormation cuts the blanks around the elements.
            let elements = value.split(',').map(|element| Value::from(element.trim()));
            known.then(|| (name.as_str(), elements.collect()))
        });
        Self {
            lists: lists.collect(),
            maps: mappings.filter(|mappings| !mappings.is_empty()),
            parameters: &side.parameters,
        }
    }

    /// Reads the mappings of a side, for a section that takes no lists.
    pub(super) fn of_texts(side: &'a Side<'_>) -> Self {
        Self {
            lists: BTreeMap::new(),
            ..Self::of(side)
        }
    }

    /// Returns a value with what it takes from the mappings and from lists. What depends on a value that nobody knows stays as it is.
    pub(super) fn look_up<'b>(&self, value: &'b Value) -> Cow<'b, Value> {
        if self.maps.is_some() || !self.lists.is_empty() {
            Cow::Owned(self.value(value))
        } else {
            Cow::Borrowed(value)
        }
    }

    fn value(&self, value: &Value) -> Value {
        match value {
            Value::Array(elements) => elements.iter().map(|element| self.value(element)).collect(),
            Value::Object(entries) => {
                let found = match intrinsic(entries) {
                    Some(("Fn::FindInMap", Value::Array(keys))) => self.find(keys),
                    Some(("Ref", Value::String(name))) => self.lists.get(name.as_str()).cloned(),
                    _ => None,
                };
                found.unwrap_or_else(|| {
                    let entries = entries.iter();
                    let entries = entries.map(|(key, entry)| (key.clone(), self.value(entry)));
                    Value::Object(entries.collect())
                })
            }
            other => other.clone(),
        }
    }

    fn find(&self, keys: &[Value]) -> Option<Value> {
        let [map, keys @ ..] = keys else {
            return None;
        };
        let map = self.maps?.get(&self.text(map)?)?;
        let found = keys.iter().try_fold(map, |found, key| {
            let entries = found.as_object()?;
            entries.get(&self.text(key)?)
        })?;
        // A whole map is nothing that a template may ask for.
        (!found.is_object()).then(|| found.clone())
    }

    /// Returns a text that is known.
    fn text(&self, value: &Value) -> Option<String> {
        match canonical(&self.value(value), self.parameters) {
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
}
