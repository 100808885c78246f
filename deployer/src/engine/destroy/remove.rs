//! Removes one stack with what it holds and what was published for it.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    sync::Arc,
};

use serde_json::Value;
use stack_model::assembly::StackManifest;

use super::{
    DestroyedStack, Left, importers,
    ledger::{self, Fate, Ledger},
    parsed, traces,
};
use crate::{
    aws::{OrAws, texts},
    engine::{
        BOOTSTRAP_STACK, Context, DeployedStack, Event, Failure, Outcome, StackError,
        bootstrap::BUCKET_OUTPUT,
        empty, fast, inspect,
        stack::{self, Joined, aws, check_cancelled},
        status::{DestroyStep, State},
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

/// Removes a stack, and tells how that went.
pub(super) async fn report(
    context: &Context,
    stack: &Arc<StackManifest>,
    consent: &Consent,
    ledger: &Ledger,
    turns: &Turns,
) -> DestroyedStack {
    match remove(context, stack, consent, ledger, turns).await {
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
    ledger: &Ledger,
    turns: &Turns,
) -> Result<Outcome, StackError> {
    context.emit(Event::StackStarted {
        stack: stack.name.clone(),
        region: None,
    });
    let Some(deployed) = settle(context, stack).await? else {
        remove_artifacts(context, stack).await?;
        return Ok(Outcome::Absent);
    };
    importers::check(context, stack, &deployed).await?;
    if deployed.termination_protection && consent.unprotect {
        context
            .clients
            .cloudformation
            .update_termination_protection()
            .stack_name(&deployed.id)
            .enable_termination_protection(false)
            .send()
            .await
            .or_aws(&context.clients, "UpdateTerminationProtection")
            .map_err(|source| aws(stack, source))?;
    }
    let mut attempts = 1;
    let (template, fates) = loop {
        let contents = empty_buckets(context, stack, &deployed, &consent.retain).await?;
        let _turn = turns.take(&stack.name, &context.cancel).await;
        check_cancelled(context, stack)?;
        context.emit(Event::StackDeleting {
            stack: stack.name.clone(),
        });
        match stack::delete(context, stack, &deployed.id, &consent.retain).await {
            Ok(()) => break contents,
            // Logs are delivered late, and uploads go on until the function that makes them is gone.
            Err(error) if attempts < ATTEMPTS && is_refilled(&error) => attempts += 1,
            Err(error) => {
                // CloudFormation goes on with it, and the next run finds a stack that goes or is gone.
                if let StackError::Interrupted {
                    running: Some(_), ..
                } = &error
                {
                    ledger.removed(stack, contents.1);
                }
                return Err(error);
            }
        }
    };
    // Before anything else can fail: the next run finds no stack that could tell what it kept.
    ledger.removed(stack, fates.clone());
    traces::remove(context, &stack.name, &template, &fates)
        .await
        .map_err(|source| aws(stack, source))?;
    remove_artifacts(context, stack).await?;
    Ok(Outcome::Deleted)
}

/// Returns whether a stack stays because something was written into a bucket of it after that was emptied.
fn is_refilled(error: &StackError) -> bool {
    error.first_cause().is_some_and(|cause| {
        cause.resource_type == "AWS::S3::Bucket" && texts::says_bucket_not_empty(&cause.reason)
    })
}

/// Waits until nothing runs. Returns the stack, or nothing where it is gone.
async fn settle(
    context: &Context,
    stack: &Arc<StackManifest>,
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
        match State::of(Some(&deployed)).destroy() {
            DestroyStep::Nothing => return Ok(None),
            DestroyStep::Review => {
                stack::check_review(context, stack, &deployed).await?;
                return Ok(Some(deployed));
            }
            DestroyStep::Follow => {
                stack::join(context, stack, &deployed, &mut joined).await?;
            }
            DestroyStep::FollowRemoval => {
                // It ends as this run wants it to, whoever began it.
                let patient = context.clone().waiting(true);
                stack::join(&patient, stack, &deployed, &mut joined).await?;
            }
            DestroyStep::Delete => return Ok(Some(deployed)),
        }
    }
}

/// Empties the buckets that the deletion of the stack deletes. Returns its template, and what becomes of each of its
/// resources.
async fn empty_buckets(
    context: &Context,
    stack: &Arc<StackManifest>,
    deployed: &DeployedStack,
    retain: &BTreeSet<String>,
) -> Result<(Value, Vec<ledger::Resource>), StackError> {
    if deployed.status.is_review() {
        // It was never executed: there are neither resources nor a template to read.
        return Ok((Value::Null, Vec::new()));
    }
    let clients = &context.clients;
    let template = inspect::template(clients, &deployed.id)
        .await
        .map_err(|source| aws(stack, source))?;
    let template = parsed(template);
    let resources = inspect::resources(clients, &deployed.id)
        .await
        .map_err(|source| aws(stack, source))?;
    let mut fates = ledger::resources(&template, &deployed.parameters, resources);
    ledger::keep(&mut fates, retain);
    for (resource, fate) in fates.iter().map(|found| (&found.deployed, found.fate)) {
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
    Ok((template, fates))
}

/// Removes what was published for a stack.
async fn remove_artifacts(context: &Context, stack: &StackManifest) -> Result<(), StackError> {
    let clients = &context.clients;
    let bootstrap = inspect::describe(clients, BOOTSTRAP_STACK)
        .await
        .map_err(|source| aws(stack, source))?;
    let Some(bucket) = bootstrap.and_then(|stack| stack.outputs.get(BUCKET_OUTPUT).cloned()) else {
        return Ok(());
    };
    for prefix in [format!("{}/", stack.name), fast::key(&stack.name)] {
        empty::everything(clients, &bucket, Some(&prefix), |_| {
            ControlFlow::Continue(())
        })
        .await
        .map_err(|source| aws(stack, source))?;
    }
    Ok(())
}
