//! Conditions and mappings: what CloudFormation takes in them.
//!
//! See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-conditions.html>.

use std::collections::{BTreeMap, BTreeSet};

use stack_model_cfn::{Expr, Token};

use super::check::source_of;
use super::order;
use super::walk::{Met, Place};
use crate::error::Violation;
use crate::stack::StackData;

/// Checks the conditions and mappings of a stack.
pub(super) fn check(stack: &StackData, violations: &mut Vec<Violation>) {
    conditions(stack, violations);
    mappings(stack, violations);
}

fn conditions(stack: &StackData, violations: &mut Vec<Violation>) {
    let mut edges: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for (name, condition) in &stack.conditions {
        let mut report = |message: String| {
            violations.push(
                Violation::new(message)
                    .in_stack(&*stack.id)
                    .of(name)
                    .at("Condition"),
            );
        };
        let mut problems = BTreeSet::new();
        condition.walk(&mut |token| match token {
            Token::Ref(id) | Token::GetAtt(id, _) => {
                problems.insert(format!(
                    "`{}` is a resource: a condition is decided before there is any",
                    id.logical_id()
                ));
            }
            Token::Parameter(id) if id.stack() != &*stack.id => {
                problems.insert(format!(
                    "`{}` is a parameter of the stack `{}`, which a condition cannot import",
                    id.logical_id(),
                    id.stack()
                ));
            }
            Token::ImportValue(_) => {
                problems.insert("a condition cannot import".to_owned());
            }
            _ => {}
        });
        let mut needs = Vec::new();
        inside(condition, &mut |function, argument| match argument {
            Expr::List(conditions)
                if ["Fn::And", "Fn::Or"].contains(&function)
                    && !(2..=10).contains(&conditions.len()) =>
            {
                problems.insert(format!(
                    "{function} takes 2 to 10 conditions and has {}",
                    conditions.len()
                ));
            }
            Expr::String(other) if function == "Condition" => {
                if let Some((other, _)) = stack.conditions.get_key_value(other) {
                    needs.push((other.as_str(), "what it is made of"));
                } else {
                    problems.insert(format!("`{other}` is not a condition of this stack"));
                }
            }
            _ => {}
        });
        problems.into_iter().for_each(&mut report);
        edges.insert(name, needs);
    }
    for (start, message) in order::cycles(&edges, "conditions") {
        violations.push(Violation::new(message).in_stack(&*stack.id).of(start));
    }
}

/// Calls `visit` with the functions that conditions are made of, and their arguments.
fn inside<'a>(expr: &'a Expr, visit: &mut dyn FnMut(&'a str, &'a Expr)) {
    match expr {
        Expr::List(elements) => elements.iter().for_each(|element| inside(element, visit)),
        Expr::Map(entries) => {
            for (function, argument) in entries {
                visit(function, argument);
                inside(argument, visit);
            }
        }
        _ => {}
    }
}

fn mappings(stack: &StackData, violations: &mut Vec<Violation>) {
    for (name, entries) in &stack.mappings {
        if entries.is_empty() || entries.values().any(BTreeMap::is_empty) {
            violations.push(
                Violation::new("the mapping lacks entries: every first key needs a second one")
                    .in_stack(&*stack.id)
                    .of(name),
            );
        }
    }
}

/// Reports keys that a mapping does not have, where they are known.
pub(super) struct LookUps<'a> {
    stack: &'a StackData,
    violations: Vec<Violation>,
}

impl<'a> LookUps<'a> {
    pub(super) fn new(stack: &'a StackData) -> Self {
        Self {
            stack,
            violations: Vec::new(),
        }
    }

    pub(super) fn meet(&mut self, place: Place<'a, '_>, met: Met<'a>) {
        let stack = self.stack;
        let Met::Token(token) = met else {
            return;
        };
        token.walk(&mut |token| {
            let Token::FindInMap { map, first, second } = token else {
                return;
            };
            let Some(entries) = stack.mappings.get(&**map) else {
                return;
            };
            let mut report = |key: &str| {
                let mut violation =
                    Violation::new(format!("the mapping `{map}` has no key `{key}`"))
                        .in_stack(&*stack.id)
                        .of(place.id)
                        .at(place.path);
                violation.source = source_of(stack, place.id);
                self.violations.push(violation);
            };
            let candidates: Vec<_> = match first.as_str() {
                Some(key) if !entries.contains_key(key) => return report(key),
                Some(key) => entries.get(key).into_iter().collect(),
                None => entries.values().collect(),
            };
            if let Some(key) = second.as_str()
                && !candidates.is_empty()
                && !candidates.iter().any(|second| second.contains_key(key))
            {
                report(key);
            }
        });
    }

    pub(super) fn finish(self, violations: &mut Vec<Violation>) {
        violations.extend(self.violations);
    }
}
