//! From one registry schema to the facts about its type.
//!
//! The registry speaks JSON Schema with references, alternatives and nesting without names. The facts are flat: every
//! object with known properties becomes a shape with a name, everything else becomes a kind with limits.

mod kinds;
mod paths;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::format::{Group, Header, Kind, Node, Property, Rule, Shape, Text, TypeSpec};

/// Deeper references than this are taken for endless.
const MAX_DEPTH: usize = 16;

/// Distils one schema; collects in `dropped` the pointers that lead to no property.
pub(crate) fn distil(name: &str, schema: &Value, dropped: &mut Vec<String>) -> TypeSpec<'static> {
    let mut distiller = Distiller {
        schema,
        shapes: BTreeMap::new(),
        names: BTreeMap::new(),
    };
    let top = distiller.flatten(schema, 0);
    let mut root = distiller.shape_of(&top, "");
    // Resource types are open only where the registry accepts any key.
    root.open = root.open || top.contains_key("patternProperties");
    let mut spec = TypeSpec {
        name: Text::Owned(name.to_owned()),
        lists: Vec::new(),
        root,
        shapes: distiller.shapes.into_values().flatten().collect(),
    };
    spec.shapes.sort_by(|a, b| a.name.cmp(&b.name));
    spec.lists = lists(schema, &spec, dropped);
    spec
}

/// The header lines, in the order of their keywords.
fn lists(
    schema: &Value,
    spec: &TypeSpec<'_>,
    dropped: &mut Vec<String>,
) -> Vec<(Header, Vec<Text<'static>>)> {
    let mut resolve = |pointers: Option<&Value>| -> Vec<Text<'static>> {
        let mut found = Vec::new();
        for pointer in pointers.and_then(Value::as_array).into_iter().flatten() {
            match pointer
                .as_str()
                .and_then(|pointer| paths::resolve(spec, pointer))
            {
                Some(path) => found.push(Text::Owned(path)),
                None => dropped.push(format!("{} {pointer}", spec.name)),
            }
        }
        found
    };
    let mut lists = vec![(Header::Identifier, resolve(schema.get("primaryIdentifier")))];
    for more in schema
        .get("additionalIdentifiers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        lists.push((Header::Alternative, resolve(Some(more))));
    }
    let tagging = schema.get("tagging");
    if tagging.and_then(|t| t.get("taggable")) != Some(&Value::Bool(false)) {
        let property = match tagging.and_then(|t| t.get("tagProperty")) {
            Some(property) => Some(property.clone()),
            // What the registry assumes where nothing is said.
            None => spec
                .root
                .property("Tags")
                .map(|_| "/properties/Tags".into()),
        };
        lists.push((Header::Tags, resolve(Some(&Value::from_iter(property)))));
    }
    for (header, keyword) in [
        (Header::CreateOnly, "createOnlyProperties"),
        (Header::MaybeCreateOnly, "conditionalCreateOnlyProperties"),
        (Header::ReadOnly, "readOnlyProperties"),
        (Header::WriteOnly, "writeOnlyProperties"),
        (Header::Deprecated, "deprecatedProperties"),
    ] {
        let mut found = resolve(schema.get(keyword));
        found.sort();
        found.dedup();
        lists.push((header, found));
    }
    lists.push((Header::Attributes, kinds::texts(schema.get("attributes"))));
    let mut traits = Vec::new();
    if schema
        .get("handlers")
        .is_some_and(|handlers| handlers.get("update").is_none())
    {
        traits.push(Text::Borrowed("no-update"));
    }
    if schema.get("replacementStrategy").and_then(Value::as_str) == Some("delete_then_create") {
        traits.push(Text::Borrowed("delete-first"));
    }
    lists.push((Header::Traits, traits));
    lists.retain(|(_, words)| !words.is_empty());
    lists
}

/// Schemas without references and `allOf`: one map of keywords.
type Flat = Map<String, Value>;

