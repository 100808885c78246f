//! Resolves what a template leaves to CloudFormation and what is known beforehand: pseudo parameters and exports.
//!
//! A plan shows expressions as they are written, so values are taken only to see whether two expressions have the same one.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::canonical::{
    Parameters, intrinsic, joined, json_text, policy, same, sorted_policies, statement,
};

/// How the names of pseudo parameters begin.
const PSEUDO: &str = "AWS::";

/// Returns the values of the pseudo parameters of a stack, by their names.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html>.
pub fn pseudo_parameters(
    stack: &str,
    id: Option<&str>,
    account: Option<&str>,
    region: Option<&str>,
) -> BTreeMap<String, String> {
    let mut known = BTreeMap::from([("AWS::StackName".to_owned(), stack.to_owned())]);
    let mut add = |name: &str, value: Option<&str>| {
        known.extend(value.map(|value| (format!("{PSEUDO}{name}"), value.to_owned())));
    };
    add("StackId", id);
    add("AccountId", account);
    add("Region", region);
    // The partitions that everybody can have an account in; of the others nothing is told here.
    // https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
    let partition = region.and_then(|region| match region.split('-').next()? {
        "cn" => Some(("aws-cn", "amazonaws.com.cn")),
        "us" if region.starts_with("us-gov-") => Some(("aws-us-gov", "amazonaws.com")),
        "us" if region.starts_with("us-iso") => None,
        "af" | "ap" | "ca" | "eu" | "il" | "me" | "mx" | "sa" | "us"
            if !region.contains("-iso") && !region.starts_with("eusc") =>
        {
            Some(("aws", "amazonaws.com"))
        }
        _ => None,
    });
    add("Partition", partition.map(|(name, _)| name));
    add("URLSuffix", partition.map(|(_, suffix)| suffix));
    known
}

/// Returns the values of the parameters that a template declares: what CloudFormation itself fills in is shown as it is
/// written.
pub(super) fn declared(parameters: &Parameters) -> Parameters {
    let mut declared = parameters.clone();
    declared.retain(|name, _| !name.starts_with(PSEUDO));
    declared
}

/// Values that are known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'a> {
    parameters: &'a Parameters,
    exports: Option<&'a BTreeMap<String, String>>,
}

impl<'a> Known<'a> {
    /// Knows the values of parameters, those of CloudFormation included.
    pub(super) fn parameters(parameters: &'a Parameters) -> Self {
        Self {
            parameters,
            exports: None,
        }
    }

    /// Knows besides what exports are.
    pub(super) fn and(self, exports: &'a BTreeMap<String, String>) -> Self {
        Self {
            exports: Some(exports),
            ..self
        }
    }

    /// Returns the value of an export, where it is known.
    pub(super) fn export(self, name: &str) -> Option<&'a String> {
        self.exports?.get(name)
    }

    /// Returns whether anything in a canonical value is known that is not written there.
    fn tells_of(self, value: &Value) -> bool {
        match value {
            Value::Array(elements) => elements.iter().any(|element| self.tells_of(element)),
            Value::Object(entries) => match intrinsic(entries) {
                Some(("Ref", Value::String(name))) => {
                    name.starts_with(PSEUDO) && self.parameters.contains_key(name)
                }
                Some(("Fn::ImportValue", name)) => {
                    self.exports.is_some_and(|all| !all.is_empty()) || self.tells_of(name)
                }
                _ => entries.values().any(|entry| self.tells_of(entry)),
            },
            _ => false,
        }
    }

    /// Returns a canonical value with all values that are known in it.
    pub(super) fn resolve(self, value: &Value) -> Value {
        match value {
            Value::Array(elements) => elements
                .iter()
                .map(|element| self.resolve(element))
                .collect(),
            Value::Object(entries) => match intrinsic(entries) {
                Some(("Ref", Value::String(name))) if name.starts_with(PSEUDO) => {
                    let found = self.parameters.get(name);
                    found.map_or_else(|| value.clone(), |text| Value::String(text.clone()))
                }
                Some(("Fn::ImportValue", name)) => match self.resolve(name) {
                    Value::String(name) => match self.exports.and_then(|all| all.get(&name)) {
                        Some(text) => Value::String(text.clone()),
                        None => json!({ "Fn::ImportValue": name }),
                    },
                    name => json!({ "Fn::ImportValue": name }),
                },
                Some(("Fn::Join", Value::Array(join))) => match join.as_slice() {
                    [Value::String(between), Value::Array(pieces)] => {
                        let pieces: Vec<Value> =
                            pieces.iter().map(|piece| self.resolve(piece)).collect();
                        if between.is_empty() {
                            joined(pieces)
                        } else {
                            json!({ "Fn::Join": [between, pieces] })
                        }
                    }
                    _ => value.clone(),
                },
                _ => {
                    let entries = entries.iter();
                    let mut resolved: Map<String, Value> = entries
                        .map(|(key, entry)| (key.clone(), self.resolve(entry)))
                        .collect();
                    // A text stands among others in order, which an expression does not.
                    if resolved.contains_key("Statement") {
                        policy(&mut resolved);
                    } else if resolved.contains_key("Effect") {
                        statement(&mut resolved);
                    }
                    Value::Object(resolved)
                }
            },
            other => other.clone(),
        }
    }
}

/// Writes what one side has as the other does, wherever both have the same value: then only what differs differs.
pub(super) fn align(old: &mut Value, new: &Value, before: Known<'_>, after: Known<'_>) {
    if !same(old, new) && write(old, new, before, after) {
        // Another text for the same action or resource has another place among the others.
        *old = sorted_policies(old.take());
    }
}

/// Returns whether anything was written.
fn write(old: &mut Value, new: &Value, before: Known<'_>, after: Known<'_>) -> bool {
    if same(old, new) {
        return false;
    }
    // What says all that is known is its value already, and so is all that is in it.
    if !before.tells_of(old) && !after.tells_of(new) {
        return false;
    }
    if same(&before.resolve(old), &after.resolve(new)) {
        *old = new.clone();
        return true;
    }
    if let (Some(_), Some(inner)) = (json_text(old), json_text(new)) {
        let entries = old
            .as_object_mut()
            .into_iter()
            .flat_map(|map| map.values_mut());
        return entries.fold(false, |any, entry| write(entry, inner, before, after) | any);
    }
    match (old, new) {
        (Value::Object(old), Value::Object(new))
            if intrinsic(old).is_none() && intrinsic(new).is_none() =>
        {
            old.iter_mut().fold(false, |any, (key, entry)| {
                let other = new.get(key);
                other.is_some_and(|other| write(entry, other, before, after)) | any
            })
        }
        (Value::Array(old), Value::Array(new)) => {
            let resolved: Vec<Value> = new.iter().map(|element| after.resolve(element)).collect();
            let mut any = false;
            for (position, element) in old.iter_mut().enumerate() {
                if new.iter().any(|other| same(element, other)) {
                    continue;
                }
                let value = before.resolve(element);
                let equal = resolved.iter().position(|other| same(&value, other));
                if let Some(equal) = equal.and_then(|equal| new.get(equal)) {
                    *element = equal.clone();
                    any = true;
                } else if let Some(other) = new.get(position) {
                    any |= write(element, other, before, after);
                }
            }
            any
        }
        _ => false,
    }
}
