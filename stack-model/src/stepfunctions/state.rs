//! States: what they have in common, and those that only pass on, wait or end.

use std::collections::BTreeMap;

use stack_model_cfn::Expr;

use super::condition::Condition;
use super::flow::{Flow, Own, StateRef};
use super::path::Path;
use super::payload::{Expression, Payload, QueryLanguage};
use super::retry::{Catch, Retry};
use crate::limit::Limited;
use crate::policy::Statement;

/// How long a state waits or works at most, in seconds.
///
/// An execution of a standard state machine lasts a year at most.
pub type Seconds = Limited<1, 99_999_999>;

/// One state of a [`Flow`], of whichever type.
#[derive(Clone, Debug)]
pub struct State {
    kind: &'static str,
    /// The entries that are written as they are.
    pub(super) fields: BTreeMap<String, Expr>,
    /// The entries that hold paths; one without a path is written as `null`.
    pub(super) paths: BTreeMap<&'static str, Option<Path>>,
    /// The entries that hold payloads.
    pub(super) payloads: BTreeMap<&'static str, Payload>,
    pub(super) transition: Transition,
    /// The rules of a choice.
    pub(super) rules: Vec<(Condition, StateRef)>,
    pub(super) retries: Vec<Retry>,
    pub(super) catches: Vec<Catch>,
    /// The branches of a parallel state, or what a map does.
    pub(super) flows: Vec<Flow>,
    /// How the elements of a map are worked on.
    pub(super) processor: Option<BTreeMap<String, Expr>>,
    pub(super) jsonata: bool,
    pub(super) statements: Vec<Statement>,
    pub(super) own: Vec<(Own, Statement)>,
    pub(super) wrong: Vec<String>,
}

/// Where a state goes on.
#[derive(Clone, Debug)]
pub(super) enum Transition {
    /// At the state described after it.
    Onward,
    /// At the given state.
    To(StateRef),
    /// Nowhere: the flow ends with the state's output.
    End,
    /// Nowhere, and the type of the state says so.
    Nowhere,
}

impl State {
    pub(super) fn of_kind(kind: &'static str, transition: Transition) -> Self {
        Self {
            kind,
            fields: BTreeMap::new(),
            paths: BTreeMap::new(),
            payloads: BTreeMap::new(),
            transition,
            rules: Vec::new(),
            retries: Vec::new(),
            catches: Vec::new(),
            flows: Vec::new(),
            processor: None,
            jsonata: false,
            statements: Vec::new(),
            own: Vec::new(),
            wrong: Vec::new(),
        }
    }

    /// Takes a state as JSON, for what has no type here. Its `Next`, `Default` and the like name states by text, and
    /// are checked when the stack is synthesised.
    pub fn raw(state: serde_json::Value) -> Self {
        let mut raw = Self::of_kind("", Transition::Nowhere);
        match Expr::from(state) {
            Expr::Map(entries) => raw.fields = entries,
            _ => raw.wrong.push("is not a JSON object".to_owned()),
        }
        raw
    }

    pub(super) fn set(&mut self, field: &str, value: impl Into<Expr>) {
        self.fields.insert(field.to_owned(), value.into());
    }

    /// Sets a number of seconds, or where it is found.
    pub(super) fn set_from(&mut self, field: &str, path_field: &'static str, from: &Expression) {
        match from.language() {
            QueryLanguage::JsonPath => {
                self.paths.insert(path_field, Some(Path::new(from.text())));
            }
            QueryLanguage::Jsonata => self.set(field, from.text()),
        }
    }

    fn language(&self, outer: QueryLanguage) -> QueryLanguage {
        if self.jsonata {
            QueryLanguage::Jsonata
        } else {
            outer
        }
    }

