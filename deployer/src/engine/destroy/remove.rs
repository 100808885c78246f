//! Removes one stack with what it holds and what was published for it.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    sync::Arc,
};

use stack_model::assembly::StackManifest;
use tokio::sync::Mutex;

use super::{
    DestroyedStack, Left, Memory,
    contents::Contents,
    importers,
    ledger::{Fate, Ledger},
    traces::{self, Traces},
};
use crate::{
    aws::{AwsError, OrAws, texts},
    engine::{
        Context, DeployedStack, Event, Failure, Outcome, StackError, bootstrap, empty, inspect,
        ownership,
        recover::STAGE_TAG,
        stack::{self, Joined, aws, check_cancelled},
        state_key,
        status::{DestroyStep, State, Way},
        turns::Turns,
    },
};

/// How often a stack is deleted whose buckets are filled again meanwhile, the first time included.
const ATTEMPTS: usize = 3;

/// What was consented to for one stack.
pub(super) struct Consent {
    /// That the stack goes though it is protected.
    pub(super) unprotect: bool,
    /// The resources that stay.
    pub(super) retain: BTreeSet<String>,
}

/// What the removals of one run have in common.
pub(super) struct Run {
    pub(super) ledger: Ledger,
    pub(super) memory: Memory,
    pub(super) turns: Turns,
    pub(super) buckets: Buckets,
}

/// The artifact buckets by region, none where a region has none: asked for once for all stacks of a run.
#[derive(Debug, Default)]
pub(super) struct Buckets(Mutex<BTreeMap<String, Option<String>>>);

impl Buckets {
    async fn of(&self, context: &Context) -> Result<Option<String>, AwsError> {
        let mut buckets = self.0.lock().await;
        let region = context.clients.region();
        if let Some(bucket) = buckets.get(region) {
            return Ok(bucket.clone());
        }
        let bucket = bootstrap::existing(context).await?;
        buckets.insert(region.to_owned(), bucket.clone());
        Ok(bucket)
    }
}

/// Removes a stack, and tells how that went.
pub(super) async fn report(
    context: &Context,
    stack: &Arc<StackManifest>,
    consent: &Consent,
    run: &Run,
) -> DestroyedStack {
    match remove(context, stack, consent, run).await {
        Ok(outcome) => {
            context.emit(Event::StackFinished {
                stack: stack.name.clone(),
                outcome,
                outputs: BTreeMap::new(),
            });
            DestroyedStack {
                stack: stack.name.clone(),
                outcome,
                failure: None,
                // What is left is known when all stacks are gone.
                retained: BTreeMap::new(),
                left: Left::default(),
            }
        }
        Err(error) => {
            let failure = Failure::told(context, &stack.name, &error, error.first_cause());
            DestroyedStack {
                stack: stack.name.clone(),
                outcome: failure.outcome(),
                failure: Some(failure),
                retained: BTreeMap::new(),
                left: Left::default(),
            }
        }
    }
}

async fn remove(
    context: &Context,
    stack: &Arc<StackManifest>,
    consent: &Consent,
    run: &Run,
) -> Result<Outcome, StackError> {
    context.emit(Event::StackStarted {
        stack: stack.name.clone(),
        region: None,
    });
    let mut earlier = run.memory.recall(context, &stack.name);
    let Some(deployed) = settle(context, stack, run, &mut earlier).await? else {
        if let Some(contents) = earlier {
            finish(context, stack, run, contents).await?;
        }
        remove_artifacts(context, stack, &run.buckets).await?;
        return Ok(Outcome::Absent);
    };
    stack::recover(context, &stack.name)
        .await
        .map_err(|source| aws(stack, source))?;
    importers::check(context, stack, &deployed).await?;
    let deployed = if stack::take_back(context, stack, &deployed).await? {
        let found = settle(context, stack, run, &mut earlier).await?;
        found.unwrap_or(deployed)
    } else {
        deployed
    };
    // A removal that was never begun tells nothing: the stack may have changed since.
    let earlier = earlier.filter(|earlier| {
        earlier.stack_id != deployed.id || deployed.status.way() == Some(Way::FinishRemoval)
    });
    let mut opened = false;
    let deleted = delete(
        context,
        stack,
        &deployed,
        consent,
        run,
        earlier,
        &mut opened,
    )
    .await;
    let contents = match deleted {
        Ok(contents) => contents,
        Err(error) => {
            if opened {
                protect_again(context, stack, &deployed.id, &error).await;
            }
            return Err(error);
        }
    };
    stack::gone(context, &stack.name);
    finish(context, stack, run, contents).await?;
    remove_artifacts(context, stack, &run.buckets).await?;
    Ok(Outcome::Deleted)
}

