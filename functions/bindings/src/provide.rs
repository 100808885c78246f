//! Providers of custom resources: whatever happens, CloudFormation gets an answer.

use std::collections::BTreeMap;
use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;
use tracing::{error, info, warn};

use crate::environment::{Environment, FromEnvironment};
use crate::event::{CustomResource, ResourceRequest};
use crate::function::Function;
use crate::http::{HttpClient, HttpFailure};
use crate::run::{CONTEXT, InvocationContext, chain, check_runtime, until_it_ends};

/// How many bytes an answer may have; see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-responses.html>.
const LARGEST_ANSWER: usize = 4096;

/// How much of a reason is sent, in bytes. The whole of it is logged.
const LONGEST_REASON: usize = 1024;

/// The physical id of a resource whose creation failed before the handler saw it. Its deletion is nothing to do.
const NEVER_MADE: &str = "stack-bindings:never-made";

/// How often the answer is sent, and how long the first pause is; each is twice the last.
const TRIES: u32 = 6;
const PAUSE: Duration = Duration::from_millis(100);

/// What a provider has done.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "CloudFormation is told what was done"]
pub struct Provided {
    physical_id: Option<String>,
    data: BTreeMap<String, Value>,
    no_echo: bool,
}

impl Provided {
    /// Says that it is done, with the physical id that the resource has anyway, and no data.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the resource a physical id of its own. Another one than before means, after an update, that the resource
    /// was replaced: CloudFormation then asks for the deletion of the old one.
    pub fn physical_id(mut self, id: impl Into<String>) -> Self {
        self.physical_id = Some(id.into());
        self
    }

    /// Adds a value that the template can read with `Fn::GetAtt`. All of it has to fit into 4 KB.
    pub fn data(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.data.insert(name.into(), value.into());
        self
    }

    /// Hides the data where CloudFormation shows values of resources. It is not encrypted.
    pub fn no_echo(mut self) -> Self {
        self.no_echo = true;
        self
    }
}

/// Runs a function that keeps a custom resource: reads its bindings once, then hands every request to the handler, and
/// answers it.
///
/// A function's `main` is this call and nothing else. CloudFormation gets an answer on every path: also where the
/// handler fails, the properties cannot be read, an environment variable is missing, or the time of the function is
/// nearly up. The text of the handler's error becomes the reason that a person reads among the events of the stack, so
/// it must not hold a secret; the causes are logged. A handler may be asked for the same thing again, and for the
/// deletion of what is gone.
///
/// ```no_run
/// use std::convert::Infallible;
/// use std::process::ExitCode;
///
/// use stack_bindings::{Bindings, CustomResource, Provided, Var};
///
/// #[derive(Bindings)]
/// #[function(binary = "greeting", accepts(CustomResource<()>))]
/// struct Greeting {
///     greeting: Var<String>,
/// }
///
/// async fn handle(bindings: &Greeting, _: CustomResource<()>) -> Result<Provided, Infallible> {
///     Ok(Provided::new().data("Text", bindings.greeting.as_str()))
/// }
///
/// fn main() -> ExitCode {
///     stack_bindings::provide(handle)
/// }
/// ```
pub fn provide<B, P, H, F, E>(handler: H) -> ExitCode
where
    B: Function<Event = CustomResource<P>> + FromEnvironment + Send + Sync + 'static,
    P: DeserializeOwned + Send + 'static,
    H: Fn(&'static B, CustomResource<P>) -> F,
    F: Future<Output = Result<Provided, E>>,
    E: Error,
{
    until_it_ends(serve(handler))
}

async fn serve<B, P, H, F, E>(handler: H) -> Result<(), lambda_runtime::Error>
where
    B: Function<Event = CustomResource<P>> + FromEnvironment + Send + Sync + 'static,
    P: DeserializeOwned + Send + 'static,
    H: Fn(&'static B, CustomResource<P>) -> F,
    F: Future<Output = Result<Provided, E>>,
    E: Error,
{
    check_runtime()?;
    let environment = Environment::from_process().await;
    let http = HttpClient::new();
    // A function that gave up here would leave CloudFormation waiting for an hour, so the error is an answer, too.
    let bindings: Result<&'static B, String> = B::from_environment(&environment)
        .map(|bindings| &*Box::leak(Box::new(bindings)))
        .map_err(|failure| failure.to_string());
    let (http, bindings, handler) = (&http, &bindings, &handler);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        let left = time_left(event.context.deadline);
        let handle = |resource| async move {
            match bindings {
                // Boxed, because a deep type would be too much for the compiler with the runtime's types around it.
                Ok(bindings) => Box::pin(handler(bindings, resource))
                    .await
                    .map_err(|failure| Failure::of_handler(&failure)),
                Err(missing) => Err(Failure::before_handler(missing.clone())),
            }
        };
        let context = InvocationContext::of(&event.context);
        let answered = answer(http, event.payload, left, handle);
        CONTEXT.scope(context, answered).await
    }))
    .await
}

