//! Renames resources of a stack without replacing them: CloudFormation refactors the stack.
//!
//! A refactor changes nothing else (neither properties nor parameters), so what is deployed is given with other names, and
//! everything else is left to the change set that follows. See
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-refactoring.html>.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use aws_sdk_cloudformation::types::{ResourceLocation, ResourceMapping, StackDefinition};
use serde_json::Value;

use super::{
    Attempt, Run, Work, anew, aws, check_cancelled, import, import::refused, importable, input,
    interrupted,
};
use crate::aws::{AwsError, OrAws, texts};
use crate::engine::{
    Context, DeployedStack, Event, StackError, hint, inspect,
    plan::moves::{self, Ground, Way},
    publish::TemplateSource,
};

/// How long is waited for a refactor, and for its stack to come to rest.
const LONGEST: Duration = Duration::from_hours(1);

/// Renames what a stack declares to be renamed and what is deployed under its old name, and goes on with what an earlier run
/// began. Returns what comes then; nothing, where there was nothing to rename.
pub(super) async fn rename(
    run: &Run,
    context: &Context,
    work: &Work,
    deployed: &DeployedStack,
) -> Result<Option<Attempt>, StackError> {
    let stack = &work.manifest;
    if stack.moved.is_empty() && stack.along.is_empty() && !import::moving(deployed) {
        return Ok(None);
    }
    let wanted: Option<Value> = serde_json::from_str(&work.template).ok();
    let template = import::template(context, stack, deployed, wanted.as_ref()).await?;
    let Some(template) = template else {
        return Ok(None);
    };
    if let Some(under_way) = moves::under_way(&template) {
        let Some(turn) = run.turns.take(&stack.name, &context.cancel).await else {
            return Err(interrupted(stack, None));
        };
        let stepped = import::finish(run, context, stack, deployed, &template, under_way).await?;
        drop(turn);
        return after(run, context, work, deployed, stepped).await;
    }
    let templates = (&template, wanted.as_ref());
    let whole = importable::whole(context, stack, &deployed.id, templates)
        .await
        .map_err(|source| aws(stack, source))?;
    let pending = moves::pending(&whole.manifest.moved, &template);
    if pending.is_empty() {
        return Ok(None);
    }
    for (from, to) in &pending {
        if let Some(reason) = moves::refused(from, to, &template, wanted.as_ref()) {
            return Err(refused(&stack.name, &pending, reason));
        }
    }
    let ground = importable::ground(context, &deployed.id)
        .await
        .map_err(|source| aws(stack, source))?;
    let of = |way: Way, ground: Ground| -> Result<BTreeMap<String, String>, StackError> {
        let mut all = BTreeMap::new();
        for (from, to) in &pending {
            let resource_type = template["Resources"][from.as_str()]["Type"].as_str();
            match Way::of(from, resource_type.unwrap_or_default(), ground) {
                Ok(found) if found == way => {
                    all.insert(from.clone(), to.clone());
                }
                Ok(_) => {}
                // Another one is made of what goes along and has no way.
                Err(_) if whole.taken.contains_key(from) => {}
                Err(reason) => return Err(refused(&stack.name, &pending, reason)),
            }
        }
        Ok(all)
    };
    let refactored = of(Way::Refactor, ground)?;
    let imported = of(Way::Import, ground)?;
    if !refactored.is_empty() {
        match refactor(run, context, work, deployed, &template, &refactored).await? {
            None => return Ok(Some(Attempt::Renamed)),
            Some(reason) => {
                if of(Way::Import, Ground::Refused).is_err() {
                    return Err(refused(&stack.name, &refactored, reason));
                }
                context.emit(Event::Warning {
                    stack: stack.name.clone(),
                    message: format!(
                        "CloudFormation does not refactor the stack, so what is renamed would be imported under its new name: {reason}"
                    ),
                });
                // Nobody agreed to this way.
                context.renames.refuse(&deployed.id);
                run.agreed.forget(&stack.name);
                return Ok(Some(Attempt::Again));
            }
        }
    }
    // A stack policy that was set since the plan leaves another way, which nobody agreed to; it is no update of the stack.
    if !run.agreed.imports(&stack.name, imported.values()) {
        run.agreed.forget(&stack.name);
        return Ok(Some(Attempt::Again));
    }
    let Some(turn) = run.turns.take(&stack.name, &context.cancel).await else {
        return Err(interrupted(stack, None));
    };
    let stepped = import::begin(
        run,
        context,
        stack,
        deployed,
        (&template, &whole),
        &imported,
    )
    .await?;
    drop(turn);
    after(run, context, work, deployed, stepped).await
}

