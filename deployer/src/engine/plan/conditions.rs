//! Conditions of templates: what they decide where the values are known, and both ways where they are not.
//!
//! See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-conditions.html>.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::Side;
use super::canonical::{Parameters, canonical, intrinsic, same};
use super::stored::is_dynamic;

/// Deeper conditions than this are taken for endless.
const DEPTH: usize = 20;

/// How many unknown conditions of a resource are combined with one another; of more, all hold or none does.
const COMBINED: usize = 4;

/// Returns the template of a side as its conditions make it: without what is not created, and with the branches that
/// are taken. A condition that nobody knows stays, with all that it says. Nothing, where there are no conditions.
pub(super) fn settled(side: &Side<'_>) -> Option<Value> {
    let template = side.template?;
    let definitions = template.get("Conditions")?.as_object()?;
    if definitions.is_empty() {
        return None;
    }
    let conditions = Conditions {
        definitions,
        parameters: &side.parameters,
    };
    let mut template = template.clone();
    for section in ["Resources", "Outputs"] {
        if let Some(Value::Object(entries)) = template.get_mut(section) {
            entries.retain(|_, body| conditions.keeps(body));
        }
    }
    Some(template)
}

struct Conditions<'a> {
    definitions: &'a Map<String, Value>,
    parameters: &'a Parameters,
}

impl Conditions<'_> {
    /// Settles a resource or an output. Returns whether there is one.
    fn keeps(&self, body: &mut Value) -> bool {
        self.settle(body);
        let Some(Value::String(name)) = body.get("Condition") else {
            return true;
        };
        let (holds, definition) = (self.holds(name, 0), self.definitions.get(name));
        if let (Value::Object(entries), Some(definition)) = (body, definition) {
            match holds {
                Some(true) => drop(entries.remove("Condition")),
                Some(false) => return false,
                None => drop(entries.insert("Condition".to_owned(), definition.clone())),
            }
        }
        true
    }

    /// Takes the branches that are known.
    fn settle(&self, value: &mut Value) {
        if let Some((name, yes, no)) = choice(value) {
            let branch = match self.holds(name, 0) {
                Some(true) => Some(yes.clone()),
                Some(false) => Some(no.clone()),
                None => None,
            };
            if let Some(branch) = branch {
                *value = branch;
                self.settle(value);
                return;
            }
        }
        match value {
            Value::Array(elements) => elements.iter_mut().for_each(|element| self.settle(element)),
            Value::Object(entries) => entries.values_mut().for_each(|entry| self.settle(entry)),
            _ => {}
        }
    }

    fn holds(&self, name: &str, depth: usize) -> Option<bool> {
        let definition = self.definitions.get(name)?;
        (depth < DEPTH).then(|| self.decide(definition, depth + 1))?
    }

    fn decide(&self, expression: &Value, depth: usize) -> Option<bool> {
        let all = |arguments: &Value| -> Vec<Option<bool>> {
            let arguments = arguments.as_array().into_iter().flatten();
            arguments
                .map(|argument| self.decide(argument, depth))
                .collect()
        };
        match intrinsic(expression.as_object()?)? {
            ("Condition", Value::String(name)) => self.holds(name, depth),
            ("Fn::Not", arguments) => all(arguments).first().copied()?.map(|holds| !holds),
            ("Fn::And", arguments) => every(&all(arguments), true),
            ("Fn::Or", arguments) => every(&all(arguments), false),
            ("Fn::Equals", Value::Array(sides)) => {
                let [left, right] = sides.as_slice() else {
                    return None;
                };
                let left = canonical(left, self.parameters);
                let right = canonical(right, self.parameters);
                let known = |side: &Value| {
                    !side.is_object() && !side.is_array() && !side.as_str().is_some_and(is_dynamic)
                };
                let equal = same(&left, &right);
                (equal || (known(&left) && known(&right))).then_some(equal)
            }
            _ => None,
        }
    }
}

/// Returns `all` where every part is that, its opposite where one is, and nothing where it depends on what nobody knows.
fn every(parts: &[Option<bool>], all: bool) -> Option<bool> {
    if parts.contains(&Some(!all)) {
        Some(!all)
    } else if parts.contains(&None) {
        None
    } else {
        Some(all)
    }
}

/// Returns the condition and the branches of a choice.
fn choice(value: &Value) -> Option<(&str, &Value, &Value)> {
    match intrinsic(value.as_object()?)? {
        ("Fn::If", Value::Array(parts)) => match parts.as_slice() {
            [Value::String(name), yes, no] => Some((name, yes, no)),
            _ => None,
        },
        _ => None,
    }
}

/// A resource before and after, in one of the ways that it may be.
pub(super) type Way<'a> = (Option<Cow<'a, Value>>, Option<Cow<'a, Value>>);

