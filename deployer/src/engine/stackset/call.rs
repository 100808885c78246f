//! The calls that make a stack set, update it, and add stacks to it.

use std::collections::BTreeSet;

use aws_sdk_cloudformation::types::{
    Capability, DeploymentTargets, ManagedExecution, Parameter, Tag,
};

use super::{StackSetError, StackSetPlan, StackSetRequest, Targets, operation::Running};
use crate::{
    aws::OrAws,
    engine::{Context, recover::STAGE_TAG, stack::token},
};

/// Says what a stack set is, in the same way where it is made and where it is updated: calls of two types.
macro_rules! described {
    ($call:expr, $request:expr) => {{
        let request: &StackSetRequest = $request;
        let settings = &request.settings;
        let (administration, execution) = settings.roles();
        $call
            .stack_set_name(&request.manifest.name)
            .template_body(&request.template)
            .set_parameters(Some(parameters(request)))
            .set_capabilities(Some(capabilities(request)))
            .set_tags(Some(tags(request)))
            .permission_model(settings.permission_model())
            .set_auto_deployment(settings.auto_deployment())
            .set_administration_role_arn(administration)
            .set_execution_role_name(execution)
            .managed_execution(managed())
    }};
}

/// Makes the stack set, which has no instances yet
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStackSet.html>).
pub(super) async fn create(
    context: &Context,
    request: &StackSetRequest,
) -> Result<(), StackSetError> {
    let settings = &request.settings;
    let name = &request.manifest.name;
    let call = context.clients.cloudformation.create_stack_set();
    described!(call, request)
        .call_as(settings.call_as())
        .client_request_token(token(context, &["create", name], &[]))
        .send()
        .await
        .or_aws(&context.clients, "CreateStackSet")?;
    Ok(())
}

/// Begins to update the stack set and all its instances
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateStackSet.html>).
pub(super) async fn update(
    context: &Context,
    request: &StackSetRequest,
    plan: &StackSetPlan,
) -> Result<Running, StackSetError> {
    let settings = &request.settings;
    let name = &request.manifest.name;
    let targeted = settings.regions.iter().map(String::as_str);
    let places = plan.untargeted.iter();
    let others = places.filter_map(|place| Some(place.split_once('/')?.1));
    let regions = targeted.chain(others).collect();
    let call = context.clients.cloudformation.update_stack_set();
    let answer = described!(call, request)
        .operation_preferences(settings.preferences(&regions))
        .operation_id(token(context, &["update", name], &[]))
        .call_as(settings.call_as())
        .send()
        .await
        .or_aws(&context.clients, "UpdateStackSet")?;
    Running::of(name, answer.operation_id, "UpdateStackSet")
}

/// Begins to add instances
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStackInstances.html>).
pub(super) async fn add(
    context: &Context,
    request: &StackSetRequest,
    names: &BTreeSet<String>,
    regions: &BTreeSet<&str>,
) -> Result<Running, StackSetError> {
    let settings = &request.settings;
    let name = &request.manifest.name;
    let names: Vec<String> = names.iter().cloned().collect();
    let texts: Vec<&str> = ["add", name.as_str()]
        .into_iter()
        .chain(regions.iter().copied())
        .collect();
    let call = context
        .clients
        .cloudformation
        .create_stack_instances()
        .stack_set_name(name)
        .set_regions(Some(regions.iter().map(ToString::to_string).collect()))
        .operation_preferences(settings.preferences(regions))
        .operation_id(token(context, &texts, &[]))
        .call_as(settings.call_as());
    let call = match settings.targets {
        Targets::Accounts { .. } => call.set_accounts(Some(names)),
        Targets::Units { .. } => call.deployment_targets(
            DeploymentTargets::builder()
                .set_organizational_unit_ids(Some(names))
                .build(),
        ),
    };
    let answer = call
        .send()
        .await
        .or_aws(&context.clients, "CreateStackInstances")?;
    Running::of(name, answer.operation_id, "CreateStackInstances")
}

fn tags(request: &StackSetRequest) -> Vec<Tag> {
    let mut tags = request.manifest.tags.clone();
    tags.insert(STAGE_TAG.to_owned(), request.stage.clone());
    let tags = tags.into_iter();
    tags.map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect()
}

fn parameters(request: &StackSetRequest) -> Vec<Parameter> {
    let parameters = request.manifest.parameters.iter();
    parameters
        .map(|(key, value)| {
            Parameter::builder()
                .parameter_key(key)
                .parameter_value(value)
                .build()
        })
        .collect()
}

fn capabilities(request: &StackSetRequest) -> Vec<Capability> {
    let capabilities = request.manifest.capabilities.iter();
    capabilities
        .map(|capability| Capability::from(capability.as_str()))
        .collect()
}

/// Lets CloudFormation queue operations that stand in each other's way, instead of refusing the second.
fn managed() -> ManagedExecution {
    ManagedExecution::builder().active(true).build()
}
