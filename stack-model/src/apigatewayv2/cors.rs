//! Cross-origin resource sharing: which web pages may call an HTTP API.

use stack_model_cfn::apigatewayv2::api as cfn;
use stack_model_cfn::{List, Value};

use crate::apigateway::{CorsOrigin, HttpMethod};
use crate::limit::Limited;

/// How long a browser may remember the answer to a preflight: up to a day, in seconds.
pub type HttpCorsMaxAge = Limited<0, 86_400>;

/// Which web pages may call an HTTP API, and how.
///
/// The API answers preflights itself, and sets the headers of all answers; what a function sets is overwritten. See
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpCors {
    /// Where the pages come from.
    pub origin: CorsOrigin,
    /// What they may use; `Any` stands for all methods.
    pub methods: Vec<HttpMethod>,
    /// Request headers that pages may set beyond the simple ones, such as `content-type` for JSON.
    pub headers: Vec<String>,
    /// Response headers that pages may read beyond the simple ones.
    pub expose: Vec<String>,
    /// How long a browser may remember the answer to a preflight; 5 seconds where it is not said.
    pub max_age: Option<HttpCorsMaxAge>,
}

impl HttpCors {
    /// Lets pages from an origin call with the given methods.
    pub fn new(origin: CorsOrigin, methods: impl IntoIterator<Item = HttpMethod>) -> Self {
        Self {
            origin,
            methods: methods.into_iter().collect(),
            headers: Vec::new(),
            expose: Vec::new(),
            max_age: None,
        }
    }

    fn origins(&self) -> (Vec<String>, bool) {
        match &self.origin {
            CorsOrigin::Any => (vec!["*".to_owned()], false),
            CorsOrigin::One {
                origin,
                credentials,
            } => (vec![origin.clone()], *credentials),
            CorsOrigin::Several {
                origins,
                credentials,
            } => (origins.clone(), *credentials),
        }
    }

    /// Returns what is wrong, if anything.
    pub(super) fn violation(&self) -> Option<String> {
        let (origins, credentials) = self.origins();
        if origins.is_empty() {
            return Some("no page may call: name an origin".to_owned());
        }
        if self.methods.is_empty() {
            return Some("pages may call with no method: name those that they may use".to_owned());
        }
        let wild = |names: &[String]| names.iter().any(|name| name == "*");
        if credentials
            && (self.methods.contains(&HttpMethod::Any)
                || wild(&self.headers)
                || wild(&self.expose))
        {
            return Some(
                "browsers that send credentials take `*` for a name: name the methods and headers"
                    .to_owned(),
            );
        }
        let wrong = origins.iter().find(|origin| {
            let host = origin
                .split_once("://")
                .map(|(scheme, host)| (scheme.is_empty(), host));
            self.origin != CorsOrigin::Any
                && host.is_none_or(|(no_scheme, host)| {
                    no_scheme || host.is_empty() || host.contains(['/', '*', ' ', ','])
                })
        })?;
        Some(format!(
            "`{wrong}` is not an origin: it needs the form https://host, without a path or a slash at the end"
        ))
    }

    pub(super) fn render(self) -> cfn::Cors {
        let (origins, credentials) = self.origins();
        let methods = self.methods.iter().map(|method| match method {
            HttpMethod::Any => "*",
            method => method.name(),
        });
        cfn::Cors {
            allow_credentials: credentials.then_some(true).into(),
            allow_headers: some(self.headers).into(),
            allow_methods: some(methods).into(),
            allow_origins: some(origins).into(),
            expose_headers: some(self.expose).into(),
            max_age: self.max_age.map(Limited::number).into(),
        }
    }
}

fn some<T: Into<String>>(elements: impl IntoIterator<Item = T>) -> Option<List<String>> {
    let elements: List<String> = elements
        .into_iter()
        .map(|element| Value::Literal(element.into()))
        .collect();
    (!elements.is_empty()).then_some(elements)
}
