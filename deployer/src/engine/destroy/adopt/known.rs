//! What of a resource that left its stack can still be said in a template.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use stack_model_cfn::facts;

use crate::{
    engine::{
        identity::{self, Place},
        inspect::DeployedResource,
        plan::moves::sub,
    },
    template::referenced,
};

/// What the logical id of a resource continues with that is taken back into a stack which has another one of its id.
const KEPT: &str = "Kept";

/// Returns the logical ids that resources get: their own, unless the stack has another one of it.
pub(super) fn free<'a>(
    resources: &Map<String, Value>,
    logical_ids: impl Iterator<Item = &'a str>,
) -> BTreeMap<String, String> {
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    let mut taken: BTreeSet<String> = resources.keys().cloned().collect();
    for logical_id in logical_ids {
        let mut free = logical_id.to_owned();
        let mut number = 1;
        while taken.contains(&free) {
            free = match number {
                1 => format!("{logical_id}{KEPT}"),
                _ => format!("{logical_id}{KEPT}{number}"),
            };
            number += 1;
        }
        taken.insert(free.clone());
        ids.insert(logical_id.to_owned(), free);
    }
    ids
}

/// What is known of a stack that something leaves.
pub(super) struct Known<'a> {
    pub(super) template: &'a Value,
    pub(super) parameters: &'a BTreeMap<String, String>,
    pub(super) physical_ids: BTreeMap<&'a str, &'a str>,
    /// What leaves it. What the stack has from then on under one of these ids is another resource.
    pub(super) leaving: BTreeSet<&'a str>,
    /// What the stack has from then on.
    pub(super) stays: &'a Value,
}

