//! What the definition of an API opens, which is a text of OpenAPI in place of resources.
//!
//! See <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-import-api.html>.

use serde_json::Value;

use super::super::super::canonical::{intrinsic, same};
use super::super::elements;
use super::reach::Route;

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

/// Returns the operations of an API that ask nobody who calls.
pub(super) fn operations(resource_type: &str, properties: &Value) -> Vec<Route> {
    let mut found = Vec::new();
    if !APIS.contains(&resource_type) {
        return found;
    }
    // An API that is made of its target has one route, which asks nobody.
    // https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop.html
    if properties.get("Target").is_some() {
        let key = properties.get("RouteKey").cloned();
        found.push(Route::of_key(key.unwrap_or_else(|| "$default".into())));
    }
    let body = properties.get("Body").unwrap_or(&Value::Null);
    let asks = |part: &Value| Some(!elements(Some(part.get("security")?)).is_empty());
    let by_default = asks(body).unwrap_or_default();
    let paths = body.get("paths").and_then(Value::as_object);
    for (path, operations) in paths.into_iter().flatten() {
        for (name, verb) in VERBS {
            let Some(operation) = operations.get(name) else {
                continue;
            };
            if !asks(operation).unwrap_or(by_default) {
                let key = match path.strip_prefix('/') {
                    Some("$default") => "$default".to_owned(),
                    _ => format!("{verb} {path}"),
                };
                found.push(Route::of_key(key.into()));
            }
        }
    }
    found
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
