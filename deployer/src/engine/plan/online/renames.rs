//! Says in a plan how the renames of a stack are done, as far as AWS tells it.

use std::collections::BTreeMap;

use serde_json::Value;
use stack_model::assembly::StackManifest;

use crate::aws::{AwsError, Fault};
use crate::engine::plan::{StackPlan, moves};
use crate::engine::stack::{ground, importable};
use crate::engine::{Context, DeployedStack, StackTarget, activity, inspect};

/// Says how resources are renamed where the stack is not refactored.
pub(super) async fn renames(
    context: &Context,
    whole: &moves::Whole,
    deployed: &DeployedStack,
    (template, wanted): (&Value, &Value),
    plan: &mut StackPlan,
) -> Result<(), AwsError> {
    moves::leave(plan, &whole.left);
    let stack = &whole.manifest;
    let pending = moves::pending(&stack.moved, template);
    if pending.is_empty() {
        let none = BTreeMap::new();
        return lost(context, stack, deployed, (template, wanted), &none, plan).await;
    }
    let ground = ground(context, &deployed.id).await?;
    moves::hold(plan, &pending, template, ground);
    let imported = moves::by_import(&pending, template, ground);
    lost(
        context,
        stack,
        deployed,
        (template, wanted),
        &imported,
        plan,
    )
    .await?;
    let mut there = imported.clone();
    there.retain(|from, _| !whole.anew.contains(from));
    match importable::refused(context, template, &there).await {
        Ok(reasons) => moves::refuse(plan, &imported, &reasons),
        // Who may not ask is told by the deploy.
        Err(error) if matches!(error.fault(), Fault::Denied { .. }) => {}
        Err(error) => return Err(error),
    }
    let hindered = importable::hindered(context, stack, &deployed.id, template, &imported).await?;
    moves::refuse(plan, &imported, &hindered);
    let drifted = importable::all_drifted(context, &deployed.id, whole, &imported).await?;
    let way_back = importable::way_back(context, &stack.name);
    moves::warn(plan, &imported, &drifted, &way_back);
    moves::remake(plan, &imported, &whole.anew, ground);
    Ok(())
}

/// Says which resources left the stack to be renamed, and lost the note of that. Nobody is asked where nothing can be outside,
/// and nothing is told where the caller may not ask.
async fn lost(
    context: &Context,
    stack: &StackManifest,
    deployed: &DeployedStack,
    (template, wanted): (&Value, &Value),
    imported: &BTreeMap<String, String>,
    plan: &mut StackPlan,
) -> Result<(), AwsError> {
    let noteless = moves::noteless(&stack.moved, template, wanted, imported);
    if noteless.is_empty() {
        return Ok(());
    }
    let target = StackTarget {
        name: deployed.id.clone(),
        region: None,
    };
    let read = async {
        let events = activity::events(context, &target, None).await?;
        let own = inspect::resources(&context.clients, &deployed.id).await?;
        Ok(moves::outside(&events, &own))
    };
    let read: Result<_, AwsError> = read.await;
    match read {
        Err(error) if matches!(error.fault(), Fault::Denied { .. }) => {}
        read => moves::tell(plan, &noteless, &read?, template),
    }
    Ok(())
}
