//! From the start of the process to the handler.

use std::error::Error;
use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::Serialize;
use serde_json::Value;
use tracing::{Metadata, error};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::environment::{Environment, FromEnvironment, short_type_name};
use crate::event::Decode;
use crate::function::Function;

/// Runs a function: reads its bindings once, then hands every event to the handler.
///
/// A function's `main` is this call and nothing else. Logs go to standard output as JSON lines, from the level that
/// `RUST_LOG`, `LOG_LEVEL` or `logLevel` names, `info` where none does. An error of the handler becomes the function's
/// error: `errorType` is the name of its type and `errorMessage` is exactly its text; the causes are logged. A payload
/// that the function does not accept is an `EventError`.
///
/// ```no_run
/// use std::convert::Infallible;
/// use std::process::ExitCode;
///
/// use stack_bindings::{Bindings, Invocation, Var};
///
/// #[derive(Bindings)]
/// #[function(binary = "greeter", accepts(Invocation<String>))]
/// struct Greeter {
///     greeting: Var<String>,
/// }
///
/// async fn handle(bindings: &Greeter, name: Invocation<String>) -> Result<String, Infallible> {
///     Ok(format!("{} {}", *bindings.greeting, *name))
/// }
///
/// fn main() -> ExitCode {
///     stack_bindings::run(handle)
/// }
/// ```
pub fn run<B, H, F, R, E>(handler: H) -> ExitCode
where
    B: Function + FromEnvironment + Send + Sync + 'static,
    H: Fn(&'static B, B::Event) -> F,
    F: Future<Output = Result<R, E>>,
    R: Serialize,
    E: Error,
{
    until_it_ends(serve(handler))
}

/// Serves invocations until the process ends; what keeps it from doing so is logged.
pub(crate) fn until_it_ends(
    served: impl Future<Output = Result<(), lambda_runtime::Error>>,
) -> ExitCode {
    log();
    let outcome = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(lambda_runtime::Error::from)
        .and_then(|runtime| runtime.block_on(served));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            error!(error = chain(failure.as_ref()), "the function cannot run");
            ExitCode::FAILURE
        }
    }
}

async fn serve<B, H, F, R, E>(handler: H) -> Result<(), lambda_runtime::Error>
where
    B: Function + FromEnvironment + Send + Sync + 'static,
    H: Fn(&'static B, B::Event) -> F,
    F: Future<Output = Result<R, E>>,
    R: Serialize,
    E: Error,
{
    check_runtime()?;
    let environment = Environment::from_process().await;
    // The bindings live as long as the process, so a handler may borrow them for as long as it likes.
    let bindings: &'static B = Box::leak(Box::new(B::from_environment(&environment)?));
    let handler = &handler;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        let context = InvocationContext::of(&event.context);
        let answered = answer(bindings, handler, event.payload);
        CONTEXT.scope(context, answered).await
    }))
    .await
}

tokio::task_local! {
    pub(crate) static CONTEXT: InvocationContext;
}

/// What Lambda says about the invocation that is being handled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvocationContext {
    /// The id of the invocation, which the logs name too.
    pub request_id: String,
    /// The ARN of the function as it was invoked, with the alias or version where one was named.
    pub function_arn: String,
    /// When Lambda ends the function.
    pub deadline: SystemTime,
}

impl InvocationContext {
    /// Returns the invocation of the handler that asks; `None` outside of one, as in most tests.
    pub fn current() -> Option<Self> {
        CONTEXT.try_with(Clone::clone).ok()
    }

    pub(crate) fn of(context: &lambda_runtime::Context) -> Self {
        Self {
            request_id: context.request_id.clone(),
            function_arn: context.invoked_function_arn.clone(),
            deadline: UNIX_EPOCH + Duration::from_millis(context.deadline),
        }
    }
}

/// The process was not started by Lambda, nor by anything that acts like it.
#[derive(Debug, thiserror::Error)]
#[error(
    "this is a Lambda function, and only Lambda or a local engine can run it: {variable} is not set as they set it"
)]
pub(crate) struct NotLambda {
    variable: &'static str,
}

/// Checks what the runtime would otherwise panic over; see
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>.
pub(crate) fn check_runtime() -> Result<(), NotLambda> {
    let wrong = [
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        MEMORY,
    ]
    .into_iter()
    .find(|variable| {
        std::env::var(variable).map_or(true, |value| {
            *variable == MEMORY && value.parse::<i32>().is_err()
        })
    });
    wrong.map_or(Ok(()), |variable| Err(NotLambda { variable }))
}

