//! Tasks: states that let a service work.

use std::marker::PhantomData;

use stack_model_cfn::{Expr, Value};

use super::flow::Own;
use super::path::Path;
use super::payload::{Expression, Payload};
use super::retry::{Retry, errors};
use super::state::{Seconds, State, Transition, state_methods};
use crate::arn::Arn;
use crate::iam::{Role, RoleRef};
use crate::policy::Statement;

mod dynamodb;
mod http;
mod messaging;
mod sdk;

pub use dynamodb::{Attribute, Key, Query, ReturnValues, TableAccess, UpdateItem};
pub use http::{Http, HttpCall, HttpVerb};
pub use messaging::{Event, Events, Invoking, Publishing, Sending};
pub use sdk::{Activity, Execution, ExecutionStatus, Sdk};

/// A state that calls a service and goes on with its answer.
///
/// `S` is the service, and decides what can be said: only a task whose service hands the token on
/// [waits for it](Task::wait_for_task_token), for instance. Every task brings the statements that the role of its
/// state machine needs. See
/// <https://docs.aws.amazon.com/step-functions/latest/dg/state-task.html>.
#[derive(Clone, Debug)]
pub struct Task<S> {
    state: State,
    /// What is called, up to the way in which it is waited for.
    resource: String,
    service: PhantomData<fn() -> S>,
}

state_methods!(Task<S>: transition, paths, output, result, errors);

/// A service that hands a task's token on to whoever answers the task.
#[diagnostic::on_unimplemented(
    message = "a task of `{Self}` cannot wait for its token",
    note = "the token has to reach somebody who answers: an invoked function, a message, an event, another execution or an SDK call"
)]
pub trait HandsTokenOn {}

impl<S> Task<S> {
    /// Calls a resource, with the statements that the call needs.
    fn calling(
        resource: impl Into<String>,
        parameters: Option<Payload>,
        statements: impl IntoIterator<Item = Statement>,
    ) -> Self {
        let resource = resource.into();
        let mut state = State::of_kind("Task", Transition::Onward);
        state.set("Resource", resource.as_str());
        state.payloads.extend(parameters.map(|p| ("Parameters", p)));
        state.statements.extend(statements);
        Self {
            state,
            resource,
            service: PhantomData,
        }
    }

    /// Adds a statement about the state machine itself.
    fn owning(mut self, own: Own, statement: Statement) -> Self {
        self.state.own.push((own, statement));
        self
    }

    /// Gives up after so many seconds, with `States.Timeout`.
    #[must_use]
    pub fn timeout(mut self, seconds: impl Into<Seconds>) -> Self {
        let seconds: Seconds = seconds.into();
        self.state.set("TimeoutSeconds", seconds.number());
        self
    }

    /// Gives up after as many seconds as a path or an expression says.
    #[must_use]
    pub fn timeout_from(mut self, seconds: impl Into<Expression>) -> Self {
        self.state
            .set_from("TimeoutSeconds", "TimeoutSecondsPath", &seconds.into());
        self
    }

    /// Gives up where no heartbeat comes for so many seconds, with `States.HeartbeatTimeout`.
    #[must_use]
    pub fn heartbeat(mut self, seconds: impl Into<Seconds>) -> Self {
        let seconds: Seconds = seconds.into();
        self.state.set("HeartbeatSeconds", seconds.number());
        self
    }

    /// Gives up where no heartbeat comes for as many seconds as a path or an expression says.
    #[must_use]
    pub fn heartbeat_from(mut self, seconds: impl Into<Expression>) -> Self {
        self.state
            .set_from("HeartbeatSeconds", "HeartbeatSecondsPath", &seconds.into());
        self
    }

    /// Calls with the rights of another role, which must trust the role of the state machine.
    ///
    /// See <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-access-cross-acct-resources.html>.
    #[must_use]
    pub fn credentials(mut self, role: &RoleRef) -> Self {
        let arn: Value<Arn<Role>> = role.arn();
        // The call is then made with what that role is allowed, and this one only takes it on.
        self.state.statements = vec![Statement::allow(["sts:AssumeRole"]).on(arn.clone())];
        self.state
            .set("Credentials", Expr::map([("RoleArn", arn.into())]));
        self
    }

    /// Tries a call again that the service throttled or failed, as [`Retry::on_service_errors`] does, but not after errors
    /// of the given names, which another try does not change: a condition that does not hold, for instance.
    ///
    /// Neither is tried again where nobody answered in time, nor where the state cannot read its input or place its
    /// result. A call may have done its work and lost its answer: it has to be one that may be done twice.
    ///
    /// ```
    /// use stack_model::stepfunctions::{Flow, StateMachineProps, Task};
    /// use stack_model::{path, payload};
    /// # use stack_model::{App, Stage};
    /// # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
    /// # let mut app = App::new(Stage::new(request));
    /// # let mut stack = app.stack("orders");
    /// let answer = Task::send_task_success(path!("$.token"), payload!({}));
    /// // Nobody waits any more.
    /// let lasting = ["Sfn.TaskTimedOutException", "Sfn.TaskDoesNotExistException"];
    /// let mut flow = Flow::new();
    /// flow.add("Answer", answer.retry_service_errors(lasting).end());
    /// # stack.state_machine::<String>("Answers", flow, StateMachineProps::default());
    /// # app.synth().unwrap();
    /// ```
    #[must_use]
    pub fn retry_service_errors<E: Into<String>>(self, but: impl IntoIterator<Item = E>) -> Self {
        let lasting = errors::LASTING.map(str::to_owned).into_iter();
        let lasting = lasting.chain(but.into_iter().map(Into::into));
        self.retry(Retry::never_on(lasting))
            .retry(Retry::on_service_errors())
    }

    /// Sets an entry of the call that has no method here.
    #[must_use]
    pub fn parameter(mut self, name: &str, value: impl Into<Payload>) -> Self {
        match self.state.payloads.get_mut("Parameters") {
            Some(Payload::Object(entries)) => {
                entries.insert(name.to_owned(), value.into());
            }
            None => {
                let entries = [(name.to_owned(), value.into())];
                self.state
                    .payloads
                    .insert("Parameters", Payload::object(entries));
            }
            Some(_) => self.state.wrong.push(format!(
                "gets the parameter `{name}`, and its parameters are computed as a whole"
            )),
        }
        self
    }

    fn suffix(&mut self, suffix: &str) {
        self.resource.push_str(suffix);
        self.state.set("Resource", self.resource.as_str());
    }
}

impl<S: HandsTokenOn> Task<S> {
    /// Waits until somebody answers with the token, instead of going on with the answer of the service.
    ///
    /// The call must hand on [`context::TASK_TOKEN`](super::context::TASK_TOKEN), or in `JSONata`
    /// `$states.context.Task.Token`. See
    /// <https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html>.
    #[must_use]
    pub fn wait_for_task_token(mut self) -> Self {
        self.suffix(".waitForTaskToken");
        self
    }
}

/// Writes the ARN of an integration. The partition is that of AWS's own regions; the stack puts in its own.
fn integration(service: &str, action: &str) -> String {
    format!("arn:aws:states:::{service}:{action}")
}

/// Makes a path a part of a payload, as text.
fn text_of(path: &Path) -> Expression {
    super::intrinsic::format("{}", [path.clone().into()])
}
