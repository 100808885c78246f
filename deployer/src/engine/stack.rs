//! Brings one stack to the state it should have.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use sha2::{Digest, Sha256};
use stack_model::assembly::{ARTIFACT_BUCKET_PARAMETER, StackManifest};
use tokio::sync::{Mutex, Semaphore};

use super::{
    Approve, Artifact, Context, Decision, DeployedStack, Event, FirstCause, StackError,
    StackStatus,
    activity::{self, Stopped},
    capability,
    change_set::{self, ChangeSet, ChangeSetRequest, Computed, PREFIX},
    content,
    event::Outcome,
    inspect,
    publish::{self, TemplateSource},
    recover::{self, STAGE_TAG, Step},
    reference, unchanged,
};
use crate::aws::{AwsError, OrAws, texts};
use crate::content::Content;

/// What all stacks of one deploy have in common.
pub(super) struct Run {
    pub(super) context: Context,
    pub(super) stage: String,
    pub(super) artifacts: BTreeMap<String, Artifact>,
    pub(super) approve: Arc<dyn Approve>,
    /// Held while a change set is being approved: one question at a time.
    pub(super) approving: Mutex<()>,
    pub(super) uploads: Arc<Semaphore>,
}

/// One stack and where its artifacts go.
pub(super) struct Work {
    pub(super) manifest: Arc<StackManifest>,
    pub(super) template: String,
    /// The folders that fill buckets of the stack, by name.
    pub(super) contents: BTreeMap<String, Content>,
    /// The artifact bucket of the stack's region, where the stack needs one.
    pub(super) bucket: Option<String>,
}

/// What was done, and the outputs.
pub(super) type Done = (Outcome, BTreeMap<String, String>);

/// Brings a stack to the state it should have, from whatever status it is in, and fills its buckets.
pub(super) async fn deploy(run: &Run, work: &Work) -> Result<Done, StackError> {
    let done = deploy_resources(run, work).await?;
    if done.0.is_good() {
        let context = run.context.in_region(work.manifest.region.as_deref());
        content::fill(&context, &work.manifest, &work.contents)
            .await
            .map_err(|source| StackError::Content {
                stack: work.manifest.name.clone(),
                content: work
                    .contents
                    .keys()
                    .cloned()
                    .collect::<Vec<_>>()
                    .join("`, `"),
                source,
            })?;
    }
    Ok(done)
}

