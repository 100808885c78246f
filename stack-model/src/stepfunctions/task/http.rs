//! Tasks that call an API over HTTPS.

use stack_model_cfn::{Pseudo, Value};

use super::{Task, integration};
use crate::payload;
use crate::policy::Statement;
use crate::stepfunctions::Payload;
use crate::stepfunctions::flow::Own;
use crate::text;

/// Calling an API over HTTPS.
#[derive(Debug)]
pub enum Http {}

/// The method of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpVerb {
    /// Reads.
    Get,
    /// Reads what a GET would bring but the body.
    Head,
    /// Asks what can be called.
    Options,
    /// Makes something.
    Post,
    /// Puts something in a place.
    Put,
    /// Changes something.
    Patch,
    /// Deletes something.
    Delete,
}

impl HttpVerb {
    const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// One call of an API.
///
/// See <https://docs.aws.amazon.com/step-functions/latest/dg/call-https-apis.html>.
#[derive(Clone, Debug)]
pub struct HttpCall {
    /// The method.
    pub method: HttpVerb,
    /// The address, which begins with `https://`.
    pub endpoint: Value<String>,
    /// The ARN of the connection of EventBridge that brings the credentials.
    pub connection: Value<String>,
    /// The body.
    pub body: Option<Payload>,
    /// Parameters of the query.
    pub query: Option<Payload>,
    /// Headers.
    pub headers: Option<Payload>,
}

impl Task<Http> {
    /// Calls an API; the result has `ResponseBody`, `StatusCode` and `Headers`.
    pub fn http(call: HttpCall) -> Self {
        let mut parameters = payload!({
            "ApiEndpoint": call.endpoint.clone(),
            "Authentication": { "ConnectionArn": call.connection.clone() },
            "Method": call.method.name(),
        });
        if let Payload::Object(entries) = &mut parameters {
            let given = [
                ("RequestBody", call.body),
                ("QueryParameters", call.query),
                ("Headers", call.headers),
            ];
            for (name, payload) in given {
                entries.extend(payload.map(|payload| (name.to_owned(), payload)));
            }
        }
        let endpoint = call.endpoint.literal().cloned();
        let secrets = text!(
            "arn:{}:secretsmanager:{}:{}:secret:events!connection/*",
            Pseudo::Partition,
            Pseudo::Region,
            Pseudo::AccountId
        );
        let statements = [
            Statement::allow(["events:RetrieveConnectionCredentials"]).on(call.connection),
            Statement::allow([
                "secretsmanager:DescribeSecret",
                "secretsmanager:GetSecretValue",
            ])
            .on(secrets)
            .because("EventBridge names the secret of a connection itself"),
        ];
        let invoke = Statement::allow(["states:InvokeHTTPEndpoint"])
            .when("StringEquals", "states:HTTPMethod", call.method.name())
            .when("StringEquals", "states:HTTPEndpoint", call.endpoint);
        let mut task = Self::calling(integration("http", "invoke"), Some(parameters), statements)
            .owning(Own::StateMachine, invoke);
        if endpoint.is_some_and(|address| !address.starts_with("https://")) {
            task.state
                .wrong
                .push("calls an address that does not begin with `https://`".to_owned());
        }
        task
    }
}
