//! Plain requests: those that go to an API of the user and not to AWS.

use aws_smithy_http_client::{
    Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::SharedHttpConnector;

/// Makes what sends requests to an address: with TLS, where the address asks for it.
pub(crate) fn http(url: &str) -> SharedHttpConnector {
    let connector = if url.starts_with("http://") {
        Connector::builder().build_http()
    } else {
        Connector::builder()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build()
    };
    SharedHttpConnector::new(connector)
}
