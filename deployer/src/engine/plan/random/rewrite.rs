//! Templates that say the same in other words.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use stack_model_cfn::facts;

use super::Choices;

/// A template that was written in other words, with the values of its parameters.
pub(crate) struct Rewritten {
    pub(crate) template: Value,
    pub(crate) parameters: BTreeMap<String, String>,
}

/// Properties whose text is JSON, in which blanks mean nothing.
pub(super) const JSON_TEXTS: &[(&str, &str)] = &[
    ("AWS::CloudWatch::Dashboard", "DashboardBody"),
    ("AWS::Logs::ResourcePolicy", "PolicyDocument"),
    ("AWS::StepFunctions::StateMachine", "DefinitionString"),
];

/// Says what a template says in other words: intrinsics by others, values by parameters, one by a list of one, and
/// everything without an order in another one.
pub(crate) fn rewritten(
    template: &Value,
    parameters: &BTreeMap<String, String>,
    choices: &mut Choices<'_>,
) -> Rewritten {
    let mut writer = Writer {
        choices,
        known: parameters.clone(),
        declared: template["Parameters"]
            .as_object()
            .cloned()
            .unwrap_or_default(),
        resource_type: String::new(),
    };
    let mut template = template.clone();
    if let Some(resources) = template["Resources"].as_object() {
        let mut written: Vec<(String, Value)> = resources
            .iter()
            .map(|(id, body)| (id.clone(), writer.resource(body)))
            .collect();
        writer.choices.shuffle(&mut written);
        template["Resources"] = Value::Object(written.into_iter().collect());
    }
    if let Some(outputs) = template.get_mut("Outputs").and_then(Value::as_object_mut) {
        writer.resource_type.clear();
        for output in outputs.values_mut() {
            output["Value"] = writer.value(&output["Value"], None);
        }
    }
    template["Parameters"] = Value::Object(writer.declared);
    Rewritten {
        template,
        parameters: writer.known,
    }
}

/// Writes the policies of a template in other statements that allow and deny the same: split, doubled, or with actions in
/// other letters. Returns the resources of which a policy is written otherwise.
pub(crate) fn reworded(template: &Value, choices: &mut Choices<'_>) -> (Value, BTreeSet<String>) {
    let mut template = template.clone();
    let mut written = BTreeSet::new();
    let resources = template["Resources"].as_object_mut();
    for (id, body) in resources.into_iter().flatten() {
        let before = body.clone();
        let properties = body.get_mut("Properties").and_then(Value::as_object_mut);
        for property in properties.into_iter().flat_map(Map::values_mut) {
            reword(property, choices);
        }
        if *body != before {
            written.insert(id.clone());
        }
    }
    (template, written)
}

fn reword(value: &mut Value, choices: &mut Choices<'_>) {
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(|it| reword(it, choices)),
        Value::Object(entries) if one(entries).is_none() => match entries.get_mut("Statement") {
            Some(Value::Array(statements)) => {
                let plain = |it: &Value| it["Effect"].is_string() && it.get("Action").is_some();
                if !statements.iter().all(plain) {
                    return;
                }
                let old = std::mem::take(statements);
                *statements = old.iter().flat_map(|it| parts(it, choices)).collect();
            }
            _ => entries.values_mut().for_each(|it| reword(it, choices)),
        },
        _ => {}
    }
}

/// Returns statements that say together what one does.
fn parts(statement: &Value, choices: &mut Choices<'_>) -> Vec<Value> {
    let with = |actions: Value| {
        let mut part = statement.clone();
        part["Action"] = actions;
        part
    };
    match (&statement["Action"], choices.below(4)) {
        (_, 1) => vec![statement.clone(), statement.clone()],
        (Value::Array(actions), 2) if actions.len() > 1 => {
            let (left, right) = actions.split_at(1 + choices.below(actions.len() - 1));
            vec![with(json!(left)), with(json!(right))]
        }
        (Value::String(action), 3) => vec![with(json!(action.to_ascii_uppercase()))],
        _ => vec![statement.clone()],
    }
}

