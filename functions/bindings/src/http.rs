//! Requests that no SDK client makes.

use std::error::Error;
use std::time::Duration;

use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::http::{HttpConnector as _, SharedHttpConnector};
use aws_smithy_runtime_api::http::Request;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends requests over the same TLS stack as the SDK.
#[derive(Clone, Debug)]
pub(crate) struct HttpClient {
    connector: SharedHttpConnector,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct HttpAnswer {
    pub(crate) status: u16,
    /// The header in which AWS names an error.
    #[cfg_attr(
        not(feature = "iot"),
        expect(dead_code, reason = "only calls to a service have such errors")
    )]
    pub(crate) error_type: Option<String>,
    #[cfg_attr(
        not(feature = "iot"),
        expect(dead_code, reason = "CloudFormation's answer has no content")
    )]
    pub(crate) body: Vec<u8>,
}

/// Why there is no answer. The address is left out: a pre-signed one is a secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpFailure {
    #[error("the request cannot be made")]
    Request(#[source] Box<dyn Error + Send + Sync>),
    #[error("there was no answer in time")]
    Timeout,
    #[error("the server cannot be reached, or broke off")]
    Connection(#[source] Box<dyn Error + Send + Sync>),
}

impl HttpClient {
    pub(crate) fn new() -> Self {
        let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
        let connector = Connector::builder().tls_provider(provider).build();
        Self {
            connector: SharedHttpConnector::new(connector),
        }
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        uri: &str,
        headers: impl IntoIterator<Item = (String, String)>,
        body: Vec<u8>,
    ) -> Result<HttpAnswer, HttpFailure> {
        let length = body.len().to_string();
        let mut request = Request::new(SdkBody::from(body));
        request.set_method(method).map_err(unusable)?;
        request.set_uri(uri).map_err(unusable)?;
        for (name, value) in headers {
            let headers = request.headers_mut();
            headers.try_insert(name, value).map_err(unusable)?;
        }
        if method != "GET" {
            let headers = request.headers_mut();
            headers
                .try_insert("content-length", length)
                .map_err(unusable)?;
        }
        tokio::time::timeout(PATIENCE, self.exchange(request))
            .await
            .unwrap_or(Err(HttpFailure::Timeout))
    }

    async fn exchange(&self, request: Request) -> Result<HttpAnswer, HttpFailure> {
        let answer = self
            .connector
            .call(request)
            .await
            .map_err(|error| HttpFailure::Connection(Box::new(error)))?;
        let status = answer.status().as_u16();
        let error_type = answer.headers().get("x-amzn-errortype").map(str::to_owned);
        let body = ByteStream::new(answer.into_body())
            .collect()
            .await
            .map_err(|error| HttpFailure::Connection(Box::new(error)))?;
        Ok(HttpAnswer {
            status,
            error_type,
            body: body.to_vec(),
        })
    }
}

fn unusable(error: impl Error + Send + Sync + 'static) -> HttpFailure {
    HttpFailure::Request(Box::new(error))
}
