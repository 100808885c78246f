//! Cross-origin resource sharing: which web pages may call an API.

use std::collections::BTreeMap;

use super::integration::Integration;
use super::method::HttpMethod;
use super::response::{Response, StatusCode};
use crate::limit::Limited;

/// Which web pages may call the methods of a resource, and how.
///
/// The resource gets a preflight, an `OPTIONS` method that API Gateway answers itself without asking who calls, and
/// the answers of its methods get the header that lets the page read them. A proxy integration hands on the headers of
/// its function alone, so there the function has to set `Access-Control-Allow-Origin`. See
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-cors.html>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cors {
    origin: CorsOrigin,
    methods: Vec<HttpMethod>,
    /// Request headers that pages may set beyond the simple ones, such as `Content-Type` for JSON.
    pub headers: Vec<String>,
    /// How long a browser may remember the answer to a preflight, in seconds; 5 seconds where it is not said.
    pub max_age: Option<CorsMaxAge>,
}

/// How long the answer to a preflight may be remembered: up to a day, in seconds.
pub type CorsMaxAge = Limited<0, 86_400>;

/// Where pages that may call come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CorsOrigin {
    /// Any page, which then cannot send cookies or other credentials of its own.
    Any,
    /// Pages of one origin.
    One {
        /// The scheme and host, such as `https://www.example.com`.
        origin: String,
        /// Whether the pages may send cookies and other credentials of the browser.
        credentials: bool,
    },
}

impl Cors {
    /// Lets pages from an origin call the given methods.
    pub fn new(origin: CorsOrigin, methods: impl IntoIterator<Item = HttpMethod>) -> Self {
        Self {
            origin,
            methods: methods.into_iter().collect(),
            headers: Vec::new(),
            max_age: None,
        }
    }

    /// Returns what is wrong, if anything.
    pub(super) fn violation(&self) -> Option<String> {
        if self.methods.is_empty() {
            return Some(
                "the preflight allows no method: name those that pages may call".to_owned(),
            );
        }
        let CorsOrigin::One { origin, .. } = &self.origin else {
            return None;
        };
        let host = origin
            .strip_prefix("https://")
            .or_else(|| origin.strip_prefix("http://"));
        let fits =
            host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '\'', '*', ' ', ',']));
        (!fits).then(|| {
            format!(
                "`{origin}` is not an origin: it needs the form https://host, without a path or a slash at the end"
            )
        })
    }

    /// Returns the headers that the answers of the resource's methods carry.
    pub(super) fn response_headers(&self) -> BTreeMap<String, String> {
        let mut headers = BTreeMap::new();
        let mut put = |name: &str, value: &str| headers.insert(name.to_owned(), value.to_owned());
        match &self.origin {
            CorsOrigin::Any => {
                put("Access-Control-Allow-Origin", "*");
            }
            CorsOrigin::One {
                origin,
                credentials,
            } => {
                put("Access-Control-Allow-Origin", origin);
                put("Vary", "Origin");
                if *credentials {
                    put("Access-Control-Allow-Credentials", "true");
                }
            }
        }
        headers
    }

    /// Returns the integration of the preflight.
    pub(super) fn preflight(&self) -> Integration {
        let mut response = Response::new(StatusCode::from(204), None, None);
        response.headers = self.response_headers();
        let methods: Vec<&str> = self.methods.iter().map(|method| method.name()).collect();
        response
            .headers
            .insert("Access-Control-Allow-Methods".to_owned(), methods.join(","));
        if !self.headers.is_empty() {
            response.headers.insert(
                "Access-Control-Allow-Headers".to_owned(),
                self.headers.join(","),
            );
        }
        if let Some(seconds) = self.max_age {
            response.headers.insert(
                "Access-Control-Max-Age".to_owned(),
                seconds.get().to_string(),
            );
        }
        Integration::mock_response(response)
    }
}
