//! What a target gets instead of the event: JSON with parts of the event in it.

use std::collections::BTreeMap;

use stack_model_cfn::{Expr, Part, Value};

use crate::text::{IntoPart, concatenate, escaped, json};

/// JSON with parts of the event in it, which EventBridge fills in.
///
/// It is put together from values, so what stands in it is valid JSON. What EventBridge fills in is valid JSON too where a
/// whole [part](Self::part) is, and as it is in a [text](Self::text).
///
/// ```
/// use stack_model::events::Template;
///
/// let notice = Template::object([
///     ("order", Template::part("$.detail.orderId")),
///     ("note", Template::part("$.detail.note")),
///     ("text", Template::text("Order {} was placed at {}", ["$.detail.orderId", "$.time"])),
///     ("urgent", Template::value(false)),
///     ("rule", Template::rule_name()),
/// ]);
/// ```
///
/// See <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html>.
#[derive(Clone, Debug, PartialEq)]
pub struct Template(Node);

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Value(Expr),
    /// A part of the event, by its path.
    Part(String),
    /// A variable of EventBridge's own, which is put in as it is.
    Variable(&'static str),
    /// A variable of EventBridge's own that is a text.
    TextVariable(&'static str),
    Text(String, Vec<String>),
    List(Vec<Node>),
    Object(BTreeMap<String, Node>),
}

/// The most parts of an event in one template, and the most characters of it; see
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_InputTransformer.html>.
const MAX_PARTS: usize = 100;
const MAX_LENGTH: usize = 8192;

impl Template {
    /// A part of the event, by its path, such as `$.detail.orderId`: a text stands in quotes, and so on. This is for what
    /// people wrote.
    pub fn part(path: impl Into<String>) -> Self {
        Self(Node::Part(path.into()))
    }

    /// A text with parts of the event in it, which are texts, numbers or booleans; each `{}` takes one path.
    ///
    /// EventBridge does not escape these parts. A quote, a backslash or a line break in one makes JSON that no target
    /// can read, or other JSON than is meant: name ids, times and the like, and nothing that strangers write. See "Common
    /// issues" on <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html>.
    pub fn text<P: Into<String>>(
        format: impl Into<String>,
        paths: impl IntoIterator<Item = P>,
    ) -> Self {
        let paths = paths.into_iter().map(Into::into).collect();
        Self(Node::Text(format.into(), paths))
    }

    /// A value that does not come from the event: a text, a number, a boolean, JSON, or an attribute of a handle.
    pub fn value(value: impl Into<Expr>) -> Self {
        Self(Node::Value(value.into()))
    }

    /// A list.
    pub fn list(elements: impl IntoIterator<Item = Template>) -> Self {
        Self(Node::List(elements.into_iter().map(|it| it.0).collect()))
    }

    /// An object.
    pub fn object<K: Into<String>>(entries: impl IntoIterator<Item = (K, Template)>) -> Self {
        let entries = entries.into_iter().map(|(key, it)| (key.into(), it.0));
        Self(Node::Object(entries.collect()))
    }

    /// The whole event.
    pub fn event() -> Self {
        Self(Node::Variable("aws.events.event.json"))
    }

    /// The name of the rule.
    pub fn rule_name() -> Self {
        Self(Node::TextVariable("aws.events.rule-name"))
    }

    /// The ARN of the rule.
    pub fn rule_arn() -> Self {
        Self(Node::TextVariable("aws.events.rule-arn"))
    }

    /// When EventBridge received the event.
    pub fn ingestion_time() -> Self {
        Self(Node::TextVariable("aws.events.event.ingestion-time"))
    }

    /// Renders the template, and the paths by the names that it uses for them.
    pub(super) fn render(&self) -> Rendered {
        self.render_with(Writer::default())
    }

    /// Renders the template as pipes read it, with the paths where they are used. See
    /// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html>.
    pub(crate) fn render_for_pipe(&self) -> (Value<String>, Vec<String>) {
        let rendered = self.render_with(Writer {
            for_pipe: true,
            ..Writer::default()
        });
        (rendered.template, rendered.violations)
    }

    fn render_with(&self, mut writer: Writer) -> Rendered {
        writer.node(&self.0);
        if writer.paths.len() > MAX_PARTS {
            writer.violations.push(format!(
                "the template names {} parts of the event and EventBridge takes {MAX_PARTS}",
                writer.paths.len()
            ));
        }
        let length = writer.parts.iter().map(|part| match part {
            Part::Text(text) => text.chars().count(),
            Part::Token(_) => 0,
        });
        let length: usize = length.sum();
        if length > MAX_LENGTH {
            writer.violations.push(format!(
                "the template has {length} characters and EventBridge takes {MAX_LENGTH}"
            ));
        }
        Rendered {
            template: concatenate(writer.parts),
            paths: writer
                .paths
                .into_iter()
                .map(|(path, name)| (name, path))
                .collect(),
            violations: writer.violations,
        }
    }
}

pub(super) struct Rendered {
    pub(super) template: Value<String>,
    pub(super) paths: BTreeMap<String, String>,
    pub(super) violations: Vec<String>,
}

#[derive(Default)]
struct Writer {
    parts: Vec<Part>,
    /// Whether a pipe reads the template: it takes paths as they are, and has variables of its own.
    for_pipe: bool,
    /// The name of each path.
    paths: BTreeMap<String, String>,
    violations: Vec<String>,
}

impl Writer {
    fn node(&mut self, node: &Node) {
        match node {
            Node::Value(value) => self.value(value),
            Node::Part(path) => {
                let name = self.name(path);
                self.push(format!("<{name}>"));
            }
            Node::Variable(name) => {
                let name = self.variable(name);
                self.push(format!("<{name}>"));
            }
            Node::TextVariable(name) => {
                let name = self.variable(name);
                self.push(format!("\"<{name}>\""));
            }
            Node::Text(format, paths) => self.text(format, paths),
            Node::List(elements) => {
                self.push("[");
                for (position, element) in elements.iter().enumerate() {
                    self.push(if position > 0 { "," } else { "" });
                    self.node(element);
                }
                self.push("]");
            }
            Node::Object(entries) => {
                self.push("{");
                for (position, (key, value)) in entries.iter().enumerate() {
                    self.push(if position > 0 { "," } else { "" });
                    self.value(&Expr::from(key.as_str()));
                    self.push(":");
                    self.node(value);
                }
                self.push("}");
            }
        }
    }

    fn push(&mut self, text: impl Into<String>) {
        self.parts.push(Part::Text(text.into()));
    }

    fn value(&mut self, value: &Expr) {
        let value = json(value);
        if let Value::Literal(text) = &value {
            self.check_literal(text);
        }
        self.parts.push(value.into_part());
    }

    /// EventBridge takes `<name>` for a part of the event wherever it stands.
    fn check_literal(&mut self, text: &str) {
        if text.contains(['<', '>']) {
            self.violations.push(format!(
                "`{text}` holds `<` or `>`, which EventBridge takes for a part of the event"
            ));
        }
    }

    fn text(&mut self, format: &str, paths: &[String]) {
        let pieces: Vec<&str> = format.split("{}").collect();
        if pieces.len() != paths.len() + 1 {
            self.violations.push(format!(
                "the text `{format}` has {} places and {} paths",
                pieces.len().saturating_sub(1),
                paths.len()
            ));
        }
        self.push("\"");
        let mut paths = paths.iter();
        for (position, piece) in pieces.into_iter().enumerate() {
            if position > 0
                && let Some(path) = paths.next()
            {
                let name = self.name(path);
                self.push(format!("<{name}>"));
            }
            self.check_literal(piece);
            self.push(escaped(piece));
        }
        self.push("\"");
    }

    /// Returns the name of a variable of EventBridge's own.
    fn variable(&mut self, name: &'static str) -> &'static str {
        if !self.for_pipe {
            return name;
        }
        match name {
            "aws.events.event.json" => "aws.pipes.event.json",
            "aws.events.event.ingestion-time" => "aws.pipes.event.ingestion-time",
            other => {
                self.violations
                    .push(format!("a pipe has no rule, so `{other}` says nothing"));
                other
            }
        }
    }

    fn name(&mut self, path: &str) -> String {
        if !is_path(path) {
            self.violations.push(format!(
                "`{path}` is no path into an event: it looks like `$.detail.orderId` or `$.resources[0]`"
            ));
        }
        if self.for_pipe {
            return path.to_owned();
        }
        let next = format!("part{}", self.paths.len() + 1);
        self.paths.entry(path.to_owned()).or_insert(next).clone()
    }
}

/// Returns whether a text is a path of keys and positions, from `$` on.
pub(super) fn is_path(path: &str) -> bool {
    let Some(rest) = path.strip_prefix('$') else {
        return false;
    };
    rest.is_empty()
        || rest.strip_prefix('.').is_some_and(|rest| {
            rest.split('.').all(|step| {
                let (key, positions) = step.split_once('[').unwrap_or((step, ""));
                let key_is_right = !key.is_empty()
                    && key
                        .chars()
                        .all(|c| c.is_alphanumeric() || c == '_' || c == '-');
                let positions_are_right = positions.is_empty()
                    || positions.strip_suffix(']').is_some_and(|positions| {
                        positions
                            .split("][")
                            .all(|it| it == "*" || it.parse::<u32>().is_ok())
                    });
                key_is_right && positions_are_right
            })
        })
}
