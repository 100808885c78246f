//! Values that a stack takes from stacks in other regions, where exports do not reach.

use std::collections::{BTreeMap, btree_map::Entry};

use stack_model::assembly::StackManifest;

use super::{Context, inspect};
use crate::aws::AwsError;

/// Reads the outputs that a stack takes as parameters; nothing where the other stack or its output does not exist yet.
///
/// `context` is that of the stage's region.
pub(super) async fn values(
    context: &Context,
    stack: &StackManifest,
) -> Result<BTreeMap<String, Option<String>>, AwsError> {
    let mut outputs: BTreeMap<(&str, &str), BTreeMap<String, String>> = BTreeMap::new();
    let mut values = BTreeMap::new();
    for (parameter, reference) in &stack.references {
        let key = (reference.region.as_str(), reference.stack.as_str());
        let outputs = match outputs.entry(key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let clients = context.clients.in_region(Some(&reference.region));
                let found = inspect::describe(&clients, &reference.stack).await?;
                unknown.insert(found.map(|stack| stack.outputs).unwrap_or_default())
            }
        };
        values.insert(parameter.clone(), outputs.get(&reference.output).cloned());
    }
    Ok(values)
}
