//! Stages that are named by a text.
//!
//! Nothing would make what names a stage by a text wait for that stage: it may be created before it, and deleted after
//! it. That is looked at across the whole app, because a stage and what names it may stand in different stacks.

use std::collections::{BTreeMap, BTreeSet};

use stack_model_cfn::{Expr, Part, ResourceId, Token};

use super::{elements, get};
use crate::error::Violation;
use crate::resource::Resource;
use crate::stack::StackData;
use crate::synth::{Links, Needs, Rendered, needs};

/// A stage with a name that is a literal.
struct StageOf<'a> {
    stack: &'a StackData,
    id: &'a str,
    name: &'a str,
    api: Option<ResourceId>,
}

/// Something that names a stage by a text.
struct Mention<'a> {
    path: &'static str,
    name: &'a str,
    api: Api,
}

/// The API whose stage is meant.
enum Api {
    /// One of the app.
    Known(ResourceId),
    /// A text: another app's, or nobody's.
    Foreign,
    /// Only the deployment knows.
    Unknown,
}

/// Reports what names a stage of the app by a text and does not wait for it.
pub(crate) fn literal_stages(
    stacks: &[StackData],
    rendered: &Rendered,
    links: &Links,
    violations: &mut Vec<Violation>,
) {
    let stages = stages(stacks, rendered);
    if stages.is_empty() {
        return;
    }
    for stack in stacks {
        let mut known = None;
        for (id, resource) in &stack.resources {
            let Some(properties) = rendered.get(&stack.id, id) else {
                continue;
            };
            let mut reported = BTreeSet::new();
            for mention in mentions(resource, properties, stack, stacks) {
                let Some(stage) = stages.iter().find(|stage| mention.means(stage, stack)) else {
                    continue;
                };
                let waits = if stage.stack.id == stack.id {
                    let needs = known.get_or_insert_with(|| needs(stack, rendered));
                    reaches(needs, id, stage.id)
                } else {
                    links.follows(&stack.id, &stage.stack.id)
                };
                if waits || !reported.insert((mention.path, mention.name)) {
                    continue;
                }
                let whose = if stage.stack.id == stack.id {
                    String::new()
                } else {
                    format!(" of the stack `{}`", stage.stack.id)
                };
                let message = format!(
                    "the text `{}` names the stage `{}`{whose} without waiting for it: use `name()` of the stage's handle",
                    mention.name, stage.id
                );
                violations.push(
                    Violation::new(message)
                        .in_stack(&*stack.id)
                        .of(id)
                        .at(mention.path)
                        .declared(&resource.source),
                );
            }
        }
    }
}

impl Mention<'_> {
    fn means(&self, stage: &StageOf<'_>, stack: &StackData) -> bool {
        self.name == stage.name
            && match (&self.api, &stage.api) {
                (Api::Known(api), Some(own)) => api == own,
                (Api::Foreign, _) => false,
                // Within one stack the name says enough.
                (Api::Unknown, _) | (_, None) => stage.stack.id == stack.id,
            }
    }
}

fn stages<'a>(stacks: &'a [StackData], rendered: &'a Rendered) -> Vec<StageOf<'a>> {
    let mut stages = Vec::new();
    for stack in stacks {
        for (id, resource) in &stack.resources {
            let api = match resource.kind.as_str() {
                "AWS::ApiGateway::Stage" => "RestApiId",
                "AWS::ApiGatewayV2::Stage" => "ApiId",
                _ => continue,
            };
            let Some(properties) = rendered.get(&stack.id, id) else {
                continue;
            };
            let Some(name) = get(properties, "StageName").and_then(Expr::as_str) else {
                continue;
            };
            let api = get(properties, api).map(|api| api_of(api, stack, stacks));
            stages.push(StageOf {
                stack,
                id,
                name,
                api: match api {
                    Some(Api::Known(api)) => Some(api),
                    _ => None,
                },
            });
        }
    }
    stages
}

fn mentions<'a>(
    resource: &Resource,
    properties: &'a Expr,
    stack: &StackData,
    stacks: &[StackData],
) -> Vec<Mention<'a>> {
    let pair = |path: &'static str, owner: &'a Expr, api: &str, stage: &str| {
        let api = get(owner, api).map_or(Api::Unknown, |api| api_of(api, stack, stacks));
        let name = get(owner, stage).and_then(Expr::as_str)?;
        Some(Mention { path, name, api })
    };
    match resource.kind.as_str() {
        "AWS::ApiGateway::UsagePlan" => elements(get(properties, "ApiStages"))
            .filter_map(|entry| pair("Properties.ApiStages", entry, "ApiId", "Stage"))
            .collect(),
        "AWS::ApiGateway::ApiKey" => elements(get(properties, "StageKeys"))
            .filter_map(|entry| pair("Properties.StageKeys", entry, "RestApiId", "StageName"))
            .collect(),
        "AWS::ApiGateway::BasePathMapping" | "AWS::ApiGateway::BasePathMappingV2" => {
            pair("Properties.Stage", properties, "RestApiId", "Stage")
                .into_iter()
                .collect()
        }
        "AWS::ApiGatewayV2::ApiMapping" => pair("Properties.Stage", properties, "ApiId", "Stage")
            .into_iter()
            .collect(),
        "AWS::WAFv2::WebACLAssociation" | "AWS::WAFRegional::WebACLAssociation" => {
            get(properties, "ResourceArn")
                .and_then(|arn| of_arn(arn, stack, stacks))
                .into_iter()
                .collect()
        }
        _ => Vec::new(),
    }
}