    /// Renders everything but the flows inside. `go` says where a transition leads, and reports one that leads
    /// nowhere.
    pub(super) fn render(
        &self,
        outer: QueryLanguage,
        go: &mut dyn FnMut(&Transition) -> Option<String>,
    ) -> BTreeMap<String, Expr> {
        let language = self.language(outer);
        let mut entries = self.fields.clone();
        if !self.kind.is_empty() {
            entries.insert("Type".to_owned(), self.kind.into());
        }
        if language != outer {
            entries.insert("QueryLanguage".to_owned(), language.name().into());
        }
        for (field, path) in &self.paths {
            let path = path
                .as_ref()
                .map_or(Expr::Null, |path| path.as_str().into());
            entries.insert((*field).to_owned(), path);
        }
        for (field, payload) in &self.payloads {
            let field = match (*field, language) {
                ("Parameters", QueryLanguage::Jsonata) => "Arguments",
                (field, _) => field,
            };
            // A payload that is computed as a whole marks its key only where keys are marked at all.
            if field == "Assign" || field == "Output" || field == "Arguments" {
                entries.insert(field.to_owned(), payload.render());
            } else {
                payload.put(field, &mut entries);
            }
        }
        let mut to = |state: &StateRef| go(&Transition::To(state.clone()));
        if !self.rules.is_empty() {
            let rules = self.rules.iter().map(|(condition, target)| {
                let mut rule = condition.render();
                rule.extend(to(target).map(|name| ("Next".to_owned(), name.into())));
                Expr::Map(rule)
            });
            entries.insert("Choices".to_owned(), Expr::List(rules.collect()));
        }
        if !self.retries.is_empty() {
            let retries = self.retries.iter().map(Retry::render).collect();
            entries.insert("Retry".to_owned(), Expr::List(retries));
        }
        if !self.catches.is_empty() {
            let catches = self.catches.iter().map(|catch| {
                let mut rendered = catch.render();
                rendered.extend(to(&catch.target).map(|name| ("Next".to_owned(), name.into())));
                Expr::Map(rendered)
            });
            entries.insert("Catch".to_owned(), Expr::List(catches.collect()));
        }
        if matches!(self.transition, Transition::End) {
            entries.insert("End".to_owned(), true.into());
        } else if let Some(next) = go(&self.transition) {
            let field = if self.kind == "Choice" {
                "Default"
            } else {
                "Next"
            };
            entries.insert(field.to_owned(), next.into());
        }
        entries
    }

    /// Puts the rendered flows inside where the type of the state has them.
    pub(super) fn place(
        &self,
        definitions: Vec<BTreeMap<String, Expr>>,
        entries: &mut BTreeMap<String, Expr>,
    ) {
        match (self.kind, &self.processor) {
            ("Parallel", _) => {
                let branches = definitions.into_iter().map(Expr::Map).collect();
                entries.insert("Branches".to_owned(), Expr::List(branches));
            }
            ("Map", Some(config)) => {
                let mut definition = definitions.into_iter().next().unwrap_or_default();
                definition.insert("ProcessorConfig".to_owned(), Expr::Map(config.clone()));
                entries.insert("ItemProcessor".to_owned(), Expr::Map(definition));
            }
            _ => {}
        }
    }

    /// Returns what is wrong with the state by itself, as what follows its name in a sentence.
    pub(super) fn problems(&self, outer: QueryLanguage) -> Vec<String> {
        let language = self.language(outer);
        let mut problems = self.wrong.clone();
        let mut expression = |expression: &Expression| {
            if expression.language() != language {
                problems.push(format!(
                    "is in {} and holds `{}`, which is not: a state has one query language, which `.jsonata()` or `Flow::jsonata()` sets",
                    language.name(),
                    expression.text(),
                ));
            }
        };
        for payload in self.payloads.values() {
            payload.walk(&mut expression);
        }
        for catch in &self.catches {
            catch
                .payloads()
                .for_each(|payload| payload.walk(&mut expression));
        }
        if self
            .rules
            .iter()
            .any(|(condition, _)| condition.is_jsonata() != (language == QueryLanguage::Jsonata))
        {
            problems.push(format!(
                "is in {} and has a condition that is not: a state has one query language",
                language.name()
            ));
        }
        problems.extend(self.retries.iter().flat_map(Retry::problems));
        problems
    }
}

