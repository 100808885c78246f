//! Whether everything that a stack refers to is there.

use stack_model_cfn::{Token, facts};

use super::source_of;
use crate::assembly::ARTIFACT_BUCKET_PARAMETER;
use crate::error::Violation;
use crate::stack::StackData;
use crate::synth::walk::{Met, Place};

/// Checks that everything a token names is there.
pub(super) struct References<'a> {
    stack: &'a StackData,
    violations: Vec<Violation>,
}

impl<'a> References<'a> {
    pub(super) fn new(stack: &'a StackData) -> Self {
        Self {
            stack,
            violations: Vec::new(),
        }
    }

    pub(super) fn meet(&mut self, place: Place<'a, '_>, met: Met<'a>) {
        let Met::Token(token) = met else {
            return;
        };
        token.walk(&mut |token| {
            if let Some(message) = self.problem(token) {
                self.report(place.id, place.path, message);
            }
        });
    }

    /// Checks the references that are no tokens besides.
    pub(super) fn finish(mut self, violations: &mut Vec<Violation>) {
        let stack = self.stack;
        for (id, resource) in &stack.resources {
            if let Some(condition) = &resource.condition
                && !stack.conditions.contains_key(condition)
            {
                let message = format!("`{condition}` is not a condition of this stack");
                self.report(id, "Condition", message);
            }
            for dependency in &resource.depends_on {
                let (owner, name) = (dependency.stack(), dependency.logical_id());
                if owner != &*stack.id {
                    let message = format!(
                        "`{name}` belongs to the stack `{owner}`: a resource can only wait for one of its own stack, so use `after(\"{owner}\")`"
                    );
                    self.report(id, "DependsOn", message);
                } else if !stack.resources.contains_key(name) {
                    let message = format!("`{name}` is not a resource of this stack");
                    self.report(id, "DependsOn", message);
                }
            }
        }
        violations.extend(self.violations);
    }

    fn problem(&self, token: &Token) -> Option<String> {
        let stack = self.stack;
        match token {
            Token::Ref(id) | Token::GetAtt(id, _) if id.stack() == &*stack.id => {
                let Some(resource) = stack.resources.get(id.logical_id()) else {
                    return Some(format!(
                        "`{}` is not a resource of this stack: the handle comes from another app",
                        id.logical_id()
                    ));
                };
                match token {
                    Token::GetAtt(_, attribute) => unknown_attribute(&resource.kind, attribute),
                    _ => None,
                }
            }
            Token::Parameter(id) if id.stack() == &*stack.id => {
                let name = id.logical_id();
                let known = stack.parameters.contains_key(name)
                    || stack.artifacts.contains_key(name)
                    || stack.releases.contains_key(name)
                    || name == ARTIFACT_BUCKET_PARAMETER;
                (!known).then(|| format!("`{name}` is not a parameter of this stack"))
            }
            Token::If { condition, .. } if !stack.conditions.contains_key(&**condition) => {
                Some(format!("`{condition}` is not a condition of this stack"))
            }
            Token::FindInMap { map, .. } if !stack.mappings.contains_key(&**map) => {
                Some(format!("`{map}` is not a mapping of this stack"))
            }
            _ => None,
        }
    }

    fn report(&mut self, place: &str, path: &str, message: String) {
        let mut violation = Violation::new(message)
            .in_stack(&*self.stack.id)
            .of(place)
            .at(path);
        violation.source = source_of(self.stack, place);
        self.violations.push(violation);
    }
}

/// Says what is wrong with an attribute that a resource type does not have.
fn unknown_attribute(kind: &str, attribute: &str) -> Option<String> {
    let finding = facts::resource_type(kind)?.validate_attribute(attribute)?;
    Some(finding.message)
}
