//! Takes back what failed and was kept, and finishes rollbacks that failed themselves.

mod plan;
mod repeat;
mod report;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use stack_model::assembly::StackManifest;

pub use self::{
    plan::rollback_plan,
    report::{
        PlannedRollback, RollbackAction, RollbackError, RollbackReport, RollbackRequest,
        RolledBackStack,
    },
};
use super::{
    Context, DeployedStack, Event, Failure, StackError, activity, ending,
    event::Outcome,
    graph, inspect,
    named::Named,
    owner, ownership, proof,
    stack::{self, Joined, aws, check_cancelled},
    status::{RollbackStep, State, Way},
    stuck,
};
use crate::aws::{AwsError, OrAws, texts};

/// Rolls stacks back, each before those it depends on, and follows that to the end.
///
/// What is done is decided by the status alone, so that a rollback that was stopped is finished by running it again: an
/// update that runs is cancelled, what failed with rollback disabled is taken back, and a rollback that failed is
/// continued. See <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_RollbackStack.html>,
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ContinueUpdateRollback.html> and
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CancelUpdateStack.html>.
pub async fn rollback(
    context: &Context,
    request: RollbackRequest,
) -> Result<RollbackReport, RollbackError> {
    let graph: Vec<(String, Vec<String>)> = request
        .stacks
        .iter()
        .map(|stack| (stack.name.clone(), stack.depends_on.clone()))
        .collect();
    graph::check(&graph).map_err(RollbackError::Invalid)?;
    let skip = skipped(context, &request).await?;
    let graph = graph::reversed(&graph);
    let unasked = request.unasked;
    let stacks: Vec<Arc<StackManifest>> = request.stacks.into_iter().map(Arc::new).collect();
    let ended = graph::run(&graph, context.concurrency, |node| {
        let stack = Arc::clone(&stacks[node]);
        let context = context.in_region(stack.region.as_deref());
        let skip = skip.of(&stack.name);
        let is_asked = !unasked.contains(&stack.name);
        async move { ending::verdict(report(&context, &stack, skip, is_asked).await) }
    })
    .await;
    let stacks = ending::reports(context, graph.into_iter().zip(ended).rev());
    let report = RollbackReport { stacks };
    let any = |outcome| ending::any(&report.stacks, outcome);
    if any(Outcome::Interrupted) {
        Err(RollbackError::Interrupted(report))
    } else if any(Outcome::Failed) {
        Err(RollbackError::Failed(report))
    } else {
        Ok(report)
    }
}

/// Finds the resources to skip, and refuses names that are none of such.
async fn skipped(context: &Context, request: &RollbackRequest) -> Result<Named, RollbackError> {
    let mut named = Named::new(request.skip.clone(), Way::ContinueRollback);
    if request.skip.is_empty() {
        return Ok(named);
    }
    for stack in &request.stacks {
        if let Some(deployed) = inspect::deployed(context, &stack.into()).await? {
            let clients = context.clients.in_region(stack.region.as_deref());
            let failed = named.look(&clients, &deployed).await?;
            named.take(&stack.name, failed);
        }
    }
    match named.misfit() {
        None => Ok(named),
        Some(misfit) => Err(RollbackError::NotSkippable {
            names: misfit.names,
            candidates: misfit.candidates,
        }),
    }
}

async fn report(
    context: &Context,
    stack: &Arc<StackManifest>,
    skip: BTreeSet<String>,
    is_asked: bool,
) -> RolledBackStack {
    context.emit(Event::StackStarted {
        stack: stack.name.clone(),
        region: None,
    });
    match one(context, stack, &skip, is_asked).await {
        Ok(outcome) => {
            context.emit(Event::StackFinished {
                stack: stack.name.clone(),
                outcome,
                outputs: BTreeMap::new(),
            });
            RolledBackStack {
                stack: stack.name.clone(),
                outcome,
                skipped: skip,
                failure: None,
            }
        }
        Err(error) => {
            let failure = Failure::told(context, &stack.name, &error, error.first_cause());
            RolledBackStack {
                stack: stack.name.clone(),
                outcome: failure.outcome(),
                skipped: BTreeSet::new(),
                failure: Some(failure),
            }
        }
    }
}

