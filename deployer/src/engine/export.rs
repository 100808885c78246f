//! Exports that stacks import and no stack of the assembly defines: another app has to have made them.
//!
//! CloudFormation says that one is missing only when the change set is made, long after everything was built.

use std::collections::{BTreeMap, BTreeSet};

use stack_model::assembly::StackManifest;

use super::Context;
use crate::aws::{AwsError, OrAws};

/// An export that is not there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MissingExport {
    /// The name of the export.
    pub export: String,
    /// The name of the stack that imports it.
    pub stack: String,
    /// The region in which it is missing.
    pub region: String,
}

/// Looks for the exports that stacks import from elsewhere. Nobody is asked where they import none.
///
/// `context` is that of the stage's region.
pub async fn missing_exports<'a>(
    context: &Context,
    stacks: impl IntoIterator<Item = &'a StackManifest>,
) -> Result<Vec<MissingExport>, AwsError> {
    let mut wanted: BTreeMap<Option<&str>, BTreeSet<(&str, &str)>> = BTreeMap::new();
    for stack in stacks {
        for export in &stack.imports {
            let exports = wanted.entry(stack.region.as_deref()).or_default();
            exports.insert((export, &stack.name));
        }
    }
    let mut missing = Vec::new();
    for (region, wanted) in wanted {
        let own = context.in_region(region);
        let names = wanted.iter().map(|(export, _)| *export).collect();
        let absent = absent(&own, names).await?;
        let absent = wanted
            .into_iter()
            .filter(|(export, _)| absent.contains(export));
        missing.extend(absent.map(|(export, stack)| MissingExport {
            export: export.to_owned(),
            stack: stack.to_owned(),
            region: own.clients.region().to_owned(),
        }));
    }
    Ok(missing)
}

/// Returns which names nothing in the region exports.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListExports.html>.
async fn absent<'a>(
    context: &Context,
    mut names: BTreeSet<&'a str>,
) -> Result<BTreeSet<&'a str>, AwsError> {
    let mut next = None;
    loop {
        let page = context
            .clients
            .cloudformation
            .list_exports()
            .set_next_token(next)
            .send()
            .await
            .or_aws(&context.clients, "ListExports")?;
        for export in page.exports.unwrap_or_default() {
            if let Some(name) = export.name {
                names.remove(name.as_str());
            }
        }
        next = page.next_token;
        if next.is_none() || names.is_empty() {
            return Ok(names);
        }
    }
}
