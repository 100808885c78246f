//! The text of a definition, with placeholders where only the deployment knows a value.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use stack_model_cfn::{Expr, Part, Token, Value};

/// A definition as text, and what stands for its placeholders.
#[derive(Debug)]
pub(super) struct Written {
    /// One line of JSON each. A definition that is written over many lines shows in a diff what changed.
    pub(super) lines: Vec<String>,
    /// The values of placeholders, by name.
    pub(super) substitutions: BTreeMap<String, Value<String>>,
}

/// Writes a definition.
pub(super) fn write(definition: &Expr) -> Written {
    let mut writer = Writer {
        text: String::new(),
        literals: String::new(),
        names: Vec::new(),
    };
    writer.collect(definition);
    writer.value(definition, 0, Level::Machine);
    Written {
        lines: writer.text.lines().map(str::to_owned).collect(),
        substitutions: writer
            .names
            .into_iter()
            .map(|(token, name)| (name, Value::Token(token)))
            .collect(),
    }
}

/// What a map is, which decides the order of its entries.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Machine,
    States,
    State,
    Other,
}

struct Writer {
    text: String,
    /// All literal texts, in which no placeholder may stand by chance.
    literals: String,
    names: Vec<(Token, String)>,
}

impl Writer {
    fn collect(&mut self, expr: &Expr) {
        match expr {
            Expr::String(text) => self.literals.push_str(text),
            Expr::List(elements) => elements.iter().for_each(|element| self.collect(element)),
            Expr::Map(entries) => {
                for (key, value) in entries {
                    self.literals.push_str(key);
                    self.collect(value);
                }
            }
            Expr::Token(Token::Sub(parts)) => {
                for part in parts {
                    if let Part::Text(text) = part {
                        self.literals.push_str(text);
                    }
                }
            }
            Expr::Null | Expr::Bool(_) | Expr::Number(_) | Expr::Token(_) => {}
        }
    }

    fn value(&mut self, expr: &Expr, depth: usize, level: Level) {
        match expr {
            Expr::Null => self.text.push_str("null"),
            Expr::Bool(value) => self.push(value),
            Expr::Number(value) => self.push(value),
            Expr::String(text) => self.string(text),
            Expr::List(elements) => self.list(elements, depth, level),
            Expr::Map(entries) => self.map(entries, depth, level),
            Expr::Token(Token::Sub(parts)) => {
                self.text.push('"');
                for part in parts {
                    match part {
                        Part::Text(text) => self.escaped(text),
                        Part::Token(token) => self.placeholder(token),
                    }
                }
                self.text.push('"');
            }
            Expr::Token(token) => {
                self.text.push('"');
                self.placeholder(token);
                self.text.push('"');
            }
        }
    }

    fn push(&mut self, value: impl std::fmt::Display) {
        // Writing to a text never fails.
        let _ = write!(self.text, "{value}");
    }

    fn string(&mut self, text: &str) {
        self.text.push('"');
        self.escaped(text);
        self.text.push('"');
    }

    fn escaped(&mut self, text: &str) {
        let quoted = serde_json::Value::from(text).to_string();
        let inner = quoted.get(1..quoted.len().saturating_sub(1));
        self.text.push_str(inner.unwrap_or_default());
    }

    fn line(&mut self, depth: usize) {
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n("  ", depth));
    }

    fn list(&mut self, elements: &[Expr], depth: usize, level: Level) {
        // What is named in a few words stands in one line.
        let short = elements
            .iter()
            .all(|element| matches!(element, Expr::String(_) | Expr::Number(_)));
        self.text.push('[');
        for (position, element) in elements.iter().enumerate() {
            if position > 0 {
                self.text.push_str(if short { ", " } else { "," });
            }
            if !short {
                self.line(depth + 1);
            }
            self.value(element, depth + 1, level);
        }
        if !short && !elements.is_empty() {
            self.line(depth);
        }
        self.text.push(']');
    }

    fn map(&mut self, entries: &BTreeMap<String, Expr>, depth: usize, level: Level) {
        if entries.is_empty() {
            self.text.push_str("{}");
            return;
        }
        self.text.push('{');
        for (position, key) in order(entries, level).into_iter().enumerate() {
            let Some(value) = entries.get(key) else {
                continue;
            };
            if position > 0 {
                self.text.push(',');
            }
            self.line(depth + 1);
            self.string(key);
            self.text.push_str(": ");
            let below = match (level, key) {
                (Level::Machine, "States") => Level::States,
                (Level::States, _) => Level::State,
                (Level::State, "Branches" | "ItemProcessor" | "Iterator") => Level::Machine,
                _ => Level::Other,
            };
            self.value(value, depth + 1, below);
        }
        self.line(depth);
        self.text.push('}');
    }

    fn placeholder(&mut self, token: &Token) {
        let known = self.names.iter().find(|(known, _)| known == token);
        let name = known.map_or_else(|| self.free_name(token), |(_, name)| name.clone());
        self.text.extend(["${", &name, "}"]);
        if !self.names.iter().any(|(known, _)| known == token) {
            self.names.push((token.clone(), name));
        }
    }

    /// Returns a name for a token that no other token has and no literal text mentions.
    fn free_name(&self, token: &Token) -> String {
        let base = name_of(token);
        let mut name = base.clone();
        let mut number = 2;
        while self.names.iter().any(|(_, taken)| *taken == name)
            || self.literals.contains(&format!("${{{name}}}"))
        {
            name = format!("{base}{number}");
            number += 1;
        }
        name
    }
}

