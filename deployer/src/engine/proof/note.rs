//! What is noted before an update: the versions that are live, for the way back should the update or its looks fail.

mod live;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::Value;
use stack_model::assembly::StackManifest;

use super::{alias, declared, has_subjects, physical_id, warn};
use crate::{
    aws::{AwsError, Fault},
    engine::{
        Change, Context, DeployedStack, bootstrap,
        inspect::{self, DeployedResource},
        release::{
            deployed_version, failed, mark,
            unproven::{self, NotedAlias, Unproven},
        },
        stack::{Archive, Work},
    },
};

use live::{Noted, aliases};

pub(super) use live::is_deployed;

const TYPE: &str = "AWS::Lambda::Alias";

/// A stack that nobody has proven since it was changed, as a run knows it.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "whose note it is, whether it could be read and what is still to be done are independent of each other"
)]
pub(in crate::engine) struct Note {
    /// The aliases as they were before, by logical id.
    pub(in crate::engine) aliases: BTreeMap<String, NotedAlias>,
    /// Whether this run made the note, and an earlier one did else.
    pub(in crate::engine) is_fresh: bool,
    /// Whether an earlier run left the stack unproven.
    pub(in crate::engine) is_old: bool,
    /// The aliases of which nobody knows what they named before, by logical id.
    pub(in crate::engine) unknown: BTreeSet<String>,
    /// Whether an earlier run left something that could not be read.
    pub(in crate::engine) is_unread: bool,
    /// Whether that run's update was rolled back, so that what was live before it is still to be led back to.
    pub(in crate::engine) is_due: bool,
    /// The resources that this run changed, and no other since the stack was proven; none, where that is not known.
    pub(in crate::engine) touched: Option<BTreeSet<String>>,
}

impl Note {
    /// Says that an earlier run left something that could not be read.
    pub(in crate::engine) fn unread() -> Self {
        Self {
            is_old: true,
            is_unread: true,
            ..Self::default()
        }
    }