/// Empties the buckets of a stack and deletes it, again where they are filled meanwhile. Returns what it held. `opened`
/// says whether its protection was taken away.
async fn delete(
    context: &Context,
    stack: &Arc<StackManifest>,
    deployed: &DeployedStack,
    consent: &Consent,
    run: &Run,
    mut earlier: Option<Contents>,
    opened: &mut bool,
) -> Result<Contents, StackError> {
    let mut attempts = 1;
    loop {
        let contents = empty_buckets(context, stack, deployed, &consent.retain).await?;
        let contents = match &earlier {
            Some(earlier) => contents.and(earlier),
            None => contents,
        };
        let _turn = run.turns.take(&stack.name, &context.cancel).await;
        check_cancelled(context, stack)?;
        remember(context, stack, run, &contents);
        // As late as can be, so that what fails before leaves the stack protected.
        if deployed.termination_protection && consent.unprotect && !*opened {
            set_protection(context, stack, &deployed.id, false).await?;
            *opened = true;
        }
        context.emit(Event::StackDeleting {
            stack: stack.name.clone(),
        });
        match stack::delete(context, stack, &deployed.id, &consent.retain).await {
            Ok(()) => return Ok(contents),
            // Logs are delivered late, and uploads go on until the function that makes them is gone.
            Err(error) if attempts < ATTEMPTS && is_refilled(&error) => {
                attempts += 1;
                earlier = Some(contents);
            }
            Err(error) => {
                // CloudFormation goes on with it, and the next run finds a stack that goes or is gone.
                if is_going(&error) {
                    run.ledger.removed(stack, contents);
                }
                return Err(error);
            }
        }
    }
}

/// Writes down what is left to do once a stack is gone.
fn remember(context: &Context, stack: &StackManifest, run: &Run, contents: &Contents) {
    if let Err(error) = run.memory.remember(context, &stack.name, contents) {
        context.emit(Event::Warning {
            stack: stack.name.clone(),
            message: format!(
                "what is left to do once it is gone is not written down ({error}): a run that is killed loses it"
            ),
        });
    }
}

/// Returns whether CloudFormation goes on with the removal.
fn is_going(error: &StackError) -> bool {
    matches!(
        error,
        StackError::Interrupted {
            running: Some(_),
            ..
        }
    )
}

/// Does what is left to do once a stack is gone.
async fn finish(
    context: &Context,
    stack: &Arc<StackManifest>,
    run: &Run,
    contents: Contents,
) -> Result<(), StackError> {
    // Before anything else can fail: nobody else knows any more what the stack kept.
    run.ledger.removed(stack, contents.clone());
    let traces = traces::remove(context, &stack.name, &contents)
        .await
        .map_err(|source| aws(stack, source))?;
    if traces == Traces::Denied {
        run.ledger.unfinished(&stack.name);
    }
    Ok(())
}

async fn set_protection(
    context: &Context,
    stack: &StackManifest,
    stack_id: &str,
    on: bool,
) -> Result<(), StackError> {
    context
        .clients
        .cloudformation
        .update_termination_protection()
        .stack_name(stack_id)
        .enable_termination_protection(on)
        .send()
        .await
        .or_aws(&context.clients, "UpdateTerminationProtection")
        .map_err(|source| aws(stack, source))?;
    Ok(())
}

/// Protects a stack again that was to be deleted and is still there. Why it is there is what the removal ends with.
async fn protect_again(context: &Context, stack: &StackManifest, stack_id: &str, why: &StackError) {
    if is_going(why) {
        return;
    }
    if let Err(error) = set_protection(context, stack, stack_id, true).await {
        let causes = crate::error::Error::from(error).causes().join(": ");
        context.emit(Event::Warning {
            stack: stack.name.clone(),
            message: format!(
                "it is not protected against deletion any more, as long as it is there and until it is deployed: {causes}"
            ),
        });
    }
}

/// Returns whether a stack stays because something was written into a bucket of it after that was emptied.
fn is_refilled(error: &StackError) -> bool {
    error.first_cause().is_some_and(|cause| {
        cause.resource_type == "AWS::S3::Bucket" && texts::says_bucket_not_empty(&cause.reason)
    })
}

