//! Routes: which requests an HTTP API answers, and with what.

use std::borrow::Cow;
use std::panic::Location;

use stack_model_cfn::apigatewayv2 as cfn;
use stack_model_cfn::lambda::Permission;
use stack_model_cfn::{ResourceId, Value};

use super::authorizer::RouteAuthorization;
use super::integration::HttpIntegration;
use super::{HttpApiRef, execute_arn};
use crate::arn::Arn;
use crate::handle::{Handle, reference};
use crate::lambda::Function;
use crate::resource::Resource;
use crate::stack::Stack;
use crate::text;

/// The method and path of a route, such as `GET /orders/{id}`.
///
/// A key that is known when the stack compiles is written with [`route!`](crate::route!), which checks it at compile
/// time. See <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html>.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteKey {
    text: Cow<'static, str>,
}

/// Writes a [`RouteKey`] that is checked when the stack compiles.
///
/// ```
/// use stack_model::route;
///
/// assert_eq!(route!("GET /orders/{id}").as_str(), "GET /orders/{id}");
/// ```
///
/// ```compile_fail
/// use stack_model::route;
///
/// let key = route!("GET orders");
/// ```
#[macro_export]
macro_rules! route {
    ($text:literal) => {{
        const KEY: $crate::apigatewayv2::RouteKey = $crate::apigatewayv2::RouteKey::literal($text);
        KEY
    }};
}

impl RouteKey {
    /// The requests that no other route is for.
    pub const DEFAULT: Self = Self {
        text: Cow::Borrowed("$default"),
    };

    /// Takes a key that is known when the stack compiles.
    ///
    /// # Panics
    ///
    /// Panics where the text is not a route key: call it through [`route!`](crate::route!), which turns that into a
    /// compile error.
    #[doc(hidden)]
    #[must_use]
    pub const fn literal(text: &'static str) -> Self {
        assert!(
            is_key(text),
            "{}",
            "this is not a route: write a method and a path, such as `GET /orders/{id}`, where `{rest+}` may come last"
        );
        Self {
            text: Cow::Borrowed(text),
        }
    }

    /// Takes a key that is put together while the stack is described; the synth reports one that is wrong.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: Cow::Owned(text.into()),
        }
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the names of the parameters of the path.
    pub(super) fn parameters(&self) -> impl Iterator<Item = &str> {
        self.text.split('{').skip(1).filter_map(|rest| {
            let name = rest.split('}').next()?;
            Some(name.strip_suffix('+').unwrap_or(name))
        })
    }

    /// Returns what an ARN of requests says of the route: the method and the path, in which `*` stands for parameters.
    fn in_arn(&self) -> String {
        let Some((method, path)) = self.text.split_once(' ') else {
            return "*".to_owned();
        };
        let method = if method == "ANY" { "*" } else { method };
        let segments: Vec<&str> = path
            .split('/')
            .map(|segment| {
                if segment.starts_with('{') {
                    "*"
                } else {
                    segment
                }
            })
            .collect();
        format!("{method}{}", segments.join("/"))
    }
}

/// Says whether a text is a route key. It runs at compile time too, so it walks over bytes.
#[expect(
    clippy::indexing_slicing,
    reason = "a const fn has no other access, and every index is compared with the length first"
)]
pub(super) const fn is_key(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() && bytes[at] != b' ' {
        at += 1;
    }
    if at == bytes.len() {
        return starts_with(bytes, b"$default") && bytes.len() == 8;
    }
    let known = match at {
        3 => starts_with(bytes, b"ANY") || starts_with(bytes, b"GET") || starts_with(bytes, b"PUT"),
        4 => starts_with(bytes, b"HEAD") || starts_with(bytes, b"POST"),
        5 => starts_with(bytes, b"PATCH"),
        6 => starts_with(bytes, b"DELETE"),
        7 => starts_with(bytes, b"OPTIONS"),
        _ => false,
    };
    at += 1;
    if !known || at >= bytes.len() || bytes[at] != b'/' {
        return false;
    }
    while at < bytes.len() {
        // At the `/` before a segment; only the root may be empty.
        at += 1;
        let start = at;
        let mut greedy = false;
        while at < bytes.len() && bytes[at] != b'/' {
            match bytes[at] {
                b'{' if at != start => return false,
                b'}' if bytes[start] != b'{' || at == start + 1 => return false,
                b'}' => {
                    if at + 1 < bytes.len() && bytes[at + 1] != b'/' {
                        return false;
                    }
                }
                b'+' if bytes[start] == b'{' => greedy = true,
                b'{' | b'+' => {}
                byte if byte.is_ascii_alphanumeric() => {}
                b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*'
                | b',' | b';' | b'=' | b':' | b'@' | b'%' => {}
                _ => return false,
            }
            at += 1;
        }
        if at == start {
            return at == bytes.len() && start == text.len() && is_root(bytes);
        }
        if bytes[start] == b'{' && bytes[at - 1] != b'}' {
            return false;
        }
        if greedy && at != bytes.len() {
            return false;
        }
    }
    true
}

/// Says whether the path of a key is `/` alone.
#[expect(
    clippy::indexing_slicing,
    reason = "a const fn has no other access, and the length is compared first"
)]
const fn is_root(bytes: &[u8]) -> bool {
    bytes.len() > 2 && bytes[bytes.len() - 2] == b' '
}