async fn deploy_resources(run: &Run, work: &Work) -> Result<Done, StackError> {
    let stack = &work.manifest;
    let context = run.context.in_region(stack.region.as_deref());
    context.emit(Event::StackStarted {
        stack: stack.name.clone(),
    });
    let parameters = parameters(run, work).await?;
    let tags = tags(run, stack);
    let deployed = settle(&context, stack).await?;
    if let Some(deployed) = &deployed
        && is_unchanged(&context, work, deployed, &parameters, &tags).await?
    {
        return unchanged(&context, stack, deployed).await;
    }
    check_cancelled(&context, stack)?;
    if let Some(capability) = capability::missing(&work.template, &stack.capabilities) {
        return Err(StackError::Capability {
            stack: stack.name.clone(),
            capability,
        });
    }
    let template = publish(run, &context, work).await?;
    let name = token(
        &context,
        &[&stack.name, &work.template],
        &[&parameters, &tags],
    );
    let request = ChangeSetRequest {
        stack,
        create: deployed.is_none(),
        name: &name,
        template,
        parameters: &parameters,
        tags: &tags,
    };
    context.emit(Event::ChangeSetCreating {
        stack: stack.name.clone(),
        create: request.create,
    });
    if !request.create {
        remove_leftovers(&context, stack).await?;
    }
    let change_set = change_set::create(&context.clients, &request)
        .await
        .map_err(|source| refused(stack, source))?;
    let changes = match change_set::computed(&context, &change_set, &request)
        .await
        .map_err(|source| aws(stack, source))?
    {
        Computed::Ready(changes) => changes,
        Computed::Nothing => {
            remove(&context, stack, &change_set, request.create).await?;
            return match &deployed {
                Some(deployed) => unchanged(&context, stack, deployed).await,
                None => Ok((Outcome::Unchanged, BTreeMap::new())),
            };
        }
        Computed::Failed(reason) => {
            let mut hints = known_hints(&reason);
            if let Err(error) = remove(&context, stack, &change_set, request.create).await {
                hints.push(format!("change set {name} is still there: {error}"));
            }
            return Err(StackError::ChangeSet {
                stack: stack.name.clone(),
                reason,
                hints,
            });
        }
        Computed::Cancelled => {
            remove(&context, stack, &change_set, request.create).await?;
            return Err(interrupted(stack, None));
        }
    };
    let count = changes.changes.len();
    context.emit(Event::ChangeSetReady {
        changes: changes.clone(),
    });
    let decision = {
        let _turn = run.approving.lock().await;
        tokio::select! {
            biased;
            () = context.cancel.cancelled() => None,
            decision = run.approve.approve(&changes) => Some(decision),
        }
    };
    match decision {
        Some(Decision::Execute) => {}
        Some(Decision::Decline) => {
            remove(&context, stack, &change_set, request.create).await?;
            return Ok((Outcome::Declined, BTreeMap::new()));
        }
        None => {
            remove(&context, stack, &change_set, request.create).await?;
            return Err(interrupted(stack, None));
        }
    }
    context.emit(Event::ChangeSetExecuting {
        stack: stack.name.clone(),
        changes: count,
    });
    execute(&context, stack, &change_set, &name).await?;
    let deployed = inspect::describe(&context.clients, &change_set.stack_id)
        .await
        .map_err(|source| aws(stack, source))?
        .ok_or_else(|| aws(stack, AwsError::incomplete("DescribeStacks", "stack")))?;
    protect(&context, stack, &deployed).await?;
    let outcome = if request.create {
        Outcome::Created
    } else {
        Outcome::Updated
    };
    Ok((outcome, deployed.outputs))
}

/// Deletes a stack and waits until it is gone.
pub(super) async fn delete(
    context: &Context,
    stack: &Arc<StackManifest>,
    stack_id: &str,
) -> Result<(), StackError> {
    let token = token(context, &[&stack.name, "delete"], &[]);
    context
        .clients
        .cloudformation
        .delete_stack()
        .stack_name(stack_id)
        .client_request_token(&token)
        .send()
        .await
        .or_aws(&context.clients, "DeleteStack")
        .map_err(|source| match source.message() {
            Some(message) if texts::says_export_in_use(message) => StackError::InUse {
                stack: stack.name.clone(),
                reason: message.to_owned(),
                hints: known_hints(message),
            },
            _ => aws(stack, source),
        })?;
    let ended = activity::follow(context, stack_id, &token, Some(stack), None)
        .await
        .map_err(|stopped| stopped_error(stack, stopped))?;
    if ended.status.is_deleted() {
        Ok(())
    } else {
        Err(ended_badly(stack, ended))
    }
}

/// The operation that was waited for last, and how often its stack was said to be busy with it after its end.
#[derive(Debug, Default)]
pub(super) struct Joined {
    token: Option<String>,
    looks: usize,
}

