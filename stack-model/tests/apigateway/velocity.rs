//! As much of the Velocity Template Language as the mapping templates of this crate use, evaluated as API Gateway does.
//!
//! What a function of it answers is said in
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html>.
//!
//! The cases in `velocity.json` hold for this evaluator and for the one of the local engine, which reads them too.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

/// A request, or the answer of a service, that a template is evaluated for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    pub(super) body: String,
    pub(super) query: BTreeMap<String, String>,
    pub(super) path: BTreeMap<String, String>,
    pub(super) claims: BTreeMap<String, String>,
    pub(super) headers: BTreeMap<String, String>,
}

/// What a template makes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Evaluated {
    pub(super) text: String,
    pub(super) status: Option<u64>,
    /// The headers that the template sets in place of those of the answer.
    pub(super) headers: BTreeMap<String, String>,
}

/// Evaluates a template.
///
/// # Panics
///
/// Panics where the template sets a header or the status twice, which API Gateway answers with 5XX. See
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-override-request-response-parameters.html>.
pub(super) fn evaluate(template: &str, request: &Request) -> Evaluated {
    let mut parser = Parser {
        rest: template,
        whole: template,
    };
    let block = parser.block();
    assert_eq!(parser.rest, "", "a directive without its beginning");
    let context = json!({
        "authorizer": {"claims": request.claims},
        "requestId": "a-request",
    });
    let mut machine = Machine {
        request,
        variables: BTreeMap::from([("context".to_owned(), context)]),
        status: None,
        headers: BTreeMap::new(),
    };
    let text = machine.block(&block);
    Evaluated {
        text,
        status: machine.status,
        headers: machine.headers,
    }
}

#[derive(Debug)]
enum Node {
    Text(String),
    Reference(Reference),
    If(Vec<(Expression, Vec<Node>)>, Vec<Node>),
    ForEach(String, Expression, Vec<Node>),
    SetStatus(Expression),
    SetHeader(String, Expression),
    Set(String, Expression),
}

#[derive(Clone, Debug)]
enum Expression {
    Reference(Reference),
    Quoted(String),
    Interpolated(String),
    Literal(Value),
    Equal(Box<Expression>, Box<Expression>, bool),
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    Not(Box<Expression>),
}

#[derive(Clone, Debug)]
struct Reference {
    root: String,
    steps: Vec<Step>,
    quiet: bool,
    source: String,
}

#[derive(Clone, Debug)]
enum Step {
    Property(String),
    Call(String, Vec<Expression>),
    Index(Expression),
}

struct Parser<'a> {
    rest: &'a str,
    whole: &'a str,
}