/// Returns the ways in which canonical resources may be before and after: one for each choice that only CloudFormation
/// makes. A condition that both know decides the same for both.
pub(super) fn ways<'a>(old: Option<&'a Value>, new: Option<&'a Value>) -> Vec<Way<'a>> {
    let mut names = BTreeSet::new();
    for value in old.into_iter().chain(new) {
        unknown(value, &mut names);
    }
    let assignments: Vec<BTreeMap<&str, bool>> = if names.len() <= COMBINED {
        (0..1_usize << names.len())
            .map(|number| {
                let names = names.iter().enumerate();
                names
                    .map(|(bit, name)| (*name, number >> bit & 1 == 0))
                    .collect()
            })
            .collect()
    } else {
        [true, false]
            .map(|holds| names.iter().map(|name| (*name, holds)).collect())
            .into()
    };
    let none = Parameters::new();
    let chosen = |value: Option<&'a Value>, assignment: &BTreeMap<&str, bool>| {
        let value = value?;
        Some(if assignment.is_empty() {
            Cow::Borrowed(value)
        } else {
            Cow::Owned(canonical(&taken(value, assignment), &none))
        })
    };
    let ways = assignments.iter();
    ways.map(|assignment| (chosen(old, assignment), chosen(new, assignment)))
        .collect()
}

fn unknown<'a>(value: &'a Value, names: &mut BTreeSet<&'a str>) {
    if let Some((name, _, _)) = choice(value) {
        names.insert(name);
    }
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| unknown(element, names)),
        Value::Object(entries) => entries.values().for_each(|entry| unknown(entry, names)),
        _ => {}
    }
}

/// Takes the branches that an assignment says.
fn taken(value: &Value, assignment: &BTreeMap<&str, bool>) -> Value {
    if let Some((name, yes, no)) = choice(value)
        && let Some(holds) = assignment.get(name)
    {
        return taken(if *holds { yes } else { no }, assignment);
    }
    match value {
        Value::Array(elements) => elements.iter().map(|it| taken(it, assignment)).collect(),
        Value::Object(entries) => entries
            .iter()
            .map(|(key, entry)| (key.clone(), taken(entry, assignment)))
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settled_with(template: &Value, parameters: &[(&str, &str)]) -> Option<Value> {
        let parameters = parameters.iter();
        settled(&Side {
            template: Some(template),
            parameters: parameters
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            ..Side::default()
        })
    }

    #[test]
    fn what_is_known_is_decided_and_the_rest_stays() {
        let template = json!({
            "Conditions": {
                "IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
                "IsBig": {"Fn::And": [{"Condition": "IsProd"}, {"Fn::Not": [{"Fn::Equals": [{"Ref": "Size"}, "1"]}]}]},
                "Either": {"Fn::Or": [{"Condition": "IsProd"}, {"Condition": "Either"}]},
            },
            "Resources": {
                "Kept": {"Type": "A", "Condition": "IsProd", "Properties": {"Size": {"Fn::If": ["Either", "big", "small"]}}},
                "Perhaps": {"Type": "A", "Condition": "IsBig"},
            },
            "Outputs": {"Kept": {"Condition": "IsProd", "Value": "1"}},
        });
        let prod = settled_with(&template, &[("Stage", "prod")]).expect("has conditions");
        assert_eq!(
            prod["Resources"],
            json!({
                "Kept": {"Type": "A", "Properties": {"Size": "big"}},
                "Perhaps": {"Type": "A", "Condition": template["Conditions"]["IsBig"]},
            })
        );
        assert_eq!(prod["Outputs"], json!({"Kept": {"Value": "1"}}));
        let dev = settled_with(&template, &[("Stage", "dev")]).expect("has conditions");
        assert_eq!(dev["Resources"], json!({}));
        assert_eq!(dev["Outputs"], json!({}));
        assert!(settled_with(&json!({"Conditions": {}}), &[]).is_none());
    }

    #[test]
    fn what_nobody_knows_is_judged_both_ways() {
        let old = json!({"Properties": {"A": {"Fn::If": ["X", 1, 2]}}});
        let new = json!({"Properties": {"A": {"Fn::If": ["X", 3, {"Ref": "AWS::NoValue"}]}}});
        let ways = ways(Some(&old), Some(&new));
        let ways: Vec<_> = ways
            .iter()
            .map(|(old, new)| (old.as_deref().unwrap(), new.as_deref().unwrap()))
            .collect();
        assert_eq!(
            ways,
            [
                (
                    &json!({"Properties": {"A": 1}}),
                    &json!({"Properties": {"A": 3}})
                ),
                (&json!({"Properties": {"A": 2}}), &json!({"Properties": {}})),
            ]
        );
    }
}