const MEMORY: &str = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";

/// Hands one payload to the handler, and turns what it returns into what Lambda expects.
async fn answer<B, H, F, R, E>(
    bindings: &'static B,
    handler: &H,
    payload: Value,
) -> Result<Value, Diagnostic>
where
    B: Function,
    H: Fn(&'static B, B::Event) -> F,
    F: Future<Output = Result<R, E>>,
    R: Serialize,
    E: Error,
{
    let event = B::Event::decode(payload).map_err(|failure| report(&failure))?;
    // A handler that calls a client within calls of its own has a type so deep that the compiler would give up on the
    // runtime's types around it.
    let response = Box::pin(handler(bindings, event))
        .await
        .map_err(|failure| report(&failure))?;
    serde_json::to_value(response).map_err(|failure| report(&failure))
}

/// Logs an error with its causes, and returns what the caller gets to see: the type and the text.
fn report<E: Error>(failure: &E) -> Diagnostic {
    let error_type = short_type_name::<E>();
    error!(error_type, error = chain(failure), "the invocation failed");
    Diagnostic {
        error_type: error_type.to_owned(),
        error_message: failure.to_string(),
    }
}

/// Joins the texts of an error and its causes.
pub(crate) fn chain(failure: &dyn Error) -> String {
    let mut text = failure.to_string();
    let mut cause = failure.source();
    while let Some(inner) = cause {
        // Writing to a string cannot fail.
        let _ = write!(text, ": {inner}");
        cause = inner.source();
    }
    text
}

/// Sends the logs to standard output as JSON lines, which CloudWatch can query by field.
fn log() {
    let filter = std::env::var("RUST_LOG")
        .ok()
        .and_then(|directives| EnvFilter::try_new(directives).ok())
        .unwrap_or_else(|| {
            EnvFilter::new(directives(
                level(|name| std::env::var(name).ok()).as_deref(),
            ))
        });
    // Fails only where the process has a subscriber already, which then keeps its place.
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_env_filter(filter)
        .with_ansi(false)
        .finish()
        .with(filter_fn(is_said_once))
        .try_init();
}

/// Returns whether an event says anything that [`report`] has not said.
///
/// The runtime logs every error of a handler once more, as a debug dump without causes. What it logs of a panic has
/// the field `error`, and nobody else logs that.
fn is_said_once(event: &Metadata<'_>) -> bool {
    event.target() != "lambda_runtime::layers::panic" || event.fields().field("error").is_some()
}

/// Returns the level of the first variable that names one. `logLevel` is what functions of Serverless services often
/// read, and a system may keep that name.
fn level(variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    ["LOG_LEVEL", "logLevel"].into_iter().find_map(variable)
}

/// Returns the filter for a level: it is about the function's own code, so what the SDK, the runtime and the HTTP
/// client have to say below `info` needs `RUST_LOG`.
fn directives(level: Option<&str>) -> String {
    let level = level
        .and_then(|level| level.parse::<LevelFilter>().ok())
        .unwrap_or(LevelFilter::INFO);
    let mut directives = level.to_string();
    if level > LevelFilter::INFO {
        for target in [
            "aws_config",
            "aws_runtime",
            "aws_sdk_",
            "aws_sigv4",
            "aws_smithy_",
            "h2",
            "hyper",
            "lambda_runtime",
            "rustls",
            "tower",
        ] {
            directives.push(',');
            directives.push_str(target);
            directives.push_str("=info");
        }
    }
    directives
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_is_that_of_the_function() {
        assert_eq!(directives(None), "info");
        assert_eq!(directives(Some("WARN")), "warn");
        assert_eq!(directives(Some("loud")), "info");
        assert!(directives(Some("debug")).starts_with("debug,aws_config=info,"));
        assert!(EnvFilter::try_new(directives(Some("trace"))).is_ok());
    }

    #[test]
    fn either_variable_names_the_level() {
        let among = |set: &[(&str, &str)]| {
            let value = |name: &str| set.iter().find(|(other, _)| *other == name);
            level(|name| value(name).map(|(_, level)| (*level).to_owned()))
        };
        assert_eq!(among(&[]), None);
        assert_eq!(among(&[("logLevel", "debug")]).as_deref(), Some("debug"));
        let both = [("logLevel", "debug"), ("LOG_LEVEL", "warn")];
        assert_eq!(among(&both).as_deref(), Some("warn"));
    }
}