/// Where a schema without a name of its own stands.
struct Place {
    /// What to call the shape it may turn out to be.
    hint: String,
    /// Its pointer, if others reach it too.
    pointer: Option<String>,
}

struct Distiller<'s> {
    schema: &'s Value,
    /// The shapes by name; `None` while one is being made, so that recursion ends.
    shapes: BTreeMap<String, Option<Shape<'static>>>,
    /// The names given to the objects that references lead to, by pointer.
    names: BTreeMap<String, String>,
}

impl Distiller<'_> {
    /// Follows references and merges `allOf`, local keywords winning over those referred to.
    fn flatten(&self, schema: &Value, depth: usize) -> Flat {
        let Some(own) = schema.as_object() else {
            return Flat::new();
        };
        let mut flat = Flat::new();
        if depth < MAX_DEPTH {
            if let Some(target) = own
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|r| self.target(r))
            {
                flat = self.flatten(target, depth + 1);
            }
            for part in own
                .get("allOf")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                merge(&mut flat, self.flatten(part, depth + 1));
            }
        }
        let mut own = own.clone();
        own.remove("$ref");
        own.remove("allOf");
        merge(&mut flat, own);
        flat
    }

    fn target(&self, reference: &str) -> Option<&Value> {
        self.schema.pointer(reference.strip_prefix('#')?)
    }

    /// Distils what a property or element holds.
    fn node(&mut self, schema: &Value, place: &Place, depth: usize) -> Node<'static> {
        let flat = self.flatten(schema, depth);
        let limits = kinds::limits(&flat, self);
        if depth >= MAX_DEPTH {
            return Node {
                kind: Kind::Json(Text::Borrowed("")),
                limits,
            };
        }
        let kinds = kinds::letters(&flat, self, 0);
        let kind = match kinds.as_str() {
            "s" => Kind::String,
            "i" => Kind::Integer,
            "n" => Kind::Number,
            "b" => Kind::Boolean,
            "a" => match flat.get("items") {
                Some(items) => {
                    // The elements of a list with a name belong to that name, wherever the list is used.
                    let list = self.final_reference(schema);
                    let pointer = list.as_ref().map(|list| format!("{list}/items"));
                    let hint = match &list {
                        Some(list) => camel(list.rsplit('/').next().unwrap_or(list)),
                        None => place.hint.clone(),
                    };
                    let at = Place {
                        hint: format!("{hint}Item"),
                        pointer,
                    };
                    Kind::List(Box::new(self.node(items, &at, depth + 1)))
                }
                None => Kind::List(Box::new(anything())),
            },
            "o" if self.has_properties(&flat) => {
                Kind::Shape(Text::Owned(self.shape(schema, &flat, place)))
            }
            "o" => match map_values(&flat) {
                Some(values) => {
                    let at = Place {
                        hint: format!("{}Value", place.hint),
                        pointer: None,
                    };
                    Kind::Map(Box::new(self.node(&values, &at, depth + 1)))
                }
                None => Kind::Json(Text::Borrowed("o")),
            },
            letters => Kind::Json(Text::Owned(letters.to_owned())),
        };
        Node { kind, limits }
    }

    fn has_properties(&self, flat: &Flat) -> bool {
        let own = flat
            .get("properties")
            .and_then(Value::as_object)
            .is_some_and(|p| !p.is_empty());
        own || alternatives(flat).any(|(_, some)| {
            some.iter().any(|schema| {
                let flat = self.flatten(schema, 1);
                flat.get("properties")
                    .and_then(Value::as_object)
                    .is_some_and(|p| !p.is_empty())
            })
        })
    }

    /// Makes the shape of an object once, and returns its name.
    fn shape(&mut self, schema: &Value, flat: &Flat, place: &Place) -> String {
        // A reference without local properties names the shape that all such references share.
        let reference = self.final_reference(schema);
        let wanted = match &reference {
            Some(pointer) => camel(pointer.rsplit('/').next().unwrap_or(pointer)),
            None => camel(&place.hint),
        };
        let named = reference.is_some();
        let pointer = reference.or_else(|| place.pointer.clone());
        if let Some(name) = pointer.as_ref().and_then(|pointer| self.names.get(pointer)) {
            return name.clone();
        }
        let mut name = wanted.clone();
        let mut count = 2;
        while self.shapes.contains_key(&name) || (!named && self.is_definition(&name)) {
            name = format!("{wanted}{count}");
            count += 1;
        }
        self.shapes.insert(name.clone(), None);
        if let Some(pointer) = pointer {
            self.names.insert(pointer, name.clone());
        }
        let shape = self.shape_of(flat, &name);
        self.shapes.insert(name.clone(), Some(shape));
        name
    }

    fn is_definition(&self, name: &str) -> bool {
        self.schema
            .get("definitions")
            .and_then(Value::as_object)
            .is_some_and(|definitions| definitions.keys().any(|key| camel(key) == name))
    }

    /// Follows references (and an `allOf` of a single one) to the pointer of the schema that has the properties.
    fn final_reference(&self, schema: &Value) -> Option<String> {
        let mut pointer = None;
        let mut schema = schema;
        for _ in 0..MAX_DEPTH {
            if schema.get("properties").is_some() {
                break;
            }
            let reference = schema.get("$ref").and_then(Value::as_str).or_else(|| {
                let parts: Vec<_> = schema
                    .get("allOf")?
                    .as_array()?
                    .iter()
                    .filter_map(|part| part.get("$ref")?.as_str())
                    .collect();
                <[&str; 1]>::try_from(parts).ok().map(|[one]| one)
            });
            let Some(reference) = reference else { break };
            pointer = reference.strip_prefix('#').map(str::to_owned);
            schema = self.target(reference)?;
        }
        pointer
    }

    fn shape_of(&mut self, flat: &Flat, name: &str) -> Shape<'static> {
        let mut required: BTreeSet<String> = strings(flat.get("required"));
        let mut properties: BTreeMap<String, Value> = BTreeMap::new();
        let mut open = !matches!(flat.get("additionalProperties"), Some(Value::Bool(false)));
        if let Some(own) = flat.get("properties").and_then(Value::as_object) {
            properties.extend(
                own.iter()
                    .map(|(name, schema)| (name.clone(), schema.clone())),
            );
        }
        if flat.get("patternProperties").is_some() {
            open = true;
        }
        let mut groups = groups(flat);
        for (keyword, some) in alternatives(flat) {
            let flats: Vec<Flat> = some.iter().map(|schema| self.flatten(schema, 1)).collect();
            for alternative in &flats {
                for (name, schema) in alternative
                    .get("properties")
                    .and_then(Value::as_object)
                    .into_iter()
                    .flatten()
                {
                    if schema.is_object() {
                        properties
                            .entry(name.clone())
                            .or_insert_with(|| schema.clone());
                    }
                }
            }
            // Alternatives that bring the properties also say whether others are accepted.
            if flat.get("additionalProperties").is_none()
                && flats
                    .iter()
                    .all(|f| f.get("additionalProperties") == Some(&Value::Bool(false)))
            {
                open = false;
            }
            groups.extend(required_alternatives(keyword, &flats));
        }
        // The registry requires a few properties that it does not list.
        required.retain(|name| properties.contains_key(name));
        groups.retain(|group| {
            group
                .sets
                .iter()
                .flatten()
                .all(|name| properties.contains_key(&**name))
        });
        let properties = properties
            .into_iter()
            .map(|(property, schema)| Property {
                required: required.contains(&property),
                node: self.node(
                    &schema,
                    &Place {
                        hint: format!("{name}{}", camel(&property)),
                        pointer: None,
                    },
                    0,
                ),
                name: Text::Owned(property),
            })
            .collect();
        Shape {
            name: Text::Owned(name.to_owned()),
            open,
            groups,
            properties,
        }
    }
}