/// Reads the stage from the ARN of one: `arn:aws:apigateway:<region>::/restapis/<api>/stages/<name>`.
fn of_arn<'a>(arn: &'a Expr, stack: &StackData, stacks: &[StackData]) -> Option<Mention<'a>> {
    let mention = |name: &'a str, api| {
        let literal = !name.is_empty() && !name.contains(['$', '/']);
        literal.then_some(Mention {
            path: "Properties.ResourceArn",
            name,
            api,
        })
    };
    match arn {
        Expr::String(text) => mention(text.rsplit_once("/stages/")?.1, Api::Foreign),
        Expr::Token(Token::Sub(parts)) => match parts.as_slice() {
            [.., Part::Token(api), Part::Text(text)] => {
                mention(text.strip_prefix("/stages/")?, token_api(api, stacks))
            }
            _ => None,
        },
        Expr::Map(entries) => {
            let (text, variables) = match entries.get("Fn::Sub")? {
                Expr::String(text) => (text, None),
                Expr::List(arguments) => match arguments.as_slice() {
                    [Expr::String(text), Expr::Map(variables)] => (text, Some(variables)),
                    _ => return None,
                },
                _ => return None,
            };
            let (before, name) = text.rsplit_once("/stages/")?;
            let id = before
                .strip_suffix('}')
                .and_then(|before| Some(before.rsplit_once("${")?.1));
            let variable = variables.and_then(|variables| variables.get(id?));
            let api = match (variable, id) {
                (Some(value), _) => api_of(value, stack, stacks),
                (None, Some(id)) if stack.resources.contains_key(id) => {
                    Api::Known(ResourceId::new(stack.id.clone(), id))
                }
                (None, _) => Api::Unknown,
            };
            mention(name, api)
        }
        _ => None,
    }
}

/// Follows the id of an API to the API: by a token, by a reference in raw JSON, or by an export of the app.
fn api_of(api: &Expr, stack: &StackData, stacks: &[StackData]) -> Api {
    match api {
        Expr::String(_) => Api::Foreign,
        Expr::Token(token) => token_api(token, stacks),
        Expr::Map(entries) => match entries.first_key_value() {
            Some((function, Expr::String(id))) if function == "Ref" => {
                Api::Known(ResourceId::new(stack.id.clone(), id.as_str()))
            }
            Some((function, name)) if function == "Fn::ImportValue" => imported(name, stacks),
            _ => Api::Unknown,
        },
        _ => Api::Unknown,
    }
}

fn token_api(token: &Token, stacks: &[StackData]) -> Api {
    match token {
        Token::Ref(id) | Token::GetAtt(id, _) => Api::Known(id.clone()),
        Token::ImportValue(name) => imported(name, stacks),
        _ => Api::Unknown,
    }
}

fn imported(name: &Expr, stacks: &[StackData]) -> Api {
    let Some(name) = name.as_str() else {
        return Api::Unknown;
    };
    let exported = stacks.iter().find_map(|stack| {
        let mut outputs = stack.outputs.values();
        let output = outputs.find(|output| output.export.as_deref() == Some(name))?;
        Some((stack, output))
    });
    let Some((stack, output)) = exported else {
        return Api::Foreign;
    };
    match &output.value {
        Expr::Token(Token::Ref(id) | Token::GetAtt(id, _)) => Api::Known(id.clone()),
        Expr::Map(entries) => match entries.get("Ref").and_then(Expr::as_str) {
            Some(id) => Api::Known(ResourceId::new(stack.id.clone(), id)),
            None => Api::Unknown,
        },
        _ => Api::Unknown,
    }
}

/// Returns whether a resource needs another one, whatever stands between them.
fn reaches(needs: &Needs<'_>, resource: &str, other: &str) -> bool {
    let mut met: BTreeSet<&str> = BTreeSet::new();
    let mut pending = vec![resource];
    while let Some(from) = pending.pop() {
        for needed in needs.get(from).into_iter().flat_map(BTreeMap::keys) {
            if needed == other {
                return true;
            }
            if met.insert(needed) {
                pending.push(needed);
            }
        }
    }
    false
}
