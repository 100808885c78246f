//! What the aliases of a stack name before an update.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::{alias, warn},
    Note, TYPE,
};
use crate::{
    aws::AwsError,
    engine::{
        Context,
        inspect::{self, DeployedResource},
        release::{by_hand, deployed_version, unproven::NotedAlias},
        stack::Work,
    },
};

/// What the aliases of a stack name.
#[derive(Debug, Default)]
pub(super) struct Noted {
    pub(super) aliases: BTreeMap<String, NotedAlias>,
    /// Those of which that is not known.
    pub(super) unknown: BTreeSet<String>,
    /// The versions that an earlier run made and nobody has proven, by the name of the function.
    pub(super) made: BTreeMap<String, String>,
}

/// Looks at the aliases of a stack. Where that fails, what an earlier run noted is kept.
pub(super) async fn aliases(
    context: &Context,
    work: &Work,
    declared: &BTreeSet<String>,
    left: Option<&Note>,
) -> Noted {
    let clients = &context.clients;
    let mut noted = Noted::default();
    let resources = match inspect::resources(clients, &work.manifest.name).await {
        Ok(resources) => resources,
        Err(error) => {
            warn(context, work, unknown(&error));
            for logical_id in declared {
                noted.keep(logical_id, left);
            }
            return noted;
        }
    };
    noted.made = left.map_or_else(BTreeMap::new, |left| left.made(work, &resources));
    let mut reason = None;
    for resource in resources.iter().filter(|it| it.resource_type == TYPE) {
        let logical_id = &resource.logical_id;
        let earlier = left.and_then(|left| Some((left.aliases.get(logical_id)?, left.is_due)));
        match one(context, work, &resources, resource, earlier).await {
            Ok(Some(alias)) => {
                noted.aliases.insert(logical_id.clone(), alias);
            }
            Ok(None) => {}
            // Somebody deleted it, so that it names nothing to lead back to.
            Err(error) if error.code() == Some("ResourceNotFoundException") => {
                noted.unknown.insert(logical_id.clone());
            }
            Err(error) => {
                noted.keep(logical_id, left);
                reason.get_or_insert(error);
            }
        }
    }
    if let Some(error) = reason {
        warn(context, work, unknown(&error));
    }
    noted
}

impl Noted {
    /// Keeps what an earlier run noted of an alias.
    fn keep(&mut self, logical_id: &str, left: Option<&Note>) {
        match left.and_then(|left| left.aliases.get(logical_id)) {
            Some(earlier) => {
                self.aliases.insert(logical_id.to_owned(), earlier.clone());
            }
            None => {
                self.unknown.insert(logical_id.to_owned());
            }
        }
    }
}

fn unknown(error: &AwsError) -> String {
    format!(
        "nobody knows which releases are live, so a failed smoke check could not lead back to them: {error}"
    )
}

/// Looks at one alias.
async fn one(
    context: &Context,
    work: &Work,
    resources: &[DeployedResource],
    resource: &DeployedResource,
    earlier: Option<(&NotedAlias, bool)>,
) -> Result<Option<NotedAlias>, AwsError> {
    let Some(alias) = alias::look(&context.clients, &resource.physical_id).await? else {
        return Ok(None);
    };
    let logical_id = &resource.logical_id;
    let (live, good) = match earlier {
        Some((earlier, is_due))
            if is_deployed(context, work, resources, logical_id, &alias.version).await? =>
        {
            // It is where CloudFormation put it, and still to be led back to what was live before.
            let live = if is_due {
                &earlier.live
            } else {
                &alias.version
            };
            (live.clone(), earlier.good.clone())
        }
        _ => (alias.version.clone(), alias.version.clone()),
    };
    Ok(Some(NotedAlias {
        function: alias.function,
        name: alias.name,
        live,
        good,
    }))
}

/// Returns whether an alias names the version that was deployed last, and nobody led it there by hand. An alias that is not
/// of a released function always does: nobody but CloudFormation is known to move it.
pub(in crate::engine::proof) async fn is_deployed(
    context: &Context,
    work: &Work,
    resources: &[DeployedResource],
    alias: &str,
    live: &str,
) -> Result<bool, AwsError> {
    let stack = &work.manifest;
    let function = alias
        .strip_suffix("Alias")
        .filter(|function| stack.releases.values().any(|it| it == function));
    let Some((function, deployed)) =
        function.and_then(|it| Some((it, deployed_version(resources, it)?)))
    else {
        return Ok(true);
    };
    if deployed != live {
        return Ok(false);
    }
    let Some(archive) = &work.archive else {
        return Ok(true);
    };
    let versions = (live, deployed);
    let by_hand = by_hand::read(
        &context.clients,
        &archive.bucket,
        &stack.name,
        function,
        versions,
    );
    Ok(by_hand.await?.is_none())
}
