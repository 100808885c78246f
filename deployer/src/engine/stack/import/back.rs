//! What left its stack, or was marked to leave it, comes back.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;
use stack_model::assembly::StackManifest;

use super::{
    super::{Foreseen, Run, known_hints, outside},
    Failed, Stage, Step, Stepped, moving, not_imported, take, template,
};
use crate::engine::{
    Context, DeployedStack, Event, Retained, StackError,
    inspect::DeployedResource,
    plan::moves::{self, Away, Move, UnderWay},
};

/// Takes back what a rename by import wrote into a stack that is to go, so that whatever its own template deletes goes with
/// it. Returns whether anything was done to the stack. What left it is none of it; where CloudFormation refuses, or takes back
/// what it began, what was retained for the rename stays.
pub(in crate::engine) async fn take_back(
    context: &Context,
    stack: &Arc<StackManifest>,
    deployed: &DeployedStack,
) -> Result<bool, StackError> {
    if !moving(deployed) || !deployed.status.is_updatable() {
        return Ok(false);
    }
    let Some(template) = template(context, stack, deployed, None).await? else {
        return Ok(false);
    };
    let next = match moves::under_way(&template) {
        Some(UnderWay::Away(_)) => return Ok(false),
        Some(UnderWay::Back(next)) => next,
        None => moves::undone(&template),
    };
    if next == template {
        return Ok(false);
    }
    let stage = Stage {
        deployed,
        before: &template,
        next: &next,
        step: Step::Restore,
        moves: &BTreeMap::new(),
        imports: None,
    };
    let (reason, is_changed) = match take(None, context, stack, &stage).await {
        Ok(Stepped::Done(_)) => return Ok(true),
        Ok(Stepped::Overtaken(error)) => return Err(error),
        Ok(Stepped::Busy | Stepped::Nothing) => return Ok(false),
        Err(Failed::Refused(reason)) => (reason, false),
        // It was rolled back, and what keeps the update from its end, such as a stack policy, may not keep the stack from its
        // deletion
        // (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html>).
        Err(Failed::Error(error)) => match not_imported(error) {
            Failed::Refused(reason) => (reason, true),
            Failed::Error(error) => return Err(error),
        },
    };
    context.emit(Event::Warning {
        stack: stack.name.clone(),
        message: format!("what was retained to be renamed stays: {reason}"),
    });
    Ok(is_changed)
}

/// Imports what belongs to no stack, or makes it again. Where that goes wrong, and nobody insists on it, it stays where it is,
/// which the plan told as what may come.
pub(super) async fn bring_back(
    run: &Run,
    context: &Context,
    stack: &Arc<StackManifest>,
    deployed: &DeployedStack,
    template: &Value,
    away: Away,
    insist: bool,
) -> Result<Stepped, StackError> {
    let moves: BTreeMap<String, String> = away
        .moves
        .iter()
        .map(|(to, it)| (it.from.clone(), to.clone()))
        .collect();
    let stage = Stage {
        deployed,
        before: template,
        next: &away.template,
        step: if away.is_made {
            Step::Make
        } else {
            Step::Import
        },
        moves: &moves,
        imports: Some(&away.moves).filter(|_| !away.is_made),
    };
    let (gone, outside): (Vec<&Move>, Vec<&Move>) =
        away.moves.values().partition(|it| it.is_gone());
    let list = |moves: &[&Move]| {
        let told: Vec<String> = moves.iter().map(|it| it.told()).collect();
        told.join(", ")
    };
    let left = if outside.is_empty() {
        format!(
            "{} was deleted past CloudFormation, and is to be made again under its new name: a deploy goes on from here",
            list(&gone)
        )
    } else {
        format!(
            "{} left the stack to be renamed, belongs to none at the moment, and is as it was: a deploy goes on from here, and \
             `destroy` writes down that it stays",
            list(&outside)
        )
    };
    let reason = match take(Some(run), context, stack, &stage).await {
        Ok(stepped) => return Ok(stepped),
        Err(Failed::Error(mut error)) => {
            if let StackError::Ended { hints, .. } = &mut error {
                hints.push(left);
            }
            return Err(error);
        }
        Err(Failed::Refused(reason)) => reason,
    };
    if insist {
        let mut hints = known_hints(&reason);
        hints.push(left);
        let declared = away.moves.iter().filter(|(_, it)| !it.is_gone());
        for (to, it) in declared {
            hints.push(format!(
                "if it is gone for good, or may stay outside, remove `moved(\"{}\", ..)`: a deploy then asks whether {to} is \
                 made anew",
                it.from
            ));
        }
        return Err(StackError::Renamed {
            stack: stack.name.clone(),
            reason,
            hints,
        });
    }
    let message = if outside.is_empty() {
        format!(
            "{} was deleted past CloudFormation, and is not made again under its new name: {reason}",
            list(&gone)
        )
    } else {
        let removed = (away.moves.iter())
            .filter(|(_, it)| !it.is_gone())
            .flat_map(|(to, it)| Retained::new(context, &it.resource(to)).remove);
        let removed = removed.collect::<Vec<_>>().join(" && ");
        format!(
            "{} left the stack to be renamed, and belongs to none from now on, because it cannot be imported: {reason}; if it is \
             there and nobody needs it, remove it: {removed}",
            list(&outside)
        )
    };
    let aside: Vec<DeployedResource> = (away.moves.iter())
        .filter(|(_, it)| !it.is_gone())
        .map(|(to, it)| it.resource(to))
        .collect();
    // The next update takes the last note of it out of the template.
    let left = Foreseen::of(context, deployed, away.template, Vec::new(), aside);
    outside::moved(context, &stack.name, left, template);
    context.emit(Event::Warning {
        stack: stack.name.clone(),
        message,
    });
    Ok(Stepped::Nothing)
}