impl Parser<'_> {
    fn take(&mut self, text: &str) -> bool {
        let taken = self.rest.strip_prefix(text);
        self.rest = taken.unwrap_or(self.rest);
        taken.is_some()
    }

    fn expect(&mut self, text: &str) {
        assert!(
            self.take(text),
            "{text} expected at {:?} of {:?}",
            self.rest,
            self.whole
        );
    }

    /// Takes a directive, with or without braces.
    fn directive(&mut self, name: &str) -> bool {
        if self.take(&format!("#{{{name}}}")) {
            return true;
        }
        let taken = self.take(&format!("#{name}"));
        let glued = taken && self.rest.starts_with(|c: char| c.is_ascii_alphanumeric());
        assert!(!glued, "#{name}{} is one word", self.rest);
        taken
    }

    fn block(&mut self) -> Vec<Node> {
        let mut nodes = Vec::new();
        loop {
            let next = self.rest.find(['#', '$']).unwrap_or(self.rest.len());
            let (text, rest) = self.rest.split_at(next);
            if !text.is_empty() {
                // A backslash before a reference or directive would change what it means.
                assert!(
                    rest.is_empty() || !text.ends_with('\\'),
                    "{text} before {rest}"
                );
                nodes.push(Node::Text(text.to_owned()));
            }
            self.rest = rest;
            let ends = ["#end", "#{end}", "#else", "#{else}"];
            if rest.is_empty() || ends.iter().any(|end| rest.starts_with(end)) {
                return nodes;
            }
            if self.take("#if(") {
                nodes.push(self.if_directive());
            } else if self.take("#foreach($") {
                let variable = self.identifier();
                self.expect(" in ");
                let list = self.expression();
                self.expect(")");
                let body = self.block();
                assert!(self.directive("end"), "#foreach without #end");
                nodes.push(Node::ForEach(variable, list, body));
            } else if self.take("#set($context.responseOverride.status = ") {
                nodes.push(Node::SetStatus(self.expression()));
                self.expect(")");
            } else if self.take("#set($context.responseOverride.header.") {
                let header = self.identifier();
                self.expect(" = ");
                nodes.push(Node::SetHeader(header, self.expression()));
                self.expect(")");
            } else if self.take("#set($") {
                let variable = self.identifier();
                self.expect(" = ");
                nodes.push(Node::Set(variable, self.expression()));
                self.expect(")");
            } else if rest.starts_with('$') {
                nodes.push(Node::Reference(self.reference()));
            } else {
                panic!("unknown directive at {rest:?}");
            }
        }
    }

    fn if_directive(&mut self) -> Node {
        let mut cases = Vec::new();
        loop {
            let condition = self.expression();
            self.expect(")");
            cases.push((condition, self.block()));
            if !self.take("#elseif(") {
                break;
            }
        }
        let otherwise = if self.directive("else") {
            self.block()
        } else {
            Vec::new()
        };
        assert!(self.directive("end"), "#if without #end at {:?}", self.rest);
        Node::If(cases, otherwise)
    }

    fn identifier(&mut self) -> String {
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-')
            .unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        assert!(
            name.starts_with(|c: char| c.is_ascii_alphabetic()),
            "no name at {:?}",
            self.rest
        );
        self.rest = rest;
        name.to_owned()
    }

    fn reference(&mut self) -> Reference {
        let start = self.rest;
        self.expect("$");
        let quiet = self.take("!");
        let braced = self.take("{");
        let root = self.identifier();
        let mut steps = Vec::new();
        loop {
            if self.take(".") {
                let name = self.identifier();
                if self.take("(") {
                    let mut arguments = Vec::new();
                    while !self.take(")") {
                        arguments.push(self.expression());
                        self.take(",");
                    }
                    steps.push(Step::Call(name, arguments));
                } else {
                    steps.push(Step::Property(name));
                }
            } else if self.take("[") {
                steps.push(Step::Index(self.expression()));
                self.expect("]");
            } else {
                break;
            }
        }
        if braced {
            self.expect("}");
        }
        Reference {
            root,
            steps,
            quiet,
            source: start[..start.len() - self.rest.len()].to_owned(),
        }
    }

    fn expression(&mut self) -> Expression {
        let mut left = self.conjunction();
        while self.take(" || ") {
            left = Expression::Or(Box::new(left), Box::new(self.conjunction()));
        }
        left
    }

    fn conjunction(&mut self) -> Expression {
        let mut left = self.comparison();
        while self.take(" && ") {
            left = Expression::And(Box::new(left), Box::new(self.comparison()));
        }
        left
    }

    fn comparison(&mut self) -> Expression {
        let left = self.primary();
        for (operator, equal) in [(" == ", true), (" != ", false)] {
            if self.take(operator) {
                return Expression::Equal(Box::new(left), Box::new(self.primary()), equal);
            }
        }
        left
    }

    fn primary(&mut self) -> Expression {
        if self.take("!(") {
            let inner = self.expression();
            self.expect(")");
            return Expression::Not(Box::new(inner));
        }
        if self.take("(") {
            let inner = self.expression();
            self.expect(")");
            return inner;
        }
        for (literal, value) in [("true", json!(true)), ("false", json!(false))] {
            if self.take(literal) {
                return Expression::Literal(value);
            }
        }
        match self.rest.chars().next() {
            Some('$') => Expression::Reference(self.reference()),
            Some(quote @ ('\'' | '"')) => {
                let inner = &self.rest[1..];
                let end = inner.find(quote).expect("a quote that closes");
                self.rest = &inner[end + 1..];
                let text = inner[..end].to_owned();
                if quote == '"' {
                    Expression::Interpolated(text)
                } else {
                    Expression::Quoted(text)
                }
            }
            _ => {
                let end = self
                    .rest
                    .find(|c: char| !c.is_ascii_digit())
                    .unwrap_or(self.rest.len());
                let (number, rest) = self.rest.split_at(end);
                self.rest = rest;
                Expression::Literal(json!(number.parse::<u64>().expect("a number")))
            }
        }
    }
}

struct Machine<'request> {
    request: &'request Request,
    variables: BTreeMap<String, Value>,
    status: Option<u64>,
    headers: BTreeMap<String, String>,
}