/// Waits until nothing runs. Returns the stack, or nothing where it is gone; what it held that goes already is added to what is
/// known of an earlier removal.
async fn settle(
    context: &Context,
    stack: &Arc<StackManifest>,
    run: &Run,
    earlier: &mut Option<Contents>,
) -> Result<Option<DeployedStack>, StackError> {
    let mut joined = Joined::default();
    loop {
        check_cancelled(context, stack)?;
        let deployed = inspect::describe(&context.clients, &stack.name)
            .await
            .map_err(|source| aws(stack, source))?;
        let Some(deployed) = deployed else {
            return Ok(None);
        };
        let step = State::of(Some(&deployed)).destroy();
        if step != DestroyStep::Nothing {
            ownership::check(context, &deployed)?;
        }
        match step {
            DestroyStep::Nothing => return Ok(None),
            DestroyStep::Review => {
                stack::check_review(context, stack, &deployed).await?;
                return Ok(Some(deployed));
            }
            DestroyStep::Follow => {
                stack::join(context, stack, &deployed, &mut joined).await?;
            }
            DestroyStep::FollowRemoval => {
                recall_going(context, stack, &deployed, run, earlier).await?;
                // It ends as this run wants it to, whoever began it.
                let patient = context.clone().waiting(true);
                stack::join(&patient, stack, &deployed, &mut joined).await?;
            }
            DestroyStep::Delete => return Ok(Some(deployed)),
        }
    }
}

/// Reads what a stack holds that goes already, where no run of this machine wrote it down: one on another began, such as a build
/// whose files are gone. CloudFormation tells it as long as the stack goes. What others made and remove is not looked at.
async fn recall_going(
    context: &Context,
    stack: &Arc<StackManifest>,
    deployed: &DeployedStack,
    run: &Run,
    earlier: &mut Option<Contents>,
) -> Result<(), StackError> {
    let is_known = (earlier.as_ref()).is_some_and(|earlier| earlier.stack_id == deployed.id);
    if is_known || !deployed.tags.contains_key(STAGE_TAG) {
        return Ok(());
    }
    let (mut contents, _) = Contents::read(context, deployed, &BTreeSet::new())
        .await
        .map_err(|source| aws(stack, source))?;
    if let Some(earlier) = earlier {
        contents = contents.and(earlier);
    }
    remember(context, stack, run, &contents);
    *earlier = Some(contents);
    Ok(())
}

/// Empties the buckets that the deletion of the stack deletes. Returns what the stack holds.
async fn empty_buckets(
    context: &Context,
    stack: &Arc<StackManifest>,
    deployed: &DeployedStack,
    retain: &BTreeSet<String>,
) -> Result<Contents, StackError> {
    if deployed.status.is_review() {
        // It was never executed: there are neither resources nor a template to read.
        return Ok(Contents::default());
    }
    let clients = &context.clients;
    let (contents, _) = Contents::read(context, deployed, retain)
        .await
        .map_err(|source| aws(stack, source))?;
    let resources = contents.resources.iter();
    for (resource, fate) in resources.map(|found| (&found.deployed, found.fate)) {
        if fate == Fate::Deleted && resource.resource_type == "AWS::S3::Bucket" {
            check_cancelled(context, stack)?;
            let progress = |objects| {
                context.emit(Event::BucketEmptying {
                    stack: stack.name.clone(),
                    logical_id: resource.logical_id.clone(),
                    objects,
                });
                if context.cancel.is_cancelled() {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            };
            let objects = empty::everything(clients, &resource.physical_id, None, progress)
                .await
                .map_err(|source| aws(stack, source))?;
            if objects > 0 {
                context.emit(Event::BucketEmptied {
                    stack: stack.name.clone(),
                    logical_id: resource.logical_id.clone(),
                    objects,
                });
            }
        }
    }
    Ok(contents)
}

/// Removes what was published for a stack.
async fn remove_artifacts(
    context: &Context,
    stack: &StackManifest,
    buckets: &Buckets,
) -> Result<(), StackError> {
    let clients = &context.clients;
    let bucket = buckets
        .of(context)
        .await
        .map_err(|source| aws(stack, source))?;
    let Some(bucket) = bucket else {
        return Ok(());
    };
    for prefix in [format!("{}/", stack.name), state_key::of(&stack.name)] {
        empty::everything(clients, &bucket, Some(&prefix), |_| {
            ControlFlow::Continue(())
        })
        .await
        .map_err(|source| aws(stack, source))?;
    }
    Ok(())
}