/// Merges keywords; the maps of properties and the lists of required ones are united.
fn merge(flat: &mut Flat, more: Flat) {
    for (keyword, value) in more {
        match (keyword.as_str(), flat.get_mut(&keyword), value) {
            ("properties" | "patternProperties", Some(Value::Object(old)), Value::Object(new)) => {
                old.extend(new);
            }
            (
                "required" | "oneOf" | "anyOf" | "requiredXor",
                Some(Value::Array(old)),
                Value::Array(new),
            ) => {
                old.extend(new);
            }
            (_, _, value) => {
                flat.insert(keyword, value);
            }
        }
    }
}

fn alternatives(flat: &Flat) -> impl Iterator<Item = (&'static str, &Vec<Value>)> {
    ["oneOf", "anyOf"]
        .into_iter()
        .filter_map(|keyword| Some((keyword, flat.get(keyword)?.as_array()?)))
}

/// The schema of the values of a map whose keys are free.
fn map_values(flat: &Flat) -> Option<Value> {
    if let Some(patterns) = flat.get("patternProperties").and_then(Value::as_object) {
        // Several patterns with different values have no common type.
        let mut values = patterns.values();
        let first = values.next()?;
        return values.all(|value| value == first).then(|| first.clone());
    }
    flat.get("additionalProperties")
        .filter(|values| values.is_object())
        .cloned()
}