struct Writer<'a, 'b> {
    choices: &'a mut Choices<'b>,
    known: BTreeMap<String, String>,
    declared: Map<String, Value>,
    resource_type: String,
}

impl Writer<'_, '_> {
    fn resource(&mut self, body: &Value) -> Value {
        body["Type"]
            .as_str()
            .unwrap_or_default()
            .clone_into(&mut self.resource_type);
        let mut entries: Vec<(String, Value)> = body
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, value)| {
                let value = match (key.as_str(), value) {
                    ("Properties", Value::Object(properties)) => self.entries(properties, Some("")),
                    ("DependsOn", value) => self.depends(value),
                    (_, value) => value.clone(),
                };
                (key.clone(), value)
            })
            .collect();
        self.choices.shuffle(&mut entries);
        Value::Object(entries.into_iter().collect())
    }

    /// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-dependson.html>.
    fn depends(&mut self, value: &Value) -> Value {
        match value {
            Value::String(_) if self.choices.chance(50) => json!([value]),
            Value::Array(names) => {
                let mut names = names.clone();
                self.choices.shuffle(&mut names);
                match names.as_mut_slice() {
                    [one] if self.choices.chance(50) => one.take(),
                    _ => Value::Array(names),
                }
            }
            other => other.clone(),
        }
    }

    /// Writes a value. The path is that in the facts, where they still describe it.
    fn value(&mut self, value: &Value, path: Option<&str>) -> Value {
        match value {
            Value::Object(entries) => match one(entries) {
                Some((name, argument)) => self.intrinsic(name, argument),
                None => self.entries(entries, path),
            },
            Value::Array(elements) => self.list(elements, path),
            Value::String(text) => self.text(text, path),
            Value::Bool(_) | Value::Number(_) if self.choices.chance(20) => {
                json!(value.to_string())
            }
            other => other.clone(),
        }
    }

    fn entries(&mut self, entries: &Map<String, Value>, path: Option<&str>) -> Value {
        let is_policy = entries.contains_key("Statement");
        let mut written: Vec<(String, Value)> = entries
            .iter()
            .map(|(key, value)| {
                let path = path.map(|path| match path {
                    "" => key.clone(),
                    path => format!("{path}/{key}"),
                });
                let value = match key.as_str() {
                    "Statement" if is_policy => self.statements(value),
                    "Tags" if value.is_array() => self.tags(value),
                    _ => self.value(value, path.as_deref()),
                };
                (key.clone(), value)
            })
            .collect();
        if self.choices.chance(10) {
            written.push(("Nothing".to_owned(), json!({"Ref": "AWS::NoValue"})));
        }
        self.choices.shuffle(&mut written);
        Value::Object(written.into_iter().collect())
    }

    fn list(&mut self, elements: &[Value], path: Option<&str>) -> Value {
        let inner = path.map(|path| format!("{path}/0"));
        let mut written: Vec<Value> = elements
            .iter()
            .map(|element| self.value(element, inner.as_deref()))
            .collect();
        let unordered = path.is_some_and(|path| {
            facts::resource_type(&self.resource_type)
                .and_then(|known| known.property(path))
                .is_some_and(|property| !property.value().ordered())
        });
        if unordered {
            self.choices.shuffle(&mut written);
        }
        if self.choices.chance(10)
            && let Some(split) = self.split(&written)
        {
            return split;
        }
        if self.choices.chance(10) {
            written.insert(0, json!({"Ref": "AWS::NoValue"}));
        }
        Value::Array(written)
    }

    /// Writes a list of texts as one text that is split, which a parameter may give.
    fn split(&mut self, elements: &[Value]) -> Option<Value> {
        let texts: Vec<&str> = elements.iter().map(Value::as_str).collect::<Option<_>>()?;
        let apart = |text: &&str| !text.contains([',', '{']);
        if texts.is_empty() || !texts.iter().all(apart) {
            return None;
        }
        let text = texts.join(",");
        let text = if self.choices.chance(50) {
            self.parameter(&text)
        } else {
            json!(text)
        };
        Some(json!({"Fn::Split": [",", text]}))
    }

    /// Makes a text the value of a parameter.
    fn parameter(&mut self, text: &str) -> Value {
        let name = format!("Given{}", self.known.len());
        self.known.insert(name.clone(), text.to_owned());
        self.declared
            .insert(name.clone(), json!({"Type": "String"}));
        json!({"Ref": name})
    }

    fn tags(&mut self, tags: &Value) -> Value {
        let mut tags: Vec<Value> = tags.as_array().into_iter().flatten().cloned().collect();
        if tags.iter().all(|tag| tag.get("Key").is_some()) {
            self.choices.shuffle(&mut tags);
        }
        Value::Array(tags)
    }

    fn statements(&mut self, statements: &Value) -> Value {
        let statements = match statements {
            Value::Array(statements) => statements.clone(),
            one => vec![one.clone()],
        };
        let mut written: Vec<Value> = statements
            .iter()
            .map(|statement| match statement {
                Value::Object(entries) if one(entries).is_none() => self.statement(entries),
                other => other.clone(),
            })
            .collect();
        self.choices.shuffle(&mut written);
        match written.as_mut_slice() {
            [one] if one.get("Effect").is_some() && self.choices.chance(30) => one.take(),
            _ => Value::Array(written),
        }
    }

    /// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>.
    fn statement(&mut self, entries: &Map<String, Value>) -> Value {
        let mut written: Vec<(String, Value)> = entries
            .iter()
            .map(|(key, value)| {
                let value = match (key.as_str(), value) {
                    ("Action" | "NotAction" | "Resource" | "NotResource", value) => self.set(value),
                    ("Principal" | "NotPrincipal", Value::Object(kinds))
                        if one(kinds).is_none() =>
                    {
                        self.sets(kinds)
                    }
                    ("Condition", Value::Object(tests)) if one(tests).is_none() => tests
                        .iter()
                        .map(|(operator, keys)| match keys {
                            Value::Object(keys) if one(keys).is_none() => {
                                (operator.clone(), self.sets(keys))
                            }
                            other => (operator.clone(), other.clone()),
                        })
                        .collect::<Map<_, _>>()
                        .into(),
                    _ => self.value(value, None),
                };
                (key.clone(), value)
            })
            .collect();
        self.choices.shuffle(&mut written);
        Value::Object(written.into_iter().collect())
    }

    fn sets(&mut self, entries: &Map<String, Value>) -> Value {
        let entries = entries
            .iter()
            .map(|(key, value)| (key.clone(), self.set(value)));
        Value::Object(entries.collect())
    }

    /// Writes what may be one or several, whose order and number mean nothing.
    fn set(&mut self, value: &Value) -> Value {
        let mut elements = match value {
            Value::Array(elements) => elements.clone(),
            one => vec![one.clone()],
        };
        for element in &mut elements {
            *element = self.value(element, None);
        }
        self.choices.shuffle(&mut elements);
        if self.choices.chance(10)
            && let Some(first) = elements.first().filter(|first| first.is_string())
        {
            elements.push(first.clone());
        }
        match elements.as_mut_slice() {
            [one] if one.is_string() && self.choices.chance(50) => one.take(),
            [one] if value.is_object() => one.take(),
            _ => Value::Array(elements),
        }
    }

    fn text(&mut self, text: &str, path: Option<&str>) -> Value {
        let is_json = path.is_some_and(|path| JSON_TEXTS.contains(&(&self.resource_type, path)));
        if is_json
            && let Ok(Value::Object(read)) = serde_json::from_str(text)
            && self.choices.chance(50)
        {
            let written = serde_json::to_string_pretty(&read).expect("it was JSON");
            return json!(written);
        }
        match self.choices.below(20) {
            19 if !text.contains("${") => json!({"Fn::Sub": text}),
            18 => {
                let ends = text.char_indices().map(|(at, _)| at).collect::<Vec<_>>();
                let at = ends
                    .get(self.choices.below(ends.len()))
                    .copied()
                    .unwrap_or_default();
                let (start, end) = text.split_at(at);
                json!({"Fn::Join": ["", [start, end]]})
            }
            17 => json!({"Fn::Select": [0, [text]]}),
            16 => self.parameter(text),
            15 if text.contains('-') => {
                let parts: Vec<&str> = text.split('-').collect();
                json!({"Fn::Join": ["-", parts]})
            }
            _ => json!(text),
        }
    }

    fn intrinsic(&mut self, name: &str, argument: &Value) -> Value {
        match (name, argument) {
            ("Ref", Value::String(target)) => match (self.known.get(target), self.choices.below(4))
            {
                (Some(value), 3) => json!(value),
                (_, 2) if target != "AWS::NoValue" => json!({"Fn::Sub": format!("${{{target}}}")}),
                (_, 1) if target != "AWS::NoValue" => json!({"Fn::Join": ["", [{"Ref": target}]]}),
                _ => json!({"Ref": target}),
            },
            ("Fn::GetAtt", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(id), Value::String(attribute)] => match self.choices.below(3) {
                    2 => json!({"Fn::Sub": format!("${{{id}.{attribute}}}")}),
                    1 => json!({"Fn::GetAtt": format!("{id}.{attribute}")}),
                    _ => json!({"Fn::GetAtt": parts}),
                },
                _ => json!({"Fn::GetAtt": parts}),
            },
            ("Fn::Sub", Value::String(text)) if self.choices.chance(60) => match pieces(text) {
                Some(pieces) => {
                    let pieces: Vec<Value> =
                        pieces.iter().map(|piece| self.value(piece, None)).collect();
                    json!({"Fn::Join": ["", pieces]})
                }
                None => json!({"Fn::Sub": text}),
            },
            ("Fn::Join", Value::Array(parts)) if self.choices.chance(60) => {
                match parts.as_slice() {
                    [Value::String(between), Value::Array(pieces)] => {
                        match substituted(between, pieces) {
                            Some(text) => json!({"Fn::Sub": text}),
                            None => json!({"Fn::Join": parts}),
                        }
                    }
                    _ => json!({"Fn::Join": parts}),
                }
            }
            _ => json!({name: argument}),
        }
    }
}

