//! The versions of a released function, and which of them its alias names.

use std::collections::BTreeMap;

use aws_sdk_lambda::operation::get_alias::GetAliasError;
use serde::Serialize;

use super::failed::Doubt;
use crate::{
    aws::{AwsError, Clients, OrAws},
    engine::{Context, DeployedFunction, fast::OTHER_REVISION},
};

/// The name of the alias that released functions are invoked by.
const ALIAS: &str = "live";

/// A function that is released under an alias.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReleasedFunction {
    /// The function.
    #[serde(flatten)]
    pub function: DeployedFunction,
    /// The version that the alias names.
    pub live: u64,
    /// The versions, the oldest first.
    pub versions: Vec<FunctionVersion>,
    /// The versions that failed their check or that nobody looked at, where that is known.
    #[serde(skip)]
    doubts: BTreeMap<u64, Doubt>,
    /// What Lambda calls the state of the alias: nothing is written over a later one.
    #[serde(skip)]
    revision: Option<String>,
}

/// A version of a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FunctionVersion {
    /// The number.
    pub version: u64,
    /// The name of the release, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
}

impl ReleasedFunction {
    /// Makes one, with the version that is live and all that there are, the oldest first.
    pub fn new(function: DeployedFunction, live: u64, versions: Vec<FunctionVersion>) -> Self {
        Self {
            function,
            live,
            versions,
            doubts: BTreeMap::new(),
            revision: None,
        }
    }

    /// Takes the versions that failed their check or that nobody looked at: nobody goes to one unless they name it.
    #[must_use]
    pub fn without(mut self, doubts: BTreeMap<u64, Doubt>) -> Self {
        self.doubts = doubts;
        self
    }

    /// Returns the version before the one that is live, of those that did what they should.
    pub fn previous(&self) -> Option<u64> {
        self.good().find(|version| *version < self.live)
    }

    /// Returns the newest version of those that did what they should.
    pub fn latest(&self) -> Option<u64> {
        self.good().next()
    }

    /// Returns the versions that nothing speaks against, the newest first.
    fn good(&self) -> impl Iterator<Item = u64> {
        let versions = self.versions.iter().rev();
        versions
            .map(|version| version.version)
            .filter(|version| !self.doubts.contains_key(version))
    }

    /// Returns what speaks against a version.
    pub fn doubt(&self, version: u64) -> Option<Doubt> {
        self.doubts.get(&version).copied()
    }

    /// Returns whether there is a version of this number.
    pub fn has(&self, version: u64) -> bool {
        self.versions.iter().any(|it| it.version == version)
    }
}

/// Looks at a function; nothing, where it is not released under an alias.
pub async fn released(
    context: &Context,
    function: &DeployedFunction,
) -> Result<Option<ReleasedFunction>, AwsError> {
    let clients = context.clients.in_region(function.region.as_deref());
    let answer = clients
        .lambda
        .get_alias()
        .function_name(&function.name)
        .name(ALIAS)
        .send()
        .await;
    let alias = match answer {
        Ok(alias) => alias,
        Err(error)
            if error
                .as_service_error()
                .is_some_and(GetAliasError::is_resource_not_found_exception) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(AwsError::new(&clients, "GetAlias", error)),
    };
    let live = alias.function_version.and_then(|text| text.parse().ok());
    Ok(Some(ReleasedFunction {
        function: function.clone(),
        live: live.ok_or_else(|| AwsError::incomplete("GetAlias", "version"))?,
        versions: versions(&clients, &function.name).await?,
        doubts: BTreeMap::new(),
        revision: alias.revision_id,
    }))
}

/// Returns the published versions of a function, the oldest first.
pub(in crate::engine) async fn versions(
    clients: &Clients,
    name: &str,
) -> Result<Vec<FunctionVersion>, AwsError> {
    let mut versions = Vec::new();
    let mut marker = None;
    loop {
        let page = clients
            .lambda
            .list_versions_by_function()
            .function_name(name)
            .set_marker(marker)
            .send()
            .await
            .or_aws(clients, "ListVersionsByFunction")?;
        for version in page.versions.unwrap_or_default() {
            // `$LATEST` is listed too, and is no number.
            if let Some(number) = version.version.and_then(|text| text.parse().ok()) {
                versions.push(FunctionVersion {
                    version: number,
                    release: version.description.filter(|text| !text.is_empty()),
                });
            }
        }
        marker = page.next_marker.filter(|marker| !marker.is_empty());
        if marker.is_none() {
            versions.sort_by_key(|version| version.version);
            return Ok(versions);
        }
    }
}

/// Lets the alias of a function name another version, unless somebody moved it since it was looked at.
///
/// CloudFormation does not get to know; the next release moves the alias again.
pub async fn move_alias(
    context: &Context,
    function: &ReleasedFunction,
    version: u64,
) -> Result<(), AwsError> {
    let clients = context
        .clients
        .in_region(function.function.region.as_deref());
    let moved = clients
        .lambda
        .update_alias()
        .function_name(&function.function.name)
        .name(ALIAS)
        .function_version(version.to_string())
        .set_revision_id(function.revision.clone())
        .send()
        .await
        .or_aws(&clients, "UpdateAlias");
    match moved {
        Ok(_) => Ok(()),
        // A call whose answer was lost is repeated, and the revision is no longer the last one: the alias tells.
        Err(error) if error.code() == Some(OTHER_REVISION) => {
            let now = clients
                .lambda
                .get_alias()
                .function_name(&function.function.name)
                .name(ALIAS)
                .send()
                .await
                .or_aws(&clients, "GetAlias")?;
            if now.function_version == Some(version.to_string()) {
                Ok(())
            } else {
                Err(error)
            }
        }
        Err(error) => Err(error),
    }
}
