//! Brings one stack to the state it should have.

mod input;
mod operation;
mod protection;
mod settle;

use std::{collections::BTreeMap, sync::Arc};

use stack_model::assembly::StackManifest;
use tokio::sync::{Mutex, Semaphore};

use super::{
    Approve, Artifact, BOOTSTRAP_STACK, Context, Decision, DeployedStack, Event, StackError,
    capability,
    change_set::{self, ChangeSetRequest, Computed},
    content,
    event::Outcome,
    failure,
    handover::{self, Handovers},
    inspect, release,
    turns::Turns,
    unchanged,
};
use crate::aws::AwsError;
use crate::content::Content;
use input::{parameters, tags, token};
use operation::{execute, interrupted, known_hints, refused, remove, remove_leftovers};
use settle::settle;

pub(super) use operation::{aws, delete};
pub(super) use settle::{Joined, join};

/// What all stacks of one deploy have in common.
pub(super) struct Run {
    pub(super) context: Context,
    pub(super) stage: String,
    pub(super) artifacts: BTreeMap<String, Artifact>,
    pub(super) approve: Arc<dyn Approve>,
    /// Held while a change set is being approved: one question at a time.
    pub(super) approving: Mutex<()>,
    pub(super) uploads: Arc<Semaphore>,
    /// Which stacks wait for each other though neither depends on the other.
    pub(super) turns: Turns,
    /// Which stacks keep for a while what others import.
    pub(super) handovers: Handovers,
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
        // Each region has one.
        region: (stack.name == BOOTSTRAP_STACK).then(|| context.clients.region().to_owned()),
    });
    let mut parameters = parameters(run, work).await?;
    let tags = tags(run, stack);
    let deployed = settle(&context, stack).await?;
    let kept = match &deployed {
        Some(deployed) => hand_over(run, &context, work, deployed, &mut parameters).await?,
        None => None,
    };
    let work = kept.as_ref().unwrap_or(work);
    let stack = &work.manifest;
    if !stack.releases.is_empty()
        && let Ok(template) = serde_json::from_str(&work.template)
    {
        let now = context.timing.now();
        release::name(now, stack, &template, deployed.as_ref(), &mut parameters);
    }
    if let Some(deployed) = &deployed
        && is_unchanged(&context, work, deployed, &parameters, &tags).await?
    {
        return unchanged(&context, work, deployed).await;
    }
    check_cancelled(&context, stack)?;
    if let Some(capability) = capability::missing(&work.template, &stack.capabilities) {
        return Err(StackError::Capability {
            stack: stack.name.clone(),
            capability,
        });
    }
    let template = input::publish(run, &context, work).await?;
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
    let mut changes = match change_set::computed(&context, &change_set, &request)
        .await
        .map_err(|source| aws(stack, source))?
    {
        Computed::Ready(changes) => changes,
        Computed::Nothing => {
            remove(&context, stack, &change_set, request.create).await?;
            run.approve.left_as_it_is(&stack.name);
            return match &deployed {
                Some(deployed) => unchanged(&context, work, deployed).await,
                None => Ok((Outcome::Unchanged, BTreeMap::new())),
            };
        }
        Computed::Failed(reason) => {
            let mut hints = known_hints(&reason);
            let reason = failure::say(&context.clients, &change_set.id, reason).await;
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
    changes.partial = run.handovers.in_parts(&stack.name);
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
    let turn = run.turns.take(&stack.name, &context.cancel).await;
    let Some(_turn) = turn else {
        remove(&context, stack, &change_set, request.create).await?;
        return Err(interrupted(stack, None));
    };
    context.emit(Event::ChangeSetExecuting {
        stack: stack.name.clone(),
        changes: count,
    });
    let opened = protection::open(&context, stack, &change_set.stack_id, &changes).await?;
    let executed = execute(&context, stack, &change_set, &name).await;
    // Whatever goes on without us may still need the open policy, and the next deploy closes it.
    if opened && matches!(executed, Ok(()) | Err(StackError::Ended { .. })) {
        protection::close(&context, stack, &work.template, &change_set.stack_id).await?;
    }
    executed?;
    let deployed = inspect::describe(&context.clients, &change_set.stack_id)
        .await
        .map_err(|source| aws(stack, source))?
        .ok_or_else(|| aws(stack, AwsError::incomplete("DescribeStacks", "stack")))?;
    protection::protect(&context, stack, &work.template, &deployed).await?;
    let outcome = if request.create {
        Outcome::Created
    } else {
        Outcome::Updated
    };
    Ok((outcome, deployed.outputs))
}

/// Fails where the run was stopped.
pub(super) fn check_cancelled(context: &Context, stack: &StackManifest) -> Result<(), StackError> {
    if context.cancel.is_cancelled() {
        Err(interrupted(stack, None))
    } else {
        Ok(())
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
    work: &Work,
    deployed: &DeployedStack,
) -> Result<Done, StackError> {
    protection::protect(context, &work.manifest, &work.template, deployed).await?;
    Ok((Outcome::Unchanged, deployed.outputs.clone()))
}

/// Returns what a stack is updated to where others import what it gives up, and adds the parameters of that.
async fn hand_over(
    run: &Run,
    context: &Context,
    work: &Work,
    deployed: &DeployedStack,
    parameters: &mut BTreeMap<String, String>,
) -> Result<Option<Work>, StackError> {
    let kept = handover::find(context, deployed, &work.template)
        .await
        .map_err(|source| aws(&work.manifest, source))?;
    let Some(kept) = kept else {
        return Ok(None);
    };
    let stack = work.manifest.name.clone();
    run.handovers.add(&stack, kept.importers.clone());
    context.emit(Event::ExportsKept {
        stack,
        importers: kept.importers,
    });
    parameters.extend(kept.parameters);
    let mut manifest = (*work.manifest).clone();
    if let Some(capability) = capability::missing(&kept.template, &manifest.capabilities) {
        manifest.capabilities.push(capability.to_owned());
    }
    Ok(Some(Work {
        manifest: Arc::new(manifest),
        template: kept.template,
        contents: BTreeMap::new(),
        bucket: work.bucket.clone(),
    }))
}
