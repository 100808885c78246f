//! How large policies are. IAM counts every character that is no blank; see
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.

use std::collections::BTreeMap;

use stack_model_cfn::{Expr, Part, Token};

use crate::error::Violation;
use crate::stack::StackData;
use crate::synth::Rendered;

/// The characters of all inline policies of a role together.
const MAX_INLINE: usize = 10_240;

/// The characters of a managed policy.
const MAX_MANAGED: usize = 6_144;

/// The characters of a trust policy, after the quota was raised as far as AWS raises it.
const MAX_TRUST: usize = 4_096;

/// Reports policies that are too large even where nothing is counted of what only the deployment knows.
pub(crate) fn check(stack: &StackData, rendered: &Rendered, violations: &mut Vec<Violation>) {
    let mut inline: BTreeMap<&str, usize> = BTreeMap::new();
    let mut report = |id: &str, property: &str, message: String| {
        let violation = Violation::new(message)
            .in_stack(&*stack.id)
            .of(id)
            .at(format!("Properties.{property}"));
        let source = stack.resources.get(id).map(|resource| &resource.source);
        violations.push(match source {
            Some(source) => violation.declared(source),
            None => violation,
        });
    };
    for (id, resource) in &stack.resources {
        let Some(Expr::Map(properties)) = rendered.get(&stack.id, id) else {
            continue;
        };
        let document = properties.get("PolicyDocument").map_or(0, least);
        match resource.kind.as_str() {
            "AWS::IAM::Role" => {
                if let Some(Expr::List(policies)) = properties.get("Policies") {
                    *inline.entry(id).or_default() +=
                        policies.iter().map(inline_size).sum::<usize>();
                }
                let trust = properties.get("AssumeRolePolicyDocument").map_or(0, least);
                if trust > MAX_TRUST {
                    let message = format!(
                        "the trust policy has at least {trust} characters and IAM takes {MAX_TRUST}"
                    );
                    report(id, "AssumeRolePolicyDocument", message);
                }
            }
            "AWS::IAM::Policy" | "AWS::IAM::RolePolicy" => {
                let roles = ["Roles", "RoleName"];
                for role in roles.iter().filter_map(|name| properties.get(*name)) {
                    role.walk(&mut |token| {
                        if let Token::Ref(role) = token
                            && role.stack() == &*stack.id
                            && let Some((role, _)) =
                                stack.resources.get_key_value(role.logical_id())
                        {
                            *inline.entry(role).or_default() += document;
                        }
                    });
                }
            }
            "AWS::IAM::ManagedPolicy" if document > MAX_MANAGED => {
                let message = format!(
                    "the policy has at least {document} characters and IAM takes {MAX_MANAGED}: split it"
                );
                report(id, "PolicyDocument", message);
            }
            _ => {}
        }
    }
    for (id, size) in inline {
        if size > MAX_INLINE {
            let message = format!(
                "the inline policies of the role have at least {size} characters together and IAM takes {MAX_INLINE}: grant on fewer resources, or move statements to a managed policy"
            );
            report(id, "Policies", message);
        }
    }
}

fn inline_size(policy: &Expr) -> usize {
    match policy {
        Expr::Map(entries) => entries.get("PolicyDocument").map_or(0, least),
        _ => 0,
    }
}

/// Counts the characters that a document has at least: a value that only the deployment knows may be empty.
pub(crate) fn least(expr: &Expr) -> usize {
    match expr {
        Expr::Token(Token::Sub(parts)) => {
            2 + parts
                .iter()
                .map(|part| match part {
                    Part::Text(text) => characters(text),
                    Part::Token(_) => 0,
                })
                .sum::<usize>()
        }
        Expr::Null | Expr::Token(_) => 2,
        Expr::Bool(value) => value.to_string().len(),
        Expr::Number(value) => value.to_string().len(),
        Expr::String(text) => 2 + characters(text),
        Expr::List(elements) => {
            elements.iter().map(least).sum::<usize>() + elements.len().saturating_sub(1) + 2
        }
        Expr::Map(entries) => {
            let entries_size = entries
                .iter()
                .map(|(key, value)| characters(key) + 3 + least(value));
            entries_size.sum::<usize>() + entries.len().saturating_sub(1) + 2
        }
    }
}

fn characters(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}