/// Returns what comes after a step of a rename by import.
async fn after(
    run: &Run,
    context: &Context,
    work: &Work,
    deployed: &DeployedStack,
    stepped: import::Stepped,
) -> Result<Option<Attempt>, StackError> {
    match stepped {
        import::Stepped::Nothing => Ok(None),
        import::Stepped::Busy => Ok(Some(Attempt::Again)),
        import::Stepped::Overtaken(_) if context.wait || anew::again(run, &work.manifest) => {
            Ok(Some(Attempt::Again))
        }
        import::Stepped::Overtaken(error) => Err(error),
        import::Stepped::Done(ended) => {
            if let Some(now) = settled(context, work, &deployed.id).await? {
                run.agreed.took(&work.manifest.name, ended, &now);
            }
            Ok(Some(Attempt::Renamed))
        }
    }
}

/// Has CloudFormation refactor a stack. Returns why it does not, where it does not support that.
async fn refactor(
    run: &Run,
    context: &Context,
    work: &Work,
    deployed: &DeployedStack,
    template: &Value,
    pending: &BTreeMap<String, String>,
) -> Result<Option<String>, StackError> {
    let stack = &work.manifest;
    check_cancelled(context, stack)?;
    let wanted = moves::renamed(template, pending);
    let renamed = Work {
        manifest: Arc::clone(stack),
        template: wanted.to_string(),
        contents: BTreeMap::new(),
        bucket: work.bucket.clone(),
        direct: work.direct,
        archive: work.archive.clone(),
    };
    let source = input::publish(run, context, &renamed).await?;
    let id = match create(context, &stack.name, pending, source).await {
        Ok(id) => id,
        Err(source) => {
            return match source.message() {
                Some(message) if source.code() == Some("ValidationError") => {
                    unsupported(&stack.name, pending, message.to_owned())
                }
                // Nobody knows the call there
                // (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html>).
                Some(message) if source.code() == Some("InvalidAction") => {
                    Ok(Some(message.to_owned()))
                }
                _ => Err(aws(stack, source)),
            };
        }
    };
    let computed = follow(context, work, &id, |found| match found.status?.as_str() {
        "CREATE_IN_PROGRESS" => None,
        "CREATE_COMPLETE" => Some(Ok(())),
        other => Some(Err(found
            .status_reason
            .unwrap_or_else(|| format!("the refactor is {other}")))),
    });
    if let Err(reason) = computed.await? {
        return unsupported(&stack.name, pending, reason);
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
        return Err(refused(&stack.name, pending, reason));
    }
    // Nothing tells when a refactor ended, but it changes nothing else than the template.
    if let Some(now) = settled(context, work, &deployed.id).await?
        && run.agreed.knows(&stack.name)
        && now.parameters == deployed.parameters
        && now.tags == deployed.tags
        && import::template(context, stack, &now, Some(&wanted)).await? == Some(wanted)
    {
        run.agreed.took(&stack.name, None, &now);
    }
    Ok(None)
}

/// Returns a refusal that says that something is not supported, which leaves another way.
fn unsupported(
    stack: &str,
    pending: &BTreeMap<String, String>,
    reason: String,
) -> Result<Option<String>, StackError> {
    if texts::says_unsupported(&reason) {
        Ok(Some(reason))
    } else {
        Err(refused(stack, pending, reason))
    }
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
        TemplateSource::Body(body) => definition.template_body(body.into_owned()),
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
    for wait in context.pace.waits_within(LONGEST) {
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
    let command = format!("aws cloudformation describe-stack-refactor --stack-refactor-id {id}");
    Err(endless(
        context,
        work,
        "CloudFormation did not end the refactor within an hour",
        &command,
    ))
}

/// Waits until nothing runs, and returns the stack as it is then: a refactor is complete some seconds before its stack is.
async fn settled(
    context: &Context,
    work: &Work,
    id: &str,
) -> Result<Option<DeployedStack>, StackError> {
    let mut status = None;
    for wait in context.pace.waits_within(LONGEST) {
        let found = inspect::describe(&context.clients, id)
            .await
            .map_err(|source| aws(&work.manifest, source))?;
        match found {
            Some(stack) if stack.status.is_settled() => return Ok(Some(stack)),
            Some(stack) => status = Some(stack.status),
            None => return Ok(None),
        }
        pause(context, work, wait).await?;
    }
    let status = status.map_or_else(|| "busy".to_owned(), |status| status.to_string());
    let command = format!("aws cloudformation describe-stacks --stack-name {id}");
    Err(endless(
        context,
        work,
        &format!("the stack is still {status} an hour after the step was done"),
        &command,
    ))
}

/// Says that something does not end, and how to go on.
fn endless(context: &Context, work: &Work, reason: &str, command: &str) -> StackError {
    let stack = &work.manifest.name;
    StackError::Renamed {
        stack: stack.clone(),
        reason: reason.to_owned(),
        hints: vec![
            format!(
                "`{command}{}` tells how far it is",
                hint::aws_options(context)
            ),
            format!(
                "once it has ended, `{}` goes on from what the stack is then",
                hint::command(context, &format!("stackctl deploy {stack}"))
            ),
        ],
    }
}

async fn pause(context: &Context, work: &Work, wait: Duration) -> Result<(), StackError> {
    tokio::select! {
        () = context.timing.sleep(wait) => Ok(()),
        () = context.cancel.cancelled() => Err(interrupted(&work.manifest, None)),
    }
}