/// Waits for an operation of ours that an earlier run began. Somebody else's is an error.
///
/// The described status of a stack lags behind its events, so a stack may seem busy with an operation whose end was
/// seen already: then only a little time has to pass.
pub(super) async fn join(
    context: &Context,
    stack: &Arc<StackManifest>,
    deployed: &DeployedStack,
    joined: &mut Joined,
) -> Result<(), StackError> {
    let running = activity::running(&context.clients, &deployed.id)
        .await
        .map_err(|source| aws(stack, source))?;
    match running.token {
        Some(token) if joined.token.as_ref() == Some(&token) => {
            let wait = context.pace.waits().nth(joined.looks).unwrap_or_default();
            joined.looks += 1;
            tokio::select! {
                () = context.timing.sleep(wait) => Ok(()),
                () = context.cancel.cancelled() => {
                    Err(interrupted(stack, Some(deployed.status.clone())))
                }
            }
        }
        Some(token) if token.starts_with(PREFIX) => {
            context.emit(Event::StackJoined {
                stack: stack.name.clone(),
                status: deployed.status.clone(),
            });
            activity::follow(context, &deployed.id, &token, Some(stack), None)
                .await
                .map_err(|stopped| stopped_error(stack, stopped))?;
            *joined = Joined {
                token: Some(token),
                looks: 0,
            };
            Ok(())
        }
        _ => Err(StackError::Busy {
            stack: stack.name.clone(),
            status: deployed.status.clone(),
            since: running
                .since
                .or_else(|| deployed.changed.map(rfc3339))
                .unwrap_or_else(|| "an unknown time".into()),
        }),
    }
}

/// Makes the error of a call for a stack.
pub(super) fn aws(stack: &StackManifest, source: AwsError) -> StackError {
    StackError::Aws {
        stack: stack.name.clone(),
        source,
    }
}

/// Fails where the run was stopped.
pub(super) fn check_cancelled(context: &Context, stack: &StackManifest) -> Result<(), StackError> {
    if context.cancel.is_cancelled() {
        Err(interrupted(stack, None))
    } else {
        Ok(())
    }
}

/// Brings a stack to a status that allows a change set. Returns the stack, or nothing where it has to be created.
async fn settle(
    context: &Context,
    stack: &Arc<StackManifest>,
) -> Result<Option<DeployedStack>, StackError> {
    let mut began_anew = false;
    let mut joined = Joined::default();
    loop {
        check_cancelled(context, stack)?;
        let deployed = inspect::describe(&context.clients, &stack.name)
            .await
            .map_err(|source| aws(stack, source))?;
        let step = recover::step(&stack.name, deployed.as_ref());
        match (step, deployed) {
            (Step::Update, Some(deployed)) => return Ok(Some(deployed)),
            (Step::Running, Some(deployed)) => join(context, stack, &deployed, &mut joined).await?,
            (Step::Review, Some(deployed)) => {
                let listed = change_set::list(&context.clients, &deployed.id)
                    .await
                    .map_err(|source| aws(stack, source))?;
                return match recover::foreign(&listed) {
                    None => Ok(None),
                    Some(foreign) => Err(StackError::InReview {
                        stack: stack.name.clone(),
                        change_set: foreign.name.clone(),
                    }),
                };
            }
            (Step::StartAnew(action), Some(deployed)) if !began_anew => {
                began_anew = true;
                context.emit(Event::StackRecovering {
                    stack: stack.name.clone(),
                    status: deployed.status.clone(),
                    action: action.to_owned(),
                });
                delete(context, stack, &deployed.id).await?;
            }
            (Step::StartAnew(_), Some(deployed)) => {
                return Err(StackError::Stuck {
                    stack: stack.name.clone(),
                    status: deployed.status,
                    reason: deployed.reason,
                    hints: vec!["somebody else deploys this stack at the same time".into()],
                });
            }
            (Step::Stop(error), _) => return Err(error),
            (Step::Create, _) | (_, None) => return Ok(None),
        }
    }
}

async fn is_unchanged(
    context: &Context,
    work: &Work,
    deployed: &DeployedStack,
    parameters: &BTreeMap<String, String>,
    tags: &BTreeMap<String, String>,
) -> Result<bool, StackError> {
    if !unchanged::is_comparable(deployed, &work.template, tags) {
        return Ok(false);
    }
    let template = inspect::template(&context.clients, &deployed.id)
        .await
        .map_err(|source| aws(&work.manifest, source))?;
    Ok(template.is_some_and(|template| {
        unchanged::is_unchanged(deployed, &template, &work.template, parameters)
    }))
}

