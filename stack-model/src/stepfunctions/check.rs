//! Whether Step Functions would take a definition, and whether it can do what it says.
//!
//! The checks read the rendered definition, so that they hold for what was described, for states that were taken as
//! JSON, and for definitions that come from elsewhere. See
//! <https://states-language.net/spec.html> and
//! <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html>.

use std::collections::{BTreeMap, BTreeSet};

use stack_model_cfn::Expr;

use super::payload::QueryLanguage;

mod call;
mod data;
mod fields;
mod handling;
mod rule;

/// How a state machine runs its executions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StateMachineType {
    /// For up to a year, each step exactly once, with the history kept.
    #[default]
    Standard,
    /// For up to five minutes, at least or at most once, and cheaper; what happened stands in the logs alone.
    Express,
}

/// Something that is wrong with a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The state concerned, unless it is the definition as a whole.
    pub state: Option<String>,
    /// What is wrong and what to do.
    pub message: String,
}

/// The longest name of a state, in characters.
const LONGEST_NAME: usize = 80;

/// The longest that an express execution takes, in seconds.
const EXPRESS_SECONDS: u64 = 300;

/// Returns everything that is wrong with a definition.
///
/// ```
/// use stack_model::stepfunctions::{StateMachineType, check_definition};
///
/// let definition = serde_json::json!({
///     "StartAt": "Refused",
///     "States": { "Refused": { "Type": "Fail", "ResultPath": "$.result" } },
/// });
/// let findings = check_definition(&definition.into(), StateMachineType::Standard);
/// assert_eq!(
///     findings[0].message,
///     "`Refused` has `ResultPath`, which no Fail state has: take it out"
/// );
/// ```
pub fn check_definition(definition: &Expr, kind: StateMachineType) -> Vec<Finding> {
    let mut check = Check {
        kind,
        findings: Vec::new(),
        names: BTreeSet::new(),
    };
    let Expr::Map(machine) = definition else {
        check.report(None, "the definition is not a JSON object");
        return check.findings;
    };
    let language = check.language(None, machine, QueryLanguage::JsonPath);
    if let Some(seconds) = number(machine.get("TimeoutSeconds"))
        && kind == StateMachineType::Express
        && seconds > EXPRESS_SECONDS
    {
        check.report(
            None,
            format!("an express execution takes {EXPRESS_SECONDS} s at most, and the timeout is {seconds} s"),
        );
    }
    check.scope(None, machine, language);
    check.findings
}

/// What is found while a definition is walked through.
struct Check {
    kind: StateMachineType,
    findings: Vec<Finding>,
    /// The names met so far, in all scopes.
    names: BTreeSet<String>,
}

impl Check {
    fn report(&mut self, state: Option<&str>, message: impl Into<String>) {
        self.findings.push(Finding {
            state: state.map(str::to_owned),
            message: message.into(),
        });
    }

    fn language(
        &mut self,
        state: Option<&str>,
        entries: &BTreeMap<String, Expr>,
        outer: QueryLanguage,
    ) -> QueryLanguage {
        let of = state.map_or("the definition".to_owned(), |name| format!("`{name}`"));
        match entries.get("QueryLanguage").map(Expr::as_str) {
            None => outer,
            Some(Some("JSONata")) => QueryLanguage::Jsonata,
            Some(Some("JSONPath")) => {
                if outer == QueryLanguage::Jsonata {
                    self.report(
                        state,
                        format!("{of} is in JSONPath inside of JSONata: only the other way round is possible"),
                    );
                }
                QueryLanguage::JsonPath
            }
            Some(_) => {
                self.report(
                    state,
                    format!("{of} has a query language that is neither JSONPath nor JSONata"),
                );
                outer
            }
        }
    }

    /// Checks the states of a machine, a branch or a map. `of` is the state that they are inside of.
    fn scope(&mut self, of: Option<&str>, scope: &BTreeMap<String, Expr>, language: QueryLanguage) {
        let place = of.map_or("the definition".to_owned(), |name| {
            format!("the flow in `{name}`")
        });
        let states = match scope.get("States") {
            Some(Expr::Map(states)) if !states.is_empty() => states,
            _ => {
                self.report(of, format!("{place} has no states: add one to its flow"));
                return;
            }
        };
        match scope.get("StartAt").and_then(Expr::as_str) {
            None => self.report(
                of,
                format!("{place} does not say where it starts: set `StartAt`"),
            ),
            Some(start) if !states.contains_key(start) => {
                let hint = hint(start, states);
                self.report(
                    of,
                    format!("{place} starts at `{start}`, which is not described in it{hint}"),
                );
            }
            Some(start) => self.reach(start, states),
        }
        let ends = states.values().any(|state| {
            let entry = |name: &str| match state {
                Expr::Map(entries) => entries.get(name),
                _ => None,
            };
            entry("End") == Some(&Expr::Bool(true))
                || matches!(
                    entry("Type").and_then(Expr::as_str),
                    Some("Succeed" | "Fail")
                )
        });
        if !ends {
            self.report(
                of,
                format!("{place} never ends: let one of its states end, succeed or fail"),
            );
        }
        for (name, state) in states {
            self.name(name);
            match state {
                Expr::Map(entries) => self.state(name, entries, states, language),
                _ => self.report(Some(name), format!("`{name}` is not a JSON object")),
            }
        }
    }

