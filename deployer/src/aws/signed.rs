//! Calls of services without a client of the SDK, signed with the SDK's own signer.
//!
//! Looking at what a deploy will meet takes one or two calls of many services. A client of each would cost minutes of
//! compile time; the requests are a few lines.

mod host;
mod service;

use std::{
    collections::BTreeMap,
    error::Error as _,
    sync::{Arc, OnceLock, PoisonError},
    time::{Duration, SystemTime},
};

use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials as _, SharedCredentialsProvider},
};
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4::SigningParams,
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector as _, SharedHttpConnector},
    orchestrator::HttpRequest,
};
use aws_smithy_types::body::SdkBody;
use serde_json::Value;
use tokio::{sync::Mutex, time::error::Elapsed};

use super::{AwsError, Clients, Fault, http, rate::Turns, xml::Element};
use crate::engine::SystemTiming;
use host::host;
pub(crate) use host::{Home, encoded, is_known, suffix};
pub(crate) use service::{
    ACM, CLOUD_CONTROL, CODE_BUILD, DYNAMODB, QUOTAS, SECRETS, STATES, USER_POOLS, WEB_ACLS,
};

/// How often a call is tried before it fails, the first time included.
const ATTEMPTS: u32 = 3;

/// How long the first pause between two tries is; each is twice the last.
const PAUSE: Duration = Duration::from_millis(200);

/// How long one answer may take. One that takes longer is not waited for again.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long nobody asks a host again that gave no answer. Many calls go to one host, and each would wait as long for it.
const SILENCE: Duration = Duration::from_mins(1);

/// The longest that credentials are used before they end.
const MARGIN: Duration = Duration::from_mins(1);

/// What signed calls of all regions of one target have in common.
pub(super) struct Signer {
    provider: Option<SharedCredentialsProvider>,
    /// Credentials that were provided: asking for them may be a call, too.
    credentials: Mutex<Option<Credentials>>,
    /// Made when it is needed: reading the root certificates of the system takes a while.
    connector: OnceLock<SharedHttpConnector>,
    endpoint_url: Option<String>,
    turns: Turns,
    timeout: Duration,
    /// The hosts that gave no answer, and when.
    silent: std::sync::Mutex<BTreeMap<String, SystemTime>>,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").finish_non_exhaustive()
    }
}

impl Signer {
    pub(super) fn new(
        provider: Option<SharedCredentialsProvider>,
        endpoint_url: Option<String>,
    ) -> Self {
        Self {
            provider,
            credentials: Mutex::new(None),
            connector: OnceLock::new(),
            endpoint_url,
            turns: Turns::new(Arc::new(SystemTiming)),
            timeout: TIMEOUT,
            silent: std::sync::Mutex::default(),
        }
    }

    /// Has a script answer.
    #[cfg(test)]
    pub(super) fn scripted(
        connector: SharedHttpConnector,
        timing: Arc<dyn crate::engine::Timing>,
        timeout: Option<Duration>,
    ) -> Self {
        let credentials = Credentials::new("AKIA", "secret", None, None, "script");
        let signer = Self::new(Some(SharedCredentialsProvider::new(credentials)), None);
        let _ = signer.connector.set(connector);
        Self {
            turns: Turns::new(timing),
            timeout: timeout.unwrap_or(TIMEOUT),
            ..signer
        }
    }

    /// Returns whether a host gave no answer a short time ago.
    fn is_silent(&self, host: &str) -> bool {
        let silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        let past = |at: &SystemTime| self.turns.now().duration_since(*at).ok();
        silent
            .get(host)
            .and_then(past)
            .is_some_and(|past| past < SILENCE)
    }

    fn note_silent(&self, host: &str) {
        let mut silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        silent.insert(host.to_owned(), self.turns.now());
    }

    async fn credentials(&self, operation: &'static str) -> Result<Credentials, AwsError> {
        let mut kept = self.credentials.lock().await;
        let soon = SystemTime::now() + MARGIN;
        if let Some(credentials) = &*kept
            && credentials.expiry().is_none_or(|end| end > soon)
        {
            return Ok(credentials.clone());
        }
        let Some(provider) = &self.provider else {
            return Err(AwsError::without_answer(
                operation,
                Fault::NoCredentials,
                None,
            ));
        };
        let credentials = provider.provide_credentials().await.map_err(|error| {
            AwsError::without_answer(operation, Fault::NoCredentials, Some(error.into()))
        })?;
        *kept = Some(credentials.clone());
        Ok(credentials)
    }
}

