//! Deploys again what was deployed last, where an update in express mode failed and was kept.
//!
//! CloudFormation refuses `RollbackStack` there, and every update with rollback; what leads on is the last configuration
//! that worked, in express mode and with rollback disabled (<https://github.com/aws/aws-cdk-cli/pull/1970>). The release
//! of the stack that was written down last is that configuration, and the stack as it was deployed.

use std::{collections::BTreeSet, sync::Arc};

use aws_sdk_cloudformation::types::{Capability, Parameter};
use serde_json::Value;
use stack_model::assembly::StackManifest;

use super::{begin, follow};
use crate::{
    aws::{AwsError, OrAws},
    engine::{
        Context, DeployedStack, Outcome, StackError, StackRelease, StackTarget, express,
        publish::TemplateSource,
        release::record,
        stack::{self, aws},
        status::Way,
        stuck,
    },
};

/// Reads what of a stack was written down last; none, where nothing is.
pub(super) async fn last(
    context: &Context,
    stack: &StackManifest,
) -> Result<Option<StackRelease>, AwsError> {
    let releases = record::stack_releases(context, &StackTarget::from(stack)).await?;
    let newest = releases.newest().next();
    match newest {
        Some(release) => releases.read(release).await,
        None => Ok(None),
    }
}

/// Deploys it again, and follows that to the end.
pub(super) async fn repeat(
    context: &Context,
    stack: &Arc<StackManifest>,
    deployed: DeployedStack,
) -> Result<Outcome, StackError> {
    let last = last(context, stack)
        .await
        .map_err(|source| aws(stack, source))?;
    let Some(release) = last else {
        return Err(stuck::error(context, &stack.name, deployed, Way::ReplaceExpress).await);
    };
    let clients = &context.clients;
    let source = stack::published(context, stack, &release.template).await?;
    let token = begin(context, stack, &deployed, &BTreeSet::new());
    let call = clients
        .cloudformation
        .update_stack()
        .stack_name(&deployed.id)
        .client_request_token(&token)
        .set_parameters(Some(parameters(&release, &deployed)))
        .set_capabilities(Some(
            release
                .manifest
                .capabilities
                .iter()
                .map(|name| Capability::from(name.as_str()))
                .collect(),
        ))
        .deployment_config(express::without_rollback());
    let call = match &source {
        TemplateSource::Body(body) => call.template_body(&**body),
        TemplateSource::Url(url) => call.template_url(url),
    };
    call.send()
        .await
        .or_aws(clients, "UpdateStack")
        .map_err(|source| stack::refused(stack, source))?;
    follow(context, stack, &deployed, &token).await
}

/// Returns the parameters of a release. Values that it hides are those that the stack has.
fn parameters(release: &StackRelease, deployed: &DeployedStack) -> Vec<Parameter> {
    let template: Value = serde_json::from_str(&release.template).unwrap_or_default();
    let declared = template.get("Parameters").and_then(Value::as_object);
    let declared = declared.into_iter().flat_map(|declared| declared.keys());
    declared
        .filter_map(|key| {
            let parameter = Parameter::builder().parameter_key(key);
            match release.manifest.parameters.get(key) {
                Some(value) => Some(parameter.parameter_value(value).build()),
                None if deployed.parameters.contains_key(key) => {
                    Some(parameter.use_previous_value(true).build())
                }
                // It has its default.
                None => None,
            }
        })
        .collect()
}