async fn unchanged(
    context: &Context,
    stack: &StackManifest,
    deployed: &DeployedStack,
) -> Result<Done, StackError> {
    protect(context, stack, deployed).await?;
    Ok((Outcome::Unchanged, deployed.outputs.clone()))
}

/// Turns protection against deletion on where the manifest asks for it. A deploy never turns it off: somebody may have
/// turned it on by hand, and only a destroy asks for the consent to take it away.
async fn protect(
    context: &Context,
    stack: &StackManifest,
    deployed: &DeployedStack,
) -> Result<(), StackError> {
    if stack.termination_protection && !deployed.termination_protection {
        context
            .clients
            .cloudformation
            .update_termination_protection()
            .stack_name(&deployed.id)
            .enable_termination_protection(true)
            .send()
            .await
            .or_aws(&context.clients, "UpdateTerminationProtection")
            .map_err(|source| aws(stack, source))?;
    }
    Ok(())
}

async fn publish<'a>(
    run: &Run,
    context: &Context,
    work: &'a Work,
) -> Result<TemplateSource<'a>, StackError> {
    let stack = &work.manifest;
    let published = async {
        if let Some(bucket) = &work.bucket {
            publish::artifacts(context, &run.uploads, bucket, stack, &run.artifacts).await?;
        }
        publish::template(context, work.bucket.as_deref(), &stack.name, &work.template).await
    };
    published.await.map_err(|source| StackError::Publish {
        stack: stack.name.clone(),
        source,
    })
}

async fn execute(
    context: &Context,
    stack: &Arc<StackManifest>,
    change_set: &ChangeSet,
    token: &str,
) -> Result<(), StackError> {
    change_set::execute(&context.clients, change_set, token)
        .await
        .map_err(|source| match (source.code(), source.message()) {
            // Whoever executes a change set removes all others of the stack.
            (Some("ChangeSetNotFound" | "InvalidChangeSetStatus"), Some(message)) => {
                StackError::ChangeSet {
                    stack: stack.name.clone(),
                    reason: message.to_owned(),
                    hints: vec!["somebody else deployed this stack meanwhile: deploy again".into()],
                }
            }
            _ => aws(stack, source),
        })?;
    let ended = activity::follow(
        context,
        &change_set.stack_id,
        token,
        Some(stack),
        Some(&change_set.id),
    )
    .await
    .map_err(|stopped| stopped_error(stack, stopped))?;
    if ended.status.is_good() {
        Ok(())
    } else {
        Err(ended_badly(stack, ended))
    }
}

/// Removes a change set that is not executed.
async fn remove(
    context: &Context,
    stack: &StackManifest,
    change_set: &ChangeSet,
    with_stack: bool,
) -> Result<(), StackError> {
    change_set::remove(&context.clients, change_set, with_stack)
        .await
        .map_err(|source| aws(stack, source))
}

/// Removes the change sets that runs of ours left behind when they were killed.
async fn remove_leftovers(context: &Context, stack: &StackManifest) -> Result<(), StackError> {
    let clients = &context.clients;
    let listed = change_set::list(clients, &stack.name)
        .await
        .map_err(|source| aws(stack, source))?;
    let now = context.timing.now();
    for leftover in listed.iter().filter(|listed| listed.is_leftover(now)) {
        clients
            .cloudformation
            .delete_change_set()
            .change_set_name(&leftover.id)
            .send()
            .await
            .or_aws(clients, "DeleteChangeSet")
            .map_err(|source| aws(stack, source))?;
    }
    Ok(())
}