/// The rules over several properties that have keywords of their own.
fn groups(flat: &Flat) -> Vec<Group<'static>> {
    let mut groups = Vec::new();
    for (keyword, rule) in [("requiredXor", Rule::OneOf), ("requiredOr", Rule::AnyOf)] {
        let names: Vec<_> = strings(flat.get(keyword))
            .into_iter()
            .map(|name| vec![Text::Owned(name)])
            .collect();
        if names.len() > 1 {
            groups.push(Group { rule, sets: names });
        }
    }
    for (keyword, rule) in [
        ("dependentRequired", Rule::Needs),
        ("dependencies", Rule::Needs),
        ("dependentExcluded", Rule::Excludes),
    ] {
        for (name, others) in flat
            .get(keyword)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let others: Vec<_> = strings(Some(others)).into_iter().map(Text::Owned).collect();
            if !others.is_empty() {
                groups.push(Group {
                    rule,
                    sets: vec![vec![Text::Owned(name.clone())], others],
                });
            }
        }
    }
    groups
}

/// The rule that alternatives make by what each of them requires.
///
/// Only alternatives that consist of nothing else exclude one another for certain; of the others at least one holds.
fn required_alternatives(keyword: &str, flats: &[Flat]) -> Option<Group<'static>> {
    let sets: Vec<Vec<Text<'static>>> = flats
        .iter()
        .map(|flat| {
            strings(flat.get("required"))
                .into_iter()
                .map(Text::Owned)
                .collect()
        })
        .collect();
    if sets.len() < 2 || sets.iter().any(Vec::is_empty) {
        return None;
    }
    let bare = flats.iter().all(|flat| {
        flat.keys()
            .all(|key| matches!(key.as_str(), "required" | "title" | "description" | "type"))
    });
    let rule = if keyword == "oneOf" && bare {
        Rule::OneOf
    } else {
        Rule::AnyOf
    };
    Some(Group { rule, sets })
}

fn strings(list: Option<&Value>) -> BTreeSet<String> {
    list.and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn anything() -> Node<'static> {
    Node {
        kind: Kind::Json(Text::Borrowed("")),
        limits: super::format::Limits::default(),
    }
}

/// Turns a name of the registry into the name of a Rust type: words without separators, each with a capital.
fn camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for word in name.split(|c: char| !c.is_ascii_alphanumeric()) {
        let mut chars = word.chars();
        if let Some(first) = chars.next() {
            out.push(first.to_ascii_uppercase());
            out.push_str(chars.as_str());
        }
    }
    if out.is_empty() || out.starts_with(|c: char| c.is_ascii_digit()) || out == "Self" {
        out.insert(0, 'N');
    }
    out
}
