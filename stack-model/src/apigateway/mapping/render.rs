//! From typed templates to the Velocity Template Language.
//!
//! Everything is written on one line, because directives swallow line ends. References are written `$!{..}`: the braces
//! keep what follows from being read as part of them, and the exclamation mark makes a missing value an empty text
//! instead of the source of the reference.

use stack_model_cfn::{Part, Token, Value};

use super::{
    JsonTemplate, Node, Piece, RequestValue, Source, TemplateCondition, Test, TextTemplate,
};

/// A template while it is written.
#[derive(Debug, Default)]
pub(in crate::apigateway) struct Writer {
    parts: Vec<Part>,
    /// How many loops are open.
    depth: usize,
    /// What cannot be written, in the words of the violation.
    pub(in crate::apigateway) problem: Option<String>,
    /// Whether the status of the answer is changed, which only the template of an answer can.
    pub(in crate::apigateway) sets_status: bool,
}

impl Writer {
    /// Writes JSON.
    pub(in crate::apigateway) fn of(json: &JsonTemplate) -> Self {
        let mut writer = Self::default();
        writer.json(json, 0);
        writer
    }

    /// Returns the text of the template.
    pub(in crate::apigateway) fn text(self) -> Value<String> {
        crate::text::joined(self.parts)
    }

    fn raw(&mut self, text: &str) {
        if let Some(Part::Text(last)) = self.parts.last_mut() {
            last.push_str(text);
        } else {
            self.parts.push(Part::Text(text.to_owned()));
        }
    }

    fn wrong(&mut self, message: String) {
        self.problem.get_or_insert(message);
    }

    /// Writes a piece of structure inside `level` texts.
    fn structure(&mut self, text: &str, level: usize) {
        self.raw(&escaped(text, level));
    }

    /// Writes the content of a text that is always the same, inside `level` texts.
    fn literal(&mut self, text: &str, level: usize) {
        // `$`, `#` and a backslash before either mean something to the template language, so they are written as the
        // escapes that JSON has for them.
        let once = escaped(text, 1)
            .replace(r"\\", r"\u005c")
            .replace('$', r"\u0024")
            .replace('#', r"\u0023");
        self.raw(&escaped(&once, level.saturating_sub(1)));
    }