/// Returns how long the function may still run; Lambda tells the end in milliseconds since 1970.
fn time_left(deadline: u64) -> Duration {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Duration::from_millis(deadline).saturating_sub(now)
}

/// Why a request fails.
struct Failure {
    /// What CloudFormation shows.
    reason: String,
    /// Whether the handler was asked, and so may have made something.
    handled: bool,
}

impl Failure {
    fn of_handler(failure: &dyn Error) -> Self {
        error!(error = chain(failure), "the request failed");
        Self {
            reason: failure.to_string(),
            handled: true,
        }
    }

    fn before_handler(reason: String) -> Self {
        error!(error = reason, "the request failed");
        Self {
            reason,
            handled: false,
        }
    }
}

/// The answer of
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-responses.html>.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answer<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'a str,
    physical_resource_id: &'a str,
    stack_id: &'a str,
    request_id: &'a str,
    logical_resource_id: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    no_echo: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    data: &'a BTreeMap<String, Value>,
}

/// Why nothing could be answered.
#[derive(Debug, thiserror::Error)]
enum AnswerError {
    #[error("invalid event: it is no request of CloudFormation")]
    NoRequest(#[source] serde_json::Error),
    #[error("the answer cannot be written")]
    Write(#[source] serde_json::Error),
    #[error("CloudFormation refused the answer with the status {0}")]
    Refused(u16),
    #[error("the answer could not be sent")]
    Send(#[source] HttpFailure),
}

/// Hands one request to the handler, and answers it before the time is up.
///
/// An error means that there was no answer; Lambda then invokes the function again.
async fn answer<P, H, F>(
    http: &HttpClient,
    payload: Value,
    left: Duration,
    handle: H,
) -> Result<(), Diagnostic>
where
    P: DeserializeOwned,
    H: FnOnce(CustomResource<P>) -> F,
    F: Future<Output = Result<Provided, Failure>>,
{
    let end = Instant::now() + left;
    let request = match ResourceRequest::deserialize(&payload) {
        Ok(request) => request,
        Err(error) => return Err(unanswered(&AnswerError::NoRequest(error))),
    };
    let known_id = payload["PhysicalResourceId"].as_str().map(str::to_owned);
    let is_delete = payload["RequestType"] == "Delete";
    let outcome = if is_delete && known_id.as_deref() == Some(NEVER_MADE) {
        info!("there is nothing to delete, because nothing was made");
        Ok(Provided::new())
    } else {
        // Enough for the answer and one more attempt, even of a function that may run for three seconds.
        let reserve = (left / 4).clamp(Duration::from_millis(500), Duration::from_secs(5));
        let in_time = tokio::time::timeout(left.saturating_sub(reserve), async {
            let resource = CustomResource::read(request.clone(), payload)
                .map_err(|error| Failure::before_handler(format!("invalid event: {error}")))?;
            handle(resource).await
        });
        in_time.await.unwrap_or_else(|_| {
            let reason = "the time of the function is up; give it a longer timeout".to_owned();
            error!(error = reason, "the request failed");
            Err(Failure {
                reason,
                handled: true,
            })
        })
    };
    let body = body(&request, known_id, is_delete, outcome)
        .map_err(|error| unanswered(&AnswerError::Write(error)))?;
    send(http, &request.response_url, body, end)
        .await
        .map_err(|error| unanswered(&error))
}

/// Writes the answer.
fn body(
    request: &ResourceRequest,
    known_id: Option<String>,
    is_delete: bool,
    outcome: Result<Provided, Failure>,
) -> Result<Vec<u8>, serde_json::Error> {
    let (provided, mut failure) = match outcome {
        Ok(provided) => (provided, None),
        Err(failure) => (Provided::default(), Some(failure)),
    };
    let given = provided.physical_id.filter(|id| !id.is_empty());
    let physical_id = match (known_id, given, &failure) {
        // The answer to a deletion names what was deleted, and a failed update has replaced nothing.
        (Some(known), _, _) if is_delete => known,
        (Some(known), None, _) => known,
        (_, Some(given), _) => given,
        (None, None, Some(failure)) if !failure.handled => NEVER_MADE.to_owned(),
        (None, None, _) => request.stable_id(),
    };
    let write = |failure: Option<&Failure>| {
        let reason = failure.map_or("", |failure| shortened(&failure.reason));
        let reason = if failure.is_some() && reason.is_empty() {
            "the function gave no reason"
        } else {
            reason
        };
        let nothing = BTreeMap::new();
        serde_json::to_vec(&Answer {
            status: if failure.is_some() {
                "FAILED"
            } else {
                "SUCCESS"
            },
            reason,
            physical_resource_id: &physical_id,
            stack_id: &request.stack_id,
            request_id: &request.request_id,
            logical_resource_id: &request.logical_id,
            no_echo: provided.no_echo,
            data: if failure.is_some() {
                &nothing
            } else {
                &provided.data
            },
        })
    };
    let written = write(failure.as_ref())?;
    if written.len() <= LARGEST_ANSWER || failure.is_some() {
        return Ok(written);
    }
    let too_large = Failure {
        reason: format!(
            "the answer has {} bytes and CloudFormation takes {LARGEST_ANSWER}: return less data",
            written.len()
        ),
        handled: true,
    };
    error!(error = too_large.reason, "the request failed");
    failure = Some(too_large);
    write(failure.as_ref())
}

/// Cuts a reason where it becomes too long, between two characters.
fn shortened(reason: &str) -> &str {
    let mut end = reason.len().min(LONGEST_REASON);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    reason.get(..end).unwrap_or_default()
}

/// Puts the answer to the address that CloudFormation gave, again and again while there is time.
async fn send(
    http: &HttpClient,
    url: &str,
    body: Vec<u8>,
    end: Instant,
) -> Result<(), AnswerError> {
    let mut tried = 0;
    loop {
        tried += 1;
        // The address is signed for requests without a content type.
        let headers = [("content-type".to_owned(), String::new())];
        let failure = match http.send("PUT", url, headers, body.clone()).await {
            Ok(answer) if (200..300).contains(&answer.status) => return Ok(()),
            Ok(answer) => AnswerError::Refused(answer.status),
            Err(failure) => AnswerError::Send(failure),
        };
        let passing = match &failure {
            AnswerError::Refused(status) => *status >= 500 || *status == 429,
            AnswerError::Send(HttpFailure::Request(_)) => false,
            _ => true,
        };
        let pause = PAUSE * 2_u32.pow(tried - 1);
        if !passing || tried == TRIES || Instant::now() + pause >= end {
            return Err(failure);
        }
        warn!(error = chain(&failure), "the answer is sent again");
        tokio::time::sleep(pause).await;
    }
}

fn unanswered(failure: &AnswerError) -> Diagnostic {
    error!(error = chain(failure), "CloudFormation got no answer");
    Diagnostic {
        error_type: "AnswerError".to_owned(),
        error_message: failure.to_string(),
    }
}

#[cfg(test)]
mod tests;