impl Known<'_> {
    /// Returns a resource as the template that imports it has it, under the ids that the stack had; nothing, where something that
    /// it must have cannot be said any more.
    pub(super) fn entry(&self, logical_id: &str, imported: &BTreeSet<&str>) -> Option<Value> {
        let old = self.template.get("Resources")?.get(logical_id)?;
        let resource_type = old.get("Type")?.as_str()?;
        let mut properties = Map::new();
        let all = old.get("Properties").and_then(Value::as_object);
        for (name, value) in all.into_iter().flatten() {
            if let Some(value) = self.said(value, imported) {
                properties.insert(name.clone(), value);
            }
        }
        let is_whole = facts::resource_type(resource_type)?
            .properties()
            .all(|property| !property.required() || properties.contains_key(property.name()));
        is_whole.then(|| {
            json!({
                "Type": resource_type,
                "DeletionPolicy": "Retain",
                "UpdateReplacePolicy": "Retain",
                "Properties": properties,
            })
        })
    }

    /// Returns the property that identifies a resource, with its value.
    pub(super) fn identified_by(
        &self,
        resource: &DeployedResource,
        entry: &Value,
        place: Option<Place<'_>>,
    ) -> Option<(String, String)> {
        let kind = &resource.resource_type;
        let property = identity::property(kind)?;
        let ids = |id: &str| self.physical_ids.get(id).map(|id| (*id).to_owned());
        let value = match identity::said(entry, property, ids) {
            Some(said) => said,
            None => identity::value(kind, &resource.physical_id, place)?.into_owned(),
        };
        Some((property.to_owned(), value))
    }

    /// Returns a value that refers to nothing that is gone, where it can be said so.
    fn said(&self, value: &Value, imported: &BTreeSet<&str>) -> Option<Value> {
        match value {
            Value::Array(elements) => {
                let elements = elements.iter().map(|element| self.said(element, imported));
                elements.collect::<Option<Vec<_>>>().map(Value::Array)
            }
            Value::Object(entries) => {
                let only = entries.iter().next().filter(|_| entries.len() == 1);
                match only {
                    Some((key, Value::String(name))) if key == "Ref" => {
                        return self.named(name, imported);
                    }
                    Some((key, _)) if key.starts_with("Fn::") => {
                        let is_said = |name: &String| {
                            name.starts_with("AWS::")
                                || self.recorded(name).is_some()
                                || self.is_there(name, imported)
                                || ["Parameters", "Conditions", "Mappings"]
                                    .iter()
                                    .any(|section| self.has(section, name))
                        };
                        let names = referenced(value);
                        return names.iter().all(is_said).then(|| self.as_recorded(value));
                    }
                    _ => {}
                }
                let entries = entries
                    .iter()
                    .map(|(key, value)| Some((key.clone(), self.said(value, imported)?)));
                entries.collect::<Option<Map<_, _>>>().map(Value::Object)
            }
            _ => Some(value.clone()),
        }
    }

    /// Returns whether the stack has an entry of a section from then on.
    fn has(&self, section: &str, name: &str) -> bool {
        self.stays[section].get(name).is_some()
    }

    /// Returns whether the stack has a resource from then on that it had before.
    fn is_there(&self, name: &str, imported: &BTreeSet<&str>) -> bool {
        imported.contains(name) || (self.has("Resources", name) && !self.leaving.contains(name))
    }

    /// Returns the value that a parameter had, where that is known. Of one that AWS hides it is not, and of one that names a
    /// parameter of SSM the name is.
    fn recorded(&self, name: &str) -> Option<Value> {
        let parameter = self.template["Parameters"].get(name)?;
        let value = self.parameters.get(name)?;
        let kind = parameter["Type"].as_str().unwrap_or_default();
        if parameter.get("NoEcho").is_some() || kind.starts_with("AWS::SSM::") {
            return None;
        }
        // A list is told as one text
        // (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html>).
        let is_list = kind == "CommaDelimitedList" || kind.starts_with("List<");
        Some(if is_list {
            value.split(',').map(str::trim).collect()
        } else {
            value.as_str().into()
        })
    }

    /// Returns a value with what parameters had in their places: those of the stack may have other values by then.
    fn as_recorded(&self, value: &Value) -> Value {
        let entries = match value {
            Value::Array(elements) => {
                return elements.iter().map(|it| self.as_recorded(it)).collect();
            }
            Value::Object(entries) => entries,
            other => return other.clone(),
        };
        if let (Some(Value::String(name)), 1) = (entries.get("Ref"), entries.len())
            && let Some(value) = self.recorded(name)
        {
            return value;
        }
        let entries = entries.iter().map(|(key, argument)| {
            let argument = match (key.as_str(), argument) {
                ("Fn::Sub", Value::String(text)) => self.substituted(text, &[]).into(),
                ("Fn::Sub", Value::Array(parts)) => {
                    let text = parts.first().and_then(Value::as_str);
                    let text = self.substituted(text.unwrap_or_default(), parts);
                    let own = parts.iter().skip(1).map(|own| self.as_recorded(own));
                    std::iter::once(text.into()).chain(own).collect()
                }
                _ => self.as_recorded(argument),
            };
            (key.clone(), argument)
        });
        Value::Object(entries.collect())
    }

    fn substituted(&self, text: &str, arguments: &[Value]) -> String {
        sub::replaced(text, &sub::own(arguments), &mut |name, attribute| {
            let value = self.recorded(name).filter(|_| attribute.is_none())?;
            // A list has no place in a text.
            Some(value.as_str()?.replace("${", "${!"))
        })
    }

    fn named(&self, name: &str, imported: &BTreeSet<&str>) -> Option<Value> {
        if name == "AWS::NoValue" {
            return None;
        }
        if name.starts_with("AWS::") || self.is_there(name, imported) {
            return Some(json!({"Ref": name}));
        }
        if let Some(value) = self.recorded(name) {
            return Some(value);
        }
        if self.has("Parameters", name) {
            return Some(json!({"Ref": name}));
        }
        self.physical_ids.get(name).map(|id| (*id).into())
    }
}