async fn parameters(run: &Run, work: &Work) -> Result<BTreeMap<String, String>, StackError> {
    let stack = &work.manifest;
    let mut parameters = stack.parameters.clone();
    for (parameter, asset) in &stack.artifacts {
        let artifact = run
            .artifacts
            .get(asset)
            .ok_or_else(|| StackError::Publish {
                stack: stack.name.clone(),
                source: super::PublishError::MissingArtifact(asset.clone()),
            })?;
        parameters.insert(
            parameter.clone(),
            publish::artifact_key(&stack.name, asset, &artifact.sha256),
        );
    }
    if let (false, Some(bucket)) = (stack.artifacts.is_empty(), &work.bucket) {
        parameters.insert(ARTIFACT_BUCKET_PARAMETER.to_owned(), bucket.clone());
    }
    let references = reference::values(&run.context, stack)
        .await
        .map_err(|source| aws(stack, source))?;
    for (parameter, value) in references {
        match (value, stack.references.get(&parameter)) {
            (Some(value), _) => {
                parameters.insert(parameter, value);
            }
            (None, Some(reference)) => {
                return Err(StackError::NoOutput {
                    stack: stack.name.clone(),
                    from: reference.stack.clone(),
                    region: reference.region.clone(),
                    output: reference.output.clone(),
                });
            }
            (None, None) => {}
        }
    }
    Ok(parameters)
}

fn tags(run: &Run, stack: &StackManifest) -> BTreeMap<String, String> {
    let mut tags = stack.tags.clone();
    tags.entry(STAGE_TAG.to_owned())
        .or_insert_with(|| run.stage.clone());
    tags
}

/// Makes the name of a change set or the token of an operation: of ours, and another one for every attempt.
fn token(context: &Context, texts: &[&str], maps: &[&BTreeMap<String, String>]) -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update(text.len().to_le_bytes());
        hash.update(text);
    };
    for text in texts {
        add(text);
    }
    for (key, value) in maps.iter().copied().flatten() {
        add(key);
        add(value);
    }
    let age = context
        .timing
        .now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    add(&age.as_nanos().to_string());
    let digest = hash.finalize();
    digest
        .iter()
        .take(10)
        .fold(PREFIX.to_owned(), |mut text, byte| {
            use std::fmt::Write;
            let _ = write!(text, "{byte:02x}");
            text
        })
}

fn refused(stack: &StackManifest, source: AwsError) -> StackError {
    // A template that CloudFormation does not like is refused at once, and not as a failed change set.
    match (source.code(), source.message()) {
        (Some("ValidationError" | "InsufficientCapabilitiesException"), Some(message)) => {
            StackError::ChangeSet {
                stack: stack.name.clone(),
                reason: message.to_owned(),
                hints: known_hints(message),
            }
        }
        _ => aws(stack, source),
    }
}

fn known_hints(reason: &str) -> Vec<String> {
    super::failure::hints("", reason)
}

fn stopped_error(stack: &StackManifest, stopped: Stopped) -> StackError {
    match stopped {
        Stopped::Cancelled(status) => interrupted(
            stack,
            Some(status.unwrap_or_else(|| StackStatus::new("about to begin"))),
        ),
        Stopped::NotStarted(reason) => StackError::ChangeSet {
            stack: stack.name.clone(),
            hints: known_hints(&reason),
            reason,
        },
        Stopped::Aws(source) => aws(stack, source),
    }
}

fn ended_badly(stack: &StackManifest, ended: activity::Ended) -> StackError {
    StackError::Ended {
        stack: stack.name.clone(),
        cause: FirstCause::find(&ended.events).map(Box::new),
        status: ended.status,
        reason: ended.reason,
    }
}

fn interrupted(stack: &StackManifest, running: Option<StackStatus>) -> StackError {
    StackError::Interrupted {
        stack: stack.name.clone(),
        running,
    }
}

fn rfc3339(time: SystemTime) -> String {
    aws_smithy_types::DateTime::from(time)
        .fmt(aws_smithy_types::date_time::Format::DateTime)
        .unwrap_or_default()
}
