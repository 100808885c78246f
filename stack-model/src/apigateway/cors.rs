//! Cross-origin resource sharing: which web pages may call an API.

use std::collections::BTreeMap;
use std::fmt::Write as _;

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
    /// What the preflight of a resource answers.
    pub preflight: Preflight,
    /// Whether the answers of methods say, too, which methods and headers are allowed. Browsers only look at the
    /// preflight for that; other clients may expect it.
    pub repeated: bool,
}

/// Which web pages may call a method of a resource that pages may call.
///
/// What proxy integrations answer their function says; this decides about their preflight alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MethodCors {
    /// Those that the resource says.
    #[default]
    AsResource,
    /// None: the preflight of the resource does not allow the method, and no header lets a page read its answers.
    /// A `GET`, a `HEAD` or a `POST` without headers of its own is sent all the same, because browsers do not ask
    /// first.
    Closed,
    /// Others, or in another way. A page that asks for the method gets a preflight of its own, and the answers of the
    /// method carry its own headers.
    Own(Cors),
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
    /// comes from another that may call.
    pub(super) fn template_prefix(&self) -> Option<String> {
        let another = self.another_page()?;
        let page = override_header(ORIGIN, "$origin");
        Some(format!(
            "{}#if({another}){page}#{{end}}",
            named_in_request("origin", "Origin")
        ))
    }

    /// Returns the condition of a template under which `$origin` may call and is not the first that may; nothing,
    /// where there is one at most.
    fn another_page(&self) -> Option<String> {
        let (_, others) = self.origin.origins().split_first()?;
        let others: Vec<String> = others
            .iter()
            .map(|origin| format!("$origin == '{origin}'"))
            .collect();
        (!others.is_empty()).then(|| others.join(" || "))
    }

    /// Puts the headers, and what chooses the origin, into an answer of a method.
    pub(super) fn apply(&self, response: &mut Response) {
        if self.repeated {
            response.headers.append(&mut self.allowed());
        }
        self.apply_origin(response);
    }

    fn apply_origin(&self, response: &mut Response) {
        response.headers.append(&mut self.response_headers());
        if let Some(prefix) = self.template_prefix() {
            let body = response
                .template
                .as_ref()
                .map_or_else(|| "$input.body".into(), |template| template.text.clone());
            response.template = Some(MappingTemplate::vtl(text!("{}{}", prefix, body)));
        }
    }

    /// Says what is wrong about a method of the resource, if anything. Browsers ask about every method but `GET`,
    /// `HEAD` and `POST`, which every page may use.
    pub(super) fn violation_of(&self, method: HttpMethod, cors: &MethodCors) -> Option<String> {
        let name = method.name();
        let allowed = self.allows(method);
        match cors {
            MethodCors::AsResource => {
                let asked = matches!(
                    method,
                    HttpMethod::Delete | HttpMethod::Patch | HttpMethod::Put
                );
                (asked && !allowed).then(|| {
                    format!(
                        "the preflight of the resource does not allow {name}, so no page could call this method: name it in `Cors::new`"
                    )
                })
            }
            MethodCors::Closed => allowed.then(|| {
                format!(
                    "no page may call this method, and the preflight of the resource allows {name}: do not name it in `Cors::new`"
                )
            }),
            MethodCors::Own(_) if method == HttpMethod::Any => Some(
                "a page asks for one method and not for ANY: say it for the resource, or add the methods one by one".to_owned(),
            ),
            // A browser remembers every method that a preflight allows, so neither may speak for the other's.
            MethodCors::Own(_) if allowed => Some(format!(
                "the method says itself which pages may call it, and the preflight of the resource allows {name}, too: name it in one `Cors::new`"
            )),
            MethodCors::Own(own) => {
                let own_methods = own.methods.iter().filter(|&&one| one != HttpMethod::Options);
                (!own_methods.eq([&method])).then(|| {
                    format!(
                        "what the method says about pages is about {name} alone: name that, and nothing else, in its `Cors::new`"
                    )
                })
            }
        }
    }

    fn allows(&self, method: HttpMethod) -> bool {
        self.methods.contains(&method) || self.methods.contains(&HttpMethod::Any)
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
        let methods: Vec<&str> = if self.methods.contains(&HttpMethod::Any) {
            // A browser looks for the name of the method, and takes a `*` for a name where credentials are sent.
            HttpMethod::EACH.map(HttpMethod::name).to_vec()
        } else {
            self.methods.iter().map(|method| method.name()).collect()
        };
        let methods = ("Access-Control-Allow-Methods".to_owned(), methods.join(","));
        let headers = (!self.headers.is_empty()).then(|| {
            (
                "Access-Control-Allow-Headers".to_owned(),
                self.headers.join(","),
            )
        });
        [methods].into_iter().chain(headers).collect()
    }

    /// Returns the integration of the preflight, with the methods that have one of their own.
    pub(super) fn preflight(&self, own: &[(HttpMethod, Self)]) -> Integration {
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
        if own.is_empty() {
            self.apply_origin(&mut response);
            return Integration::mock_response(response);
        }
        response.headers.append(&mut self.response_headers());
        let body = match self.preflight {
            Preflight::NoContent => "$input.body",
            Preflight::EmptyObject => "{}",
        };
        let text = self.choice_by_method(own, &response.headers) + body;
        for (_, cors) in own {
            let also = cors.preflight_headers().into_keys();
            response.set_by_template.extend(also);
        }
        response.template = Some(MappingTemplate::vtl(text));
        Integration::mock_response(response)
    }

    /// Returns the template that puts the headers of the method that the page asks for in place of the resource's.
    ///
    /// Each request takes one branch, and a branch sets each header once: API Gateway answers 5XX where a template
    /// sets a header twice. See
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-override-request-response-parameters.html>.
    fn choice_by_method(
        &self,
        own: &[(HttpMethod, Self)],
        of_resource: &BTreeMap<String, String>,
    ) -> String {
        let mut text = named_in_request("asked", "Access-Control-Request-Method");
        let mut all = own.iter().map(|(_, cors)| cors).chain([self]);
        if all.any(|cors| cors.another_page().is_some()) {
            text.push_str(&named_in_request("origin", "Origin"));
        }
        for (position, (method, cors)) in own.iter().enumerate() {
            let word = if position == 0 { "if" } else { "elseif" };
            // Writing to a `String` cannot fail.
            let _ = write!(text, "#{word}($asked == '{}')", method.name());
            text.push_str(&cors.overrides(of_resource));
        }
        if let Some(another) = self.another_page() {
            let _ = write!(
                text,
                "#elseif({another}){}",
                override_header(ORIGIN, "$origin")
            );
        }
        // The body may begin with letters.
        text + "#{end}"
    }

    /// Returns every header that a preflight of this has.
    fn preflight_headers(&self) -> BTreeMap<String, String> {
        let mut headers = self.response_headers();
        headers.append(&mut self.allowed());
        // What browsers take where it is not said; see
        // <https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Access-Control-Max-Age>.
        let seconds = self.max_age.map_or(5, Limited::get);
        headers.insert("Access-Control-Max-Age".to_owned(), seconds.to_string());
        headers
    }

    /// Returns what a template does to answer a preflight with the headers of this in place of the resource's.
    fn overrides(&self, of_resource: &BTreeMap<String, String>) -> String {
        let mut headers = self.preflight_headers();
        for header in of_resource.keys() {
            // A header cannot be taken back, but without a value it allows nothing.
            headers.entry(header.clone()).or_default();
        }
        let mut text = String::new();
        for (name, value) in headers {
            let first = override_header(&name, &format!("'{value}'"));
            match self.another_page().filter(|_| name == ORIGIN) {
                Some(another) => {
                    let page = override_header(ORIGIN, "$origin");
                    // Writing to a `String` cannot fail.
                    let _ = write!(text, "#if({another}){page}#else{first}#end");
                }
                None => text.push_str(&first),
            }
        }
        text
    }
}

const ORIGIN: &str = "Access-Control-Allow-Origin";

/// Returns the statement of a template that replaces a header of the answer.
fn override_header(name: &str, value: &str) -> String {
    format!("#set($context.responseOverride.header.{name} = {value})")
}

/// Returns the statements of a template that give a variable the value of a header of the request. Browsers of HTTP/2
/// write its name in small letters.
fn named_in_request(variable: &str, header: &str) -> String {
    let small = header.to_ascii_lowercase();
    format!(
        "#set(${variable} = $input.params('{header}'))#if(${variable} == '')#set(${variable} = $input.params('{small}'))#end"
    )
}