/// Returns a name that says what a token stands for, of letters and digits.
fn name_of(token: &Token) -> String {
    let name = match token {
        Token::Ref(id) | Token::Parameter(id) => id.logical_id().to_owned(),
        Token::GetAtt(id, attribute) => format!("{}{attribute}", id.logical_id()),
        Token::Pseudo(pseudo) => pseudo.name().replace("AWS::", ""),
        _ => "Value".to_owned(),
    };
    name.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// Returns the keys of a map in the order in which people read them.
fn order(entries: &BTreeMap<String, Expr>, level: Level) -> Vec<&str> {
    match level {
        Level::Other => entries.keys().map(String::as_str).collect(),
        Level::Machine => ranked(
            entries,
            &[
                "Comment",
                "QueryLanguage",
                "ProcessorConfig",
                "TimeoutSeconds",
                "StartAt",
                "States",
            ],
        ),
        Level::State => ranked(entries, &["Type", "Comment", "QueryLanguage", "Resource"]),
        Level::States => visited(entries),
    }
}

fn ranked<'a>(entries: &'a BTreeMap<String, Expr>, first: &[&str]) -> Vec<&'a str> {
    let mut keys: Vec<&str> = entries.keys().map(String::as_str).collect();
    let last = [Some("Next"), Some("Default"), Some("End")];
    keys.sort_by_key(|key| {
        let at = first.iter().position(|known| known == key);
        (last.contains(&Some(*key)), at.unwrap_or(first.len()), *key)
    });
    keys
}

/// Returns the names of states in the order in which an execution would meet them, going straight on first.
fn visited(states: &BTreeMap<String, Expr>) -> Vec<&str> {
    let targets: BTreeSet<&str> = states.values().flat_map(super::check::targets).collect();
    // What nothing leads to is where the flow starts; a loop may start anywhere, and its name decides.
    let mut waiting: Vec<&str> = states.keys().map(String::as_str).rev().collect();
    waiting.sort_by_key(|name| !targets.contains(name));
    let mut order: Vec<&str> = Vec::new();
    while let Some(name) = waiting.pop() {
        if order.contains(&name) {
            continue;
        }
        let Some((name, state)) = states.get_key_value(name) else {
            continue;
        };
        order.push(name);
        let next: Vec<&str> = super::check::targets(state).collect();
        waiting.extend(next.into_iter().rev());
    }
    order
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stack_model_cfn::{Pseudo, ResourceId};

    use super::*;
    use crate::text;

    #[test]
    fn tokens_become_placeholders_that_nothing_else_uses() {
        let queue = Token::Ref(ResourceId::new("orders", "Queue"));
        let arn = Token::GetAtt(ResourceId::new("orders", "Queue"), "Arn".into());
        let definition = Expr::map([
            ("a", Expr::Token(queue.clone())),
            ("b", text!("{}/{}\"", Pseudo::Region, "x").into()),
            ("c", Expr::Token(arn)),
            ("d", Expr::Token(queue)),
            ("e", "literal ${Region}".into()),
        ]);
        let written = write(&definition);
        assert_eq!(
            written.lines.join("\n"),
            "{\n  \"a\": \"${Queue}\",\n  \"b\": \"${Region2}/x\\\"\",\n  \"c\": \"${QueueArn}\",\n  \"d\": \"${Queue}\",\n  \"e\": \"literal ${Region}\"\n}"
        );
        let names: Vec<&String> = written.substitutions.keys().collect();
        assert_eq!(names, ["Queue", "QueueArn", "Region2"]);
    }

    #[test]
    fn states_stand_in_the_order_in_which_they_run() {
        let definition = Expr::from(json!({
            "States": {
                "A": {"Type": "Succeed"},
                "B": {"Type": "Choice", "Choices": [{"Next": "D"}], "Default": "C"},
                "C": {"Type": "Pass", "Next": "A"},
                "D": {"Type": "Fail"},
                "Z": {"Next": "B", "Type": "Pass"},
            },
            "StartAt": "Z",
        }));
        let written = write(&definition).lines.join("\n");
        let position = |name: &str| written.find(&format!("\"{name}\": {{"));
        let positions = ["Z", "B", "C", "A", "D"].map(position);
        assert!(positions.is_sorted(), "{written}");
        assert!(
            written.starts_with("{\n  \"StartAt\": \"Z\",\n  \"States\""),
            "{written}"
        );
        let read: serde_json::Value = serde_json::from_str(&written).unwrap();
        assert_eq!(Expr::from(read), definition);
    }
}
