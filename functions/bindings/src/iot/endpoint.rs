//! Asks for the address of the broker.
//!
//! The SDK's client of IoT Core has hundreds of operations, and would be the largest crate of all for this one. The
//! request is one GET, signed with the SDK's own signer.

use std::time::{Duration, SystemTime};

use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use serde::Deserialize;

use super::IotEndpoint;
use crate::environment::{Connect, Environment, VariableFault};
use crate::error::{CallError, Reason};
use crate::http::{HttpAnswer, HttpClient, HttpFailure};

const ACTION: &str = "ask for";
const RESOURCE: &str = "the data endpoint of IoT Core";

/// How often the service is asked, and how long the first pause is; each is twice the last.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(100);

/// What asking takes.
pub(super) struct Asked {
    http: HttpClient,
    /// The scheme and host of the service.
    base: String,
    region: String,
    credentials: Option<SharedCredentialsProvider>,
}

impl Connect for IotEndpoint {
    fn connect(environment: &Environment, value: &str) -> Result<Self, VariableFault> {
        let suffix = if value.starts_with("cn-") {
            "amazonaws.com.cn"
        } else {
            "amazonaws.com"
        };
        let base = environment
            .own_endpoint("AWS_ENDPOINT_URL_IOT")
            .unwrap_or_else(|| format!("https://iot.{value}.{suffix}"));
        Ok(Self::at(
            base,
            value,
            environment.sdk().credentials_provider(),
        ))
    }
}

/// The answer of <https://docs.aws.amazon.com/iot/latest/apireference/API_DescribeEndpoint.html>.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    endpoint_address: String,
}

impl IotEndpoint {
    /// Asks the service at the given address, for tests.
    pub fn at(
        base: impl Into<String>,
        region: impl Into<String>,
        credentials: Option<SharedCredentialsProvider>,
    ) -> Self {
        Self {
            inner: Asked {
                http: HttpClient::new(),
                base: base.into(),
                region: region.into(),
                credentials,
            },
        }
    }

    /// Returns the host at which devices and functions reach the broker, with a certificate of Amazon's own
    /// (`iot:Data-ATS`).
    ///
    /// # Errors
    ///
    /// Fails where the service cannot be asked, even after retries.
    pub async fn data_ats(&self) -> Result<String, CallError> {
        let mut tried = 0;
        loop {
            tried += 1;
            let failure = match self.ask().await {
                Ok(answer) if answer.status == 200 => {
                    return serde_json::from_slice::<Described>(&answer.body)
                        .map(|described| described.endpoint_address)
                        .map_err(|error| failed(Reason::Decode).caused_by(error));
                }
                Ok(answer) => refused(&answer),
                Err(failure) => failure,
            };
            let passing = matches!(
                failure.reason(),
                Reason::Throttled | Reason::Service | Reason::Timeout | Reason::Unreachable
            );
            if !passing || tried == TRIES {
                return Err(failure);
            }
            tokio::time::sleep(PAUSE * 2_u32.pow(tried - 1)).await;
        }
    }

    async fn ask(&self) -> Result<HttpAnswer, CallError> {
        let asked = &self.inner;
        let uri = format!(
            "{}/endpoint?endpointType=iot%3AData-ATS",
            asked.base.trim_end_matches('/')
        );
        let credentials = asked
            .credentials
            .as_ref()
            .ok_or_else(|| failed(Reason::AccessDenied))?
            .provide_credentials()
            .await
            .map_err(|error| failed(Reason::AccessDenied).caused_by(error))?;
        let identity = credentials.into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(&asked.region)
            .name("iot")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| failed(Reason::Encode).caused_by(error))?
            .into();
        let request =
            SignableRequest::new("GET", &uri, std::iter::empty(), SignableBody::Bytes(&[]))
                .map_err(|error| failed(Reason::Encode).caused_by(error))?;
        let (instructions, _) = sign(request, &params)
            .map_err(|error| failed(Reason::Encode).caused_by(error))?
            .into_parts();
        let headers = instructions
            .headers()
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let headers: Vec<_> = headers.collect();
        let sent = asked.http.send("GET", &uri, headers, Vec::new()).await;
        sent.map_err(|failure| {
            let reason = match failure {
                HttpFailure::Request(_) => Reason::Encode,
                HttpFailure::Timeout => Reason::Timeout,
                HttpFailure::Connection(_) => Reason::Unreachable,
            };
            failed(reason).caused_by(failure)
        })
    }
}

/// Finds out why the service refused; the header holds the code, and perhaps more after a colon.
fn refused(answer: &HttpAnswer) -> CallError {
    let code = answer
        .error_type
        .as_deref()
        .and_then(|value| value.split(':').next());
    match (code, answer.status) {
        (Some(code), _) => CallError::with_code(ACTION, RESOURCE, code),
        (None, 401 | 403) => failed(Reason::AccessDenied),
        (None, 429) => failed(Reason::Throttled),
        (None, 400..=499) => failed(Reason::Invalid),
        (None, _) => failed(Reason::Service),
    }
}

fn failed(reason: Reason) -> CallError {
    CallError::new(ACTION, RESOURCE, reason)
}