impl Machine<'_> {
    fn block(&mut self, nodes: &[Node]) -> String {
        let mut text = String::new();
        for node in nodes {
            match node {
                Node::Text(literal) => text.push_str(literal),
                Node::Reference(reference) => match self.reference(reference) {
                    Value::Null if reference.quiet => {}
                    Value::Null => text.push_str(&reference.source),
                    value => text.push_str(&as_text(&value)),
                },
                Node::If(cases, otherwise) => {
                    let case = cases
                        .iter()
                        .find(|(condition, _)| truth(&self.value(condition)));
                    let block = case.map_or(otherwise, |(_, block)| block);
                    text.push_str(&self.block(block));
                }
                Node::ForEach(variable, list, body) => {
                    let Value::Array(elements) = self.value(list) else {
                        continue;
                    };
                    let count = elements.len();
                    for (position, element) in elements.into_iter().enumerate() {
                        self.variables.insert(variable.clone(), element);
                        let foreach = json!({"hasNext": position + 1 < count});
                        self.variables.insert("foreach".to_owned(), foreach);
                        text.push_str(&self.block(body));
                    }
                }
                Node::SetStatus(status) => {
                    assert_eq!(self.status, None, "the status is set twice");
                    self.status = self.value(status).as_u64();
                }
                Node::SetHeader(header, value) => {
                    let value = as_text(&self.value(value));
                    let before = self.headers.insert(header.clone(), value);
                    assert_eq!(before, None, "{header} is set twice");
                }
                Node::Set(variable, value) => {
                    let value = self.value(value);
                    self.variables.insert(variable.clone(), value);
                }
            }
        }
        text
    }

    fn value(&mut self, expression: &Expression) -> Value {
        match expression {
            Expression::Reference(reference) => self.reference(reference),
            Expression::Quoted(text) => json!(text),
            Expression::Interpolated(text) => {
                let mut parser = Parser {
                    rest: text,
                    whole: text,
                };
                let block = parser.block();
                json!(self.block(&block))
            }
            Expression::Literal(value) => value.clone(),
            Expression::Equal(left, right, equal) => {
                json!((self.value(left) == self.value(right)) == *equal)
            }
            Expression::And(left, right) => {
                json!(truth(&self.value(left)) && truth(&self.value(right)))
            }
            Expression::Or(left, right) => {
                json!(truth(&self.value(left)) || truth(&self.value(right)))
            }
            Expression::Not(inner) => json!(!truth(&self.value(inner))),
        }
    }

    fn reference(&mut self, reference: &Reference) -> Value {
        let mut steps = reference.steps.as_slice();
        let mut value = match (reference.root.as_str(), steps) {
            ("input", [Step::Call(name, arguments), rest @ ..]) => {
                steps = rest;
                let argument = arguments.first().map(|argument| self.value(argument));
                self.input(name, argument.as_ref().and_then(Value::as_str))
            }
            ("input", [Step::Property(name), rest @ ..]) if name == "body" => {
                steps = rest;
                json!(self.request.body)
            }
            ("util", [Step::Call(name, arguments), rest @ ..]) => {
                steps = rest;
                let argument = arguments.first().map(|argument| self.value(argument));
                match (name.as_str(), argument) {
                    ("escapeJavaScript", Some(Value::String(text))) => {
                        json!(escape_java_script(&text))
                    }
                    (_, Some(Value::Null)) => Value::Null,
                    other => panic!("unknown function {other:?}"),
                }
            }
            (root, _) => self.variables.get(root).cloned().unwrap_or_default(),
        };
        for step in steps {
            value = self.step(&value, step);
        }
        value
    }

    fn input(&self, name: &str, argument: Option<&str>) -> Value {
        match (name, argument) {
            ("params", None) => json!({
                "querystring": self.request.query,
                "path": self.request.path,
                "header": self.request.headers,
            }),
            // A name is looked for in the path, then in the query, then among the headers.
            ("params", Some(name)) => {
                let request = self.request;
                let places = [&request.path, &request.query, &request.headers];
                let found = places.into_iter().find_map(|place| place.get(name));
                json!(found.map_or("", String::as_str))
            }
            ("json", Some(path)) => {
                let found = self.body_at(path);
                // API Gateway writes an empty text where there is nothing.
                json!(found.map_or_else(|| r#""""#.to_owned(), |found| found.to_string()))
            }
            ("path", Some(path)) => self.body_at(path).unwrap_or_default(),
            other => panic!("unknown function of $input: {other:?}"),
        }
    }

    fn body_at(&self, path: &str) -> Option<Value> {
        let body: Value = serde_json::from_str(&self.request.body).ok()?;
        let pointer = path
            .trim_start_matches('$')
            .replace(['.', '['], "/")
            .replace(']', "");
        body.pointer(&pointer).cloned()
    }

    fn step(&mut self, value: &Value, step: &Step) -> Value {
        match (step, value) {
            (_, Value::Null) => Value::Null,
            (Step::Property(name), value) => value[name].clone(),
            (Step::Index(index), value) => {
                let key = self.value(index);
                value[key.as_str().expect("a key")].clone()
            }
            (Step::Call(name, arguments), value) => {
                let arguments: Vec<String> = arguments
                    .iter()
                    .map(|argument| as_text(&self.value(argument)))
                    .collect();
                let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
                method(value, name, &arguments)
            }
        }
    }
}

fn method(value: &Value, name: &str, arguments: &[&str]) -> Value {
    match (value, name, arguments) {
        (Value::Object(entries), "get", [key]) => entries.get(*key).cloned().unwrap_or_default(),
        (value, "toString", []) => json!(as_text(value)),
        (Value::String(text), "trim", []) => json!(text.trim()),
        (Value::String(text), "endsWith", [end]) => json!(text.ends_with(end)),
        (Value::String(text), "equalsIgnoreCase", [other]) => {
            json!(text.to_lowercase() == other.to_lowercase())
        }
        (Value::String(text), "replaceAll", [r"\\'", "'"]) => json!(text.replace(r"\'", "'")),
        (Value::String(text), "matches", [r"-?(0|[1-9][0-9]{0,17})"]) => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let leading = digits.starts_with('0') && digits.len() > 1;
            let number = (1..=18).contains(&digits.len())
                && digits.bytes().all(|byte| byte.is_ascii_digit());
            json!(number && !leading)
        }
        (Value::String(text), "matches", [r"\[?(.*[, ])?\Qadmin\E([, ].*)?\]?"]) => {
            json!(
                text.split(['[', ']', ',', ' '])
                    .any(|group| group == "admin")
            )
        }
        other => panic!("unknown method {other:?}"),
    }
}

