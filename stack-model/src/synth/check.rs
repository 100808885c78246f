//! What is checked once everything is known: references, cycles, the registry's facts, and template limits.

mod cycles;
mod references;

use std::collections::BTreeMap;

use stack_model_cfn::facts;

use super::condition::{self, LookUps};
use super::raw::RawNames;
use super::secrets::Secrets;
use super::{Rendered, walk};
use crate::assembly::ARTIFACT_BUCKET_PARAMETER;
use crate::error::Violation;
use crate::stack::StackData;
use crate::stage::OWN_TAGS;

use cycles::Cycles;
use references::References;

pub(crate) use cycles::{Needs, needs};

/// The limits of a template; see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>.
const MAX_RESOURCES: usize = 500;
const MAX_PARAMETERS: usize = 200;
const MAX_OUTPUTS: usize = 200;
const MAX_MAPPINGS: usize = 200;
const MAX_DESCRIPTION_BYTES: usize = 1024;
const MAX_TEMPLATE_BYTES: usize = 1_000_000;
const MAX_STACK_NAME: usize = 128;
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html>, under `Tags`.
const MAX_TAGS: usize = 50;

/// Checks the content of a stack.
pub(super) fn stack(stack: &StackData, rendered: &Rendered, violations: &mut Vec<Violation>) {
    names(stack, violations);
    counts(stack, violations);
    let mut references = References::new(stack);
    let mut raw_names = RawNames::new(stack);
    let mut look_ups = LookUps::new(stack);
    let mut secrets = Secrets::new(stack);
    let mut cycles = Cycles::new(stack);
    walk::stack(stack, rendered, |place, met| {
        references.meet(place, met);
        raw_names.meet(place, met);
        look_ups.meet(place, met);
        secrets.meet(place, met);
        cycles.meet(place, met);
    });
    references.finish(violations);
    raw_names.finish(violations);
    condition::check(stack, violations);
    look_ups.finish(violations);
    secrets.finish(violations);
    cycles.finish(violations);
    properties(stack, rendered, violations);
    crate::apigateway::check(stack, rendered, violations);
    crate::dynamodb::check(stack, rendered, violations);
    crate::events::check(stack, rendered, violations);
    crate::route53::check(stack, rendered, violations);
    crate::apigatewayv2::check(stack, rendered, violations);
    crate::iam::check(stack, rendered, violations);
    crate::cognito::check(stack, rendered, violations);
}

/// Checks the rendered bytes of a template.
pub(super) fn template(stack: &StackData, template: &str, violations: &mut Vec<Violation>) {
    if template.len() > MAX_TEMPLATE_BYTES {
        violations.push(
            Violation::new(format!(
                "the template has {} bytes and CloudFormation takes {MAX_TEMPLATE_BYTES}: split the stack",
                template.len()
            ))
            .in_stack(&*stack.id),
        );
    }
}

fn names(stack: &StackData, violations: &mut Vec<Violation>) {
    let id = &*stack.id;
    let mut characters = id.chars();
    let valid = characters.next().is_some_and(|c| c.is_ascii_alphabetic())
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '-')
        // A stage name takes up to 33 more characters with its hyphen.
        && id.len() <= MAX_STACK_NAME - 33;
    if !valid {
        violations.push(
            Violation::new(format!(
                "`{id}` is not the name of a stack: use 1 to 95 letters, digits and hyphens, a letter first"
            ))
            .in_stack(id),
        );
    }
    for name in stack
        .parameters
        .keys()
        .chain(stack.artifacts.keys())
        .chain(stack.releases.keys())
        .chain(stack.conditions.keys())
        .chain(stack.mappings.keys())
        .chain(stack.outputs.keys())
    {
        if let Some(message) = crate::logical_id::violation(name) {
            violations.push(Violation::new(message).in_stack(id).of(name));
        }
    }
    let parameters = stack.parameters.keys().chain(stack.artifacts.keys());
    for name in parameters.chain(stack.releases.keys()) {
        if stack.resources.contains_key(name) {
            violations.push(
                Violation::new(format!(
                    "`{name}` names a parameter and a resource: `Ref` could not tell them apart"
                ))
                .in_stack(id)
                .of(name),
            );
        }
    }
    let made = stack.artifacts.keys().map(String::as_str);
    let made = made.chain((!stack.artifacts.is_empty()).then_some(ARTIFACT_BUCKET_PARAMETER));
    let made = made.chain(stack.releases.keys().map(String::as_str));
    for name in made.filter(|name| stack.parameters.contains_key(*name)) {
        violations.push(
            Violation::new(format!(
                "the synth adds a parameter `{name}` for a function: choose another name"
            ))
            .in_stack(id)
            .of(name),
        );
    }
    if let Some(region) = &stack.region
        && !is_region(region)
    {
        violations.push(
            Violation::new(format!(
                "`{region}` is not a region: it looks like `eu-central-1`"
            ))
            .in_stack(id),
        );
    }
    moves(stack, violations);
}

