//! State machines of Step Functions.

use std::fmt;
use std::marker::PhantomData;

use crate::binding::Binding;
use crate::grant::Grants;
use crate::kind;

#[cfg(feature = "state-machine")]
pub use client::StartExecution;

/// A state machine whose executions start with an `I`, as JSON, with the operations `G` granted.
pub struct StateMachine<I, G: Grants<kind::StateMachine>> {
    #[cfg(feature = "state-machine")]
    client: aws_sdk_sfn::Client,
    #[cfg(feature = "state-machine")]
    arn: String,
    grants: PhantomData<fn() -> (I, G)>,
}

impl<I, G: Grants<kind::StateMachine>> Binding for StateMachine<I, G> {
    const KIND: &'static str = "state_machine";
    const SUFFIX: &'static str = "_ARN";
}

impl<I, G: Grants<kind::StateMachine>> fmt::Debug for StateMachine<I, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut machine = f.debug_struct("StateMachine");
        #[cfg(feature = "state-machine")]
        machine.field("arn", &self.arn);
        machine.finish_non_exhaustive()
    }
}

#[cfg(feature = "state-machine")]
mod client {
    use std::future::IntoFuture;
    use std::marker::PhantomData;

    use aws_sdk_sfn::types::SyncExecutionStatus;
    use serde::Serialize;
    use serde::de::DeserializeOwned;

    use super::StateMachine;
    use crate::Call;
    use crate::environment::{Connect, Environment, VariableFault};
    use crate::error::{CallError, Reason};
    use crate::grant::{Allows, Grants};
    use crate::kind;
    use crate::operation::{SendTaskFailure, SendTaskHeartbeat, SendTaskSuccess, Start, StartSync};

    impl<I, G: Grants<kind::StateMachine>> Connect for StateMachine<I, G> {
        fn connect(environment: &Environment, value: &str) -> Result<Self, VariableFault> {
            Ok(Self::with_client(environment.sfn(), value))
        }
    }

    impl<I, G: Grants<kind::StateMachine>> StateMachine<I, G> {
        /// Binds to the state machine with the given ARN, for tests.
        pub fn with_client(client: aws_sdk_sfn::Client, arn: impl Into<String>) -> Self {
            Self {
                client,
                arn: arn.into(),
                grants: PhantomData,
            }
        }

        /// Returns the ARN of the state machine.
        pub fn arn(&self) -> &str {
            &self.arn
        }

        /// Starts an execution; await it for the execution's ARN.
        pub fn start<At>(&self, input: &I) -> StartExecution<'_>
        where
            I: Serialize,
            G: Allows<Start, At>,
        {
            StartExecution {
                client: &self.client,
                arn: &self.arn,
                input: serde_json::to_string(input),
                name: None,
            }
        }

        /// Starts an execution of an express state machine, waits for its end, and returns its output.
        ///
        /// # Errors
        ///
        /// Fails where the execution cannot be started, does not succeed, or its output is not a `T`. The execution's
        /// own error is the cause.
        pub async fn start_sync<T: DeserializeOwned, At>(&self, input: &I) -> Result<T, CallError>
        where
            I: Serialize,
            G: Allows<StartSync, At>,
        {
            const ACTION: &str = "run an execution of";
            let resource = described(&self.arn);
            let input = serde_json::to_string(input).map_err(unencodable(ACTION, &resource))?;
            let answer = self
                .client
                .start_sync_execution()
                .state_machine_arn(&self.arn)
                .input(input)
                .send()
                .await
                .map_err(|error| CallError::from_sdk(ACTION, &resource, error))?;
            if answer.status != SyncExecutionStatus::Succeeded {
                let cause = format!(
                    "the execution ended as {}: {} ({})",
                    answer.status,
                    answer.cause.as_deref().unwrap_or("no cause is given"),
                    answer.error.as_deref().unwrap_or("no error is named"),
                );
                return Err(CallError::new(ACTION, &resource, Reason::Service)
                    .caused_by(std::io::Error::other(cause)));
            }
            serde_json::from_str(answer.output.as_deref().unwrap_or("null"))
                .map_err(|error| CallError::new(ACTION, &resource, Reason::Decode).caused_by(error))
        }

