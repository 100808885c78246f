//! The versions of functions that nothing needs.

use std::collections::BTreeSet;

use super::PrunedVersion;
use crate::{
    aws::{AwsError, Clients, OrAws},
    engine::{
        inspect,
        release::{
            failed::ReleaseFailure,
            versions::{FunctionVersion, versions},
        },
    },
};

/// A function with more versions than are kept.
pub(super) struct Versioned {
    pub(super) logical_id: String,
    pub(super) name: String,
    /// The versions, the oldest first.
    pub(super) versions: Vec<FunctionVersion>,
    /// Those that an alias names, or the stack.
    pub(super) used: BTreeSet<String>,
}

/// Finds the functions of a stack that have more versions than are kept.
pub(super) async fn functions(
    clients: &Clients,
    stack: &str,
    keep: usize,
) -> Result<Vec<Versioned>, AwsError> {
    let resources = inspect::resources(clients, stack).await?;
    let mut functions = Vec::new();
    for function in &resources {
        if function.resource_type != "AWS::Lambda::Function" {
            continue;
        }
        let name = &function.physical_id;
        let versions = versions(clients, name).await?;
        if versions.len() <= keep {
            continue;
        }
        let mut used = aliased(clients, name).await?;
        // The physical id of a version is its ARN, which ends with the name of the function and the number.
        let held = resources
            .iter()
            .filter(|resource| resource.resource_type == "AWS::Lambda::Version");
        used.extend(held.filter_map(|resource| {
            let (arn, version) = resource.physical_id.rsplit_once(':')?;
            arn.ends_with(&format!(":{name}"))
                .then(|| version.to_owned())
        }));
        functions.push(Versioned {
            logical_id: function.logical_id.clone(),
            name: name.clone(),
            versions,
            used,
        });
    }
    Ok(functions)
}

/// Returns the versions of functions that nothing names, but for the newest of those that did not fail.
pub(super) fn old_versions(
    functions: &[Versioned],
    failures: &[ReleaseFailure],
    keep: usize,
) -> Vec<PrunedVersion> {
    let mut old = Vec::new();
    for function in functions {
        let mut kept = 0;
        let first = old.len();
        for version in function.versions.iter().rev() {
            let number = version.version.to_string();
            let is_failed = failures.iter().any(|it| it.is_of(&function.name, &number));
            let is_used = function.used.contains(&number);
            if kept < keep && !is_failed {
                kept += 1;
            } else if !is_used {
                old.push(PrunedVersion {
                    logical_id: function.logical_id.clone(),
                    name: function.name.clone(),
                    version: version.version,
                });
            }
        }
        if let Some(of_function) = old.get_mut(first..) {
            of_function.reverse();
        }
    }
    old
}

/// Returns the versions that aliases of a function name, those included that only get a part of the calls.
async fn aliased(clients: &Clients, name: &str) -> Result<BTreeSet<String>, AwsError> {
    let mut versions = BTreeSet::new();
    let mut marker = None;
    loop {
        let page = clients
            .lambda
            .list_aliases()
            .function_name(name)
            .set_marker(marker)
            .send()
            .await
            .or_aws(clients, "ListAliases")?;
        for alias in page.aliases.unwrap_or_default() {
            versions.extend(alias.function_version);
            let routing = alias
                .routing_config
                .and_then(|routing| routing.additional_version_weights);
            versions.extend(routing.unwrap_or_default().into_keys());
        }
        marker = page.next_marker.filter(|marker| !marker.is_empty());
        if marker.is_none() {
            return Ok(versions);
        }
    }
}
