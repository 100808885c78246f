//! Who imports what a stack exports: while anybody does, CloudFormation deletes neither.

use super::{
    Context, DeployedStack, StackError,
    stack::{aws, check_cancelled},
};
use crate::aws::{AwsError, Clients, OrAws};
use stack_model::assembly::StackManifest;

/// Refuses the removal of a stack that others import from.
///
/// CloudFormation refuses it too, but only after the buckets are empty and the protection is gone.
pub(super) async fn check(
    context: &Context,
    stack: &StackManifest,
    deployed: &DeployedStack,
) -> Result<(), StackError> {
    for export in deployed.exports.values() {
        check_cancelled(context, stack)?;
        let importers = of(&context.clients, export)
            .await
            .map_err(|source| aws(stack, source))?;
        if !importers.is_empty() {
            let names = importers.join(", ");
            return Err(StackError::InUse {
                stack: stack.name.clone(),
                reason: format!("{names} imports its export {export}; nothing was removed"),
                hints: vec![format!(
                    "destroy {names} first, or deploy what no longer imports it"
                )],
            });
        }
    }
    Ok(())
}

/// Returns the stacks that import an export.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListImports.html>.
async fn of(clients: &Clients, export: &str) -> Result<Vec<String>, AwsError> {
    let mut importers = Vec::new();
    let mut next = None;
    loop {
        let page = clients
            .cloudformation
            .list_imports()
            .export_name(export)
            .set_next_token(next)
            .send()
            .await
            .or_aws(clients, "ListImports");
        let page = match page {
            // No importer is an error to CloudFormation.
            Err(error)
                if error
                    .message()
                    .is_some_and(|message| message.contains("is not imported by any stack")) =>
            {
                return Ok(importers);
            }
            page => page?,
        };
        importers.extend(page.imports.unwrap_or_default());
        next = page.next_token;
        if next.is_none() {
            return Ok(importers);
        }
    }
}