async fn one(
    context: &Context,
    stack: &Arc<StackManifest>,
    skip: &BTreeSet<String>,
    is_asked: bool,
) -> Result<Outcome, StackError> {
    let mut joined = Joined::default();
    let mut done = Outcome::Unchanged;
    let mut is_joined = false;
    loop {
        check_cancelled(context, stack)?;
        let deployed = inspect::describe(&context.clients, &stack.name)
            .await
            .map_err(|source| aws(stack, source))?;
        let step = State::of(deployed.as_ref()).rollback();
        let Some(deployed) = deployed else {
            // Rolling back a creation may end in no stack at all.
            return Ok(match done {
                Outcome::RolledBack => done,
                _ => Outcome::Absent,
            });
        };
        ownership::check(context, &deployed)?;
        match step {
            // The update may have ended before it could be cancelled.
            RollbackStep::Nothing if deployed.status.is_good() => return Ok(Outcome::Unchanged),
            // The run that rolled it back may have been killed.
            RollbackStep::Nothing if is_asked && lead_back(context, stack).await => {
                return Ok(Outcome::RolledBack);
            }
            // What was waited for was taken back meanwhile, by whomever.
            RollbackStep::Nothing if is_joined => return Ok(Outcome::RolledBack),
            RollbackStep::Nothing => return Ok(done),
            RollbackStep::Cancel
                if done == Outcome::Unchanged && is_ours(context, stack, &deployed).await? =>
            {
                if cancel(context, stack, &deployed).await? {
                    done = Outcome::RolledBack;
                }
                stack::join(context, stack, &deployed, &mut joined).await?;
            }
            // It was cancelled, or somebody else's is refused or waited for.
            RollbackStep::Follow | RollbackStep::Cancel => {
                stack::join(context, stack, &deployed, &mut joined).await?;
                is_joined = true;
            }
            RollbackStep::RollBack => {
                let token = begin(context, stack, &deployed, skip);
                context
                    .clients
                    .cloudformation
                    .rollback_stack()
                    .stack_name(&deployed.id)
                    .client_request_token(&token)
                    .send()
                    .await
                    .or_aws(&context.clients, "RollbackStack")
                    .map_err(|source| aws(stack, source))?;
                return follow(context, stack, &deployed, &token).await;
            }
            RollbackStep::Continue => {
                let token = begin(context, stack, &deployed, skip);
                context
                    .clients
                    .cloudformation
                    .continue_update_rollback()
                    .stack_name(&deployed.id)
                    .client_request_token(&token)
                    .set_resources_to_skip(
                        (!skip.is_empty()).then(|| skip.iter().cloned().collect()),
                    )
                    .send()
                    .await
                    .or_aws(&context.clients, "ContinueUpdateRollback")
                    .map_err(|source| aws(stack, source))?;
                return follow(context, stack, &deployed, &token).await;
            }
            RollbackStep::Repeat => {
                return Box::pin(repeat::repeat(context, stack, deployed)).await;
            }
            RollbackStep::Offer(way) => {
                return Err(stuck::error(context, &stack.name, deployed, way).await);
            }
        }
    }
}

/// Tells that a rollback begins, and makes its token.
fn begin(
    context: &Context,
    stack: &StackManifest,
    deployed: &DeployedStack,
    skip: &BTreeSet<String>,
) -> String {
    context.emit(Event::StackRollingBack {
        stack: stack.name.clone(),
        status: deployed.status.clone(),
        skip: skip.iter().cloned().collect(),
    });
    stack::token(context, &[&stack.name, "rollback"], &[])
}

async fn follow(
    context: &Context,
    stack: &Arc<StackManifest>,
    deployed: &DeployedStack,
    token: &str,
) -> Result<Outcome, StackError> {
    let ended = activity::follow(context, &deployed.id, token, Some(stack), None)
        .await
        .map_err(|stopped| stack::stopped_error(stack, stopped))?;
    stack::left_outside(context, stack, &deployed.id, &ended).await;
    match ended.status.as_str() {
        "UPDATE_ROLLBACK_COMPLETE" => {
            lead_back(context, stack).await;
            Ok(Outcome::RolledBack)
        }
        // The update that repeated what was deployed last.
        "ROLLBACK_COMPLETE" | "DELETE_COMPLETE" | "UPDATE_COMPLETE" => Ok(Outcome::RolledBack),
        _ => Err(stack::ended_badly(context, stack, &deployed.id, ended).await),
    }
}

/// Makes live again what was live before the update: CloudFormation believes in a version that failed its check, where that led
/// another one back. Returns whether anything was moved.
async fn lead_back(context: &Context, stack: &Arc<StackManifest>) -> bool {
    match proof::lead_back(context, stack).await {
        Ok(is_moved) => is_moved,
        Err(error) => {
            unknown(context, stack, &error);
            false
        }
    }
}

fn unknown(context: &Context, stack: &StackManifest, error: &AwsError) {
    context.emit(Event::Warning {
        stack: stack.name.clone(),
        message: format!(
            "nobody knows whether the releases are live that were live before the last update: {error}"
        ),
    });
}

async fn is_ours(
    context: &Context,
    stack: &StackManifest,
    deployed: &DeployedStack,
) -> Result<bool, StackError> {
    let running = activity::running(&context.clients, &deployed.id)
        .await
        .map_err(|source| aws(stack, source))?;
    let caller = context.clients.identity();
    Ok(running
        .token
        .is_some_and(|token| owner::is_ours(&token, caller)))
}

/// Cancels the update that is running. Returns whether it was still time to: an update may end meanwhile.
async fn cancel(
    context: &Context,
    stack: &StackManifest,
    deployed: &DeployedStack,
) -> Result<bool, StackError> {
    let token = begin(context, stack, deployed, &BTreeSet::new());
    let answer = context
        .clients
        .cloudformation
        .cancel_update_stack()
        .stack_name(&deployed.id)
        .client_request_token(&token)
        .send()
        .await
        .or_aws(&context.clients, "CancelUpdateStack");
    match answer {
        Ok(_) => Ok(true),
        Err(source) if source.message().is_some_and(texts::says_wrong_status) => Ok(false),
        Err(source) => Err(aws(stack, source)),
    }
}
