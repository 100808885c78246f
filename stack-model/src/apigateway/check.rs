//! What is checked when all of a stack is known, however its resources were added: typed, generated or raw.

use std::collections::BTreeMap;

use stack_model_cfn::Expr;

use super::deploy::api_of;
use crate::error::Violation;
use crate::resource::Resource;
use crate::stack::StackData;
use crate::synth::Rendered;

mod errors;
mod preflights;
mod stages;

pub(crate) use preflights::unanswered_preflights;
pub(crate) use stages::literal_stages;

const METHOD: &str = "AWS::ApiGateway::Method";
const RESOURCE: &str = "AWS::ApiGateway::Resource";
const GATEWAY_RESPONSE: &str = "AWS::ApiGateway::GatewayResponse";
const REST_API: &str = "AWS::ApiGateway::RestApi";

/// Checks the REST APIs of a stack.
pub(crate) fn check(stack: &StackData, rendered: &Rendered, violations: &mut Vec<Violation>) {
    let parts: Vec<Part<'_>> = stack
        .resources
        .iter()
        .filter(|(_, resource)| resource.kind.starts_with("AWS::ApiGateway::"))
        .filter_map(|(id, resource)| {
            let properties = rendered.get(&stack.id, id)?;
            Some(Part {
                stack: &stack.id,
                id,
                resource,
                properties,
            })
        })
        .collect();
    let mut findings = Vec::new();
    for part in &parts {
        match part.resource.kind.as_str() {
            METHOD => {
                method(part, &mut findings);
                for response in elements(part.get("Integration.IntegrationResponses")) {
                    credentials_for_anybody(part, response, &mut findings);
                }
            }
            GATEWAY_RESPONSE => credentials_for_anybody(part, part.properties, &mut findings),
            REST_API => empty_api(part, &parts, &mut findings),
            _ => {}
        }
    }
    twice(&parts, &mut findings);
    violations.extend(findings.into_iter().map(|(part, path, message)| {
        Violation::new(message)
            .in_stack(&*stack.id)
            .of(part.id)
            .at(path)
            .declared(&part.resource.source)
    }));
}

/// One resource of the service.
struct Part<'stack> {
    stack: &'stack str,
    id: &'stack str,
    resource: &'stack Resource,
    properties: &'stack Expr,
}

type Findings<'a, 'stack> = Vec<(&'a Part<'stack>, &'static str, String)>;

impl Part<'_> {
    fn get(&self, path: &str) -> Option<&Expr> {
        get(self.properties, path)
    }

    fn text(&self, path: &str) -> Option<&str> {
        self.get(path).and_then(Expr::as_str)
    }
}

/// Returns the value at a path of map keys, separated by dots.
pub(super) fn get<'expr>(expr: &'expr Expr, path: &str) -> Option<&'expr Expr> {
    path.split('.').try_fold(expr, |expr, key| match expr {
        Expr::Map(entries) => entries.get(key),
        _ => None,
    })
}

pub(super) fn elements(expr: Option<&Expr>) -> impl Iterator<Item = &Expr> {
    match expr {
        Some(Expr::List(elements)) => elements.as_slice(),
        _ => &[],
    }
    .iter()
}

fn method<'a, 'stack>(part: &'a Part<'stack>, findings: &mut Findings<'a, 'stack>) {
    let guarded = part
        .text("AuthorizationType")
        .is_some_and(|kind| kind != "NONE")
        || part.get("ApiKeyRequired") == Some(&Expr::Bool(true));
    if part.text("HttpMethod") == Some("OPTIONS") && guarded {
        let message = "a browser sends its preflight without credentials and without a key, so this OPTIONS method would refuse every one: let anybody call it";
        findings.push((part, "Properties.AuthorizationType", message.to_owned()));
    }
    if let Some(message) = errors::unmapped(part.properties) {
        findings.push((part, "Properties.Integration.IntegrationResponses", message));
    }
}

/// Reports an answer that every page may read with the credentials of its visitor: browsers refuse it.
fn credentials_for_anybody<'a, 'stack>(
    part: &'a Part<'stack>,
    response: &Expr,
    findings: &mut Findings<'a, 'stack>,
) {
    let says = |header: &str, value: &str| match get(response, "ResponseParameters") {
        Some(Expr::Map(parameters)) => parameters.iter().any(|(name, given)| {
            name.to_ascii_lowercase().ends_with(header)
                && given
                    .as_str()
                    .is_some_and(|given| given.trim_matches('\'') == value)
        }),
        _ => false,
    };
    if says(".access-control-allow-origin", "*")
        && says(".access-control-allow-credentials", "true")
    {
        let message = "a browser hands no credentials to an answer for any origin: name the origin, or allow no credentials";
        findings.push((part, "Properties", message.to_owned()));
    }
}

/// Reports an API without methods, which API Gateway refuses to deploy.
fn empty_api<'a, 'stack>(
    part: &'a Part<'stack>,
    parts: &'a [Part<'stack>],
    findings: &mut Findings<'a, 'stack>,
) {
    let imported = ["Body", "BodyS3Location", "CloneFrom"];
    if imported.iter().any(|property| part.get(property).is_some()) {
        return;
    }
    let belongs = |kind: &str| {
        parts.iter().any(|other| {
            other.resource.kind == kind
                && api_of(other.properties, other.stack)
                    .is_some_and(|api| api.stack() == other.stack && api.logical_id() == part.id)
        })
    };
    // An API that was added without its module has no deployment but those that its author made.
    if belongs("AWS::ApiGateway::Deployment") && !belongs(METHOD) {
        let message = "the API has no method, and API Gateway deploys none without one: add one with `rest_method`";
        findings.push((part, "Properties", message.to_owned()));
    }
}

/// Reports a segment or method that is there twice: API Gateway refuses the second.
fn twice<'a, 'stack>(parts: &'a [Part<'stack>], findings: &mut Findings<'a, 'stack>) {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for part in parts {
        let (what, keys) = match part.resource.kind.as_str() {
            METHOD => ("HTTP method", ["ResourceId", "HttpMethod"]),
            RESOURCE => ("segment", ["ParentId", "PathPart"]),
            _ => continue,
        };
        let [place, name] = keys.map(|key| part.get(key));
        let (Some(place), Some(name)) = (place, name) else {
            continue;
        };
        // Only equality matters here, and the debug form of two expressions is equal where they are.
        let key = format!("{what} {place:?} {name:?}");
        if let Some(earlier) = seen.insert(key, part.id) {
            let message =
                format!("`{earlier}` is the same {what} at the same place: API Gateway takes one");
            findings.push((part, "Properties", message));
        }
    }
}
