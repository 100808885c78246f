//! What is checked of every table, however it was added: typed, generated or raw.

use std::collections::BTreeSet;

use stack_model_cfn::Expr;

use crate::error::Violation;
use crate::stack::StackData;
use crate::synth::Rendered;

const TABLES: [&str; 2] = ["AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"];

/// Checks that the key attributes of each table are the declared ones: DynamoDB refuses a key without a declared type,
/// and a declared attribute that no key uses.
pub(crate) fn check(stack: &StackData, rendered: &Rendered, violations: &mut Vec<Violation>) {
    for (id, resource) in &stack.resources {
        if !TABLES.contains(&resource.kind.as_str()) {
            continue;
        }
        let Some(properties) = rendered.get(&stack.id, id) else {
            continue;
        };
        for (path, message) in attributes(properties) {
            violations.push(
                Violation::new(message)
                    .in_stack(&*stack.id)
                    .of(id)
                    .at(path)
                    .declared(&resource.source),
            );
        }
    }
}

fn attributes(table: &Expr) -> Vec<(&'static str, String)> {
    let mut findings = Vec::new();
    let (Some(definitions), Some(mut used)) = (
        names(property(table, "AttributeDefinitions")),
        names(property(table, "KeySchema")),
    ) else {
        return findings;
    };
    for indexes in ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
        let indexes = match property(table, indexes) {
            None => continue,
            Some(Expr::List(indexes)) => indexes,
            Some(_) => return findings,
        };
        for index in indexes {
            let Some(names) = names(property(index, "KeySchema")) else {
                return findings;
            };
            used.extend(names);
        }
    }
    let path = "Properties.AttributeDefinitions";
    for name in used.difference(&definitions) {
        let message = format!(
            "the key attribute `{name}` is not declared: say its type among the attributes"
        );
        findings.push((path, message));
    }
    for name in definitions.difference(&used) {
        let message = format!(
            "the attribute `{name}` is declared and no key of the table or an index uses it: only key attributes are declared"
        );
        findings.push((path, message));
    }
    findings
}

fn property<'a>(value: &'a Expr, name: &str) -> Option<&'a Expr> {
    match value {
        Expr::Map(entries) => entries.get(name),
        _ => None,
    }
}

/// Returns the attribute names in a list, or nothing where the list or a name is only known to the deployment.
fn names(list: Option<&Expr>) -> Option<BTreeSet<&str>> {
    let Some(Expr::List(elements)) = list else {
        return None;
    };
    elements
        .iter()
        .map(|element| property(element, "AttributeName")?.as_str())
        .collect()
}
