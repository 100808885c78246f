//! Renames resources of a stack without replacing them: CloudFormation refactors the stack.
//!
//! A refactor changes nothing else (neither properties nor parameters), so what is deployed is given with other names, and
//! everything else is left to the change set that follows. See
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-refactoring.html>.

use std::{collections::BTreeMap, sync::Arc};

use aws_sdk_cloudformation::types::{ResourceLocation, ResourceMapping, StackDefinition};
use serde_json::Value;

use super::{Run, Work, aws, check_cancelled, input, interrupted, known_hints, protection};
use crate::aws::{AwsError, OrAws};
use crate::engine::{
    Context, DeployedStack, StackError, inspect, plan::moves, publish::TemplateSource,
};

/// Renames what a stack declares to be renamed and what is deployed under its old name. Returns whether there was any.
pub(super) async fn rename(
    run: &Run,
    context: &Context,
    work: &Work,
    deployed: &DeployedStack,
) -> Result<bool, StackError> {
    let stack = &work.manifest;
    if stack.moved.is_empty() {
        return Ok(false);
    }
    let template = inspect::template(&context.clients, &deployed.id)
        .await
        .map_err(|source| aws(stack, source))?
        // Another tool's YAML holds none of the names that this app declares.
        .and_then(|template| serde_json::from_str::<Value>(&template).ok());
    let Some(template) = template else {
        return Ok(false);
    };
    let pending = moves::pending(&stack.moved, &template);
    if pending.is_empty() {
        return Ok(false);
    }
    let wanted: Option<Value> = serde_json::from_str(&work.template).ok();
    for (from, to) in &pending {
        if let Some(reason) = moves::refused(from, to, &template, wanted.as_ref()) {
            return Err(refused(&stack.name, &pending, reason));
        }
    }
    let guarded = protection::has_policy(context, &deployed.id).await;
    if guarded.map_err(|source| aws(stack, source))? {
        return Err(refused(&stack.name, &pending, moves::GUARDED.to_owned()));
    }
    check_cancelled(context, stack)?;
    let renamed = Work {
        manifest: Arc::clone(stack),
        template: moves::renamed(&template, &pending).to_string(),
        contents: BTreeMap::new(),
        bucket: work.bucket.clone(),
        direct: work.direct,
        archive: work.archive.clone(),
    };
    let source = input::publish(run, context, &renamed).await?;
    let id = create(context, &stack.name, &pending, source)
        .await
        .map_err(|source| match source.message() {
            Some(message) if source.code() == Some("ValidationError") => {
                refused(&stack.name, &pending, message.to_owned())
            }
            _ => aws(stack, source),
        })?;
    let computed = follow(context, work, &id, |found| match found.status?.as_str() {
        "CREATE_IN_PROGRESS" => None,
        "CREATE_COMPLETE" => Some(Ok(())),
        other => Some(Err(found
            .status_reason
            .unwrap_or_else(|| format!("the refactor is {other}")))),
    });
    if let Err(reason) = computed.await? {
        return Err(refused(&stack.name, &pending, reason));
    }
    check_cancelled(context, stack)?;
    context
        .clients
        .cloudformation
        .execute_stack_refactor()
        .stack_refactor_id(&id)
        .send()
        .await
        .or_aws(&context.clients, "ExecuteStackRefactor")
        .map_err(|source| aws(stack, source))?;
    let executed = follow(context, work, &id, |found| {
        match found.execution_status?.as_str() {
            "AVAILABLE" | "EXECUTE_IN_PROGRESS" | "ROLLBACK_IN_PROGRESS" => None,
            "EXECUTE_COMPLETE" => Some(Ok(())),
            other => Some(Err(found
                .execution_status_reason
                .unwrap_or_else(|| format!("the refactor is {other}")))),
        }
    });
    if let Err(reason) = executed.await? {
        return Err(refused(&stack.name, &pending, reason));
    }
    let now = settled(context, work, &deployed.id).await?;
    run.agreed.take(&stack.name, now.as_ref());
    Ok(true)
}

/// Asks CloudFormation to look at the renames. Its answer is the id.
async fn create(
    context: &Context,
    stack: &str,
    moves: &BTreeMap<String, String>,
    source: TemplateSource<'_>,
) -> Result<String, AwsError> {
    const OPERATION: &str = "CreateStackRefactor";
    let at = |id: &str| {
        ResourceLocation::builder()
            .stack_name(stack)
            .logical_resource_id(id)
            .build()
    };
    let definition = StackDefinition::builder().stack_name(stack);
    let definition = match source {
        TemplateSource::Body(body) => definition.template_body(body),
        TemplateSource::Url(url) => definition.template_url(url),
    };
    let clients = &context.clients;
    let mappings = moves.iter().map(|(from, to)| {
        ResourceMapping::builder()
            .source(at(from))
            .destination(at(to))
            .build()
    });
    clients
        .cloudformation
        .create_stack_refactor()
        .description(format!(
            "by {} with stackctl {}",
            clients.identity().arn,
            env!("CARGO_PKG_VERSION")
        ))
        .set_resource_mappings(Some(mappings.collect()))
        .stack_definitions(definition.build())
        .send()
        .await
        .or_aws(clients, OPERATION)?
        .stack_refactor_id
        .ok_or_else(|| AwsError::incomplete(OPERATION, "stack refactor id"))
}

/// What is found of a refactor.
type Found =
    aws_sdk_cloudformation::operation::describe_stack_refactor::DescribeStackRefactorOutput;

/// Waits until a refactor is somewhere, and returns why it is not where it should be.
async fn follow(
    context: &Context,
    work: &Work,
    id: &str,
    ended: impl Fn(Found) -> Option<Result<(), String>>,
) -> Result<Result<(), String>, StackError> {
    let clients = &context.clients;
    for wait in context.pace.waits() {
        let found = clients
            .cloudformation
            .describe_stack_refactor()
            .stack_refactor_id(id)
            .send()
            .await
            .or_aws(clients, "DescribeStackRefactor")
            .map_err(|source| aws(&work.manifest, source))?;
        if let Some(ended) = ended(found) {
            return Ok(ended);
        }
        pause(context, work, wait).await?;
    }
    Err(interrupted(&work.manifest, None))
}

/// Waits until nothing runs, and returns the stack as it is then: a refactor is complete some seconds before its stack is.
async fn settled(
    context: &Context,
    work: &Work,
    id: &str,
) -> Result<Option<DeployedStack>, StackError> {
    for wait in context.pace.waits() {
        let found = inspect::describe(&context.clients, id)
            .await
            .map_err(|source| aws(&work.manifest, source))?;
        match found {
            Some(stack) if stack.status.is_settled() => return Ok(Some(stack)),
            Some(_) => {}
            None => return Ok(None),
        }
        pause(context, work, wait).await?;
    }
    Err(interrupted(&work.manifest, None))
}

async fn pause(
    context: &Context,
    work: &Work,
    wait: std::time::Duration,
) -> Result<(), StackError> {
    tokio::select! {
        () = context.timing.sleep(wait) => Ok(()),
        () = context.cancel.cancelled() => Err(interrupted(&work.manifest, None)),
    }
}

/// Says that nothing was renamed, and what else can be done.
fn refused(stack: &str, moves: &BTreeMap<String, String>, reason: String) -> StackError {
    let mut hints = known_hints(&reason);
    for (from, to) in moves {
        hints.push(format!(
            "keep the logical id `{from}`, or remove `moved(\"{from}\", ..)` if the resource may be deleted and made anew as `{to}`"
        ));
    }
    StackError::Renamed {
        stack: stack.to_owned(),
        reason,
        hints,
    }
}
