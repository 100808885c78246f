//! The database of the package, as far as it says what a change does.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Verdict, Verdicts};

#[derive(Debug, Deserialize)]
pub(super) struct Database {
    schema: Schema,
}

#[derive(Debug, Deserialize)]
struct Schema {
    resource: Entities<Resource>,
    #[serde(rename = "typeDefinition")]
    nested: Entities<Nested>,
}

#[derive(Debug, Deserialize)]
struct Entities<T> {
    entities: Vec<T>,
}

#[derive(Debug, Deserialize)]
struct Resource {
    #[serde(rename = "cloudFormationType")]
    name: String,
    properties: BTreeMap<String, Property>,
}

/// What a property holds that has properties itself.
#[derive(Debug, Deserialize)]
struct Nested {
    #[serde(rename = "$id")]
    id: String,
    properties: BTreeMap<String, Property>,
}

#[derive(Debug, Deserialize)]
struct Property {
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(rename = "causesReplacement", default)]
    replaces: Replaces,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Replaces {
    Yes,
    Maybe,
    #[default]
    No,
}

#[derive(Debug, Deserialize)]
struct Kind {
    /// What a list or map holds.
    element: Option<Box<Kind>>,
    /// What it is one of.
    #[serde(default)]
    types: Vec<Kind>,
    reference: Option<Reference>,
}

#[derive(Debug, Deserialize)]
struct Reference {
    #[serde(rename = "$ref")]
    id: String,
}

impl Kind {
    /// Calls `visit` with what has properties, and the steps to it.
    fn each<'a>(&'a self, steps: &str, visit: &mut dyn FnMut(String, &'a str)) {
        if let Some(reference) = &self.reference {
            visit(steps.to_owned(), &reference.id);
        }
        if let Some(element) = &self.element {
            element.each(&format!("{steps}/*"), visit);
        }
        for kind in &self.types {
            kind.each(steps, visit);
        }
    }
}

/// Lists the verdicts by type.
pub(super) fn verdicts(database: &Database) -> BTreeMap<String, Verdicts> {
    let nested: BTreeMap<&str, &Nested> = database
        .schema
        .nested
        .entities
        .iter()
        .map(|nested| (nested.id.as_str(), nested))
        .collect();
    let of = |resource: &Resource| {
        let mut found = Verdicts::new();
        let walk = Walk { nested: &nested };
        walk.properties(
            &resource.properties,
            "",
            Verdict::InPlace,
            &mut Vec::new(),
            &mut found,
        );
        (resource.name.clone(), found)
    };
    database.schema.resource.entities.iter().map(of).collect()
}

struct Walk<'a> {
    nested: &'a BTreeMap<&'a str, &'a Nested>,
}

impl<'a> Walk<'a> {
    /// Enters what is said of properties: what replaces as a whole does so in each part, and what does in a part may as a
    /// whole. Returns whether any of it may.
    fn properties(
        &self,
        properties: &'a BTreeMap<String, Property>,
        prefix: &str,
        outer: Verdict,
        within: &mut Vec<&'a str>,
        found: &mut Verdicts,
    ) -> bool {
        let mut any = false;
        for (name, property) in properties {
            let own = match property.replaces {
                Replaces::Yes => Verdict::Replacement,
                Replaces::Maybe => Verdict::Conditional,
                Replaces::No => Verdict::InPlace,
            };
            let mut verdict = own.max(outer);
            let path = format!("{prefix}{name}");
            let mut parts = Vec::new();
            property
                .kind
                .each("", &mut |steps, id| parts.push((steps, id)));
            for (steps, id) in parts {
                let Some(nested) = self.nested.get(id).filter(|_| !within.contains(&id)) else {
                    continue;
                };
                within.push(id);
                let prefix = format!("{path}{steps}/");
                let below =
                    self.properties(&nested.properties, &prefix, own.max(outer), within, found);
                within.pop();
                if below {
                    verdict = verdict.max(Verdict::Conditional);
                }
            }
            any |= verdict != Verdict::InPlace;
            found.insert(path, verdict);
        }
        any
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Verdict, verdicts};

    #[test]
    fn parts_and_wholes_speak_for_each_other() {
        let database = json!({"schema": {
            "resource": {"entities": [{"cloudFormationType": "A::B::C", "properties": {
                "Whole": {"type": {"type": "ref", "reference": {"$ref": "1"}}, "causesReplacement": "yes"},
                "Parts": {"type": {"type": "array", "element": {"type": "ref", "reference": {"$ref": "1"}}}},
                "Plain": {"type": {"type": "string"}},
            }}]},
            "typeDefinition": {"entities": [{"$id": "1", "properties": {
                "Key": {"type": {"type": "string"}, "causesReplacement": "maybe"},
                "Free": {"type": {"type": "ref", "reference": {"$ref": "1"}}},
            }}]},
        }});
        let database = serde_json::from_value(database).unwrap();
        let found = &verdicts(&database)["A::B::C"];
        let found: Vec<_> = found
            .iter()
            .map(|(path, verdict)| (path.as_str(), *verdict))
            .collect();
        assert_eq!(
            found,
            [
                ("Parts", Verdict::Conditional),
                ("Parts/*/Free", Verdict::InPlace),
                ("Parts/*/Key", Verdict::Conditional),
                ("Plain", Verdict::InPlace),
                ("Whole", Verdict::Replacement),
                ("Whole/Free", Verdict::Replacement),
                ("Whole/Key", Verdict::Replacement),
            ]
        );
    }
}
