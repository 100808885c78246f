//! Takes back what failed and was kept, and finishes rollbacks that failed themselves.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::Serialize;
use stack_model::assembly::StackManifest;

use super::{
    Context, DeployedStack, Event, Explained, Failure, StackError, StackStatus, StackTarget,
    activity,
    ending::{self, Ending},
    event::Outcome,
    failure::several,
    graph, inspect,
    named::Named,
    owner, ownership, proof,
    stack::{self, Joined, aws, check_cancelled},
    status::{RollbackStep, State, Way},
    stuck,
};
use crate::{
    aws::{AwsError, Fault, OrAws, texts},
    error::Kind,
};

/// What to roll back.
#[derive(Clone, Debug, Default)]
pub struct RollbackRequest {
    /// The stacks, in any order. One that needs no rollback is left alone.
    pub stacks: Vec<StackManifest>,
    /// The resources that a rollback leaves as they are, by logical id or as `STACK/LOGICAL_ID`: only such that kept an
    /// earlier rollback from its end.
    pub skip: BTreeSet<String>,
    /// The stacks of which nobody agreed that anything changes: what is live of them stays so.
    pub unasked: BTreeSet<String>,
}

/// What a rollback would do to one stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedRollback {
    /// The stack.
    pub stack: String,
    /// Its status; `NOT_DEPLOYED` where there is no such stack.
    pub status: StackStatus,
    /// What would be done.
    pub action: RollbackAction,
    /// The resources that kept an earlier rollback from its end, each with its reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
    /// The versions that aliases of released functions name afterwards, by logical id: those that were live before the update.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub live: BTreeMap<String, String>,
}

/// What a rollback does to a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RollbackAction {
    /// Nothing: it is in a state that it can be updated from, or there is none.
    Nothing,
    /// Leads released functions back to what was live before an update that was rolled back.
    LeadBack,
    /// Waits for the operation that is running, and looks again.
    Wait,
    /// Cancels the update that is running.
    Cancel,
    /// Takes back the update that failed.
    RollBack,
    /// Removes what the failed creation made: there is no earlier state to go back to.
    RemoveCreated,
    /// Continues the rollback that failed.
    Continue,
    /// Refuses: another way leads on.
    Refuse,
}

/// What was rolled back, stack by stack.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RollbackReport {
    /// The stacks.
    pub stacks: Vec<RolledBackStack>,
}

/// What became of one stack.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RolledBackStack {
    /// The stack.
    pub stack: String,
    /// How it ended up.
    pub outcome: Outcome,
    /// The resources that were left as they are.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub skipped: BTreeSet<String>,
    /// Why it failed, where it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

impl Ending for RolledBackStack {
    fn skipped(stack: String) -> Self {
        Self {
            stack,
            outcome: Outcome::Skipped,
            failure: None,
            skipped: BTreeSet::new(),
        }
    }

    fn told(&self) -> (&str, Outcome, Option<&Failure>) {
        (&self.stack, self.outcome, self.failure.as_ref())
    }
}

/// Why stacks were not rolled back.
#[derive(Debug, thiserror::Error)]
pub enum RollbackError {
    /// The request contradicts itself; nothing was called.
    #[error("the stacks cannot be rolled back: {0}")]
    Invalid(String),
    /// Resources are to be skipped that kept no rollback from its end; nothing was changed.
    #[error("not among what keeps a rollback from its end: {}; nothing was changed", .names.join(", "))]
    NotSkippable {
        /// What was named.
        names: Vec<String>,
        /// What could be named, each with the reason why it could not be rolled back.
        candidates: Vec<String>,
    },
    /// Stacks failed.
    #[error("not rolled back: {}", ending::unfinished(&.0.stacks))]
    Failed(RollbackReport),
    /// The run was stopped.
    #[error("stopped before these were rolled back: {}", ending::unfinished(&.0.stacks))]
    Interrupted(RollbackReport),
    /// The stacks could not be read; nothing was changed.
    #[error("cannot read the stacks")]
    Aws(#[from] AwsError),
}

impl RollbackError {
    /// Returns what was done, where anything was begun.
    pub fn report(&self) -> Option<&RollbackReport> {
        match self {
            Self::Failed(report) | Self::Interrupted(report) => Some(report),
            Self::Invalid(_) | Self::NotSkippable { .. } | Self::Aws(_) => None,
        }
    }

