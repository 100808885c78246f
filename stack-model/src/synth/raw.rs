//! References in raw JSON, which are plain maps and not tokens.

use std::collections::BTreeMap;

use stack_model_cfn::Expr;

use super::Rendered;
use crate::assembly::ARTIFACT_BUCKET_PARAMETER;
use crate::error::Violation;
use crate::stack::StackData;

/// Reports what `Ref`, `Fn::GetAtt` and `Fn::Sub` name in raw JSON and the stack does not have.
pub(super) fn check(stack: &StackData, rendered: &Rendered, violations: &mut Vec<Violation>) {
    let known = |name: &str| {
        name.starts_with("AWS::")
            || stack.resources.contains_key(name)
            || stack.parameters.contains_key(name)
            || stack.artifacts.contains_key(name)
            || (name == ARTIFACT_BUCKET_PARAMETER && !stack.artifacts.is_empty())
    };
    for (id, resource) in &stack.resources {
        let mut report = |path: &str, name: &str| {
            if !known(name) {
                violations.push(
                    Violation::new(format!(
                        "`{name}` is neither a resource nor a parameter of this stack"
                    ))
                    .in_stack(&*stack.id)
                    .of(id)
                    .at(path)
                    .declared(&resource.source),
                );
            }
        };
        if let Some(properties) = rendered.get(&(stack.id.to_string(), id.clone())) {
            walk(properties, "Properties", &mut report);
        }
        for (key, value) in &resource.metadata {
            walk(value, &format!("Metadata.{key}"), &mut report);
        }
    }
    for (key, output) in &stack.outputs {
        walk(&output.value, "Value", &mut |path, name| {
            if !known(name) {
                violations.push(
                    Violation::new(format!(
                        "`{name}` is neither a resource nor a parameter of this stack"
                    ))
                    .in_stack(&*stack.id)
                    .of(key)
                    .at(path)
                    .declared(&output.source),
                );
            }
        });
    }
}

/// Calls `visit` with the path and the name of every reference that stands as plain JSON.
fn walk(expr: &Expr, path: &str, visit: &mut dyn FnMut(&str, &str)) {
    match expr {
        Expr::Null | Expr::Bool(_) | Expr::Number(_) | Expr::String(_) | Expr::Token(_) => {}
        Expr::List(elements) => {
            for (position, element) in elements.iter().enumerate() {
                walk(element, &format!("{path}.{position}"), visit);
            }
        }
        Expr::Map(entries) => {
            // CloudFormation takes a map for a function where the function is all that it holds.
            if entries.len() == 1 {
                for (function, argument) in entries {
                    named(function, argument, &mut |name| visit(path, name));
                }
            }
            for (key, value) in entries {
                walk(value, &format!("{path}.{key}"), visit);
            }
        }
    }
}

fn named(function: &str, argument: &Expr, visit: &mut dyn FnMut(&str)) {
    match (function, argument) {
        ("Ref", Expr::String(name)) => visit(name),
        ("Fn::GetAtt", Expr::String(text)) => visit(before_dot(text)),
        ("Fn::GetAtt", Expr::List(names)) => {
            if let Some(name) = names.first().and_then(Expr::as_str) {
                visit(name);
            }
        }
        ("Fn::Sub", Expr::String(text)) => substituted(text, &BTreeMap::new(), visit),
        ("Fn::Sub", Expr::List(arguments)) => {
            if let [Expr::String(text), Expr::Map(variables)] = arguments.as_slice() {
                substituted(text, variables, visit);
            }
        }
        _ => {}
    }
}

/// Finds the names in the text of `Fn::Sub`: `${!x}` is text, and what the variables define is theirs.
fn substituted(text: &str, variables: &BTreeMap<String, Expr>, visit: &mut dyn FnMut(&str)) {
    for piece in text.split("${").skip(1) {
        let Some((name, _)) = piece.split_once('}') else {
            continue;
        };
        if !name.starts_with('!') && !variables.contains_key(name) {
            visit(before_dot(name));
        }
    }
}

fn before_dot(text: &str) -> &str {
    text.split_once('.').map_or(text, |(name, _)| name)
}
