//! What is checked of every rule, however it was added: typed, generated or raw.

use stack_model_cfn::Expr;

use super::grammar::{self, Dialect};
use crate::error::Violation;
use crate::stack::StackData;
use crate::synth::Rendered;

/// Checks the patterns of rules and archives, and that every rule has a target.
pub(crate) fn check(stack: &StackData, rendered: &Rendered, violations: &mut Vec<Violation>) {
    for (id, resource) in &stack.resources {
        let is_rule = match resource.kind.as_str() {
            "AWS::Events::Rule" => true,
            "AWS::Events::Archive" => false,
            _ => continue,
        };
        let Some(Expr::Map(properties)) = rendered.get(&stack.id, id) else {
            continue;
        };
        let mut report = |path: &str, message: String| {
            violations.push(
                Violation::new(message)
                    .in_stack(&*stack.id)
                    .of(id)
                    .at(path)
                    .declared(&resource.source),
            );
        };
        if let Some(pattern @ Expr::Map(_)) = properties.get("EventPattern") {
            for message in grammar::violations(pattern, Dialect::Rule) {
                report("Properties.EventPattern", message);
            }
        }
        let targets = properties.get("Targets");
        let nothing = targets.is_none_or(|it| matches!(it, Expr::List(list) if list.is_empty()));
        if is_rule && nothing {
            let message =
                "the rule has no target, so it does nothing: add one with `stack.target(..)`";
            report("Properties.Targets", message.to_owned());
        }
    }
}
