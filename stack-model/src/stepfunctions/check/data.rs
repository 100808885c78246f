//! Paths, payloads and expressions.

use std::collections::BTreeMap;

use stack_model_cfn::Expr;

use super::{Check, call};
use crate::stepfunctions::path::{Syntax, syntax};
use crate::stepfunctions::payload::QueryLanguage;

/// The entries that are paths, and whether they name one place.
const PATHS: [(&str, bool); 14] = [
    ("InputPath", false),
    ("OutputPath", false),
    ("ResultPath", true),
    ("ItemsPath", true),
    ("SecondsPath", true),
    ("TimestampPath", true),
    ("TimeoutSecondsPath", true),
    ("HeartbeatSecondsPath", true),
    ("MaxConcurrencyPath", true),
    ("ToleratedFailureCountPath", true),
    ("ToleratedFailurePercentagePath", true),
    ("ErrorPath", true),
    ("CausePath", true),
    ("Variable", false),
];

/// The entries in which keys that end in `.$` are computed.
const PAYLOADS: [&str; 8] = [
    "Parameters",
    "ResultSelector",
    "ItemSelector",
    "Assign",
    "ItemReader",
    "ItemBatcher",
    "ResultWriter",
    "Credentials",
];

impl Check {
    pub(super) fn data(
        &mut self,
        name: &str,
        entries: &BTreeMap<String, Expr>,
        language: QueryLanguage,
    ) {
        if language == QueryLanguage::Jsonata {
            for (field, value) in entries {
                // The flows inside are checked as states of their own, and rules as what they are.
                if !matches!(
                    field.as_str(),
                    "ItemProcessor" | "Iterator" | "Branches" | "Comment"
                ) {
                    self.jsonata(name, field, value);
                }
            }
            return;
        }
        for (field, one_place) in PATHS {
            if let Some(path) = entries.get(field) {
                self.path(name, field, path, one_place);
            }
        }
        for field in PAYLOADS {
            let computed = format!("{field}.$");
            if let Some(value) = entries.get(&computed) {
                self.computed(name, &computed, value);
            }
            if let Some(value) = entries.get(field) {
                self.payload(name, field, value);
            }
        }
        if let Some(Expr::List(catches)) = entries.get("Catch") {
            for catch in catches {
                if let Expr::Map(catch) = catch {
                    if let Some(path) = catch.get("ResultPath") {
                        self.path(name, "ResultPath", path, true);
                    }
                    if let Some(assign) = catch.get("Assign") {
                        self.payload(name, "Assign", assign);
                    }
                }
            }
        }
    }

    /// Checks a path. `null` is none, where a state may go without its input, output or result.
    fn path(&mut self, name: &str, field: &str, path: &Expr, one_place: bool) {
        let nullable = matches!(field, "InputPath" | "OutputPath" | "ResultPath");
        let computable = matches!(field, "ErrorPath" | "CausePath");
        let text = match path {
            Expr::Null if nullable => return,
            Expr::Token(_) => return,
            Expr::String(text) => text,
            _ => {
                return self.report(
                    Some(name),
                    format!("`{name}` has a `{field}` that is not a path"),
                );
            }
        };
        if computable && text.starts_with("States.") {
            if let Some(message) = call::wrong(text) {
                self.report(
                    Some(name),
                    format!("`{name}` has a wrong `{field}`: {message}"),
                );
            }
            return;
        }
        match syntax(text) {
            Syntax::Wrong => self.report(
                Some(name),
                format!("`{name}` has the `{field}` `{text}`, which is not a path: it begins with `$`, and its steps are `.name`, `['name']` and `[0]`"),
            ),
            Syntax::Path if one_place => self.report(
                Some(name),
                format!("`{name}` has the `{field}` `{text}`, which may find many values: it takes names and positions only"),
            ),
            Syntax::Path | Syntax::Reference => {}
        }
        if field == "ResultPath" && text.starts_with("$$") {
            self.report(
                Some(name),
                format!("`{name}` puts its result into the context object, which only Step Functions writes: begin the path with `$.`"),
            );
        }
    }

    fn payload(&mut self, name: &str, at: &str, value: &Expr) {
        match value {
            Expr::Map(entries) => {
                for (key, value) in entries {
                    let at = format!("{at}.{key}");
                    match key.strip_suffix(".$") {
                        Some(plain) => {
                            self.computed(name, &at, value);
                            if entries.contains_key(plain) {
                                self.report(
                                    Some(name),
                                    format!("`{name}` has `{plain}` twice in `{at}`: once as it is, and once computed"),
                                );
                            }
                        }
                        None => self.payload(name, &at, value),
                    }
                }
            }
            Expr::List(elements) => {
                for element in elements {
                    if let Some(text) = element.as_str().filter(|text| is_computed(text)) {
                        self.report(
                            Some(name),
                            format!("`{name}` has `{text}` in the list `{at}`, where nothing is computed: make the list with `intrinsic::array`"),
                        );
                    }
                    self.payload(name, at, element);
                }
            }
            _ => {}
        }
    }

    /// Checks the value of a key that ends in `.$`.
    fn computed(&mut self, name: &str, at: &str, value: &Expr) {
        let text = match value {
            Expr::Token(_) => return,
            Expr::String(text) => text.as_str(),
            _ => "",
        };
        if text.starts_with("States.") {
            if let Some(message) = call::wrong(text) {
                self.report(
                    Some(name),
                    format!("`{name}` cannot compute `{at}`: {message}"),
                );
            }
        } else if syntax(text) == Syntax::Wrong {
            self.report(
                Some(name),
                format!("`{name}` cannot compute `{at}`: a key that ends in `.$` takes a path or an intrinsic function"),
            );
        }
    }

    fn jsonata(&mut self, name: &str, at: &str, value: &Expr) {
        match value {
            Expr::String(text) => {
                let inner = text.strip_prefix("{%");
                let wrong = match inner.map(|inner| inner.strip_suffix("%}")) {
                    None => text.ends_with("%}"),
                    Some(None) => true,
                    Some(Some(inner)) => inner.trim().is_empty() || !is_balanced(inner),
                };
                if wrong {
                    self.report(
                        Some(name),
                        format!("`{name}` has `{text}` in `{at}`: an expression stands between `{{%` and `%}}`, and its brackets and quotes close"),
                    );
                }
            }
            Expr::List(elements) => {
                for element in elements {
                    self.jsonata(name, at, element);
                }
            }
            Expr::Map(entries) => {
                for (key, value) in entries {
                    if key.ends_with(".$") {
                        self.report(
                            Some(name),
                            format!("`{name}` has the key `{key}` in `{at}`: in JSONata nothing is marked so, and the value is an expression in `{{% .. %}}`"),
                        );
                    }
                    self.jsonata(name, &format!("{at}.{key}"), value);
                }
            }
            _ => {}
        }
    }
}

/// Says whether a text looks like something to compute.
fn is_computed(text: &str) -> bool {
    text.starts_with("$.") || text.starts_with("$$.") || text.starts_with("States.")
}

/// Says whether brackets close in the order in which they open, and quotes at all.
fn is_balanced(text: &str) -> bool {
    let mut open = Vec::new();
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, quote) {
            ('\\', Some(_)) => {
                characters.next();
            }
            (c, Some(q)) if c == q => quote = None,
            ('"' | '\'' | '`', None) => quote = Some(character),
            ('(', None) => open.push(')'),
            ('[', None) => open.push(']'),
            ('{', None) => open.push('}'),
            (')' | ']' | '}', None) if open.pop() != Some(character) => return false,
            _ => {}
        }
    }
    open.is_empty() && quote.is_none()
}
