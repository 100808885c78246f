//! What is checked once everything is known: references, cycles, the registry's facts, and template limits.

use std::collections::BTreeMap;

use stack_model_cfn::{Token, facts};

use super::{Rendered, order, walk_stack};
use crate::assembly::ARTIFACT_BUCKET_PARAMETER;
use crate::error::Violation;
use crate::stack::StackData;

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
    references(stack, rendered, violations);
    super::raw::check(stack, rendered, violations);
    super::condition::check(stack, rendered, violations);
    super::secrets::check(stack, rendered, violations);
    resource_cycles(stack, rendered, violations);
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
        .chain(stack.conditions.keys())
        .chain(stack.mappings.keys())
        .chain(stack.outputs.keys())
    {
        if let Some(message) = crate::logical_id::violation(name) {
            violations.push(Violation::new(message).in_stack(id).of(name));
        }
    }
    for name in stack.parameters.keys().chain(stack.artifacts.keys()) {
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
    for name in made.filter(|name| stack.parameters.contains_key(*name)) {
        violations.push(
            Violation::new(format!(
                "the synth adds a parameter `{name}` for an artifact: choose another name"
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

/// Checks the tags that a stack and its app give together.
pub(super) fn tags(
    stack: &StackData,
    tags: &BTreeMap<String, String>,
    violations: &mut Vec<Violation>,
) {
    let mut report =
        |message: String| violations.push(Violation::new(message).in_stack(&*stack.id));
    for (key, value) in tags {
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
    if tags.len() > MAX_TAGS {
        report(format!(
            "the stack has {} tags and CloudFormation takes {MAX_TAGS}",
            tags.len()
        ));
    }
}

fn counts(stack: &StackData, violations: &mut Vec<Violation>) {
    let parameters =
        stack.parameters.len() + stack.artifacts.len() + usize::from(!stack.artifacts.is_empty());
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

/// Checks that everything a token names is there.
fn references(stack: &StackData, rendered: &Rendered, violations: &mut Vec<Violation>) {
    let mut report = |place: &str, path: &str, message: String| {
        let mut violation = Violation::new(message)
            .in_stack(&*stack.id)
            .of(place)
            .at(path);
        violation.source = source_of(stack, place);
        violations.push(violation);
    };
    walk_stack(stack, rendered, &mut |place, path, token| match token {
        Token::Ref(id) | Token::GetAtt(id, _) if id.stack() == &*stack.id => {
            let Some(resource) = stack.resources.get(id.logical_id()) else {
                let message = format!(
                    "`{}` is not a resource of this stack: the handle comes from another app",
                    id.logical_id()
                );
                return report(place, path, message);
            };
            if let Token::GetAtt(_, attribute) = token
                && let Some(message) = unknown_attribute(&resource.kind, attribute)
            {
                report(place, path, message);
            }
        }
        Token::Parameter(id) if id.stack() == &*stack.id => {
            let name = id.logical_id();
            let known = stack.parameters.contains_key(name)
                || stack.artifacts.contains_key(name)
                || name == ARTIFACT_BUCKET_PARAMETER;
            if !known {
                report(
                    place,
                    path,
                    format!("`{name}` is not a parameter of this stack"),
                );
            }
        }
        Token::If { condition, .. } if !stack.conditions.contains_key(&**condition) => {
            report(
                place,
                path,
                format!("`{condition}` is not a condition of this stack"),
            );
        }
        Token::FindInMap { map, .. } if !stack.mappings.contains_key(&**map) => {
            report(
                place,
                path,
                format!("`{map}` is not a mapping of this stack"),
            );
        }
        _ => {}
    });
    for (id, resource) in &stack.resources {
        if let Some(condition) = &resource.condition
            && !stack.conditions.contains_key(condition)
        {
            report(
                id,
                "Condition",
                format!("`{condition}` is not a condition of this stack"),
            );
        }
        for dependency in &resource.depends_on {
            let (owner, name) = (dependency.stack(), dependency.logical_id());
            if owner != &*stack.id {
                let message = format!(
                    "`{name}` belongs to the stack `{owner}`: a resource can only wait for one of its own stack, so use `after(\"{owner}\")`"
                );
                report(id, "DependsOn", message);
            } else if !stack.resources.contains_key(name) {
                report(
                    id,
                    "DependsOn",
                    format!("`{name}` is not a resource of this stack"),
                );
            }
        }
    }
}

/// Says what is wrong with an attribute that a resource type does not have.
fn unknown_attribute(kind: &str, attribute: &str) -> Option<String> {
    let finding = facts::resource_type(kind)?.validate_attribute(attribute)?;
    Some(finding.message)
}

/// The resources that resources need, each with the reason.
pub(crate) type Needs = BTreeMap<String, BTreeMap<String, String>>;

/// Returns what the resources of a stack need of each other, with the property that says so.
pub(crate) fn needs(stack: &StackData, rendered: &Rendered) -> Needs {
    let mut needs = Needs::new();
    walk_stack(stack, rendered, &mut |place, path, token| {
        if let Token::Ref(id) | Token::GetAtt(id, _) = token
            && id.stack() == &*stack.id
            && stack.resources.contains_key(place)
            // An output may have the name of a resource, and needs nothing on its behalf.
            && path.starts_with("Properties")
        {
            needs
                .entry(place.to_owned())
                .or_default()
                .entry(id.logical_id().to_owned())
                .or_insert_with(|| path.to_owned());
        }
    });
    for (id, resource) in &stack.resources {
        if let Some(properties) = rendered.get(&(stack.id.to_string(), id.clone())) {
            super::raw::references(properties, "Properties", &mut |path, name| {
                if stack.resources.contains_key(name) {
                    needs
                        .entry(id.clone())
                        .or_default()
                        .entry(name.to_owned())
                        .or_insert_with(|| path.to_owned());
                }
            });
        }
        for dependency in &resource.depends_on {
            needs
                .entry(id.clone())
                .or_default()
                .entry(dependency.logical_id().to_owned())
                .or_insert_with(|| "DependsOn".to_owned());
        }
    }
    needs
}

/// Reports resources of a stack that need each other.
fn resource_cycles(stack: &StackData, rendered: &Rendered, violations: &mut Vec<Violation>) {
    let needs = needs(stack, rendered);
    let edges: BTreeMap<&str, Vec<(&str, &str)>> = needs
        .iter()
        .map(|(from, to)| {
            let to = to.iter().map(|(id, why)| (id.as_str(), why.as_str()));
            (from.as_str(), to.collect())
        })
        .collect();
    for (start, mut message) in order::cycles(&edges, "resources") {
        let asked = edges.iter().find(|(_, needs)| {
            needs.iter().any(|(to, why)| {
                why.starts_with(crate::cognito::FUNCTIONS) && order::is_between(start, to, &edges)
            })
        });
        if let Some((pool, _)) = asked {
            message.push_str(&crate::cognito::remedy(pool));
        }
        let mut violation = Violation::new(message).in_stack(&*stack.id).of(start);
        violation.source = source_of(stack, start);
        violations.push(violation);
    }
}

/// Checks the properties of every resource against the registry.
fn properties(stack: &StackData, rendered: &Rendered, violations: &mut Vec<Violation>) {
    for (id, resource) in &stack.resources {
        let Some(properties) = rendered.get(&(stack.id.to_string(), id.clone())) else {
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