/// Escapes as the function of that name of Apache Commons Lang does.
fn escape_java_script(text: &str) -> String {
    let mut escaped = String::new();
    for unit in text.encode_utf16() {
        match char::from_u32(u32::from(unit)) {
            Some('\'') => escaped.push_str(r"\'"),
            Some('"') => escaped.push_str(r#"\""#),
            Some('\\') => escaped.push_str(r"\\"),
            Some('/') => escaped.push_str(r"\/"),
            Some('\u{8}') => escaped.push_str(r"\b"),
            Some('\n') => escaped.push_str(r"\n"),
            Some('\t') => escaped.push_str(r"\t"),
            Some('\u{c}') => escaped.push_str(r"\f"),
            Some('\r') => escaped.push_str(r"\r"),
            Some(plain @ ' '..='~') => escaped.push(plain),
            _ => escaped.extend(["\\u", &format!("{unit:04X}")]),
        }
    }
    escaped
}

fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether a value counts as true: everything does but `false` and nothing.
fn truth(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
}

/// A template, a request, and what comes of them.
#[derive(Deserialize)]
struct Case {
    name: String,
    template: String,
    #[serde(flatten)]
    request: Request,
    text: String,
    status: Option<u64>,
}

/// Returns the cases that the evaluator of the local engine is tested with too.
fn shared_cases() -> Vec<Case> {
    serde_json::from_str(include_str!("velocity.json")).expect("the cases are JSON")
}

/// Returns the templates of the cases that the evaluator of the local engine is tested with too.
pub(super) fn shared_templates() -> Vec<String> {
    let cases = shared_cases().into_iter();
    cases.map(|case| case.template).collect()
}

#[test]
fn shared_cases_hold() {
    for case in shared_cases() {
        let expected = Evaluated {
            text: case.text,
            status: case.status,
            headers: BTreeMap::new(),
        };
        let evaluated = evaluate(&case.template, &case.request);
        assert_eq!(evaluated, expected, "{}", case.name);
    }
}