/// Implements what states of one type have: the type wraps a [`State`], whose methods would not all fit.
macro_rules! state_methods {
    ($type:ident $(<$parameter:ident>)?: $($group:ident),+) => {
        impl $(<$parameter>)? From<$type $(<$parameter>)?> for $crate::stepfunctions::State {
            fn from(state: $type $(<$parameter>)?) -> Self {
                state.state
            }
        }

        impl $(<$parameter>)? $type $(<$parameter>)? {
            /// Says what the state is for, to people who read the definition.
            #[must_use]
            pub fn comment(mut self, comment: impl Into<String>) -> Self {
                self.state.set("Comment", comment.into());
                self
            }

            /// Makes this one state find and compute values with `JSONata`.
            #[must_use]
            pub fn jsonata(mut self) -> Self {
                self.state.jsonata = true;
                self
            }

            $($crate::stepfunctions::state::state_methods!(@$group);)+
        }
    };
    (@nothing) => {};
    (@transition) => {
        /// Goes on to the given state, instead of the one described next.
        #[must_use]
        pub fn next(mut self, state: &$crate::stepfunctions::StateRef) -> Self {
            self.state.transition = $crate::stepfunctions::state::Transition::To(state.clone());
            self
        }

        /// Ends the flow with the output of this state.
        #[must_use]
        pub fn end(mut self) -> Self {
            self.state.transition = $crate::stepfunctions::state::Transition::End;
            self
        }
    };
    (@paths) => {
        /// Takes only what is found at a path as input.
        #[must_use]
        pub fn input_path(mut self, path: $crate::stepfunctions::Path) -> Self {
            self.state.paths.insert("InputPath", Some(path));
            self
        }

        /// Hands on only what is found at a path of the output.
        #[must_use]
        pub fn output_path(mut self, path: $crate::stepfunctions::Path) -> Self {
            self.state.paths.insert("OutputPath", Some(path));
            self
        }
    };
    (@output) => {
        /// Makes the output of the state, in `JSONata`.
        #[must_use]
        pub fn output(mut self, output: impl Into<$crate::stepfunctions::Payload>) -> Self {
            self.state.payloads.insert("Output", output.into());
            self
        }

        /// Sets variables, which later states read as `$name`.
        #[must_use]
        pub fn assign(mut self, variables: impl Into<$crate::stepfunctions::Payload>) -> Self {
            self.state.payloads.insert("Assign", variables.into());
            self
        }
    };
    (@result) => {
        /// Makes something else of the result before it goes anywhere.
        #[must_use]
        pub fn result_selector(mut self, selector: impl Into<$crate::stepfunctions::Payload>) -> Self {
            self.state.payloads.insert("ResultSelector", selector.into());
            self
        }

        $crate::stepfunctions::state::state_methods!(@result_path);
    };
    (@result_path) => {
        /// Puts the result at a path of the input, instead of handing on the result alone.
        #[must_use]
        pub fn result_path(mut self, path: $crate::stepfunctions::Path) -> Self {
            self.state.paths.insert("ResultPath", Some(path));
            self
        }

        /// Drops the result and hands on the input.
        #[must_use]
        pub fn discard_result(mut self) -> Self {
            self.state.paths.insert("ResultPath", None);
            self
        }
    };
    (@errors) => {
        /// Tries again after certain errors. The first entry that fits an error is the one that counts.
        #[must_use]
        pub fn retry(mut self, retry: $crate::stepfunctions::Retry) -> Self {
            self.state.retries.push(retry);
            self
        }

        /// Goes on elsewhere after certain errors. The first entry that fits an error is the one that counts.
        #[must_use]
        pub fn catch(mut self, catch: $crate::stepfunctions::Catch) -> Self {
            self.state.catches.push(catch);
            self
        }
    };
}

pub(super) use state_methods;

/// A state that does nothing, or makes something of its input.
///
/// See <https://docs.aws.amazon.com/step-functions/latest/dg/state-pass.html>.
#[derive(Clone, Debug)]
pub struct Pass {
    state: State,
}

state_methods!(Pass: transition, paths, output, result_path);

impl Default for Pass {
    fn default() -> Self {
        Self::new()
    }
}

impl Pass {
    /// Hands on its input.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: State::of_kind("Pass", Transition::Onward),
        }
    }

    /// Has a fixed result.
    #[must_use]
    pub fn result(mut self, result: impl Into<Expr>) -> Self {
        self.state.set("Result", result);
        self
    }

    /// Makes a result of its input.
    #[must_use]
    pub fn parameters(mut self, parameters: impl Into<Payload>) -> Self {
        self.state.payloads.insert("Parameters", parameters.into());
        self
    }
}

/// A state that waits.
///
/// See <https://docs.aws.amazon.com/step-functions/latest/dg/state-wait.html>.
#[derive(Clone, Debug)]
pub struct Wait {
    state: State,
}

