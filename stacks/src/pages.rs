//! Web pages of any origin, which call the APIs of every system.

use stack_model::apigateway::{Cors, CorsOrigin, HttpMethod, Preflight};

/// The headers by which clients show who they are to an API of AWS: the parts of a signature, a token or a key.
pub(crate) const AWS_HEADERS: [&str; 5] = [
    "Content-Type",
    "X-Amz-Date",
    "Authorization",
    "X-Api-Key",
    "X-Amz-Security-Token",
];

/// What the SDKs of AWS send besides, because a page cannot set the header that browsers have for it.
pub(crate) const USER_AGENT: &str = "X-Amz-User-Agent";

/// Lets pages of any origin call methods, with some headers of their own. They cannot send cookies along, and need not:
/// what proves who calls stands in headers that they set themselves.
pub(crate) fn cors<'a>(
    methods: impl IntoIterator<Item = HttpMethod>,
    headers: impl IntoIterator<Item = &'a str>,
) -> Cors {
    let mut cors = Cors::new(CorsOrigin::Any, methods);
    cors.headers = headers.into_iter().map(str::to_owned).collect();
    cors.preflight = Preflight::EmptyObject;
    cors
}