    /// Returns the versions that were made since nothing was held against the stack, by the name of the function. Of functions
    /// whose version before is not known nobody can tell.
    pub(super) fn made(
        &self,
        work: &Work,
        resources: &[DeployedResource],
    ) -> BTreeMap<String, String> {
        let functions: BTreeSet<&String> = work.manifest.releases.values().collect();
        let made = functions.into_iter().filter(|function| {
            let alias = format!("{function}Alias");
            let good = self.aliases.get(&alias).map(|alias| &*alias.good);
            !self.is_unread
                && !self.unknown.contains(&alias)
                && good != deployed_version(resources, function)
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

/// Reads what an earlier run left unproven; none, where nothing says that it did, or its update never began. What says so all
/// the same is forgotten.
pub(in crate::engine) async fn left(
    context: &Context,
    work: &Work,
    deployed: &DeployedStack,
) -> Result<Option<Note>, AwsError> {
    let Some((found, holds)) = read(context, work, deployed).await? else {
        return Ok(None);
    };
    if holds {
        return Ok(Some(found));
    }
    // What is left of it after all is found again, and holds as little then.
    if let Err(error) = forget(context, work).await {
        let message = format!(
            "an update that was about to begin, and never did, may still be written down: {error}"
        );
        warn(context, work, message);
    }
    Ok(None)
}

/// Reads what an earlier run left, and returns besides whether that holds of the stack as it is now.
async fn read(
    context: &Context,
    work: &Work,
    deployed: &DeployedStack,
) -> Result<Option<(Note, bool)>, AwsError> {
    let Some(archive) = &work.archive else {
        return Ok(None);
    };
    let (bucket, stack) = (&archive.bucket, &work.manifest.name);
    let found = Unproven::read(&context.clients, bucket, stack, &deployed.id).await?;
    Ok(found.map(|found| {
        let holds = found.holds(deployed);
        let note = Note {
            aliases: found.aliases,
            unknown: found.unknown,
            is_old: true,
            ..Note::default()
        };
        (note, holds)
    }))
}

/// What leading releases back came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) struct Led {
    /// Whether any alias was moved.
    pub(in crate::engine) is_moved: bool,
    /// Whether every alias is where it was to be led, or stays on purpose where it is.
    pub(in crate::engine) is_whole: bool,
}

/// Makes live again what was live before an update that was rolled back and that no deploy has led back: CloudFormation rolls
/// an alias back to the version that it believes in. `context` is that of the stack's region. Returns whether any was moved.
pub(in crate::engine) async fn lead_back(
    context: &Context,
    stack: &Arc<StackManifest>,
) -> Result<bool, AwsError> {
    let Some(work) = released(context, stack).await? else {
        return Ok(false);
    };
    if let Some(deployed) = inspect::describe(&context.clients, &stack.name).await?
        && let Some((note, true)) = read(context, &work, &deployed).await?
    {
        return Ok(failed(context, &work, &note).await.is_moved);
    }
    Ok(false)
}

/// Returns which aliases [`lead_back`] would move, by logical id: from which version to which one.
pub(in crate::engine) async fn due(
    context: &Context,
    stack: &StackManifest,
    deployed: &DeployedStack,
) -> Result<BTreeMap<String, (String, String)>, AwsError> {
    let mut due = BTreeMap::new();
    let Some(work) = released(context, &Arc::new(stack.clone())).await? else {
        return Ok(due);
    };
    let Some((note, true)) = read(context, &work, deployed).await? else {
        return Ok(due);
    };
    let resources = inspect::resources(&context.clients, &stack.name).await?;
    for (logical_id, alias) in &note.aliases {
        let (named, to) = ((&**logical_id, alias), &alias.live);
        let now = alias::elsewhere(context, &work, Some(&note), &resources, named, to).await?;
        due.extend(now.map(|now| (logical_id.clone(), (now.version, to.clone()))));
    }
    Ok(due)
}

/// Returns what was live before an update that nobody has proven, by the logical ids of aliases. Nothing is told where the caller
/// may not know.
pub(in crate::engine) async fn live(
    context: &Context,
    stack: &StackManifest,
    deployed: &DeployedStack,
) -> Result<BTreeMap<String, String>, AwsError> {
    let found = async {
        let Some(work) = released(context, &Arc::new(stack.clone())).await? else {
            return Ok(None);
        };
        read(context, &work, deployed).await
    };
    let aliases = match found.await {
        Ok(Some((note, true))) => note.aliases,
        Ok(_) => BTreeMap::new(),
        Err(error) if matches!(error.fault(), Fault::Denied { .. }) => BTreeMap::new(),
        Err(error) => return Err(error),
    };
    let live = aliases.into_iter();
    Ok(live.map(|(alias, noted)| (alias, noted.live)).collect())
}

/// Returns what is known of a stack with released functions in a region where releases are written down.
async fn released(context: &Context, stack: &Arc<StackManifest>) -> Result<Option<Work>, AwsError> {
    if stack.releases.is_empty() {
        return Ok(None);
    }
    let bucket = bootstrap::existing(context).await?;
    Ok(bucket.map(|bucket| Work {
        manifest: Arc::clone(stack),
        template: String::new(),
        contents: BTreeMap::new(),
        bucket: None,
        direct: false,
        archive: Some(Archive {
            bucket,
            mark: None,
            marks: false,
            unproven: true,
        }),
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
    let declared: BTreeSet<String> = declared(&template)
        .filter(|(_, kind, _)| *kind == TYPE)
        .map(|(logical_id, ..)| logical_id.to_owned())
        .collect();
    let is_due = left.as_ref().is_some_and(|left| left.is_due);
    let noted = if deployed.is_some() && !declared.is_empty() {
        let noting = aliases(context, work, &declared, left.as_ref());
        noting.await
    } else {
        Noted::default()
    };
    let Noted {
        aliases,
        unknown,
        made,
    } = noted;
    let is_unread = left.as_ref().is_some_and(|left| left.is_unread);
    let written = async {
        // What could not be read says more than what is known now: which versions were good.
        let Some(archive) = work.archive.as_ref().filter(|_| !is_unread) else {
            return Ok(());
        };
        let (clients, bucket) = (&context.clients, &archive.bucket);
        let unproven = Unproven {
            stack_id: stack_id.to_owned(),
            aliases: aliases.clone(),
            unknown: unknown.clone(),
            before: deployed.and_then(mark::any_state),
            carried: left.is_some(),
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
        unknown,
        is_fresh: true,
        is_old: left.is_some(),
        is_unread,
        is_due,
        touched: left
            .is_none()
            .then(|| changes.iter().map(|it| it.logical_id.clone()).collect()),
    };
    (Some(note), written)
}

/// Leads releases back that a failed update moved: CloudFormation rolls an alias back to the version that it believes in,
/// which is not the live one where a check that failed, or somebody, led it back since.
pub(in crate::engine) async fn failed(context: &Context, work: &Work, note: &Note) -> Led {
    let mut led = Led {
        is_moved: false,
        is_whole: true,
    };
    if note.aliases.is_empty() {
        return led;
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
            led.is_whole = false;
            return led;
        }
    };
    for (logical_id, alias) in &note.aliases {
        let to = &alias.live;
        let named = (&**logical_id, alias);
        match alias::back(context, work, Some(note), &resources, named, to).await {
            Ok(from) => led.is_moved |= from.is_some(),
            Err(error) => {
                led.is_whole = false;
                let message = format!(
                    "{logical_id} may name another version than {to}, which was live before the update that failed: {error}"
                );
                warn(context, work, message);
            }
        }
    }
    led
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
