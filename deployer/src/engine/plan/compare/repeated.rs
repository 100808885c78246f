//! Finds resources that both templates write in the same way and that mean the same in both.
//!
//! Most of an update is what it was. What is written alike needs to be brought to its canonical form once.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::super::Side;
use super::super::mappings::is_list;

/// What is the same in two templates.
pub(super) struct Repeated<'a> {
    /// The resources of the wanted template; none, where nothing can be told from how they are written.
    wanted: Option<&'a Map<String, Value>>,
    /// The names of the parameters that have another value, or the same one as a list and as a text.
    other: BTreeSet<&'a str>,
}

impl<'a> Repeated<'a> {
    pub(super) fn of(deployed: &'a Side<'_>, wanted: &'a Side<'_>) -> Self {
        let section = |side: &'a Side<'_>, name: &str| side.template?.get(name);
        // Another mapping or another transformation makes something else of what looks the same.
        let alike = ["Mappings", "Transform"]
            .into_iter()
            .all(|name| section(deployed, name) == section(wanted, name));
        let resources = section(wanted, "Resources").filter(|_| alike);
        let (before, after) = (&deployed.parameters, &wanted.parameters);
        let lists = |side: &'a Side<'_>| -> BTreeSet<&'a str> {
            let declared = section(side, "Parameters").and_then(Value::as_object);
            let declared = declared.into_iter().flatten();
            let lists = declared.filter(|(_, parameter)| is_list(parameter));
            lists.map(|(name, _)| name.as_str()).collect()
        };
        let turned: Vec<&str> = lists(deployed)
            .symmetric_difference(&lists(wanted))
            .copied()
            .collect();
        let other = before
            .keys()
            .chain(after.keys())
            .filter(|name| before.get(*name) != after.get(*name))
            .map(String::as_str)
            .chain(turned)
            .collect();
        Self {
            wanted: resources.and_then(Value::as_object),
            other,
        }
    }

    /// Returns whether a deployed resource is written and means the same in the wanted template.
    pub(super) fn holds(&self, id: &str, deployed: &Value) -> bool {
        let wanted = self.wanted.and_then(|resources| resources.get(id));
        wanted == Some(deployed) && (self.other.is_empty() || !self.takes(deployed))
    }

    /// Returns whether a value takes anything from a parameter that has another value. A text that only looks so counts too.
    fn takes(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => {
                let mut names = text.split("${").skip(1);
                self.other.contains(text.as_str())
                    || names.any(|rest| {
                        let name = rest.split_once('}').map_or(rest, |(name, _)| name);
                        self.other.contains(name)
                    })
            }
            Value::Array(elements) => elements.iter().any(|element| self.takes(element)),
            Value::Object(entries) => entries.values().any(|entry| self.takes(entry)),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_looks_the_same_may_mean_something_else() {
        let queue = |delay: Value| json!({"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": delay}});
        let template = |mappings: Value| {
            json!({"Mappings": mappings, "Resources": {
                "Literal": queue(json!(5)),
                "Parameter": queue(json!({"Ref": "Delay"})),
                "Text": queue(json!({"Fn::Sub": "${Same}${Delay}"})),
                "Other": queue(json!({"Fn::Sub": "${Same}"})),
            }})
        };
        let parameters = |delay: &str| {
            [("Delay", delay), ("Same", "1")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into()
        };
        let (one, two) = (template(json!({})), template(json!({"A": {}})));
        let held = |old: &Value, new: &Value, delay: &str| -> Vec<String> {
            let side = |template, delay| Side {
                template: Some(template),
                parameters: parameters(delay),
                ..Side::default()
            };
            let (old, new) = (side(old, "1"), side(new, delay));
            let repeated = Repeated::of(&old, &new);
            let resources = old.template.and_then(|it| it["Resources"].as_object());
            let resources = resources.into_iter().flatten();
            let held = resources.filter(|(id, body)| repeated.holds(id, body));
            let mut held: Vec<String> = held.map(|(id, _)| id.clone()).collect();
            held.sort();
            held
        };
        assert_eq!(
            held(&one, &one, "1"),
            ["Literal", "Other", "Parameter", "Text"]
        );
        assert_eq!(held(&one, &one, "2"), ["Literal", "Other"]);
        assert_eq!(held(&one, &two, "1"), [""; 0]);
        let declared = |kind: &str| {
            let mut template = one.clone();
            template["Parameters"] = json!({"Delay": {"Type": kind}, "Same": {"Type": "String"}});
            template
        };
        let (text, list) = (declared("String"), declared("CommaDelimitedList"));
        assert_eq!(held(&text, &list, "1"), ["Literal", "Other"]);
        assert_eq!(
            held(&list, &list, "1"),
            ["Literal", "Other", "Parameter", "Text"]
        );
    }
}
