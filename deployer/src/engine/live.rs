//! Which resources belong to stacks that are there.

use std::collections::BTreeSet;

use super::{Context, StackTarget, graph, inspect};
use crate::aws::AwsError;

/// A resource, by its region, its type and its physical id.
pub type LiveResource = (String, String, String);

/// Returns the resources of stacks; a stack that does not exist has none.
pub async fn live_resources(
    context: &Context,
    stacks: &BTreeSet<StackTarget>,
) -> Result<BTreeSet<LiveResource>, AwsError> {
    let looks = stacks.iter().map(|stack| {
        let clients = context.clients.in_region(stack.region.as_deref());
        async move {
            let resources = inspect::resources(&clients, &stack.name).await?;
            let region = clients.region().to_owned();
            Ok::<_, AwsError>((region, resources))
        }
    });
    let mut live = BTreeSet::new();
    for looked in graph::abreast(context.concurrency, looks.collect()).await {
        let (region, resources) = looked?;
        live.extend(
            resources
                .into_iter()
                .map(|resource| (region.clone(), resource.resource_type, resource.physical_id)),
        );
    }
    Ok(live)
}