/// One request, before it is signed.
struct Request<'a> {
    operation: &'static str,
    service: &'a str,
    region: &'a str,
    method: &'static str,
    /// The whole address.
    url: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Clients {
    /// Sends a request, again where that may help. Returns the body of the answer.
    ///
    /// What is signed carries a token of the caller, which no partition gets but their own.
    async fn signed(&self, request: Request<'_>) -> Result<String, AwsError> {
        let region = self.region();
        if !is_known(region) {
            let reason = format!("the hosts of the partition of {region} are not known");
            return Err(AwsError::without_answer(
                request.operation,
                Fault::Unknown,
                Some(reason.into()),
            ));
        }
        let signer = self.signer();
        let host = host(&request.url);
        let mut tried = 0;
        loop {
            if signer.is_silent(host) {
                let error = format!("{host} gave no answer a moment ago");
                return Err(AwsError::without_answer(
                    request.operation,
                    Fault::Unreachable,
                    Some(error.into()),
                ));
            }
            tried += 1;
            let error = match self.send(&request).await {
                Ok(body) => return Ok(body),
                Err(error) => error,
            };
            let timed_out = matches!(error.source(), Some(source) if source.is::<Elapsed>());
            let passing = match error.fault() {
                Fault::Throttled { .. } | Fault::Unreachable => true,
                Fault::Service { code, .. } => code.starts_with("HTTP 5"),
                _ => false,
            };
            if !passing || timed_out || tried == ATTEMPTS {
                if matches!(error.fault(), Fault::Unreachable) {
                    signer.note_silent(host);
                }
                return Err(error);
            }
            signer.turns.pause(PAUSE * 2_u32.pow(tried - 1)).await;
        }
    }

    async fn send(&self, request: &Request<'_>) -> Result<String, AwsError> {
        let operation = request.operation;
        let not_made = |error: Box<dyn std::error::Error + Send + Sync>| {
            AwsError::without_answer(operation, Fault::Unknown, Some(error))
        };
        let signer = self.signer();
        let identity = signer.credentials(operation).await?.into();
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region(request.region)
            .name(request.service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| not_made(error.into()))?
            .into();
        let headers = request
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        let body = SignableBody::Bytes(request.body.as_bytes());
        let signable = SignableRequest::new(request.method, request.url.as_str(), headers, body)
            .map_err(|error| not_made(error.into()))?;
        let (instructions, _) = sign(signable, &parameters)
            .map_err(|error| not_made(error.into()))?
            .into_parts();

        let mut http_request = HttpRequest::new(SdkBody::from(request.body.as_str()));
        http_request
            .set_method(request.method)
            .map_err(|error| not_made(error.into()))?;
        http_request
            .set_uri(request.url.as_str())
            .map_err(|error| not_made(error.into()))?;
        let agent = concat!("stackctl/", env!("CARGO_PKG_VERSION"));
        http_request.headers_mut().insert("user-agent", agent);
        for (name, value) in &request.headers {
            http_request.headers_mut().insert(*name, value.clone());
        }
        for (name, value) in instructions.headers() {
            http_request
                .headers_mut()
                .insert(name.to_owned(), value.to_owned());
        }

        let api = signer.turns.wait(&http_request).await;
        let connector = signer.connector.get_or_init(|| http(&request.url));
        let unreachable = |error: Box<dyn std::error::Error + Send + Sync>| {
            AwsError::without_answer(operation, Fault::Unreachable, Some(error))
        };
        let answered = async {
            let answer = connector
                .call(http_request)
                .await
                .map_err(|error| unreachable(error.into()))?;
            let status = answer.status().as_u16();
            let kind = answer.headers().get("x-amzn-errortype").map(str::to_owned);
            let body = aws_smithy_types::byte_stream::ByteStream::new(answer.into_body())
                .collect()
                .await
                .map_err(|error| unreachable(error.into()))?;
            let body = String::from_utf8_lossy(&body.into_bytes()).into_owned();
            Ok((status, kind, body))
        };
        let (status, kind, body) = tokio::time::timeout(signer.timeout, answered)
            .await
            .map_err(|error| unreachable(error.into()))??;
        if (200..300).contains(&status) {
            return Ok(body);
        }
        let error = match refusal(kind.as_deref(), &body) {
            Some((code, message)) => AwsError::service(operation, &code, &message),
            None => AwsError::answered(operation, status),
        };
        if let (Fault::Throttled { .. }, Some(api)) = (error.fault(), &api) {
            signer.turns.slow(api);
        }
        Err(error)
    }
}

/// Returns the code and the message of an error.
///
/// Services that speak JSON name the code in a header or in the body, perhaps after a namespace and before an address
/// (<https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization>); the others in an
/// element (<https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html>).
fn refusal(header: Option<&str>, body: &str) -> Option<(String, String)> {
    let bare = |code: &str| {
        let code = code.split(':').next().unwrap_or(code);
        code.rsplit('#').next().unwrap_or(code).to_owned()
    };
    if let Ok(body) = serde_json::from_str::<Value>(body) {
        let code = header
            .or_else(|| body["__type"].as_str())
            .or_else(|| body["code"].as_str())?;
        let message = body["message"]
            .as_str()
            .or_else(|| body["Message"].as_str());
        return Some((bare(code), message.unwrap_or_default().to_owned()));
    }
    let answer = Element::parse(body);
    let error = answer.as_ref().and_then(|answer| answer.at(&["Error"]));
    if let Some(error) = error {
        let message = error.text_at(&["Message"]).unwrap_or_default();
        return Some((error.text_at(&["Code"])?.to_owned(), message.to_owned()));
    }
    header.map(|code| (bare(code), String::new()))
}

#[cfg(test)]
mod tests {
    use super::refusal;

    #[test]
    fn errors_are_told_apart_by_their_codes() {
        let of = |header, body| {
            refusal(header, body).map(|(code, message)| format!("{code}: {message}"))
        };
        assert_eq!(
            of(
                None,
                r#"{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"no"}"#
            )
            .as_deref(),
            Some("AccessDeniedException: no")
        );
        assert_eq!(
            of(
                Some("NotFoundException:http://internal.amazon.com/"),
                r#"{"message":"gone"}"#
            )
            .as_deref(),
            Some("NotFoundException: gone")
        );
        assert_eq!(
            of(None, "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>").as_deref(),
            Some("Throttling: Rate exceeded")
        );
        assert_eq!(of(None, "<html></html>"), None);
        assert_eq!(of(None, "{}"), None);
    }
}
