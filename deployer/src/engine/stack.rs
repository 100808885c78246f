//! Brings one stack to the state it should have.

mod anew;
mod archive;
mod compute;
mod import;
pub(super) mod importable;
mod input;
mod keeping;
mod operation;
mod order;
mod outside;
pub(super) mod protection;
mod refactor;
mod settle;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use stack_model::assembly::StackManifest;
use tokio::sync::{Mutex, Semaphore};

use super::{
    Approve, Artifact, BOOTSTRAP_STACK, Context, DeployedStack, Event, StackError, capability,
    change_set::ChangeSetRequest,
    content,
    event::Outcome,
    fast::Record,
    handover::{self, Handovers},
    inspect,
    proof::{self, Note, Standing},
    release,
    turns::Turns,
    unchanged,
};
use crate::aws::AwsError;
use crate::content::Content;
use compute::{Proposed, compute};
use input::parameters;
use keeping::hand_over;
use operation::{given_up, known_hints, remove_leftovers};
use order::Order;
use settle::{Settled, settle};

pub(super) use anew::Agreed;
use archive::Kept;
pub(super) use archive::{Archive, Told};
pub(super) use import::{published, take_back};
pub(super) use importable::ground;
pub(super) use input::{tags, token};
pub(super) use operation::{
    Executed, aws, delete, ended_badly, execute, interrupted, refused, remove, stopped_error,
};
pub use outside::recover_all;
pub(super) use outside::{Foreseen, ended as left_outside, gone, recover};
pub(super) use settle::{Joined, check_review, join, rfc3339};

/// What all stacks of one deploy have in common.
pub(super) struct Run {
    pub(super) context: Context,
    pub(super) stage: String,
    pub(super) artifacts: BTreeMap<String, Artifact>,
    pub(super) approve: Arc<dyn Approve>,
    /// The plans that were agreed to.
    pub(super) agreed: Agreed,
    /// Held while a change set is being approved: one question at a time.
    pub(super) approving: Mutex<()>,
    pub(super) uploads: Arc<Semaphore>,
    /// Which stacks wait for each other though neither depends on the other.
    pub(super) turns: Turns,
    /// Which stacks keep for a while what others import.
    pub(super) handovers: Handovers,
    /// The stacks that may be deployed in express mode.
    pub(super) express: BTreeSet<String>,
    /// The releases that stacks go back to.
    pub(super) back_to: BTreeMap<String, u64>,
    /// What was told of what could not be written down.
    pub(super) unwritten: archive::Told,
    /// The folders that their buckets hold already.
    pub(super) filled: content::Filled,
}

/// One stack and where its artifacts go.
#[derive(Clone)]
pub(super) struct Work {
    pub(super) manifest: Arc<StackManifest>,
    pub(super) template: String,
    /// The folders that fill buckets of the stack, by name.
    pub(super) contents: BTreeMap<String, Content>,
    /// The artifact bucket of the stack's region, where the stack needs one.
    pub(super) bucket: Option<String>,
    /// Whether functions of the stack were given code past CloudFormation.
    pub(super) direct: bool,
    /// Where releases of the stack are written down, where they are.
    pub(super) archive: Option<Archive>,
}

/// What was done, and the outputs.
pub(super) type Done = (Outcome, BTreeMap<String, String>);

/// Brings a stack to the state it should have, from whatever status it is in, fills its buckets, and looks whether it
/// does what it should.
pub(super) async fn deploy(run: &Run, work: &Work) -> Result<Done, StackError> {
    let context = run.context.in_region(work.manifest.region.as_deref());
    let mut note = None;
    let Brought {
        mut done,
        kept,
        settled,
    } = match deploy_resources(run, work, &mut note).await {
        Err(error) => {
            if let (StackError::Ended { .. }, Some(note)) = (&error, &note) {
                archive::restore(run, &context, work, note).await;
            }
            return Err(error);
        }
        done => done?,
    };
    let outcome = done.0;
    if outcome.is_good() {
        if restored(run, work).await? && done.0 == Outcome::Unchanged {
            done.0 = Outcome::Updated;
        }
        let archive = work.archive.as_ref().map(|it| it.bucket.as_str());
        let archive = archive.or(work.bucket.as_deref());
        content::fill(
            &context,
            &work.manifest,
            &work.contents,
            archive,
            &run.filled,
        )
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
        // What was given back by hand was looked at on the way.
        let standing = match (outcome, &note, &kept) {
            (Outcome::Created | Outcome::Updated, ..) => Standing::Unproven,
            // What was left may hold nothing against the stack.
            (_, Some(note), _) if note.is_unread => Standing::Unknown,
            (_, Some(_), _) => Standing::Unproven,
            (_, None, Some(kept)) => kept.standing,
            (_, None, None) => Standing::Proven,
        };
        let proving = proof::prove(&context, &run.artifacts, work, standing, note.as_ref());
        let found = Box::pin(proving).await?;
        archive::proven(run, &context, work, (found, note.is_some()), kept).await;
        if let Some(deployed) = &settled {
            archive::settled(run, &context, work, deployed).await;
        }
    }
    Ok(done)
}

