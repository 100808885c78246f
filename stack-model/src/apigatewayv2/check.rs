//! What is checked when all of a stack is known, however its resources were added: typed, generated or raw.

use std::collections::BTreeMap;

use stack_model_cfn::{Expr, Token};

use crate::error::Violation;
use crate::resource::Resource;
use crate::stack::StackData;
use crate::synth::Rendered;

/// Checks the HTTP and WebSocket APIs of a stack.
pub(crate) fn check(stack: &StackData, rendered: &Rendered, violations: &mut Vec<Violation>) {
    let parts = || {
        stack.resources.iter().filter_map(|(id, resource)| {
            let name = resource.kind.strip_prefix("AWS::ApiGatewayV2::")?;
            let properties = rendered.get(&stack.id, id)?;
            Some(Part {
                id,
                resource,
                kind: name,
                properties,
            })
        })
    };
    let mut keys: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    let mut findings: Vec<(Part<'_>, &str, String)> = Vec::new();
    for route in parts().filter(|part| part.kind == "Route") {
        let (Some(api), Some(key)) = (route.api(), route.text("RouteKey")) else {
            continue;
        };
        if let Some(earlier) = keys.insert((api, key), route.id) {
            let message = format!(
                "`{earlier}` has the route `{key}` of the same API already: an API has each route once"
            );
            findings.push((route, "Properties.RouteKey", message));
        }
    }
    for api in parts().filter(|part| part.kind == "Api") {
        if api.get("CorsConfiguration").is_none() {
            continue;
        }
        let own = || parts().filter(|part| part.kind == "Route" && part.api() == Some(api.id));
        let open_preflight = own().any(|route| {
            route
                .text("RouteKey")
                .is_some_and(|key| key.starts_with("OPTIONS /{"))
                && !route.is_guarded()
        });
        for route in own() {
            let key = route.text("RouteKey").unwrap_or_default();
            let catches = key == "$default" || key.starts_with("ANY ");
            if catches && route.is_guarded() && !open_preflight {
                let message = format!(
                    "`{key}` also gets the preflights of browsers, which carry no credentials, and would refuse every one: add a route `OPTIONS /{{proxy+}}` that anybody may call, or name the methods"
                );
                findings.push((route, "Properties.AuthorizationType", message));
            }
        }
    }
    violations.extend(findings.into_iter().map(|(part, path, message)| {
        Violation::new(message)
            .in_stack(&*stack.id)
            .of(part.id)
            .at(path)
            .declared(&part.resource.source)
    }));
}

/// One resource of the service.
#[derive(Clone, Copy)]
struct Part<'stack> {
    id: &'stack str,
    resource: &'stack Resource,
    kind: &'stack str,
    properties: &'stack Expr,
}

impl<'stack> Part<'stack> {
    fn get(&self, name: &str) -> Option<&'stack Expr> {
        match self.properties {
            Expr::Map(entries) => entries.get(name),
            _ => None,
        }
    }

    fn text(&self, name: &str) -> Option<&'stack str> {
        self.get(name).and_then(Expr::as_str)
    }

    /// Returns the logical id of the API that the resource belongs to.
    fn api(&self) -> Option<&'stack str> {
        match self.get("ApiId")? {
            Expr::Token(Token::Ref(id)) => Some(id.logical_id()),
            _ => None,
        }
    }

    fn is_guarded(&self) -> bool {
        self.text("AuthorizationType")
            .is_some_and(|kind| kind != "NONE")
    }
}