    fn name(&mut self, name: &str) {
        let length = name.chars().count();
        if length == 0 || length > LONGEST_NAME {
            self.report(
                Some(name),
                format!("the name `{name}` has {length} characters, and the name of a state has 1 to {LONGEST_NAME}"),
            );
        }
        if name.chars().any(char::is_control) {
            self.report(
                Some(name),
                format!("the name {name:?} holds control characters"),
            );
        }
        if !self.names.insert(name.to_owned()) {
            self.report(
                Some(name),
                format!(
                    "two states are named `{name}`: a name is unique in the whole state machine"
                ),
            );
        }
    }

    /// Reports states to which nothing leads.
    fn reach(&mut self, start: &str, states: &BTreeMap<String, Expr>) {
        let mut reached = BTreeSet::new();
        let mut waiting = vec![start];
        while let Some(name) = waiting.pop() {
            if reached.insert(name)
                && let Some(state) = states.get(name)
            {
                waiting.extend(targets(state));
            }
        }
        for name in states.keys() {
            if !reached.contains(name.as_str()) {
                self.report(
                    Some(name),
                    format!("nothing leads to `{name}`: let a state go on there, or take it out"),
                );
            }
        }
    }

    fn state(
        &mut self,
        name: &str,
        entries: &BTreeMap<String, Expr>,
        beside: &BTreeMap<String, Expr>,
        outer: QueryLanguage,
    ) {
        let language = self.language(Some(name), entries, outer);
        let Some(kind) = entries.get("Type").and_then(Expr::as_str) else {
            return self.report(
                Some(name),
                format!("`{name}` does not say of which `Type` it is"),
            );
        };
        if !fields::is_known(kind) {
            return self.report(
                Some(name),
                format!("`{name}` is of the type `{kind}`, which does not exist: the types are Task, Pass, Choice, Wait, Succeed, Fail, Parallel and Map"),
            );
        }
        self.fields(name, kind, entries, language);
        self.transitions(name, kind, entries, beside);
        self.data(name, entries, language);
        self.handling(name, entries);
        match kind {
            "Task" => self.task(name, entries),
            "Choice" => self.choice(name, entries, language),
            "Wait" => self.wait(name, entries),
            "Parallel" => match entries.get("Branches") {
                Some(Expr::List(branches)) if !branches.is_empty() => {
                    for branch in branches {
                        self.inside(name, Some(branch), language);
                    }
                }
                _ => self.report(Some(name), format!("`{name}` has no branches")),
            },
            "Map" => {
                let processor = entries.get("ItemProcessor").or(entries.get("Iterator"));
                self.inside(name, processor, language);
                self.map(name, entries);
            }
            _ => {}
        }
    }

    fn inside(&mut self, name: &str, flow: Option<&Expr>, language: QueryLanguage) {
        match flow {
            Some(Expr::Map(scope)) => self.scope(Some(name), scope, language),
            _ => self.report(Some(name), format!("`{name}` has no flow inside")),
        }
    }

    /// Checks where a state goes on.
    fn transitions(
        &mut self,
        name: &str,
        kind: &str,
        entries: &BTreeMap<String, Expr>,
        beside: &BTreeMap<String, Expr>,
    ) {
        let goes_on = !matches!(kind, "Choice" | "Succeed" | "Fail");
        let ends = match entries.get("End") {
            None => false,
            Some(Expr::Bool(true)) => true,
            Some(_) => {
                self.report(
                    Some(name),
                    format!("`{name}` has an `End` that is not `true`: leave it out"),
                );
                false
            }
        };
        if goes_on && ends == entries.contains_key("Next") {
            let message = if ends {
                format!("`{name}` ends the flow and goes on: take out `End` or `Next`")
            } else {
                format!("`{name}` does not say where to go on: give it a `Next`, or let it end")
            };
            self.report(Some(name), message);
        }
        for target in targets_of(entries) {
            if !beside.contains_key(target) {
                let hint = hint(target, beside);
                self.report(
                    Some(name),
                    format!(
                        "`{name}` goes on to `{target}`, which is not described beside it{hint}"
                    ),
                );
            }
        }
    }