/// Gives functions the code and state machines the definitions that CloudFormation believes to be there, where a deploy past
/// it gave them others.
async fn restored(run: &Run, work: &Work) -> Result<bool, StackError> {
    let stack = &work.manifest;
    let archive = work.archive.as_ref().map(|archive| &archive.bucket);
    let (Some(bucket), true) = (work.bucket.as_ref().or(archive), work.direct) else {
        return Ok(false);
    };
    let context = run.context.in_region(stack.region.as_deref());
    let restored = async {
        let Some(deployed) = inspect::describe(&context.clients, &stack.name).await? else {
            return Ok(false);
        };
        let record = Record::read(&context.clients, bucket, &stack.name, &deployed.id).await?;
        record
            .restore(&context, bucket, &deployed, &work.template)
            .await
    };
    restored.await.map_err(|source| {
        if context.cancel.is_cancelled() {
            interrupted(stack, None)
        } else {
            aws(stack, source)
        }
    })
}

/// What became of the resources of a stack.
struct Brought {
    done: Done,
    /// What is left to write down, where anything is.
    kept: Option<Kept>,
    /// The stack, where its last operation was rolled back and CloudFormation finds it as the source says.
    settled: Option<Box<DeployedStack>>,
}

impl Brought {
    fn new(done: Done, kept: Option<Kept>) -> Self {
        Self {
            done,
            kept,
            settled: None,
        }
    }
}

/// How an attempt to bring a stack to the state it should have ended.
enum Attempt {
    /// It is over.
    Done(Brought),
    /// Resources have the names that they should have; what else changes comes next.
    Renamed,
    /// Somebody else changed the stack meanwhile, so what was computed does not hold any more.
    Again,
}

impl Attempt {
    fn declined() -> Self {
        Self::Done(Brought::new((Outcome::Declined, BTreeMap::new()), None))
    }
}

async fn deploy_resources(
    run: &Run,
    work: &Work,
    note: &mut Option<Note>,
) -> Result<Brought, StackError> {
    let stack = &work.manifest;
    let context = run.context.in_region(stack.region.as_deref());
    context.emit(Event::StackStarted {
        stack: stack.name.clone(),
        // Each region has one.
        region: (stack.name == BOOTSTRAP_STACK).then(|| context.clients.region().to_owned()),
    });
    let mut renamed = false;
    loop {
        match Box::pin(attempt(run, &context, work, note)).await? {
            Attempt::Done(mut brought) => {
                if renamed && brought.done.0 == Outcome::Unchanged {
                    brought.done.0 = Outcome::Updated;
                }
                return Ok(brought);
            }
            Attempt::Renamed => {
                renamed = true;
                continue;
            }
            Attempt::Again => {}
        }
        // The described status lags behind, so the next look may find the stack as it was before.
        let wait = context.pace.waits().next().unwrap_or_default();
        context.timing.sleep(wait).await;
    }
}

