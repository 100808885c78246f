//! What is noted before an update: the versions that are live, for the way back should the update or its looks fail.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{alias, declared, has_subjects, physical_id, warn};
use crate::{
    aws::AwsError,
    engine::{
        Change, Context, DeployedStack,
        inspect::{self, DeployedResource},
        release::{
            by_hand, deployed_version, failed,
            unproven::{self, NotedAlias, Unproven},
        },
        stack::Work,
    },
};

const TYPE: &str = "AWS::Lambda::Alias";

/// A stack that nobody has proven since it was changed, as a run knows it.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Note {
    /// The aliases as they were before, by logical id.
    pub(in crate::engine) aliases: BTreeMap<String, NotedAlias>,
    /// Whether this run made the note, and an earlier one did else.
    pub(in crate::engine) is_fresh: bool,
    /// Whether an earlier run left the stack unproven.
    pub(in crate::engine) is_old: bool,
    /// The resources that this run changed, and no other since the stack was proven; none, where that is not known.
    pub(in crate::engine) touched: Option<BTreeSet<String>>,
}

impl Note {
    /// Returns the versions that were made since nothing was held against the stack, by the name of the function.
    pub(super) fn made(
        &self,
        work: &Work,
        resources: &[DeployedResource],
    ) -> BTreeMap<String, String> {
        let functions: BTreeSet<&String> = work.manifest.releases.values().collect();
        let made = functions.into_iter().filter(|function| {
            let alias = self.aliases.get(&format!("{function}Alias"));
            alias.map(|alias| &*alias.good) != deployed_version(resources, function)
        });
        named(made, resources)
    }
}

/// Returns the versions of the released functions that were deployed last, by the name of the function.
pub(super) fn deployed(work: &Work, resources: &[DeployedResource]) -> BTreeMap<String, String> {
    named(work.manifest.releases.values(), resources)
}

fn named<'a>(
    functions: impl Iterator<Item = &'a String>,
    resources: &[DeployedResource],
) -> BTreeMap<String, String> {
    functions
        .filter_map(|function| {
            let name = physical_id(resources, function)?;
            Some((
                name.to_owned(),
                deployed_version(resources, function)?.to_owned(),
            ))
        })
        .collect()
}

/// Reads what an earlier run left unproven; none, where nothing says that it did.
pub(in crate::engine) async fn left(
    context: &Context,
    work: &Work,
    deployed: &DeployedStack,
) -> Result<Option<Note>, AwsError> {
    let Some(archive) = &work.archive else {
        return Ok(None);
    };
    let (bucket, stack) = (&archive.bucket, &work.manifest.name);
    let found = Unproven::read(&context.clients, bucket, stack, &deployed.id).await?;
    Ok(found.map(|found| Note {
        aliases: found.aliases,
        is_fresh: false,
        is_old: true,
        touched: None,
    }))
}

/// Notes what is live, right before an update, and writes it down: whoever comes after a run that was killed finds it.
/// Returns nothing where there is nothing to prove.
///
/// Where an earlier run left the stack unproven, what was good before stays what a failed check leads back to.
pub(in crate::engine) async fn note(
    context: &Context,
    work: &Work,
    stack_id: &str,
    deployed: Option<&DeployedStack>,
    changes: &[Change],
    left: Option<Note>,
) -> (Option<Note>, Result<(), AwsError>) {
    let template: Value = serde_json::from_str(&work.template).unwrap_or_default();
    let stack = &work.manifest;
    if stack.releases.is_empty() && stack.smoke.is_empty() && !has_subjects(&template) {
        return (left, Ok(()));
    }
    let has_aliases = declared(&template).any(|(_, kind, _)| kind == TYPE);
    let (aliases, made) = if deployed.is_some() && has_aliases {
        aliases(context, work, left.as_ref())
            .await
            .unwrap_or_else(|error| {
                let message = format!(
                    "nobody knows which releases are live, so a failed smoke check could not lead back to them: {error}"
                );
                warn(context, work, message);
                (BTreeMap::new(), BTreeMap::new())
            })
    } else {
        (BTreeMap::new(), BTreeMap::new())
    };
    let written = async {
        let Some(archive) = &work.archive else {
            return Ok(());
        };
        let (clients, bucket) = (&context.clients, &archive.bucket);
        let unproven = Unproven {
            stack_id: stack_id.to_owned(),
            aliases: aliases.clone(),
        };
        unproven.write(clients, bucket, &stack.name).await?;
        match deployed.filter(|_| left.is_some()) {
            Some(deployed) => {
                failed::write_unseen(clients, bucket, &stack.name, deployed, made).await
            }
            None => Ok(()),
        }
    };
    let written = written.await;
    let note = Note {
        aliases,
        is_fresh: true,
        is_old: left.is_some(),
        touched: left
            .is_none()
            .then(|| changes.iter().map(|it| it.logical_id.clone()).collect()),
    };
    (Some(note), written)
}