        /// Answers a task that waits for its token; a token works once.
        ///
        /// # Errors
        ///
        /// Fails with [`Reason::NotFound`] where nobody waits for the token any more.
        pub async fn send_task_success<At>(
            &self,
            token: &str,
            output: &impl Serialize,
        ) -> Result<(), CallError>
        where
            G: Allows<SendTaskSuccess, At>,
        {
            const ACTION: &str = "answer a task of";
            let resource = described(&self.arn);
            let output = serde_json::to_string(output).map_err(unencodable(ACTION, &resource))?;
            let request = self.client.send_task_success().task_token(token);
            let sent = request.output(output).send().await;
            sent.map(|_| ())
                .map_err(|error| CallError::from_sdk(ACTION, &resource, error))
        }

        /// Fails a task that waits for its token, with an error that the state machine can catch.
        ///
        /// # Errors
        ///
        /// Fails with [`Reason::NotFound`] where nobody waits for the token any more.
        pub async fn send_task_failure<At>(
            &self,
            token: &str,
            error: &str,
            cause: &str,
        ) -> Result<(), CallError>
        where
            G: Allows<SendTaskFailure, At>,
        {
            let request = self.client.send_task_failure().task_token(token);
            let sent = request.error(error).cause(cause).send().await;
            sent.map(|_| ()).map_err(|error| {
                CallError::from_sdk("fail a task of", &described(&self.arn), error)
            })
        }

        /// Says that the work behind a token goes on.
        ///
        /// # Errors
        ///
        /// Fails with [`Reason::NotFound`] where nobody waits for the token any more.
        pub async fn send_task_heartbeat<At>(&self, token: &str) -> Result<(), CallError>
        where
            G: Allows<SendTaskHeartbeat, At>,
        {
            let request = self.client.send_task_heartbeat().task_token(token);
            let sent = request.send().await;
            sent.map(|_| ()).map_err(|error| {
                CallError::from_sdk("keep up a task of", &described(&self.arn), error)
            })
        }
    }

    /// A request to start one execution; await it for the execution's ARN.
    #[derive(Debug)]
    #[must_use = "a request does nothing until it is awaited"]
    pub struct StartExecution<'a> {
        client: &'a aws_sdk_sfn::Client,
        arn: &'a str,
        input: Result<String, serde_json::Error>,
        name: Option<String>,
    }

    impl StartExecution<'_> {
        /// Names the execution. A standard state machine starts a name once in 90 days, so a repeated call with the
        /// same input does nothing more.
        pub fn name(mut self, name: impl Into<String>) -> Self {
            self.name = Some(name.into());
            self
        }

        async fn call(self) -> Result<String, CallError> {
            const ACTION: &str = "start an execution of";
            let resource = described(self.arn);
            let input = self.input.map_err(unencodable(ACTION, &resource))?;
            let answer = self
                .client
                .start_execution()
                .state_machine_arn(self.arn)
                .set_name(self.name)
                .input(input)
                .send()
                .await
                .map_err(|error| CallError::from_sdk(ACTION, &resource, error))?;
            Ok(answer.execution_arn)
        }
    }

    impl<'a> IntoFuture for StartExecution<'a> {
        type Output = Result<String, CallError>;
        type IntoFuture = Call<'a, String>;

        fn into_future(self) -> Self::IntoFuture {
            Box::pin(self.call())
        }
    }

    fn unencodable(
        action: &'static str,
        resource: &str,
    ) -> impl FnOnce(serde_json::Error) -> CallError {
        move |error| CallError::new(action, resource, Reason::Encode).caused_by(error)
    }

    fn described(arn: &str) -> String {
        format!("state machine `{arn}`")
    }
}
