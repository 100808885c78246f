//! Flows: states in the order in which they are described.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::Location;
use std::sync::Arc;

use stack_model_cfn::Expr;

use super::payload::QueryLanguage;
use super::state::{State, Transition};
use crate::policy::Statement;

/// The states of a state machine, of one branch of a [`Parallel`](super::Parallel) or of what a
/// [`Map`](super::Map) does with every element.
///
/// The first state described is the one that it starts at. A state goes on to the one described after it, as the
/// statements of a program do, unless it says otherwise; a state that others jump to is named ahead with
/// [`later`](Flow::later) or by what [`add`](Flow::add) returned.
///
/// ```
/// use stack_model::path;
/// use stack_model::stepfunctions::{Choice, Fail, Flow, Pass, Succeed};
///
/// let mut flow = Flow::new();
/// let unknown = flow.later("Unknown action");
/// flow.add("Known?", Choice::new().when(!path!("$.action").equals("make"), &unknown));
/// flow.add("Make", Pass::new());
/// flow.add("Made", Succeed::new());
/// flow.add(&unknown, Fail::new("UnknownAction").cause("the action is not one of ours"));
/// ```
#[derive(Clone, Debug)]
pub struct Flow {
    mark: Arc<Mark>,
    language: QueryLanguage,
    states: Vec<Described>,
    ahead: Vec<(Arc<str>, &'static Location<'static>)>,
}

/// Tells the states of one flow from those of another.
#[derive(Debug)]
struct Mark;

#[derive(Clone, Debug)]
struct Described {
    name: Arc<str>,
    /// Whether the name was given by the handle of another flow.
    foreign: bool,
    state: State,
    source: &'static Location<'static>,
}

/// A state of a flow, as others name it to go on there.
#[derive(Clone, Debug)]
pub struct StateRef {
    mark: Arc<Mark>,
    name: Arc<str>,
}

impl StateRef {
    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Something that names a state when it is added: a text, or the handle that [`Flow::later`] returned.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name a state",
    label = "expected a text, or the handle that `Flow::later` returned"
)]
pub trait StateName {
    /// Returns the handle of the state in a flow.
    fn in_flow(self, flow: &Flow) -> StateRef;
}

impl StateName for &str {
    fn in_flow(self, flow: &Flow) -> StateRef {
        flow.handle(Arc::from(self))
    }
}

impl StateName for String {
    fn in_flow(self, flow: &Flow) -> StateRef {
        flow.handle(Arc::from(self))
    }
}

impl StateName for &StateRef {
    fn in_flow(self, _: &Flow) -> StateRef {
        self.clone()
    }
}

/// Which of its own ARNs a state machine's role must be allowed something on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Own {
    /// The state machine.
    StateMachine,
    /// Its executions.
    Executions,
}

/// What a flow renders to, and what it needs.
#[derive(Debug, Default)]
pub(super) struct Built {
    pub(super) definition: BTreeMap<String, Expr>,
    pub(super) statements: Vec<Statement>,
    /// Statements about the state machine itself, which name no resource yet.
    pub(super) own: Vec<(Own, Statement)>,
    pub(super) problems: Vec<Problem>,
    /// Where each state is described.
    pub(super) sources: BTreeMap<String, &'static Location<'static>>,
}

/// Something that is wrong with a flow.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) message: String,
    pub(super) source: &'static Location<'static>,
}

impl Default for Flow {
    fn default() -> Self {
        Self::new()
    }
}

impl Flow {
    /// Starts a flow whose states find and compute values with `JSONPath`.
    #[must_use]
    pub fn new() -> Self {
        Self {
            mark: Arc::new(Mark),
            language: QueryLanguage::JsonPath,
            states: Vec::new(),
            ahead: Vec::new(),
        }
    }

    /// Starts a flow whose states find and compute values with `JSONata`.
    #[must_use]
    pub fn jsonata() -> Self {
        Self {
            language: QueryLanguage::Jsonata,
            ..Self::new()
        }
    }

    /// Names a state that is described later, so that others can go on there.
    #[track_caller]
    pub fn later(&mut self, name: &str) -> StateRef {
        let name = Arc::from(name);
        self.ahead.push((Arc::clone(&name), Location::caller()));
        self.handle(name)
    }

