//! Deployments: which content of an API is live.
//!
//! A deployment is a snapshot of everything that an API has when it is made, in whatever stack it stands. So every
//! stack that adds parts to an API makes its own deployment, once its parts are there, and points the stage to it: the
//! last stack that is deployed decides what is live, and its snapshot has the parts of all others. Deploying the stack
//! of the API again therefore loses nothing that other stacks added.

use std::collections::{BTreeMap, BTreeSet};

use stack_model_cfn::{Expr, ResourceId, Token};

use super::check::get;
use crate::error::Violation;
use crate::resource::{Removal, Resource};
use crate::stack::StackData;
use crate::synth::Rendered;

const DEPLOYMENT: &str = "AWS::ApiGateway::Deployment";
const STAGE: &str = "AWS::ApiGateway::Stage";

/// The types whose resources are what a deployment takes a snapshot of.
const PARTS: [&str; 6] = [
    "AWS::ApiGateway::Authorizer",
    "AWS::ApiGateway::GatewayResponse",
    "AWS::ApiGateway::Method",
    "AWS::ApiGateway::Model",
    "AWS::ApiGateway::RequestValidator",
    "AWS::ApiGateway::Resource",
];

/// What belongs to one API.
#[derive(Default)]
struct Api {
    /// The parts by stack.
    parts: BTreeMap<String, BTreeSet<ResourceId>>,
    /// The stages and their names.
    stages: Vec<(ResourceId, Expr)>,
    /// The deployment in the stack of the API.
    deployment: Option<ResourceId>,
}

/// Makes the deployments of every API complete, however its parts were added: typed, generated or raw.
pub(crate) fn deploy(
    stacks: &mut [StackData],
    rendered: &mut Rendered,
    violations: &mut Vec<Violation>,
) {
    for (id, api) in apis(stacks, rendered) {
        let Some(deployment) = api.deployment else {
            continue;
        };
        let own = api.parts.get(id.stack());
        let shared = api.parts.keys().any(|stack| stack != id.stack());
        if let Some(resource) = find(stacks, &deployment) {
            resource
                .depends_on
                .extend(own.into_iter().flatten().cloned());
            if shared {
                // An update of a stage might set back which deployment it shows to the one that the template names,
                // without what other stacks added since. With a new deployment there is nothing to set back to.
                let stages = api.stages.iter().map(|(stage, _)| stage.clone());
                resource.follows.extend(stages);
            }
        }
        for (stack, parts) in api.parts.iter().filter(|(stack, _)| *stack != id.stack()) {
            let Some(stack) = stacks.iter_mut().find(|data| *data.id == **stack) else {
                continue;
            };
            for (stage, name) in &api.stages {
                add(stack, rendered, &id, stage, name, parts, violations);
            }
        }
    }
}

fn apis(stacks: &[StackData], rendered: &Rendered) -> BTreeMap<ResourceId, Api> {
    let mut apis: BTreeMap<ResourceId, Api> = BTreeMap::new();
    for stack in stacks {
        for (logical_id, resource) in &stack.resources {
            let kind = resource.kind.as_str();
            if !kind.starts_with("AWS::ApiGateway::") {
                continue;
            }
            let Some(properties) = rendered.get(&stack.id, logical_id) else {
                continue;
            };
            let Some(api) = api_of(properties, &stack.id) else {
                continue;
            };
            let id = ResourceId::new(stack.id.clone(), logical_id.as_str());
            let same_stack = api.stack() == &*stack.id;
            let api = apis.entry(api).or_default();
            if PARTS.contains(&kind) {
                api.parts
                    .entry(stack.id.to_string())
                    .or_default()
                    .insert(id);
            } else if kind == STAGE {
                let name = get(properties, "StageName").cloned();
                api.stages.extend(name.map(|name| (id, name)));
            } else if kind == DEPLOYMENT && resource.identified_by_content && same_stack {
                api.deployment = Some(id);
            }
        }
    }
    apis
}

/// Returns the API that a resource belongs to: by a token, or by a reference in raw JSON.
pub(super) fn api_of(properties: &Expr, stack: &str) -> Option<ResourceId> {
    match get(properties, "RestApiId")? {
        Expr::Token(Token::Ref(id)) => Some(id.clone()),
        Expr::Map(entries) => match entries.get("Ref")? {
            Expr::String(id) => Some(ResourceId::new(stack, id.as_str())),
            _ => None,
        },
        _ => None,
    }
}

fn find<'stacks>(
    stacks: &'stacks mut [StackData],
    id: &ResourceId,
) -> Option<&'stacks mut Resource> {
    let stack = stacks.iter_mut().find(|stack| &*stack.id == id.stack())?;
    stack.resources.get_mut(id.logical_id())
}

/// Adds the deployment with which a stack shows its parts of the API of another stack.
fn add(
    stack: &mut StackData,
    rendered: &mut Rendered,
    api: &ResourceId,
    stage: &ResourceId,
    name: &Expr,
    parts: &BTreeSet<ResourceId>,
    violations: &mut Vec<Violation>,
) {
    let logical_id = format!("{}Deployment", stage.logical_id());
    let source = parts
        .first()
        .and_then(|part| stack.resources.get(part.logical_id()))
        .map(|part| part.source.clone())
        .unwrap_or_default();
    if let Some(earlier) = stack.resources.get(&logical_id) {
        let message = format!(
            "the synth adds a deployment `{logical_id}` for the parts of the API `{}`: choose another logical id for the {} declared at {}",
            api.logical_id(),
            earlier.kind,
            earlier.source
        );
        return violations.push(Violation::new(message).in_stack(&*stack.id).of(&logical_id));
    }
    // A text where the stage has one: the imports of the API and its resources already order the stacks.
    let name = match name {
        Expr::String(_) => name.clone(),
        _ => Expr::Token(Token::Ref(stage.clone())),
    };
    let properties = Expr::map([
        ("RestApiId", Expr::Token(Token::Ref(api.clone()))),
        ("StageName", name),
    ]);
    let mut deployment = Resource::placed(DEPLOYMENT, properties.clone(), source);
    deployment.identified_by_content = true;
    deployment.depends_on.clone_from(parts);
    // While the stage shows a deployment, API Gateway refuses to delete it ("Active stages pointing to this deployment
    // must be moved or deleted", https://docs.aws.amazon.com/apigateway/latest/api/API_DeleteDeployment.html), and
    // deleting the stage first would take it from the stack that owns it. Which deployment the stage shows when this
    // one leaves its stack, nobody knows beforehand; so it stays, costs nothing, and goes with the API.
    deployment.removal = Some(Removal::Retain);
    rendered.insert(&stack.id, &logical_id, properties);
    stack.resources.insert(logical_id, deployment);
}
