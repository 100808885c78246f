//! The grammar of event patterns and of the filters that are like them.

use std::collections::BTreeMap;

use stack_model_cfn::Expr;

use super::matcher::MAX_NUMBER;

/// Who reads a pattern: the operators differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// A rule of a bus, or an archive.
    Rule,
    /// A pipe.
    Pipe,
    /// A subscription of a topic; see <https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html>.
    Subscription,
    /// An event source mapping of a function; see
    /// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html#filtering-syntax>.
    Function,
}

impl Dialect {
    const fn reader(self) -> &'static str {
        match self {
            Self::Rule => "a rule",
            Self::Pipe => "a pipe",
            Self::Subscription => "a subscription",
            Self::Function => "an event source mapping",
        }
    }
}

/// The fields of every event beside its detail. See
/// <https://docs.aws.amazon.com/eventbridge/latest/ref/events-structure.html>.
const ENVELOPE: [&str; 10] = [
    "account",
    "detail",
    "detail-type",
    "id",
    "ingestion-time",
    "region",
    "replay-name",
    "resources",
    "source",
    "time",
];

/// The most characters of a pattern; see <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html>
/// and <https://docs.aws.amazon.com/lambda/latest/api/API_Filter.html>.
const MAX_LENGTH: usize = 4096;

/// Returns what is wrong with a pattern.
pub(crate) fn violations(pattern: &Expr, dialect: Dialect) -> Vec<String> {
    let mut check = Check {
        dialect,
        path: Vec::new(),
        found: Vec::new(),
    };
    match pattern {
        Expr::Map(entries) if entries.is_empty() => {
            check.found.push(
                match dialect {
                    Dialect::Rule => "the pattern names nothing, so it would match every event: name a source at least",
                    _ => "the filter names nothing, so it would let everything through: leave it out",
                }
                .to_owned(),
            );
        }
        Expr::Map(entries) => {
            check.fields(entries);
            if dialect == Dialect::Rule {
                let strange = entries
                    .keys()
                    .filter(|key| *key != "$or" && *key != "version")
                    .find(|key| !ENVELOPE.contains(&key.as_str()));
                if let Some(key) = strange {
                    check.found.push(format!(
                        "`{key}` is no field of an event: fields of the application stand under `detail`"
                    ));
                }
            }
        }
        _ => check.found.push("the pattern is no JSON object".to_owned()),
    }
    let length = length(pattern);
    if length > MAX_LENGTH && dialect != Dialect::Subscription {
        check.found.push(format!(
            "the pattern has {length} characters and {} takes {MAX_LENGTH}",
            dialect.reader()
        ));
    }
    check.found
}

struct Check {
    dialect: Dialect,
    path: Vec<String>,
    found: Vec<String>,
}

impl Check {
    fn report(&mut self, message: &str) {
        let path = self.path.join(".");
        self.found
            .push(format!("the pattern is wrong at `{path}`: {message}"));
    }

    fn fields(&mut self, entries: &BTreeMap<String, Expr>) {
        for (key, value) in entries {
            self.path.push(key.clone());
            match value {
                Expr::List(alternatives) if key == "$or" => self.alternatives(alternatives),
                Expr::List(matches) => self.matches(matches),
                Expr::Map(inner) if key != "$or" && !inner.is_empty() => self.fields(inner),
                Expr::Map(_) => self.report("it is empty"),
                _ => self.report("values stand in a list, even a single one"),
            }
            self.path.pop();
        }
    }

    fn alternatives(&mut self, alternatives: &[Expr]) {
        if alternatives.len() < 2 {
            self.report("`$or` needs two patterns at least");
        }
        for alternative in alternatives {
            match alternative {
                Expr::Map(entries) if !entries.is_empty() => self.fields(entries),
                _ => self.report("every pattern of `$or` names a field"),
            }
        }
    }

    fn matches(&mut self, matches: &[Expr]) {
        if matches.is_empty() {
            self.report("the list is empty, so nothing would match");
        }
        for matcher in matches {
            match matcher {
                Expr::List(_) => self.report("a list stands in a list"),
                Expr::Map(operator) if !is_intrinsic(operator) => self.operator(operator),
                _ => {}
            }
        }
    }

    fn operator(&mut self, entries: &BTreeMap<String, Expr>) {
        let mut entries = entries.iter();
        let (Some((name, value)), None) = (entries.next(), entries.next()) else {
            return self.report("a match has one operator");
        };
        match (name.as_str(), value) {
            ("prefix" | "suffix", Expr::Map(inner))
                if inner.len() == 1 && inner.get("equals-ignore-case").is_some_and(is_text) => {}
            ("prefix" | "suffix" | "equals-ignore-case", value) if is_text(value) => {}
            ("wildcard", value) if is_text(value) => {
                self.refuse_for_functions(name);
                self.wildcard(value);
            }
            ("cidr", value) if is_text(value) => {
                self.refuse_for_functions(name);
                self.cidr(value);
            }
            ("exists", Expr::Bool(_)) => {}
            ("numeric", Expr::List(comparison)) => self.numeric(comparison),
            ("anything-but", value) => self.anything_but(value),
            (
                "prefix" | "suffix" | "equals-ignore-case" | "wildcard" | "cidr" | "exists"
                | "numeric",
                _,
            ) => self.report(&format!("`{name}` has a value of the wrong kind")),
            _ => self.report(&format!("there is no operator `{name}`")),
        }
    }

