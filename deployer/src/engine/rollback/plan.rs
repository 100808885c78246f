//! Tells what a rollback would do.

use std::collections::BTreeMap;

use stack_model::assembly::StackManifest;

use super::{PlannedRollback, RollbackAction, repeat, unknown};
use crate::{
    aws::{AwsError, Fault},
    engine::{
        Context, DeployedStack, StackStatus, StackTarget, inspect, proof,
        status::{RollbackStep, State, Way},
        stuck,
    },
};

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
            RollbackStep::Repeat => RollbackAction::Repeat,
            RollbackStep::Offer(_) => RollbackAction::Refuse,
        };
        let release = match action {
            RollbackAction::Repeat => {
                let context = &context.in_region(stack.region.as_deref());
                repeat::last(context, stack).await?
            }
            _ => None,
        };
        let action = match action {
            RollbackAction::Repeat if release.is_none() => RollbackAction::Refuse,
            action => action,
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
            release: release.map(|release| release.release),
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