    fn failures(&self) -> impl Iterator<Item = &Failure> {
        let report = self.report().into_iter();
        report.flat_map(|report| ending::failures(&report.stacks))
    }
}

impl Explained for RollbackError {
    fn kind(&self) -> Kind {
        match self {
            Self::Invalid(_) => Kind::Assembly,
            Self::NotSkippable { .. } => Kind::Usage,
            Self::Failed(_) => several::kind(self.failures()),
            Self::Interrupted(_) => Kind::Interrupted,
            Self::Aws(error) => error.kind(),
        }
    }

    fn hints(&self) -> Vec<String> {
        if let Self::Aws(error) = self {
            return error.hints();
        }
        several::hints(self.failures())
    }

    fn details(&self) -> Vec<String> {
        if let Self::NotSkippable { candidates, .. } = self {
            return candidates.clone();
        }
        several::details(self.failures())
    }
}

/// Tells what a rollback of stacks would do, in the order they are given.
pub async fn rollback_plan(
    context: &Context,
    stacks: &[StackManifest],
) -> Result<Vec<PlannedRollback>, AwsError> {
    let mut planned = Vec::with_capacity(stacks.len());
    for stack in stacks {
        let target = StackTarget::from(stack);
        let deployed = inspect::deployed(context, &target).await?;
        let state = State::of(deployed.as_ref());
        let is_ours = deployed
            .as_ref()
            .is_none_or(|deployed| context.ownership.other(deployed).is_none());
        let action = match state.rollback() {
            _ if !is_ours => RollbackAction::Refuse,
            RollbackStep::Nothing => RollbackAction::Nothing,
            RollbackStep::Follow => RollbackAction::Wait,
            RollbackStep::Cancel => RollbackAction::Cancel,
            RollbackStep::RollBack if state == State::CreateFailed => RollbackAction::RemoveCreated,
            RollbackStep::RollBack => RollbackAction::RollBack,
            RollbackStep::Continue => RollbackAction::Continue,
            RollbackStep::Offer(_) => RollbackAction::Refuse,
        };
        let failed = match (&deployed, Way::ContinueRollback.failed_status()) {
            (Some(deployed), Some(status)) if action == RollbackAction::Continue => {
                let clients = context.clients.in_region(stack.region.as_deref());
                stuck::resources(&clients, &deployed.id, status).await?
            }
            _ => Vec::new(),
        };
        let live = match &deployed {
            Some(deployed) if is_ours && !deployed.status.is_good() => {
                let context = &context.in_region(stack.region.as_deref());
                match action {
                    RollbackAction::Nothing => due(context, stack, deployed).await?,
                    _ => proof::live(context, stack, deployed).await?,
                }
            }
            _ => BTreeMap::new(),
        };
        let action = match action {
            RollbackAction::Nothing if !live.is_empty() => RollbackAction::LeadBack,
            action => action,
        };
        planned.push(PlannedRollback {
            stack: stack.name.clone(),
            status: deployed.map_or_else(
                || StackStatus::new(inspect::NOT_DEPLOYED),
                |stack| stack.status,
            ),
            action,
            failed: failed.iter().map(stuck::FailedResource::text).collect(),
            live,
        });
    }
    Ok(planned)
}

/// Returns the versions that aliases are led back to though the stack itself needs no rollback, by logical id. Whoever may not
/// know is told so, and moves nothing.
async fn due(
    context: &Context,
    stack: &StackManifest,
    deployed: &DeployedStack,
) -> Result<BTreeMap<String, String>, AwsError> {
    match proof::due(context, stack, deployed).await {
        Ok(due) => Ok(due
            .into_iter()
            .map(|(alias, (_, to))| (alias, to))
            .collect()),
        Err(error) if matches!(error.fault(), Fault::Denied { .. }) => {
            unknown(context, stack, &error);
            Ok(BTreeMap::new())
        }
        Err(error) => Err(error),
    }
}

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
            RollbackStep::Nothing => return Ok(done),
            RollbackStep::Follow => stack::join(context, stack, &deployed, &mut joined).await?,
            RollbackStep::Cancel
                if done == Outcome::Unchanged && is_ours(context, stack, &deployed).await? =>
            {
                if cancel(context, stack, &deployed).await? {
                    done = Outcome::RolledBack;
                }
                stack::join(context, stack, &deployed, &mut joined).await?;
            }
            // It was cancelled, or somebody else's is refused or waited for.
            RollbackStep::Cancel => {
                stack::join(context, stack, &deployed, &mut joined).await?;
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
        "ROLLBACK_COMPLETE" | "DELETE_COMPLETE" => Ok(Outcome::RolledBack),
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