#[expect(
    clippy::indexing_slicing,
    reason = "a const fn has no other access, and every index is compared with the length first"
)]
const fn starts_with(bytes: &[u8], with: &[u8]) -> bool {
    if bytes.len() < with.len() {
        return false;
    }
    let mut at = 0;
    while at < with.len() {
        if bytes[at] != with[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// The handle of a route of an HTTP API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRouteRef {
    id: ResourceId,
    api: HttpApiRef,
    key: RouteKey,
}

impl HttpRouteRef {
    /// Returns the method and path.
    pub fn key(&self) -> &RouteKey {
        &self.key
    }

    /// Returns the API.
    pub fn api(&self) -> &HttpApiRef {
        &self.api
    }

    /// Returns the ARN of the requests of the route in every stage: what a caller of a route with
    /// [`RouteAuthorization::Iam`] must be allowed `execute-api:Invoke` on.
    pub fn execute_arn(&self) -> Value<String> {
        execute_arn(self.api.resource_id(), text!("*/{}", self.key.in_arn()))
    }
}

impl Handle for HttpRouteRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds a route to an HTTP API, with what it goes to: `<Id>Integration`.
    ///
    /// A route to a function may invoke it through `<Id>Permission`.
    #[track_caller]
    pub fn http_route(
        &mut self,
        logical_id: &str,
        api: &HttpApiRef,
        key: RouteKey,
        authorization: RouteAuthorization,
        integration: HttpIntegration,
    ) -> HttpRouteRef {
        let source = Location::caller();
        if !is_key(key.as_str()) {
            let message = format!(
                "`{}` is not a route: write a method and a path, such as `GET /orders/{{id}}`, where `{{rest+}}` may come last",
                key.as_str()
            );
            self.report(logical_id, Some("Properties.RouteKey"), message, source);
        }
        for parameter in integration.path_parameters() {
            if !key.parameters().any(|known| known == parameter) {
                let message = format!(
                    "the integration takes `{parameter}` from the path, and `{}` has no such parameter",
                    key.as_str()
                );
                self.report(logical_id, Some("Properties.RouteKey"), message, source);
            }
        }
        if let Some(other) = authorization.api()
            && other != api
        {
            let message = "the authorizer belongs to another API: add one to this API";
            self.report(logical_id, Some("Properties.AuthorizerId"), message, source);
        }
        let handle = HttpRouteRef {
            id: ResourceId::new(self.id(), logical_id),
            api: api.clone(),
            key,
        };
        if let Some(function) = integration.invokes() {
            let sender = handle.execute_arn();
            self.permit_api(logical_id, function, sender, source);
        }
        let integration = self.add_integration(logical_id, api, integration, source);
        let mut route = cfn::Route {
            api_id: api.api_id().into(),
            route_key: handle.key.as_str().into(),
            target: text!("integrations/{}", integration).into(),
            ..cfn::Route::default()
        };
        authorization.apply(&mut route);
        self.insert(logical_id, Resource::of(&route, source));
        handle
    }

    /// Lets an API invoke a function on behalf of a route or an authorizer.
    pub(super) fn permit_api(
        &mut self,
        logical_id: &str,
        function: Value<Arn<Function>>,
        sender: Value<String>,
        source: &Location<'_>,
    ) {
        let permission = Permission {
            action: "lambda:InvokeFunction".into(),
            function_name: function.into_text().into(),
            principal: "apigateway.amazonaws.com".into(),
            source_arn: sender.into(),
            ..Permission::default()
        };
        let id = format!("{logical_id}Permission");
        self.insert(&id, Resource::of(&permission, source));
    }

    /// Adds what a route goes to, and returns its id.
    fn add_integration(
        &mut self,
        logical_id: &str,
        api: &HttpApiRef,
        integration: HttpIntegration,
        source: &'static Location<'static>,
    ) -> Value<String> {
        let role = integration.role(self, logical_id, source);
        if let Some(message) = integration.violation() {
            self.report(logical_id, None, message, source);
        }
        let path = "Properties.TimeoutInMillis";
        let id = format!("{logical_id}Integration");
        self.check_limit(&id, path, integration.timeout, source);
        let rendered = cfn::Integration {
            api_id: api.api_id().into(),
            credentials_arn: role.map(|role| role.arn().into_text()).into(),
            ..integration.render()
        };
        reference(&self.insert(&id, Resource::of(&rendered, source)).id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_method_and_a_path() {
        for right in [
            "$default",
            "GET /",
            "ANY /orders",
            "GET /orders/{id}",
            "DELETE /orders/{id}/lines/{line}",
            "OPTIONS /{proxy+}",
            "POST /a-b_c.d~e:f",
        ] {
            assert!(is_key(right), "{right}");
        }
        for wrong in [
            "",
            "$other",
            "GET",
            "GET ",
            "GET orders",
            "get /orders",
            "GET  /orders",
            "FETCH /orders",
            "GET /orders/",
            "GET //orders",
            "GET /orders/{}",
            "GET /orders/{id",
            "GET /orders/id}",
            "GET /orders/x{id}",
            "GET /orders/{id}x",
            "GET /{rest+}/more",
            "GET /orders?x=1",
            "GET /a b",
        ] {
            assert!(!is_key(wrong), "{wrong}");
        }
    }

    #[test]
    fn an_arn_has_stars_for_parameters() {
        let key = RouteKey::new("GET /orders/{id}/{rest+}");
        assert_eq!(key.in_arn(), "GET/orders/*/*");
        assert_eq!(key.parameters().collect::<Vec<_>>(), ["id", "rest"]);
        assert_eq!(RouteKey::new("ANY /").in_arn(), "*/");
        assert_eq!(RouteKey::DEFAULT.in_arn(), "*");
    }
}
