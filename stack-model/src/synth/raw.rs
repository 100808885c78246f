//! References in raw JSON, which are plain maps and not tokens, and placeholders in plain texts.

use stack_model_cfn::Pseudo;

use super::placeholder;
use super::walk::{Met, Place, Section};
use crate::assembly::ARTIFACT_BUCKET_PARAMETER;
use crate::error::Violation;
use crate::stack::StackData;

/// Reports what `Ref`, `Fn::GetAtt` and `Fn::Sub` name in raw JSON and the stack does not have, and names of the stack
/// in plain texts that would reach AWS as they stand.
pub(super) struct RawNames<'a> {
    stack: &'a StackData,
    violations: Vec<Violation>,
}

impl<'a> RawNames<'a> {
    pub(super) fn new(stack: &'a StackData) -> Self {
        Self {
            stack,
            violations: Vec::new(),
        }
    }

    pub(super) fn meet(&mut self, place: Place<'a, '_>, met: Met<'a>) {
        let stack = self.stack;
        let (source, is_output) = match place.section {
            Section::Properties(resource) | Section::Metadata(resource) => {
                (&resource.source, false)
            }
            Section::Output(output) => (&output.source, true),
            Section::Condition => return,
        };
        let declared = |name: &str| declares(stack, name);
        let messages = match met {
            Met::Name(name) if name.starts_with("AWS::") => {
                if Pseudo::ALL.iter().any(|pseudo| pseudo.name() == name) {
                    return;
                }
                vec![format!("`{name}` is not a pseudo parameter")]
            }
            Met::Name(name) if !declared(name) => vec![format!(
                "`{name}` is neither a resource nor a parameter of this stack"
            )],
            // What an output says is for people, who may want to read about a placeholder.
            Met::Text {
                text,
                substituted: false,
            } if !is_output => placeholder::find(text, &declared),
            _ => return,
        };
        self.violations.extend(messages.into_iter().map(|message| {
            Violation::new(message)
                .in_stack(&*stack.id)
                .of(place.id)
                .at(place.path)
                .declared(source)
        }));
    }

    pub(super) fn finish(self, violations: &mut Vec<Violation>) {
        violations.extend(self.violations);
    }
}

fn declares(stack: &StackData, name: &str) -> bool {
    stack.resources.contains_key(name)
        || stack.parameters.contains_key(name)
        || stack.artifacts.contains_key(name)
        || stack.releases.contains_key(name)
        || (name == ARTIFACT_BUCKET_PARAMETER && !stack.artifacts.is_empty())
}
