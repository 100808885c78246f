//! Cross-origin resource sharing: which web pages may call an API.

use std::collections::BTreeMap;

use super::integration::Integration;
use super::method::HttpMethod;
use super::response::{Response, StatusCode};
use super::template::MappingTemplate;
use crate::limit::Limited;
use crate::text;

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
    /// What the preflight answers.
    pub preflight: Preflight,
    /// Whether the answers of methods say, too, which methods and headers are allowed. Browsers only look at the
    /// preflight for that; other clients may expect it.
    pub repeated: bool,
}

/// What a preflight answers; browsers take both alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preflight {
    /// 204 without a body.
    #[default]
    NoContent,
    /// 200 and `{}`.
    EmptyObject,
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
    /// Pages of several origins. Each gets its own in the answer; pages of others get the first, which is not theirs.
    Several {
        /// The schemes and hosts, such as `https://www.example.com`.
        origins: Vec<String>,
        /// Whether the pages may send cookies and other credentials of the browser.
        credentials: bool,
    },
}

impl CorsOrigin {
    fn origins(&self) -> &[String] {
        match self {
            Self::Any => &[],
            Self::One { origin, .. } => std::slice::from_ref(origin),
            Self::Several { origins, .. } => origins,
        }
    }

    const fn credentials(&self) -> bool {
        match self {
            Self::Any => false,
            Self::One { credentials, .. } | Self::Several { credentials, .. } => *credentials,
        }
    }
}

impl Cors {
    /// Lets pages from an origin call the given methods.
    pub fn new(origin: CorsOrigin, methods: impl IntoIterator<Item = HttpMethod>) -> Self {
        Self {
            origin,
            methods: methods.into_iter().collect(),
            headers: Vec::new(),
            max_age: None,
            preflight: Preflight::default(),
            repeated: false,
        }
    }

    /// Returns what is wrong, if anything.
    pub(super) fn violation(&self) -> Option<String> {
        if self.methods.is_empty() {
            return Some(
                "the preflight allows no method: name those that pages may call".to_owned(),
            );
        }
        if self.origin != CorsOrigin::Any && self.origin.origins().is_empty() {
            return Some("no page may call: name an origin".to_owned());
        }
        let wrong = self.origin.origins().iter().find(|origin| {
            let host = origin
                .strip_prefix("https://")
                .or_else(|| origin.strip_prefix("http://"));
            host.is_none_or(|host| {
                host.is_empty() || host.contains(['/', '\'', '*', ' ', ',', '$', '#'])
            })
        })?;
        Some(format!(
            "`{wrong}` is not an origin: it needs the form https://host, without a path or a slash at the end"
        ))
    }

    /// Returns the start of a mapping template that answers with the origin of the page, where several may call.
    ///
    /// A header of an answer has one value, so the first origin stands in the answer and is replaced where the page
    /// comes from another that may call. Browsers of HTTP/2 write the name of the header in small letters.
    pub(super) fn template_prefix(&self) -> Option<String> {
        let (_, others) = self.origin.origins().split_first()?;
        if others.is_empty() {
            return None;
        }
        let others: Vec<String> = others
            .iter()
            .map(|origin| format!("$origin == '{origin}'"))
            .collect();
        Some(format!(
            "#set($origin = $input.params('Origin'))#if($origin == '')#set($origin = $input.params('origin'))#end\
             #if({})#set($context.responseOverride.header.Access-Control-Allow-Origin = $origin)#end",
            others.join(" || ")
        ))
    }

    /// Puts the headers, and what chooses the origin, into an answer.
    pub(super) fn apply(&self, response: &mut Response) {
        response.headers.append(&mut self.response_headers());
        if self.repeated {
            response.headers.append(&mut self.allowed());
        }
        if let Some(prefix) = self.template_prefix() {
            let body = response
                .template
                .as_ref()
                .map_or_else(|| "$input.body".into(), |template| template.text.clone());
            response.template = Some(MappingTemplate::vtl(text!("{}{}", prefix, body)));
        }
    }

    /// Says why pages could not call a method, if so. Browsers ask about every method but `GET`, `HEAD` and `POST`,
    /// which every page may use.
    pub(super) fn refuses(&self, method: HttpMethod) -> Option<String> {
        let asked = matches!(
            method,
            HttpMethod::Delete | HttpMethod::Patch | HttpMethod::Put
        );
        (asked && !self.methods.contains(&method)).then(|| {
            format!(
                "the preflight of the resource does not allow {}, so no page could call this method: name it in `Cors::new`",
                method.name()
            )
        })
    }

    /// Returns the headers of answers that API Gateway makes itself.
    pub(super) fn error_headers(&self) -> BTreeMap<String, String> {
        let mut headers = self.response_headers();
        if !self.headers.is_empty() {
            headers.insert(
                "Access-Control-Allow-Headers".to_owned(),
                self.headers.join(","),
            );
        }
        headers
    }

    /// Returns the headers that the answers of the resource's methods carry.
    pub(super) fn response_headers(&self) -> BTreeMap<String, String> {
        let mut headers = BTreeMap::new();
        let mut put = |name: &str, value: &str| headers.insert(name.to_owned(), value.to_owned());
        match self.origin.origins().first() {
            None => {
                put("Access-Control-Allow-Origin", "*");
            }
            Some(origin) => {
                put("Access-Control-Allow-Origin", origin);
                put("Vary", "Origin");
                if self.origin.credentials() {
                    put("Access-Control-Allow-Credentials", "true");
                }
            }
        }
        headers
    }

    /// Returns the headers that say which methods and headers are allowed.
    fn allowed(&self) -> BTreeMap<String, String> {
        let methods: Vec<&str> = self.methods.iter().map(|method| method.name()).collect();
        let methods = ("Access-Control-Allow-Methods".to_owned(), methods.join(","));
        let headers = (!self.headers.is_empty()).then(|| {
            (
                "Access-Control-Allow-Headers".to_owned(),
                self.headers.join(","),
            )
        });
        [methods].into_iter().chain(headers).collect()
    }

    /// Returns the integration of the preflight.
    pub(super) fn preflight(&self) -> Integration {
        let mut response = match self.preflight {
            Preflight::NoContent => Response::new(StatusCode::from(204), None, None),
            Preflight::EmptyObject => {
                let empty = MappingTemplate::json(&serde_json::json!({}));
                Response::new(StatusCode::from(200), None, Some(empty))
            }
        };
        response.headers.append(&mut self.allowed());
        if let Some(seconds) = self.max_age {
            response.headers.insert(
                "Access-Control-Max-Age".to_owned(),
                seconds.get().to_string(),
            );
        }
        Integration::mock_response(response)
    }
}
