//! What preflights allow, compared with the methods that are there.
//!
//! The methods of a resource may stand in other stacks than the resource, so that is looked at across the whole app.

use stack_model_cfn::Expr;

use super::{METHOD, elements, get};
use crate::error::Violation;
use crate::stack::StackData;
use crate::synth::Rendered;

const ALLOWED: &str = "method.response.header.Access-Control-Allow-Methods";

/// Reports a preflight that allows a method which its resource does not have.
pub(crate) fn unanswered_preflights(
    stacks: &[StackData],
    rendered: &Rendered,
    violations: &mut Vec<Violation>,
) {
    let methods: Vec<_> = stacks
        .iter()
        .flat_map(|stack| stack.resources.iter().map(move |entry| (stack, entry)))
        .filter(|(_, (_, resource))| resource.kind == METHOD)
        .filter_map(|(stack, (id, resource))| {
            let properties = rendered.get(&stack.id, id)?;
            Some((stack, id, resource, properties))
        })
        .collect();
    for (stack, id, resource, properties) in &methods {
        let mut allowed = allowed(properties).peekable();
        if allowed.peek().is_none() {
            continue;
        }
        let place = get(properties, "ResourceId");
        let there: Vec<&str> = methods
            .iter()
            .filter(|(_, _, _, other)| get(other, "ResourceId") == place)
            .filter_map(|(_, _, _, other)| get(other, "HttpMethod")?.as_str())
            .collect();
        if there.contains(&"ANY") {
            continue;
        }
        for method in allowed {
            if !there.contains(&method) {
                let message = format!(
                    "the preflight lets pages call {method}, and no method of the resource answers that: add the method, or do not name it in `Cors::new`"
                );
                violations.push(
                    Violation::new(message)
                        .in_stack(&*stack.id)
                        .of(*id)
                        .declared(&resource.source),
                );
            }
        }
    }
}

/// Returns the methods that a preflight names; other methods name none.
fn allowed(properties: &Expr) -> impl Iterator<Item = &str> {
    let preflight = get(properties, "HttpMethod").and_then(Expr::as_str) == Some("OPTIONS");
    elements(get(properties, "Integration.IntegrationResponses"))
        .filter(move |_| preflight)
        .filter_map(|response| match get(response, "ResponseParameters")? {
            Expr::Map(parameters) => parameters.get(ALLOWED)?.as_str(),
            _ => None,
        })
        .flat_map(|methods| methods.trim_matches('\'').split(','))
        .map(str::trim)
        // That nothing is allowed was reported where it was said.
        .filter(|method| !method.is_empty() && *method != "*")
}