    /// Writes JSON that stands inside `level` texts.
    fn json(&mut self, json: &JsonTemplate, level: usize) {
        match &json.0 {
            Node::Literal(json) => self.document(json, level),
            Node::Text(text) => {
                self.structure("\"", level);
                self.text_content(text, level + 1);
                self.structure("\"", level);
            }
            Node::Object(entries) => {
                self.structure("{", level);
                for (position, (name, value)) in entries.iter().enumerate() {
                    self.structure(if position == 0 { "\"" } else { ",\"" }, level);
                    self.literal(name, level + 1);
                    self.structure("\":", level);
                    self.json(value, level);
                }
                self.structure("}", level);
            }
            Node::List(elements) => {
                self.structure("[", level);
                for (position, element) in elements.iter().enumerate() {
                    if position > 0 {
                        self.structure(",", level);
                    }
                    self.json(element, level);
                }
                self.structure("]", level);
            }
            Node::Body => {
                self.raw(r#"#if("$!{input.body.trim()}" != '')"#);
                self.reference("input.json('$')", level);
                self.raw("#{else}{}#{end}");
            }
            Node::BodyAt(path) => {
                let path = self.json_path(path);
                self.reference(&format!("input.json('{path}')"), level);
            }
            Node::Document(path) => {
                let path = self.json_path(path);
                self.reference(&format!("input.path('{path}')"), level);
            }
            Node::Integer(value, otherwise) => {
                let value = self.expression(value);
                // What does not look like a number never gets near the place of one.
                self.raw(&format!(
                    "#if(${value}.matches('-?(0|[1-9][0-9]{{0,17}})'))$!{{{value}}}#{{else}}{otherwise}#{{end}}"
                ));
            }
            Node::Choice(cases, otherwise) => {
                let cases = cases.iter().map(|(condition, value)| (condition, value));
                self.choice(cases, otherwise, |writer, value| writer.json(value, level));
            }
            Node::Each(path, element) => {
                let path = self.json_path(path);
                let variable = format!("element{}", self.depth);
                self.structure("[", level);
                self.raw(&format!("#foreach(${variable} in $input.path('{path}'))"));
                self.depth += 1;
                self.json(element, level);
                self.depth -= 1;
                self.raw("#if($foreach.hasNext),#{end}#{end}");
                self.structure("]", level);
            }
            // An empty template would be none at all, and hand the body of the service on.
            Node::Nothing => self.raw("#if(false)#{end}"),
            Node::Status(status, json) => {
                self.sets_status = true;
                self.raw(&format!(
                    "#set($context.responseOverride.status = {})",
                    status.get()
                ));
                self.json(json, level);
            }
        }
    }

    fn document(&mut self, json: &serde_json::Value, level: usize) {
        // JSON has `$`, `#` and backslashes nowhere but in texts.
        let once = json
            .to_string()
            .replace(r"\\", r"\u005c")
            .replace('$', r"\u0024")
            .replace('#', r"\u0023");
        self.raw(&escaped(&once, level));
    }

    /// Writes the content of a text inside `level` texts, itself counted.
    fn text_content(&mut self, text: &TextTemplate, level: usize) {
        for piece in &text.pieces {
            match piece {
                Piece::Literal(text) => self.literal(text, level),
                Piece::Token(Token::Sub(parts)) => {
                    for part in parts {
                        match part {
                            Part::Text(text) => self.literal(text, level),
                            Part::Token(token) => self.parts.push(Part::Token(token.clone())),
                        }
                    }
                }
                Piece::Token(token) => self.parts.push(Part::Token(token.clone())),
                Piece::Value(value) => {
                    let value = self.expression(value);
                    self.reference(&value, level);
                }
                Piece::Json(json) => self.json(json, level),
                Piece::Choice(cases, otherwise) => {
                    let cases = cases.iter().map(|(condition, text)| (condition, text));
                    self.choice(cases, otherwise, |writer, text| {
                        writer.text_content(text, level);
                    });
                }
            }
        }
    }

    fn choice<'template, T: 'template>(
        &mut self,
        cases: impl Iterator<Item = (&'template TemplateCondition, &'template T)>,
        otherwise: &'template T,
        mut write: impl FnMut(&mut Self, &'template T),
    ) {
        let mut open = false;
        for (condition, value) in cases {
            let condition = self.condition(condition);
            let directive = if open { "elseif" } else { "if" };
            self.raw(&format!("#{directive}({condition})"));
            write(self, value);
            open = true;
        }
        if !open {
            return write(self, otherwise);
        }
        self.raw("#{else}");
        write(self, otherwise);
        self.raw("#{end}");
    }

    /// Writes a reference whose value is escaped for as many texts as it stands in.
    ///
    /// `escapeJavaScript` escapes apostrophes too, which JSON does not know; AWS's own page says to turn them back.
    fn reference(&mut self, expression: &str, level: usize) {
        let mut expression = expression.to_owned();
        for _ in 0..level {
            expression = format!(r#"util.escapeJavaScript(${expression}).replaceAll("\\'","'")"#);
        }
        self.raw(&format!("$!{{{expression}}}"));
    }

    /// Returns the expression of a value, without the `$` before it; it is a text or nothing.
    fn expression(&mut self, value: &RequestValue) -> String {
        let name = &value.name;
        match value.source {
            Source::Query => format!("input.params().querystring.get('{}')", self.name(name)),
            Source::Path => format!("input.params().path.get('{}')", self.name(name)),
            Source::Header => format!("input.params().header.get('{}')", self.name(name)),
            // The form with a dot is the one that AWS documents; names with a colon need the other one.
            Source::Claim if dotted(name) && !name.contains('.') => {
                format!("context.authorizer.claims.{name}")
            }
            Source::Claim => format!("context.authorizer.claims['{}']", self.name(name)),
            Source::Context => {
                if !dotted(name) {
                    self.wrong(format!("`{name}` is not a variable of `$context`: it looks like `identity.sourceIp`"));
                }
                format!("context.{name}")
            }
            Source::StageVariable => {
                if !dotted(name) || name.contains('.') {
                    self.wrong(format!(
                        "`{name}` is not the name of a stage variable: use letters, digits and `_`"
                    ));
                }
                format!("stageVariables.{name}")
            }
            Source::Body => format!("input.path('{}').toString()", self.json_path(name)),
            Source::Element => {
                if self.depth == 0 {
                    self.wrong(format!("`{name}` is a part of an element, and stands outside of `JsonTemplate::each`"));
                }
                let variable = format!("element{}", self.depth.saturating_sub(1));
                let keys: Vec<String> = name
                    .split('.')
                    .map(|key| format!(".get('{}')", self.name(key)))
                    .collect();
                format!("{variable}{}.toString()", keys.concat())
            }
        }
    }

    /// Returns a condition as a directive takes it.
    fn condition(&mut self, condition: &TemplateCondition) -> String {
        match &condition.0 {
            // In quotes a missing value is an empty text, and every value is a text.
            Test::Is(value, text) => {
                format!(
                    r#""$!{{{}}}" == '{}'"#,
                    self.expression(value),
                    self.name(text)
                )
            }
            Test::IsIgnoringCase(value, text) => {
                format!(
                    "${}.equalsIgnoreCase('{}')",
                    self.expression(value),
                    self.name(text)
                )
            }
            Test::EndsWith(value, text) => {
                format!(
                    "${}.endsWith('{}')",
                    self.expression(value),
                    self.name(text)
                )
            }
            Test::Present(value) => format!(r#""$!{{{}}}" != ''"#, self.expression(value)),
            Test::InGroup(group) => {
                if group.is_empty() || group.contains(['\\', ',', '[', ']', ' ']) {
                    self.wrong(format!(
                        "`{group}` is not the name of a group that a template can look for"
                    ));
                }
                format!(
                    r"$context.authorizer.claims['cognito:groups'].matches('\[?(.*[, ])?\Q{}\E([, ].*)?\]?')",
                    self.name(group)
                )
            }
            Test::All(conditions) => self.joined(conditions, " && ", "true"),
            Test::Any(conditions) => self.joined(conditions, " || ", "false"),
            Test::Not(condition) => format!("!({})", self.condition(condition)),
        }
    }

    fn joined(&mut self, conditions: &[TemplateCondition], with: &str, none: &str) -> String {
        let conditions: Vec<String> = conditions
            .iter()
            .map(|condition| format!("({})", self.condition(condition)))
            .collect();
        if conditions.is_empty() {
            none.to_owned()
        } else {
            conditions.join(with)
        }
    }

    /// Checks what stands between apostrophes.
    fn name(&mut self, name: &str) -> String {
        if name.contains(['\'', '\n', '\r']) {
            self.wrong(format!("`{name}` has an apostrophe or a line end, which a mapping template cannot write there"));
        }
        name.to_owned()
    }

    fn json_path(&mut self, path: &str) -> String {
        let fits = path.starts_with('$')
            && path
                .chars()
                .skip(1)
                .all(|c| c.is_alphanumeric() || "._-[]*@:".contains(c));
        if !fits {
            self.wrong(format!(
                "`{path}` is not a JSONPath: it looks like `$.customer.name`"
            ));
        }
        path.to_owned()
    }
}

/// Returns whether a text is made of letters, digits, `_` and `-`, with dots between them.
fn dotted(name: &str) -> bool {
    name.split('.').all(|part| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    })
}

/// Escapes a text as the content of a JSON text, as often as it stands in one.
fn escaped(text: &str, times: usize) -> String {
    (0..times).fold(text.to_owned(), |text, _| {
        let quoted = serde_json::Value::String(text).to_string();
        let content = quoted.get(1..quoted.len().saturating_sub(1));
        content.unwrap_or_default().to_owned()
    })
}

/// Returns a condition as a directive takes it, and what cannot be written of it.
pub(in crate::apigateway) fn condition(condition: &TemplateCondition) -> (String, Option<String>) {
    let mut writer = Writer::default();
    let text = writer.condition(condition);
    (text, writer.problem)
}

/// Returns a value as an argument of a function takes it, without the `$` before it, and what cannot be written of it.
pub(in crate::apigateway) fn expression(value: &RequestValue) -> (String, Option<String>) {
    let mut writer = Writer::default();
    let text = writer.expression(value);
    (text, writer.problem)
}