/// Looks at the aliases, and returns besides the versions that an earlier run made and nobody has proven, by the name of the
/// function.
async fn aliases(
    context: &Context,
    work: &Work,
    left: Option<&Note>,
) -> Result<(BTreeMap<String, NotedAlias>, BTreeMap<String, String>), AwsError> {
    let clients = &context.clients;
    let resources = inspect::resources(clients, &work.manifest.name).await?;
    let mut aliases = BTreeMap::new();
    for resource in resources.iter().filter(|it| it.resource_type == TYPE) {
        let Some(alias) = alias::look(clients, &resource.physical_id).await? else {
            continue;
        };
        let logical_id = &resource.logical_id;
        let earlier = left.and_then(|left| left.aliases.get(logical_id));
        let good = match earlier {
            Some(earlier)
                if is_deployed(context, work, &resources, logical_id, &alias.version).await? =>
            {
                earlier.good.clone()
            }
            _ => alias.version.clone(),
        };
        let noted = NotedAlias {
            function: alias.function,
            name: alias.name,
            live: alias.version,
            good,
        };
        aliases.insert(logical_id.clone(), noted);
    }
    let made = left.map(|left| left.made(work, &resources));
    Ok((aliases, made.unwrap_or_default()))
}

/// Returns whether an alias names the version that was deployed last, and nobody led it there by hand. An alias that is not
/// of a released function always does: nobody but CloudFormation is known to move it.
pub(super) async fn is_deployed(
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

/// Leads releases back that a failed update moved: CloudFormation rolls an alias back to the version that it believes in,
/// which is not the live one where a check that failed, or somebody, led it back since.
pub(in crate::engine) async fn failed(context: &Context, work: &Work, note: &Note) {
    if note.aliases.is_empty() {
        return;
    }
    // What this run moved goes back wherever it is now.
    let resources = if note.is_fresh {
        Ok(Vec::new())
    } else {
        inspect::resources(&context.clients, &work.manifest.name).await
    };
    let resources = match resources {
        Ok(resources) => resources,
        Err(error) => {
            let message = format!(
                "nobody knows whether the releases are live that were live before the last update: {error}"
            );
            warn(context, work, message);
            return;
        }
    };
    for (logical_id, alias) in &note.aliases {
        let to = &alias.live;
        let named = (&**logical_id, alias);
        if let Err(error) = alias::back(context, work, Some(note), &resources, named, to).await {
            let message = format!(
                "{logical_id} may name another version than {to}, which was live before the update that failed: {error}"
            );
            warn(context, work, message);
        }
    }
}

/// Forgets that the stack is unproven.
pub(in crate::engine) async fn forget(context: &Context, work: &Work) -> Result<(), AwsError> {
    match &work.archive {
        Some(archive) => {
            let (clients, bucket) = (&context.clients, &archive.bucket);
            unproven::forget(clients, bucket, &work.manifest.name).await
        }
        None => Ok(()),
    }
}
