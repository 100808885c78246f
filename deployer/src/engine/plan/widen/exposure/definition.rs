//! What the definition of an API opens, which is a text of OpenAPI in place of resources.
//!
//! See <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-import-api.html>.

use serde_json::Value;

use super::super::super::canonical::{intrinsic, same};
use super::super::elements;
use super::reach::{Reach, Route};

/// The verbs of operations; what browsers ask without credentials is none.
const VERBS: [(&str, &str); 7] = [
    ("delete", "DELETE"),
    ("get", "GET"),
    ("head", "HEAD"),
    ("patch", "PATCH"),
    ("post", "POST"),
    ("put", "PUT"),
    ("x-amazon-apigateway-any-method", "ANY"),
];

const APIS: [&str; 2] = ["AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api"];

/// The operations of an API.
#[derive(Debug, Default)]
pub(super) struct Operations {
    /// Those that ask nobody who calls.
    pub(super) open: Vec<Route>,
    /// Those that ask.
    pub(super) asking: Vec<Route>,
}

/// Returns the operations of an API, as its definition has them.
pub(super) fn operations(resource_type: &str, properties: &Value) -> Operations {
    let mut found = Operations::default();
    if !APIS.contains(&resource_type) {
        return found;
    }
    // An API that is made of its target has one route, which asks nobody.
    // https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop.html
    if let Some(target) = properties.get("Target") {
        let key = properties.get("RouteKey").cloned();
        let key = key.unwrap_or_else(|| "$default".into());
        found.open.push(Route::of_key(key, Some(target)));
    }
    let body = properties.get("Body").unwrap_or(&Value::Null);
    let paths = body.get("paths").and_then(Value::as_object);
    for (path, operations) in paths.into_iter().flatten() {
        for (name, verb) in VERBS {
            let Some(operation) = operations.get(name) else {
                continue;
            };
            let key = match path.strip_prefix('/') {
                Some("$default") => "$default".to_owned(),
                _ => format!("{verb} {path}"),
            };
            let target = operation.get("x-amazon-apigateway-integration");
            let route = Route::of_key(key.into(), target);
            if asks(resource_type, body, operation) {
                found.asking.push(route);
            } else {
                found.open.push(route);
            }
        }
    }
    found
}

/// Returns which operations that asked who calls are gone, or ask no more, so that another one which asks nobody takes their
/// calls. `told` are the ways that are told as opened themselves.
///
/// See <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html>.
pub(super) fn left_open(asked: &[Route], after: &Operations, told: &[Reach]) -> Vec<String> {
    let is_told = |call: &Route| {
        let mut told = told.iter();
        told.any(|reach| matches!(reach, Reach::Calls(route) if route.takes(call)))
    };
    // Of those that take a call, the closest one gets it.
    let taker = |call: &Route| {
        let takers = after.open.iter().filter(|open| open.takes(call));
        let closest = takers.reduce(|one, other| if one.takes(other) { other } else { one })?;
        let mut asking = after.asking.iter().filter(|asking| asking.takes(call));
        let is_open = asking.all(|asking| asking.takes(closest)) && !is_told(call);
        is_open.then_some(closest)
    };
    let mut found = Vec::new();
    for route in asked {
        let calls = route.of_verbs(
            VERBS
                .iter()
                .map(|(_, verb)| *verb)
                .filter(|it| *it != "ANY"),
        );
        let open: Vec<(&Route, &Route)> = calls
            .iter()
            .filter_map(|call| Some((call, taker(call)?)))
            .collect();
        let line = |call: &Route, taker: &Route| {
            format!(
                "{call} no longer asks who calls: {taker} takes its calls without authorization"
            )
        };
        match taker(route).filter(|_| open.len() == calls.len()) {
            Some(taker) => found.push(line(route, taker)),
            None => found.extend(open.into_iter().map(|(call, taker)| line(call, taker))),
        }
    }
    found
}

/// Returns whether an operation asks who calls. That of a REST API says the type of its authorization itself, or names what is
/// asked, as that of any other does; without a type, what is named for all operations counts for those that name nothing.
///
/// See <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-auth.html>.
fn asks(resource_type: &str, body: &Value, operation: &Value) -> bool {
    let security = operation.get("security").or_else(|| body.get("security"));
    let schemes = elements(security);
    let own = operation
        .pointer("/x-amazon-apigateway-auth/type")
        .filter(|_| resource_type == "AWS::ApiGateway::RestApi");
    match own {
        None => !schemes.is_empty(),
        Some(Value::String(none)) if none.eq_ignore_ascii_case("NONE") => {
            let mut named = schemes.into_iter().filter_map(Value::as_object).flatten();
            named.any(|(name, _)| is_key(body, name))
        }
        Some(_) => true,
    }
}

/// Returns whether a scheme of a definition is a key of the API, which is asked for whatever the authorization is.
///
/// See <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-key-source.html>.
fn is_key(body: &Value, scheme: &str) -> bool {
    let mut places = [
        body.get("securityDefinitions"),
        body.pointer("/components/securitySchemes"),
    ]
    .into_iter()
    .flatten();
    places.any(|place| {
        place.get(scheme).is_some_and(|scheme| {
            scheme.get("type").and_then(Value::as_str) == Some("apiKey")
                && scheme.get("x-amazon-apigateway-authtype").is_none()
        })
    })
}

/// Returns whether a definition that is new, or another one, cannot be read here: it is in a file, or something else makes it.
pub(super) fn is_hidden(resource_type: &str, old: Option<&Value>, new: &Value) -> bool {
    let differs = |name: &str| {
        let after = new.get(name)?;
        let before = old.and_then(|old| old.get(name));
        (!before.is_some_and(|before| same(before, after))).then_some(after)
    };
    let is_made = |body: &Value| {
        let mut parts = vec![body];
        let paths = body.get("paths").and_then(Value::as_object);
        parts.extend(body.get("paths"));
        parts.extend(paths.into_iter().flat_map(|paths| paths.values()));
        let mut maps = parts.into_iter().filter_map(Value::as_object);
        maps.any(|map| intrinsic(map).is_some() || map.contains_key("Fn::Transform"))
    };
    APIS.contains(&resource_type)
        && (differs("BodyS3Location").is_some() || differs("Body").is_some_and(is_made))
}
