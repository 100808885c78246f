//! Who may connect to a WebSocket API, and send messages to its routes then.
//!
//! Only the `$connect` route can ask who somebody is, and an API need not have one: without it everybody connects. See
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html>.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::super::canonical::same;
use super::super::super::compare::type_of;
use super::super::super::references::names;
use super::super::{moved, text};
use super::{is_authorized, is_true, properties};

/// Returns whether nobody has to be asked at a route: it takes messages of a WebSocket API, and who sends one was asked when
/// the connection was made. `resources` are those of its template.
pub(in super::super::super) fn is_asked_before(
    route: &Value,
    resources: &BTreeMap<String, Value>,
) -> bool {
    let Some(api) = api_of(route) else {
        return false;
    };
    let is_websocket = || {
        names(api).iter().any(|id| {
            let protocol = resources.get(id).map(properties);
            protocol
                .and_then(|api| api.get("ProtocolType"))
                .and_then(Value::as_str)
                == Some("WEBSOCKET")
        })
    };
    // A `$connect` route that is perhaps not there asks only where the message is not there either.
    let is_there = |connect: &Value| {
        connect
            .get("Condition")
            .is_none_or(|condition| route.get("Condition") == Some(condition))
    };
    match key(route) {
        Some("$connect") | None => false,
        // Nobody sends anything to it: the connection is closed by then.
        Some("$disconnect") => true,
        // The keys of an HTTP API are a method and a path.
        Some(key) => {
            !key.contains(' ')
                && is_websocket()
                && resources
                    .values()
                    .any(|connect| asks(connect, api) && is_there(connect))
        }
    }
}

/// Returns that nobody is asked any more who connects to an API that stays, because the route that asked goes or becomes
/// another one. `before` and `after` are the resources of both templates.
pub(in super::super::super) fn unasked(
    old: &Value,
    new: Option<&Value>,
    before: &BTreeMap<String, Value>,
    after: &BTreeMap<String, Value>,
) -> Option<String> {
    let api = api_of(old).filter(|api| asks(old, api))?;
    // A route of connections that stays one tells itself that it asks no more.
    let stays = new.is_some_and(|new| {
        key(new) == Some("$connect") && api_of(new).is_some_and(|its| is_same(its, api))
    });
    let asked = || after.values().any(|route| asks(route, api));
    (!stays && moved::stays(api, before, after) && !asked())
        .then(|| format!("anybody may connect to {}", text(api)))
}

/// Returns the API of a route; nothing, where a resource is none.
fn api_of(route: &Value) -> Option<&Value> {
    if type_of(route) != "AWS::ApiGatewayV2::Route" {
        return None;
    }
    properties(route).get("ApiId")
}

fn key(route: &Value) -> Option<&str> {
    properties(route).get("RouteKey").and_then(Value::as_str)
}

/// Returns whether a resource is the route that asks who connects to an API.
fn asks(route: &Value, api: &Value) -> bool {
    key(route) == Some("$connect")
        && api_of(route).is_some_and(|its| is_same(its, api))
        && (is_authorized(properties(route)) || is_true(properties(route).get("ApiKeyRequired")))
}

/// Returns whether two values are the id of one API, which is its `Ref` and an attribute of it.
fn is_same(one: &Value, other: &Value) -> bool {
    same(one, other) || !names(one).is_disjoint(&names(other))
}