/// Returns the one entry of a map that is an intrinsic.
fn one(entries: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (name, argument) = entries.iter().next().filter(|_| entries.len() == 1)?;
    (name == "Ref" || name == "Condition" || name.starts_with("Fn::")).then_some((name, argument))
}

/// Takes the text of an `Fn::Sub` apart, where it escapes nothing.
fn pieces(text: &str) -> Option<Vec<Value>> {
    let mut pieces = Vec::new();
    let mut parts = text.split("${");
    pieces.push(json!(parts.next()?));
    for part in parts {
        let (name, rest) = part.split_once('}')?;
        if name.starts_with('!') {
            return None;
        }
        pieces.push(match name.split_once('.') {
            Some((id, attribute)) => json!({"Fn::GetAtt": [id, attribute]}),
            None => json!({"Ref": name}),
        });
        pieces.push(json!(rest));
    }
    Some(pieces)
}

/// Writes the text of an `Fn::Sub` that says what a join does, where that can be one.
fn substituted(between: &str, pieces: &[Value]) -> Option<String> {
    let pieces: Vec<String> = pieces
        .iter()
        .map(|piece| match piece {
            Value::String(text) if !text.contains("${") => Some(text.clone()),
            Value::Object(entries) => match one(entries)? {
                ("Ref", Value::String(name)) => Some(format!("${{{name}}}")),
                ("Fn::GetAtt", Value::Array(parts)) => match parts.as_slice() {
                    [Value::String(id), Value::String(attribute)] => {
                        Some(format!("${{{id}.{attribute}}}"))
                    }
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        })
        .collect::<Option<_>>()?;
    let text = pieces.join(between);
    // Two pieces that end and begin with the halves of a reference would become one.
    (!between.contains('$')
        && !between.contains('{')
        && text.matches("${").count()
            == pieces
                .iter()
                .filter(|piece| piece.starts_with("${"))
                .count())
    .then_some(text)
}