    fn refuse_for_functions(&mut self, operator: &str) {
        if self.dialect == Dialect::Function {
            self.report(&format!(
                "an event source mapping does not know the operator `{operator}`"
            ));
        }
    }

    fn anything_but(&mut self, value: &Expr) {
        match value {
            Expr::List(values) if values.is_empty() => self.report("`anything-but` names nothing"),
            Expr::List(values) => {
                let texts = values.iter().filter(|value| is_text(value)).count();
                let numbers = values.iter().filter(|value| is_number(value)).count();
                if texts != values.len() && numbers != values.len() {
                    self.report("`anything-but` takes texts alone or numbers alone");
                }
            }
            Expr::Map(inner) if !is_intrinsic(inner) => {
                if matches!(self.dialect, Dialect::Pipe | Dialect::Function) {
                    self.report(&format!(
                        "{} knows `anything-but` with values alone",
                        self.dialect.reader()
                    ));
                }
                let mut inner = inner.iter();
                match (inner.next(), inner.next()) {
                    (Some((name, value)), None)
                        if ["prefix", "suffix", "equals-ignore-case", "wildcard"]
                            .contains(&name.as_str()) =>
                    {
                        let texts = match value {
                            Expr::List(texts) => texts.as_slice(),
                            other => std::slice::from_ref(other),
                        };
                        if texts.is_empty() || !texts.iter().all(is_text) {
                            self.report("`anything-but` names no texts");
                        }
                        if name == "wildcard" {
                            for text in texts {
                                self.wildcard(text);
                            }
                        }
                    }
                    _ => self.report(
                        "`anything-but` goes with `prefix`, `suffix`, `equals-ignore-case` or `wildcard`",
                    ),
                }
            }
            value if is_text(value) || is_number(value) => {}
            _ => self.report("`anything-but` takes texts or numbers"),
        }
    }

    fn numeric(&mut self, comparison: &[Expr]) {
        let mut bounds = (f64::NEG_INFINITY, f64::INFINITY);
        let mut operators = Vec::new();
        for pair in comparison.chunks(2) {
            let [Expr::String(operator), Expr::Number(number)] = pair else {
                return self.report("`numeric` holds pairs of an operator and a number");
            };
            let number = number.as_f64().unwrap_or(f64::NAN);
            if number.is_nan() || number.abs() > MAX_NUMBER {
                self.report("numbers lie between -5,000,000,000 and 5,000,000,000");
            }
            match operator.as_str() {
                ">" | ">=" => bounds.0 = number,
                "<" | "<=" => bounds.1 = number,
                "=" => {}
                other => self.report(&format!("`numeric` does not know `{other}`")),
            }
            operators.push(operator.as_str());
        }
        let right = match operators.as_slice() {
            [_] => true,
            [lower, upper] => lower.starts_with('>') && upper.starts_with('<'),
            _ => false,
        };
        if !right {
            self.report("`numeric` is one comparison, or a lower bound and then an upper one");
        }
        if bounds.0 > bounds.1 {
            self.report("no number lies above the lower bound and below the upper one");
        }
    }

    fn wildcard(&mut self, form: &Expr) {
        let Some(form) = form.as_str() else { return };
        let mut last_was_star = false;
        let mut characters = form.chars();
        while let Some(character) = characters.next() {
            if character == '*' && last_was_star {
                return self.report("two `*` follow one another");
            }
            last_was_star = character == '*';
            if character == '\\' && !matches!(characters.next(), Some('*' | '\\')) {
                return self.report("a backslash stands before `*` or a backslash");
            }
        }
    }

    fn cidr(&mut self, range: &Expr) {
        let Some(range) = range.as_str() else { return };
        let right = range.split_once('/').is_some_and(|(address, bits)| {
            let most = match address.parse() {
                Ok(std::net::IpAddr::V4(_)) => 32,
                Ok(std::net::IpAddr::V6(_)) => 128,
                Err(_) => return false,
            };
            bits.parse::<u8>().is_ok_and(|bits| bits <= most)
        });
        if !right {
            self.report(&format!(
                "`{range}` is no range of addresses, such as 10.0.0.0/24"
            ));
        }
    }
}

fn is_text(value: &Expr) -> bool {
    match value {
        Expr::String(_) | Expr::Token(_) => true,
        Expr::Map(entries) => is_intrinsic(entries),
        _ => false,
    }
}

/// Returns whether raw JSON is an intrinsic, which yields a text.
fn is_intrinsic(entries: &BTreeMap<String, Expr>) -> bool {
    let mut keys = entries.keys();
    matches!((keys.next(), keys.next()), (Some(key), None) if key == "Ref" || key.starts_with("Fn::"))
}

fn is_number(value: &Expr) -> bool {
    matches!(value, Expr::Number(_))
}

/// Counts the characters of the pattern as compact JSON, where tokens count nothing.
fn length(value: &Expr) -> usize {
    let separators = |count: usize| 2 + count.saturating_sub(1);
    match value {
        Expr::Null => 4,
        Expr::Bool(value) => value.to_string().len(),
        Expr::Number(number) => number.to_string().len(),
        Expr::String(text) => text.chars().count() + 2,
        Expr::List(elements) => {
            separators(elements.len()) + elements.iter().map(length).sum::<usize>()
        }
        Expr::Map(entries) => {
            let entry = |(key, value): (&String, &Expr)| key.chars().count() + 3 + length(value);
            separators(entries.len()) + entries.iter().map(entry).sum::<usize>()
        }
        Expr::Token(_) => 0,
    }
}
