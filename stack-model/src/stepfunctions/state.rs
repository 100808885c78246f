//! States: what all of them have in common.

use std::collections::BTreeMap;

use stack_model_cfn::Expr;

use super::condition::Condition;
use super::flow::{Flow, Own, StateRef};
use super::path::Path;
use super::payload::{Expression, Payload, QueryLanguage};
use super::retry::{Catch, Retry};
use crate::limit::Limited;
use crate::policy::Statement;

mod plain;

pub use plain::{Choice, Fail, Pass, Succeed, Wait};

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
        if language == QueryLanguage::Jsonata {
            for field in ["ItemReader", "ResultWriter"] {
                if let Some(Expr::Map(call)) = entries.get_mut(field)
                    && let Some(parameters) = call.remove("Parameters")
                {
                    call.insert("Arguments".to_owned(), parameters);
                }
            }
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
        let named = |field: &str| self.fields.contains_key(field) || self.paths.contains_key(field);
        let waits = self
            .fields
            .get("Resource")
            .and_then(Expr::as_str)
            .is_some_and(|resource| resource.ends_with(".waitForTaskToken"));
        let limits = [
            "TimeoutSeconds",
            "TimeoutSecondsPath",
            "HeartbeatSeconds",
            "HeartbeatSecondsPath",
        ];
        if waits && !self.kind.is_empty() && !limits.into_iter().any(named) {
            problems.push(
                "waits for its token, and so for up to a year where nobody answers: give it a `.timeout(..)` or a `.heartbeat(..)`".to_owned(),
            );
        }
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

/// Returns what is wrong with a number of seconds, as what follows the name of a state.
pub(super) fn limit<const MIN: u32, const MAX: u32>(
    field: &str,
    number: Limited<MIN, MAX>,
) -> Option<String> {
    let message = number.violation()?;
    Some(format!("has a wrong `{field}`: {message}"))
}
