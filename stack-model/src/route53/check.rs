//! Records that answer the same question twice.

use std::collections::BTreeMap;

use stack_model_cfn::Expr;

use crate::error::Violation;
use crate::stack::StackData;
use crate::synth::Rendered;

/// Reports records of a stack about one name and type that Route 53 could not tell apart: the second one to be made
/// fails, since the first is there already.
pub(crate) fn check(stack: &StackData, rendered: &Rendered, violations: &mut Vec<Violation>) {
    let mut taken: BTreeMap<String, &str> = BTreeMap::new();
    for (id, resource) in &stack.resources {
        if resource.kind != "AWS::Route53::RecordSet" {
            continue;
        }
        let Some(Expr::Map(properties)) = rendered.get(&stack.id, id) else {
            continue;
        };
        let text = |name: &str| properties.get(name).and_then(Expr::as_str);
        let (Some(name), Some(kind)) = (text("Name"), text("Type")) else {
            continue;
        };
        let name = super::plain_domain(name);
        let zone = properties.get("HostedZoneId");
        let question = format!("{zone:?} {name} {kind} {:?}", text("SetIdentifier"));
        if let Some(earlier) = taken.insert(question, id) {
            violations.push(
                Violation::new(format!(
                    "`{earlier}` is a record of type {kind} about `{name}` already: give one record all values, or each an id with a routing"
                ))
                .in_stack(&*stack.id)
                .of(id)
                .at("Properties.Name")
                .declared(&resource.source),
            );
        }
    }
}
