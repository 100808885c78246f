//! One way in which the world can reach a resource.

use std::fmt;

use serde_json::Value;

use super::super::super::canonical::alike;
use super::super::text;
use super::addresses::Rule;
use super::origins::Origin;

/// How the world can reach a resource: another way is another danger, and one that is a part of an earlier one is none.
#[derive(Clone, Debug)]
pub(super) enum Reach {
    /// What is open or is not.
    Open(String),
    /// Calls of a method or a route, without authorization.
    Calls(Route),
    /// Packets from addresses.
    Packets(Rule),
    /// Web pages.
    Pages(Origin),
}

impl Reach {
    /// Returns whether all of another way is a part of this one.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Open(one), Self::Open(other)) => one == other,
            (Self::Calls(wide), Self::Calls(narrow)) => wide.covers(narrow),
            (Self::Packets(wide), Self::Packets(narrow)) => wide.covers(narrow),
            (Self::Pages(wide), Self::Pages(narrow)) => wide.covers(narrow),
            _ => false,
        }
    }

    /// Returns whether one of some routes, which asked who calls, took what another way takes, closer than this one.
    ///
    /// See <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html>.
    pub(super) fn left_to(&self, asking: &[Route], other: &Self) -> bool {
        let (Self::Calls(wide), Self::Calls(narrow)) = (self, other) else {
            return false;
        };
        let mut closer = asking.iter().filter(|asking| wide.takes(asking));
        closer.any(|asking| asking.takes(narrow))
    }

    /// Returns whether it lets in the world, and not only some: what is new and for some opens nothing that was closed.
    pub(super) fn is_for_all(&self) -> bool {
        match self {
            Self::Open(_) | Self::Calls(_) => true,
            Self::Packets(rule) => rule.is_public(),
            Self::Pages(origin) => origin.is_any(),
        }
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(line) => formatter.write_str(line),
            Self::Calls(route) => write!(formatter, "{route} takes calls without authorization"),
            Self::Packets(rule) => rule.fmt(formatter),
            Self::Pages(origin) => origin.fmt(formatter),
        }
    }
}

/// A method of a REST API, or a route of another one.
#[derive(Clone, Debug)]
pub(super) struct Route {
    /// The resource of the method, or the API of the route.
    of: Option<Value>,
    /// The verb of a method; nothing for a route.
    verb: Option<Value>,
    /// The key of a route.
    key: Option<Value>,
    /// What answers its calls, where a definition has the route.
    target: Option<Value>,
}

impl Route {
    /// Reads a method or a route from its properties.
    pub(super) fn new(properties: &Value) -> Self {
        let part = |name: &str| properties.get(name).cloned();
        Self {
            of: part("ResourceId").or_else(|| part("ApiId")),
            verb: part("HttpMethod"),
            key: part("RouteKey"),
            target: None,
        }
    }

    /// Returns the route of a key in a definition, with what answers its calls.
    pub(super) fn of_key(key: Value, target: Option<&Value>) -> Self {
        Self {
            of: None,
            verb: None,
            key: Some(key),
            target: target.cloned(),
        }
    }

    /// Returns the routes of single verbs that a route of a definition is.
    pub(super) fn of_verbs(&self, verbs: impl Iterator<Item = &'static str>) -> Vec<Self> {
        let key = self.key.as_ref().and_then(Value::as_str);
        let Some(path) = key.and_then(|key| key.strip_prefix("ANY ")) else {
            return vec![self.clone()];
        };
        let of = |verb: &str| Self {
            key: Some(format!("{verb} {path}").into()),
            ..self.clone()
        };
        verbs.map(of).collect()
    }

    /// Returns whether calls of another route came to this one, and were answered by the same.
    fn covers(&self, other: &Self) -> bool {
        let answered = || alike(self.target.as_ref(), other.target.as_ref());
        self.takes(other) && (alike(self.key.as_ref(), other.key.as_ref()) || answered())
    }

    /// Returns whether all calls of another route are calls that this one takes, where there is no closer one.
    pub(super) fn takes(&self, other: &Self) -> bool {
        let keys = match (&self.key, &other.key) {
            (Some(Value::String(wide)), Some(Value::String(narrow))) => key_covers(wide, narrow),
            (one, other) => alike(one.as_ref(), other.as_ref()),
        };
        let verb = self.verb.as_ref();
        let verbs = alike(verb, other.verb.as_ref()) || verb.and_then(Value::as_str) == Some("ANY");
        alike(self.of.as_ref(), other.of.as_ref()) && verbs && keys
    }
}

impl fmt::Display for Route {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.key, &self.verb, &self.of) {
            (Some(key), _, _) => write!(formatter, "the route {}", text(key)),
            (None, Some(verb), Some(of)) => {
                write!(formatter, "the method {} of {}", text(verb), text(of))
            }
            (None, Some(verb), None) => write!(formatter, "the method {}", text(verb)),
            (None, None, _) => formatter.write_str("the route"),
        }
    }
}

/// Returns whether the key of a route of an HTTP API takes all that another one does.
///
/// See <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html>.
fn key_covers(wide: &str, narrow: &str) -> bool {
    if wide == narrow {
        return true;
    }
    let (Some((verb, path)), narrow) = (wide.split_once(' '), narrow.split_once(' ')) else {
        // What a WebSocket API calls so takes messages that no other route does, and connections none.
        return wide == "$default" && narrow != "$connect";
    };
    narrow.is_some_and(|(other, narrow)| {
        (verb == "ANY" || verb == other) && path_covers(path, narrow)
    })
}

pub(super) fn path_covers(wide: &str, narrow: &str) -> bool {
    let (mut wide, mut narrow) = (wide.split('/'), narrow.split('/'));
    loop {
        match (wide.next(), narrow.next()) {
            (None, None) => return true,
            (Some(step), Some(_)) if step.starts_with('{') && step.ends_with("+}") => return true,
            (Some(step), Some(other)) if step == other => {}
            // One step of whatever name is not several.
            (Some(step), Some(other)) if step.starts_with('{') && !other.ends_with("+}") => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_covers_what_it_takes() {
        for (wide, narrow, expected) in [
            ("GET /a", "GET /a", true),
            ("GET /a", "GET /b", false),
            ("GET /a", "POST /a", false),
            ("ANY /a", "POST /a", true),
            ("GET /a", "ANY /a", false),
            ("ANY /{proxy+}", "GET /a/b", true),
            ("GET /a", "ANY /{proxy+}", false),
            ("GET /a/{proxy+}", "GET /a", false),
            ("GET /a/{proxy+}", "GET /b/c", false),
            ("GET /{id}", "GET /a", true),
            ("GET /{id}", "GET /{name}", true),
            ("GET /{id}", "GET /{all+}", false),
            ("GET /{id}", "GET /a/b", false),
            ("GET /a", "GET /{id}", false),
            ("$default", "GET /a", true),
            ("GET /a", "$default", false),
            ("$default", "$connect", false),
            ("move", "jump", false),
        ] {
            assert_eq!(key_covers(wide, narrow), expected, "{wide} {narrow}");
        }
    }
}