    fn task(&mut self, name: &str, entries: &BTreeMap<String, Expr>) {
        let Some(resource) = entries.get("Resource") else {
            return self.report(
                Some(name),
                format!("`{name}` does not say which `Resource` it calls"),
            );
        };
        let Some(resource) = resource.as_str() else {
            return;
        };
        if !resource.starts_with("arn:") && !resource.starts_with("${") {
            self.report(
                Some(name),
                format!("`{name}` calls `{resource}`, which is not an ARN"),
            );
        }
        let waits = resource.ends_with(".waitForTaskToken");
        let express = self.kind == StateMachineType::Express;
        if express && (waits || resource.contains(".sync") || resource.contains(":activity:")) {
            let how = if waits {
                "waits for its token"
            } else if resource.contains(".sync") {
                "waits until a job ends"
            } else {
                "waits for a worker"
            };
            self.report(
                Some(name),
                format!(
                    "`{name}` {how}, which an express state machine cannot: make it a standard one"
                ),
            );
        }
        let call = entries.get("Parameters").or(entries.get("Arguments"));
        let computed = entries.contains_key("Parameters.$")
            || call
                .and_then(Expr::as_str)
                .is_some_and(|text| text.starts_with("{%"));
        if waits && !computed && !call.is_some_and(|call| mentions(call, "Task.Token")) {
            self.report(
                Some(name),
                format!("`{name}` waits for its token and hands it on to nobody: put `context::TASK_TOKEN` into the call"),
            );
        }
    }

    fn wait(&mut self, name: &str, entries: &BTreeMap<String, Expr>) {
        let ways = ["Seconds", "SecondsPath", "Timestamp", "TimestampPath"];
        let count = ways
            .iter()
            .filter(|way| entries.contains_key(**way))
            .count();
        if count != 1 {
            self.report(
                Some(name),
                format!("`{name}` waits in {count} ways: give it one of `Seconds`, `SecondsPath`, `Timestamp` and `TimestampPath`"),
            );
        }
        if self.kind == StateMachineType::Express
            && let Some(seconds) = number(entries.get("Seconds"))
            && seconds > EXPRESS_SECONDS
        {
            self.report(
                Some(name),
                format!("`{name}` waits {seconds} s, and an express execution takes {EXPRESS_SECONDS} s at most"),
            );
        }
    }

    fn map(&mut self, name: &str, entries: &BTreeMap<String, Expr>) {
        let config = match entries.get("ItemProcessor") {
            Some(Expr::Map(processor)) => processor.get("ProcessorConfig"),
            _ => None,
        };
        let distributed = matches!(config, Some(Expr::Map(config))
            if config.get("Mode").and_then(Expr::as_str) == Some("DISTRIBUTED"));
        if distributed && self.kind == StateMachineType::Express {
            self.report(
                Some(name),
                format!("`{name}` is a distributed map, which an express state machine cannot have: make it a standard one"),
            );
        }
        if !distributed {
            for field in fields::DISTRIBUTED {
                if entries.contains_key(*field) {
                    self.report(
                        Some(name),
                        format!("`{name}` has `{field}`, which only a distributed map has: make it with `Map::distributed`"),
                    );
                }
            }
        }
    }
}

/// Returns the names of the states to which a state may lead, straight on first.
pub(super) fn targets(state: &Expr) -> impl Iterator<Item = &str> {
    let entries = match state {
        Expr::Map(entries) => Some(entries),
        _ => None,
    };
    entries.into_iter().flat_map(targets_of)
}

fn targets_of(entries: &BTreeMap<String, Expr>) -> impl Iterator<Item = &str> {
    let entry = move |name: &str| entries.get(name);
    let lists = ["Choices", "Catch"].into_iter().flat_map(move |list| {
        let elements = match entry(list) {
            Some(Expr::List(elements)) => elements.as_slice(),
            _ => &[],
        };
        elements.iter().filter_map(|element| match element {
            Expr::Map(element) => element.get("Next"),
            _ => None,
        })
    });
    ["Next", "Default"]
        .into_iter()
        .filter_map(entry)
        .chain(lists)
        .filter_map(Expr::as_str)
}

/// Says whether a text is part of any text of an expression.
fn mentions(expr: &Expr, text: &str) -> bool {
    match expr {
        Expr::String(found) => found.contains(text),
        Expr::List(elements) => elements.iter().any(|element| mentions(element, text)),
        Expr::Map(entries) => entries.values().any(|entry| mentions(entry, text)),
        _ => false,
    }
}

fn number(expr: Option<&Expr>) -> Option<u64> {
    match expr {
        Some(Expr::Number(number)) => number.as_u64(),
        _ => None,
    }
}

/// Returns the name that was probably meant, as the end of a sentence.
fn hint(wrong: &str, states: &BTreeMap<String, Expr>) -> String {
    let near = states
        .keys()
        .map(|name| (distance(wrong, name), name))
        .min()
        .filter(|(distance, _)| *distance <= wrong.chars().count() / 3 + 1);
    near.map_or_else(String::new, |(_, name)| format!(": did you mean `{name}`?"))
}

/// Counts the letters to change, put in or take out between two words, and swapped neighbours as two of them.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, letter) in from.chars().enumerate() {
        let mut diagonal = line;
        let mut left = line + 1;
        for (entry, other) in row.iter_mut().skip(1).zip(&to) {
            let above = *entry;
            let same = diagonal + usize::from(letter != *other);
            left = same.min(above + 1).min(left + 1);
            diagonal = above;
            *entry = left;
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}