    /// Describes a state, under a name of its own or one that was named ahead.
    #[track_caller]
    pub fn add(&mut self, name: impl StateName, state: impl Into<State>) -> StateRef {
        let handle = name.in_flow(self);
        self.states.push(Described {
            name: Arc::clone(&handle.name),
            foreign: !self.owns(&handle),
            state: state.into(),
            source: Location::caller(),
        });
        handle
    }

    fn handle(&self, name: Arc<str>) -> StateRef {
        StateRef {
            mark: Arc::clone(&self.mark),
            name,
        }
    }

    fn owns(&self, state: &StateRef) -> bool {
        Arc::ptr_eq(&self.mark, &state.mark)
    }

    /// Renders the flow. `outer` is the query language around it, which need not be said again.
    pub(super) fn build(&self, outer: QueryLanguage) -> Built {
        let mut built = Built::default();
        let mut rendered: BTreeMap<String, Expr> = BTreeMap::new();
        for (position, described) in self.states.iter().enumerate() {
            let name = &*described.name;
            let mut problem = |message: String| {
                built.problems.push(Problem {
                    message: format!("the state `{name}` {message}"),
                    source: described.source,
                });
            };
            if described.foreign {
                problem("is described in another flow than the one it was named in".to_owned());
            }
            let following = self.states.get(position + 1).map(|next| &*next.name);
            let mut go = |transition: &Transition| match transition {
                Transition::To(target) if self.owns(target) => Some(target.name().to_owned()),
                Transition::To(target) => {
                    problem(format!(
                        "goes on to `{}`, which belongs to another flow: a state can only be reached from beside it",
                        target.name()
                    ));
                    None
                }
                Transition::Onward => {
                    if following.is_none() {
                        problem(
                            "is the last one and does not say where to go on: call `.end()`, or `.next(..)` with a state described before"
                                .to_owned(),
                        );
                    }
                    following.map(str::to_owned)
                }
                Transition::Nowhere | Transition::End => None,
            };
            let mut entries = described.state.render(self.language, &mut go);
            for message in described.state.problems(self.language) {
                problem(message);
            }
            self.nest(&described.state, &mut entries, &mut built);
            if rendered.contains_key(name) {
                built.problems.push(Problem {
                    message: format!(
                        "two states are named `{name}`: a name is unique in the whole state machine"
                    ),
                    source: described.source,
                });
            }
            built.sources.insert(name.to_owned(), described.source);
            rendered.insert(name.to_owned(), Expr::Map(entries));
            built
                .statements
                .extend(described.state.statements.iter().cloned());
            built.own.extend(described.state.own.iter().cloned());
        }
        let described: BTreeSet<&str> = self.states.iter().map(|state| &*state.name).collect();
        for (name, source) in &self.ahead {
            if !described.contains(&**name) {
                built.problems.push(Problem {
                    message: format!(
                        "the state `{name}` is named and never described: `add` it to the flow"
                    ),
                    source,
                });
            }
        }
        if let Some(first) = self.states.first() {
            let start = Expr::from(&*first.name);
            built.definition.insert("StartAt".to_owned(), start);
        }
        built
            .definition
            .insert("States".to_owned(), Expr::Map(rendered));
        if self.language != outer {
            let language = Expr::from(self.language.name());
            built
                .definition
                .insert("QueryLanguage".to_owned(), language);
        }
        built
    }

    /// Renders the flows inside a state, and takes over what they need.
    fn nest(&self, state: &State, entries: &mut BTreeMap<String, Expr>, built: &mut Built) {
        let mut definitions = Vec::new();
        for flow in &state.flows {
            let mut inner = flow.build(self.language);
            // Only the machine and its states have a query language, so what differs is said by each state.
            if inner.definition.remove("QueryLanguage").is_some()
                && let Some(Expr::Map(states)) = inner.definition.get_mut("States")
            {
                for state in states.values_mut() {
                    if let Expr::Map(entries) = state {
                        entries
                            .entry("QueryLanguage".to_owned())
                            .or_insert_with(|| flow.language.name().into());
                    }
                }
            }
            built.sources.append(&mut inner.sources);
            built.statements.append(&mut inner.statements);
            built.own.append(&mut inner.own);
            built.problems.append(&mut inner.problems);
            definitions.push(inner.definition);
        }
        state.place(definitions, entries);
    }
}