state_methods!(Wait: transition, paths, output);

impl Wait {
    fn new() -> Self {
        Self {
            state: State::of_kind("Wait", Transition::Onward),
        }
    }

    /// Waits so many seconds.
    pub fn seconds(seconds: impl Into<Seconds>) -> Self {
        let mut wait = Self::new();
        let seconds: Seconds = seconds.into();
        wait.state.set("Seconds", seconds.number());
        wait.state.wrong.extend(limit("Seconds", seconds));
        wait
    }

    /// Waits as many seconds as a path or an expression says.
    pub fn seconds_from(seconds: impl Into<Expression>) -> Self {
        let mut wait = Self::new();
        wait.state
            .set_from("Seconds", "SecondsPath", &seconds.into());
        wait
    }

    /// Waits until a time such as `2026-11-21T05:28:00Z`.
    pub fn until(timestamp: &str) -> Self {
        let mut wait = Self::new();
        wait.state.set("Timestamp", timestamp);
        wait
    }

    /// Waits until the time that a path or an expression says.
    pub fn until_from(timestamp: impl Into<Expression>) -> Self {
        let mut wait = Self::new();
        wait.state
            .set_from("Timestamp", "TimestampPath", &timestamp.into());
        wait
    }
}

/// A state that chooses where to go on.
///
/// See <https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html>.
#[derive(Clone, Debug)]
pub struct Choice {
    state: State,
}

state_methods!(Choice: paths, output);

impl Default for Choice {
    fn default() -> Self {
        Self::new()
    }
}

impl Choice {
    /// Goes on to the state described next, unless a rule says otherwise.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: State::of_kind("Choice", Transition::Onward),
        }
    }

    /// Goes on to a state where a condition holds and none before it did.
    #[must_use]
    pub fn when(mut self, condition: Condition, state: &StateRef) -> Self {
        self.state.rules.push((condition, state.clone()));
        self
    }

    /// Goes on to the given state where no condition holds, instead of the one described next.
    #[must_use]
    pub fn otherwise(mut self, state: &StateRef) -> Self {
        self.state.transition = Transition::To(state.clone());
        self
    }

    /// Fails the execution with `States.NoChoiceMatched` where no condition holds.
    #[must_use]
    pub fn or_fail(mut self) -> Self {
        self.state.transition = Transition::Nowhere;
        self
    }
}

/// A state that ends the execution well.
///
/// See <https://docs.aws.amazon.com/step-functions/latest/dg/state-succeed.html>.
#[derive(Clone, Debug)]
pub struct Succeed {
    state: State,
}

state_methods!(Succeed: paths, output);

impl Default for Succeed {
    fn default() -> Self {
        Self::new()
    }
}

impl Succeed {
    /// Ends the flow with its input.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: State::of_kind("Succeed", Transition::Nowhere),
        }
    }
}

/// A state that fails the execution.
///
/// See <https://docs.aws.amazon.com/step-functions/latest/dg/state-fail.html>.
#[derive(Clone, Debug)]
pub struct Fail {
    state: State,
}

state_methods!(Fail: nothing);

impl Fail {
    /// Fails with an error of the given name.
    pub fn new(error: impl Into<String>) -> Self {
        let mut fail = Self {
            state: State::of_kind("Fail", Transition::Nowhere),
        };
        fail.state.set("Error", error.into());
        fail
    }

    /// Fails with an error that a path or an expression names.
    pub fn from_input(error: impl Into<Expression>) -> Self {
        let mut fail = Self {
            state: State::of_kind("Fail", Transition::Nowhere),
        };
        fail.state.set_from("Error", "ErrorPath", &error.into());
        fail
    }

    /// Says why, to people.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.state.set("Cause", cause.into());
        self
    }

    /// Says why with a text that a path, an intrinsic function or an expression yields.
    #[must_use]
    pub fn cause_from(mut self, cause: impl Into<Expression>) -> Self {
        self.state.set_from("Cause", "CausePath", &cause.into());
        self
    }
}

/// Returns what is wrong with a number of seconds, as what follows the name of a state.
pub(super) fn limit<const MIN: u32, const MAX: u32>(
    field: &str,
    number: Limited<MIN, MAX>,
) -> Option<String> {
    let message = number.violation()?;
    Some(format!("has the `{field}` {message}"))
}