/// Returns whether a text looks like the name of a region: words and a number, with hyphens between them.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let Some((number, words)) = parts.split_last() else {
        return false;
    };
    let is_word =
        |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    words.len() >= 2
        && words.iter().all(is_word)
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Checks the declared renames.
fn moves(stack: &StackData, violations: &mut Vec<Violation>) {
    let mut targets: BTreeMap<&str, &str> = BTreeMap::new();
    for (from, moved) in &stack.moved {
        let to = moved.to.as_str();
        let message = if from == to {
            Some(format!("`{from}` is moved onto itself"))
        } else if stack.resources.contains_key(from) {
            Some(format!(
                "`{from}` is still a resource of this stack, so it was not moved to `{to}`"
            ))
        } else if !stack.resources.contains_key(to) {
            Some(format!("`{to}` is not a resource of this stack"))
        } else if let Some(message) = crate::logical_id::violation(from) {
            Some(message)
        } else {
            let earlier = targets.insert(to, from);
            earlier.map(|earlier| format!("`{earlier}` is moved to `{to}`, too"))
        };
        if let Some(message) = message {
            violations.push(
                Violation::new(message)
                    .in_stack(&*stack.id)
                    .of(from)
                    .declared(&moved.source),
            );
        }
    }
}

/// Checks the tags that a stack and its app give, and how many there are with those of the stage.
pub(super) fn tags(
    stack: &StackData,
    given: &BTreeMap<String, String>,
    count: usize,
    violations: &mut Vec<Violation>,
) {
    let mut report =
        |message: String| violations.push(Violation::new(message).in_stack(&*stack.id));
    for (key, value) in given {
        if key.starts_with(OWN_TAGS) {
            report(format!(
                "the tag `{key}` is not an app's to give: keys that start with `{OWN_TAGS}` tell stackctl whose a stack is"
            ));
        }
        if key.starts_with("aws:")
            || key.is_empty()
            || key.chars().count() > 128
            || value.chars().count() > 256
        {
            report(format!(
                "the tag `{key}` does not fit: keys have 1 to 128 characters and do not start with `aws:`, values at most 256"
            ));
        }
    }
    if count > MAX_TAGS {
        report(format!(
            "the stack has {count} tags, its stage's among them, and CloudFormation takes {MAX_TAGS}"
        ));
    }
}

fn counts(stack: &StackData, violations: &mut Vec<Violation>) {
    let parameters = stack.parameters.len()
        + stack.artifacts.len()
        + stack.releases.len()
        + usize::from(!stack.artifacts.is_empty());
    let counted = [
        ("resources", stack.resources.len(), MAX_RESOURCES),
        ("parameters", parameters, MAX_PARAMETERS),
        ("outputs", stack.outputs.len(), MAX_OUTPUTS),
        ("mappings", stack.mappings.len(), MAX_MAPPINGS),
    ];
    for (what, count, most) in counted {
        if count > most {
            violations.push(
                Violation::new(format!(
                    "the stack has {count} {what} and CloudFormation takes {most}: split the stack"
                ))
                .in_stack(&*stack.id),
            );
        }
    }
    if stack.resources.is_empty() {
        violations.push(
            Violation::new("the stack has no resource, and CloudFormation takes none without one")
                .in_stack(&*stack.id),
        );
    }
    let descriptions = stack
        .outputs
        .iter()
        .map(|(key, output)| (Some(key), output.description.as_ref()))
        .chain([(None, stack.description.as_ref())]);
    for (key, description) in descriptions {
        if description.is_some_and(|text| text.len() > MAX_DESCRIPTION_BYTES) {
            let mut violation = Violation::new(format!(
                "the description is longer than {MAX_DESCRIPTION_BYTES} bytes"
            ))
            .in_stack(&*stack.id);
            violation.logical_id = key.cloned();
            violations.push(violation);
        }
    }
}

/// Checks the properties of every resource against the registry.
fn properties(stack: &StackData, rendered: &Rendered, violations: &mut Vec<Violation>) {
    for (id, resource) in &stack.resources {
        let Some(properties) = rendered.get(&stack.id, id) else {
            continue;
        };
        for finding in facts::validate(&resource.kind, properties) {
            let mut violation = Violation::new(finding.message).in_stack(&*stack.id).of(id);
            if !finding.path.is_empty() {
                violation = violation.at(format!("Properties.{}", finding.path.replace('/', ".")));
            }
            // The service modules check much of this too, in better words.
            let reported = violation.property.is_some()
                && violations.iter().any(|earlier| {
                    earlier.stack == violation.stack
                        && earlier.logical_id == violation.logical_id
                        && earlier.property == violation.property
                });
            if reported {
                continue;
            }
            violations.push(violation.declared(&resource.source));
        }
    }
}

pub(super) fn source_of(stack: &StackData, place: &str) -> Option<String> {
    let resource = stack.resources.get(place).map(|resource| &resource.source);
    let output = stack.outputs.get(place).map(|output| &output.source);
    resource.or(output).cloned()
}
