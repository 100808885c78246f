//! States that call nobody: those that pass on, wait, choose or end.

use stack_model_cfn::Expr;

use super::{Seconds, State, Transition, limit, state_methods};
use crate::stepfunctions::{Condition, Expression, Payload, StateRef};

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