async fn attempt(
    run: &Run,
    context: &Context,
    work: &Work,
    note: &mut Option<Note>,
) -> Result<Attempt, StackError> {
    let stack = &work.manifest;
    let mut parameters = parameters(run, work).await?;
    let tags = tags(context, &run.stage, stack);
    let Settled { deployed, waiting } = settle(context, stack).await?;
    outside::recover(context, &stack.name)
        .await
        .map_err(|source| aws(stack, source))?;
    if !anew::agree(run, context, work, deployed.as_ref()).await? {
        return Ok(Attempt::declined());
    }
    *note = archive::left(run, context, work, deployed.as_ref(), note.as_ref()).await;
    if let Some(deployed) = &deployed
        && let Some(attempt) = Box::pin(refactor::rename(run, context, work, deployed)).await?
    {
        return Ok(attempt);
    }
    let kept = match &deployed {
        Some(deployed) => hand_over(run, context, work, deployed, &mut parameters).await?,
        None => None,
    };
    // What is kept for stacks outside of this deploy is what this deploy deploys.
    let is_whole = kept.is_none();
    let is_release = kept.as_ref().is_none_or(|kept| !kept.passes);
    let no_literals = handover::Texts::new();
    let literals = kept.as_ref().map_or(&no_literals, |kept| &kept.texts);
    let work = kept.as_ref().map_or(work, |kept| &kept.work);
    let stack = &work.manifest;
    if !stack.releases.is_empty()
        && let Ok(template) = serde_json::from_str(&work.template)
    {
        let now = context.timing.now();
        release::name(now, stack, &template, deployed.as_ref(), &mut parameters);
    }
    if let Some(deployed) = &deployed
        && unchanged::is_comparable(deployed, &work.template, &tags)
    {
        // What was kept for a moment is marked and no release, and may have come to stay since.
        let known = is_whole && archive::knows(work, deployed, &parameters);
        if known || is_unchanged(context, work, deployed, &parameters).await? {
            let done = unchanged(context, work, deployed).await?;
            let kept = archive::keep(run, context, work, deployed, &parameters, is_release);
            archive::lead_back(context, work, note).await;
            let kept = if known {
                *note = None;
                None
            } else {
                Some(kept.await)
            };
            return Ok(Attempt::Done(Brought::new(done, kept)));
        }
    }
    check_cancelled(context, stack)?;
    if let Some(capability) = capability::missing(&work.template, &stack.capabilities) {
        return Err(StackError::Capability {
            stack: stack.name.clone(),
            capability,
        });
    }
    let template = input::publish(run, context, work).await?;
    let create = deployed.is_none();
    context.emit(Event::ChangeSetCreating {
        stack: stack.name.clone(),
        create,
    });
    if !create {
        remove_leftovers(context, stack).await?;
    }
    let mut request = ChangeSetRequest {
        stack,
        create,
        name: String::new(),
        template,
        parameters: &parameters,
        tags: &tags,
        express: run.express.contains(&stack.name),
    };
    let (change_set, changes) = match compute(run, context, work, &mut request).await? {
        Proposed::Changes(change_set, changes) => (change_set, changes),
        Proposed::Busy => return Ok(Attempt::Again),
        Proposed::Nothing => {
            run.approve.left_as_it_is(&stack.name);
            archive::lead_back(context, work, note).await;
            let done = match &deployed {
                Some(deployed) => unchanged(context, work, deployed).await?,
                None => (Outcome::Unchanged, BTreeMap::new()),
            };
            let settled = deployed.filter(|it| is_whole && !it.status.is_good());
            return Ok(Attempt::Done(Brought {
                settled: settled.map(Box::new),
                ..Brought::new(done, None)
            }));
        }
    };
    let mut order = Order {
        work,
        deployed: deployed.as_ref(),
        change_set,
        changes,
        name: request.name,
        express: request.express,
    };
    if !order.holds(run, context, literals).await? {
        return Ok(Attempt::Again);
    }
    if !order.is_approved(run, context).await? {
        return Ok(Attempt::declined());
    }
    let ended = match order.carry_out(run, context, &waiting, note).await? {
        Executed::Done(ended) => ended,
        Executed::Overtaken(_) if context.wait || anew::again(run, stack) => {
            return Ok(Attempt::Again);
        }
        Executed::Overtaken(error) => return Err(error),
    };
    let stack_id = &order.change_set.stack_id;
    let deployed = inspect::describe(&context.clients, stack_id)
        .await
        .map_err(|source| aws(stack, source))?
        .ok_or_else(|| aws(stack, AwsError::incomplete("DescribeStacks", "stack")))?;
    let is_ours = run.agreed.took(&stack.name, ended, &deployed);
    protection::protect(context, stack, &work.template, &deployed).await?;
    let kept = if is_ours {
        Some(archive::keep(run, context, work, &deployed, &parameters, is_release).await)
    } else {
        // What is described is what somebody else deployed: our template would be written down as theirs.
        context.emit(Event::Warning {
            stack: stack.name.clone(),
            message: "nobody can go back to this release: it was not written down, because somebody updated the stack right after it".to_owned(),
        });
        None
    };
    let outcome = if create {
        Outcome::Created
    } else {
        Outcome::Updated
    };
    Ok(Attempt::Done(Brought::new(
        (outcome, deployed.outputs),
        kept,
    )))
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
) -> Result<bool, StackError> {
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
