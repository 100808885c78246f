//! Changes back what was changed behind CloudFormation's back.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_cloudformation::types::{Capability, ChangeSetType, DeploymentMode, Parameter};
use stack_model::assembly::StackManifest;

use super::{back, marked};
use crate::aws::{AwsError, Clients, OrAws};
use crate::engine::{
    Approve, Context, Decision, Event, Outcome, StackError,
    change_set::{self, ChangeSet, ChangeSetRequest, Computed},
    failure, inspect, ownership,
    publish::TemplateSource,
    stack::{Executed, aws, execute, interrupted, refused, remove, token},
};

/// Changes a stack back to what its own template says, through a drift-aware change set that is approved first.
///
/// The template, the parameters and the tags stay those that are deployed
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/drift-aware-change-sets.html>). Where it fails,
/// CloudFormation goes back to what was there before, drift included.
pub async fn revert(
    context: &Context,
    manifest: &Arc<StackManifest>,
    approve: &dyn Approve,
) -> Result<Outcome, StackError> {
    let context = context.in_region(manifest.region.as_deref());
    let deployed = inspect::describe(&context.clients, &manifest.name)
        .await
        .map_err(|source| aws(manifest, source))?;
    let Some(deployed) = deployed else {
        return Ok(Outcome::Absent);
    };
    ownership::check(&context, &deployed)?;
    let token = token(&context, &[&manifest.name, "revert"], &[]);
    let none = BTreeMap::new();
    let request = ChangeSetRequest {
        stack: manifest,
        create: false,
        name: token.clone(),
        template: TemplateSource::Body("".into()),
        parameters: &none,
        tags: &none,
        express: false,
    };
    let change_set = create(
        &context.clients,
        manifest,
        &token,
        deployed.parameters.keys(),
    )
    .await
    .map_err(|source| refused(manifest, source))?;
    let proposed = change_set::computed(&context, &change_set, &request)
        .await
        .map_err(|source| aws(manifest, source))?;
    let changes = match proposed {
        Computed::Ready(mut changes) => {
            changes.changes.iter_mut().for_each(back::distrust);
            changes
        }
        Computed::Nothing => {
            remove(&context, manifest, &change_set, false).await?;
            return Ok(Outcome::Unchanged);
        }
        Computed::Failed(reason) => {
            remove(&context, manifest, &change_set, false).await?;
            return Err(StackError::ChangeSet {
                stack: manifest.name.clone(),
                hints: failure::hints("", &reason),
                reason,
            });
        }
        Computed::Cancelled => {
            remove(&context, manifest, &change_set, false).await?;
            return Err(interrupted(manifest, None));
        }
    };
    let count = changes.changes.len();
    let decision = tokio::select! {
        biased;
        () = context.cancel.cancelled() => None,
        decision = approve.approve(&changes) => Some(decision),
    };
    match decision {
        Some(Decision::Execute) => {}
        Some(Decision::Decline) => {
            remove(&context, manifest, &change_set, false).await?;
            return Ok(Outcome::Declined);
        }
        None => {
            remove(&context, manifest, &change_set, false).await?;
            return Err(interrupted(manifest, None));
        }
    }
    context.emit(Event::ChangeSetExecuting {
        stack: manifest.name.clone(),
        changes: count,
        follow: 0,
        besides: Vec::new(),
        express: false,
    });
    let marked = marked::of(&context, &deployed).await;
    match execute(&context, manifest, &change_set, &token).await? {
        Executed::Done(ended) => {
            if let Some(marked) = marked {
                marked
                    .keep(&context, &manifest.name, &changes.changes, ended)
                    .await;
            }
            Ok(Outcome::Updated)
        }
        Executed::Overtaken(error) => Err(error),
    }
}

async fn create(
    clients: &Clients,
    stack: &StackManifest,
    name: &str,
    parameters: impl Iterator<Item = &String>,
) -> Result<ChangeSet, AwsError> {
    const OPERATION: &str = "CreateChangeSet";
    let parameters = parameters
        .map(|key| {
            Parameter::builder()
                .parameter_key(key)
                .use_previous_value(true)
                .build()
        })
        .collect();
    let capabilities = stack.capabilities.iter();
    let answer = clients
        .cloudformation
        .create_change_set()
        .stack_name(&stack.name)
        .change_set_name(name)
        .client_token(name)
        .change_set_type(ChangeSetType::Update)
        .deployment_mode(DeploymentMode::RevertDrift)
        .use_previous_template(true)
        .set_parameters(Some(parameters))
        .set_capabilities(Some(
            capabilities
                .map(|name| Capability::from(name.as_str()))
                .collect(),
        ))
        .send()
        .await
        .or_aws(clients, OPERATION)?;
    Ok(ChangeSet {
        id: answer
            .id
            .ok_or_else(|| AwsError::incomplete(OPERATION, "change set id"))?,
        stack_id: answer
            .stack_id
            .ok_or_else(|| AwsError::incomplete(OPERATION, "stack id"))?,
    })
}
