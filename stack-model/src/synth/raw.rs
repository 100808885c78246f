//! References in raw JSON, which are plain maps and not tokens.

use std::collections::BTreeMap;

use stack_model_cfn::{Expr, Pseudo};

use super::{Rendered, placeholder};
use crate::assembly::ARTIFACT_BUCKET_PARAMETER;
use crate::error::Violation;
use crate::stack::StackData;

/// What a walk through raw JSON meets.
enum Found<'a> {
    /// The name that `Ref`, `Fn::GetAtt` or `Fn::Sub` refers to.
    Reference(&'a str),
    /// The name of the export that `Fn::ImportValue` imports.
    Import(&'a Expr),
    /// A plain text, in which nothing is substituted.
    Text(&'a str),
}

/// Reports what `Ref`, `Fn::GetAtt` and `Fn::Sub` name in raw JSON and the stack does not have, and names of the stack
/// in plain texts that would reach AWS as they stand.
pub(super) fn check(stack: &StackData, rendered: &Rendered, violations: &mut Vec<Violation>) {
    let declared = |name: &str| {
        stack.resources.contains_key(name)
            || stack.parameters.contains_key(name)
            || stack.artifacts.contains_key(name)
            || (name == ARTIFACT_BUCKET_PARAMETER && !stack.artifacts.is_empty())
    };
    let wrong = |found: Found<'_>| -> Vec<String> {
        match found {
            Found::Reference(name) if name.starts_with("AWS::") => {
                let known = Pseudo::ALL.iter().any(|pseudo| pseudo.name() == name);
                (!known)
                    .then(|| format!("`{name}` is not a pseudo parameter"))
                    .into_iter()
                    .collect()
            }
            Found::Reference(name) if !declared(name) => vec![format!(
                "`{name}` is neither a resource nor a parameter of this stack"
            )],
            Found::Text(text) => placeholder::find(text, &declared),
            Found::Reference(_) | Found::Import(_) => Vec::new(),
        }
    };
    for (id, resource) in &stack.resources {
        let mut report = |path: &str, found: Found<'_>| {
            violations.extend(wrong(found).into_iter().map(|message| {
                Violation::new(message)
                    .in_stack(&*stack.id)
                    .of(id)
                    .at(path)
                    .declared(&resource.source)
            }));
        };
        if let Some(properties) = rendered.get(&(stack.id.to_string(), id.clone())) {
            walk(properties, "Properties", &mut report);
        }
        for (key, value) in &resource.metadata {
            walk(value, &format!("Metadata.{key}"), &mut report);
        }
    }
    for (key, output) in &stack.outputs {
        walk(&output.value, "Value", &mut |path, found| {
            // What an output says is for people, who may want to read about a placeholder.
            if let Found::Reference(_) = found {
                violations.extend(wrong(found).into_iter().map(|message| {
                    Violation::new(message)
                        .in_stack(&*stack.id)
                        .of(key)
                        .at(path)
                        .declared(&output.source)
                }));
            }
        });
    }
}

/// Calls `visit` with the path and the name of every reference that stands as plain JSON.
pub(crate) fn references(expr: &Expr, path: &str, visit: &mut dyn FnMut(&str, &str)) {
    walk(expr, path, &mut |path, found| {
        if let Found::Reference(name) = found {
            visit(path, name);
        }
    });
}

/// Calls `visit` with the path and the name of every export that plain JSON imports.
pub(super) fn imports(expr: &Expr, path: &str, visit: &mut dyn FnMut(&str, &Expr)) {
    walk(expr, path, &mut |path, found| {
        if let Found::Import(name) = found {
            visit(path, name);
        }
    });
}

/// Calls `visit` with the path of every reference and import that stands as plain JSON, and of every plain text.
fn walk(expr: &Expr, path: &str, visit: &mut dyn FnMut(&str, Found<'_>)) {
    match expr {
        Expr::Null | Expr::Bool(_) | Expr::Number(_) | Expr::Token(_) => {}
        Expr::String(text) => {
            visit(path, Found::Text(text));
        }
        Expr::List(elements) => {
            for (position, element) in elements.iter().enumerate() {
                walk(element, &format!("{path}.{position}"), visit);
            }
        }
        Expr::Map(entries) => {
            // CloudFormation takes a map for a function where the function is all that it holds.
            if let (1, Some((function, argument))) = (entries.len(), entries.first_key_value()) {
                named(function, argument, &mut |name| {
                    visit(path, Found::Reference(name));
                });
                if function == "Fn::ImportValue" {
                    visit(path, Found::Import(argument));
                }
                if function == "Fn::Sub" {
                    return variables(argument, path, visit);
                }
            }
            // A state machine names what its definition's placeholders stand for.
            let definition = entries
                .contains_key("DefinitionSubstitutions")
                .then_some("DefinitionString");
            for (key, value) in entries {
                if Some(key.as_str()) != definition {
                    walk(value, &format!("{path}.{key}"), visit);
                }
            }
        }
    }
}

/// Walks the variables of `Fn::Sub`, and not its text, which is there to hold placeholders.
fn variables(argument: &Expr, path: &str, visit: &mut dyn FnMut(&str, Found<'_>)) {
    if let Expr::List(arguments) = argument
        && let Some(variables) = arguments.get(1)
    {
        walk(variables, &format!("{path}.Fn::Sub.1"), visit);
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
        ("Fn::Sub", Expr::String(text)) => {
            substituted(text, &BTreeMap::new(), &mut |name| visit(before_dot(name)));
        }
        ("Fn::Sub", Expr::List(arguments)) => {
            if let [Expr::String(text), Expr::Map(variables)] = arguments.as_slice() {
                substituted(text, variables, &mut |name| visit(before_dot(name)));
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
            visit(name);
        }
    }
}

pub(super) fn before_dot(text: &str) -> &str {
    text.split_once('.').map_or(text, |(name, _)| name)
}
