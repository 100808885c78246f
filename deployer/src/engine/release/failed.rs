//! Failures: releases that were deployed, and did not do what they should.
//!
//! A release is written down as soon as CloudFormation has deployed it, and what is looked at afterwards may fail it. What
//! failed stands beside the records then, under a name that follows from the state of the stack as that of the record does,
//! so that a list of the bucket tells which releases failed: nobody goes back to one of those unless they name it. Going
//! live all the same and passing the check takes the mark away.
//!
//! A release that another one follows before anybody looked at it is written down in the same way, without a check: nobody
//! knows whether it did what it should.

use std::{cmp::Reverse, collections::BTreeMap};

use serde::{Deserialize, Serialize};

use super::{mark, record, unproven::Unproven};
use crate::{
    aws::{AwsError, Clients, object},
    engine::{Context, DeployedFunction, DeployedStack, Event, bootstrap, inspect, stack::Work},
};

/// How many failures are read before it is asked whether they are enough.
const TOGETHER: usize = 8;

/// Why a release failed after it was deployed, and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseFailure {
    /// What was looked at and was not as it should be; nothing, where another release followed before anybody looked.
    pub checks: Vec<FailedCheck>,
    /// The aliases that were led back.
    #[serde(default)]
    pub led_back: Vec<MovedAlias>,
    /// The versions that the release made, by the name of the function: with the release, they failed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub versions: BTreeMap<String, String>,
}

/// Something that was looked at and was not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedCheck {
    /// The logical id of the resource, or the name of the check.
    pub subject: String,
    /// What was so instead.
    pub message: String,
}

/// An alias that was led back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedAlias {
    /// The logical id of the alias.
    pub logical_id: String,
    /// The ARN of the function.
    pub function: String,
    /// The version that failed.
    pub from: String,
    /// The version that is live again.
    pub to: String,
}

/// Why nobody goes to a version of a function who does not name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doubt {
    /// Nobody looked whether it does what it should: the deploy that made it ended before.
    Unseen,
    /// It failed its check.
    Failed,
}

impl ReleaseFailure {
    /// Returns whether a version of a function failed a check.
    pub(in crate::engine) fn is_of(&self, function: &str, version: &str) -> bool {
        self.doubt() == Doubt::Failed && self.versions(function).any(|failed| failed == version)
    }

    fn doubt(&self) -> Doubt {
        if self.checks.is_empty() && self.led_back.is_empty() {
            Doubt::Unseen
        } else {
            Doubt::Failed
        }
    }

    /// Returns the versions of a function that failed.
    fn versions(&self, function: &str) -> impl Iterator<Item = &str> {
        let made = self.versions.get(function).map(String::as_str);
        let function = format!(":{function}");
        let moved = self.led_back.iter();
        let moved = moved
            .filter(move |alias| alias.function.ends_with(&function))
            .map(|alias| alias.from.as_str());
        moved.chain(made)
    }

    /// Takes versions out that do what they should after all, by the name of the function. Returns whether any was in.
    fn forget(&mut self, good: &BTreeMap<String, String>) -> bool {
        let is_good = |function: &str, version: &str| {
            let name = function.rsplit(':').next().unwrap_or(function);
            good.get(name).is_some_and(|good| good == version)
        };
        let before = self.versions.len() + self.led_back.len();
        self.versions
            .retain(|name, version| !is_good(name, version));
        self.led_back
            .retain(|alias| !is_good(&alias.function, &alias.from));
        self.versions.len() + self.led_back.len() < before
    }
}

/// Returns what the keys of a stack's failures begin with.
pub(in crate::engine) fn prefix(stack: &str) -> String {
    format!("{stack}/failed/")
}

/// Returns the key of the failure of the release that has this key.
pub(in crate::engine) fn key_of(stack: &str, release: &str) -> Option<String> {
    let (_, hash) = release.rsplit_once('-')?;
    Some(format!("{}{hash}", prefix(stack)))
}

/// Reads why releases of a stack failed, those included that nothing else is left of: the newest first, some at a time, until
/// those that were read are enough.
pub(in crate::engine) async fn newest(
    clients: &Clients,
    bucket: &str,
    stack: &str,
    mut are_enough: impl FnMut(&[ReleaseFailure]) -> bool,
) -> Result<Vec<ReleaseFailure>, AwsError> {
    let mut listed = object::listed(clients, bucket, &prefix(stack)).await?;
    listed.sort_by_key(|object| Reverse(object.last_modified.map(|time| time.as_nanos())));
    let keys: Vec<String> = listed.into_iter().filter_map(|it| it.key).collect();
    let mut failures = Vec::new();
    for keys in keys.chunks(TOGETHER) {
        for object in object::read_all(clients, bucket, keys).await? {
            failures.push(parse(&object.bytes)?);
        }
        if are_enough(&failures) {
            break;
        }
    }
    Ok(failures)
}

/// Returns the versions of a function that failed their check, or that nobody looked at: nobody goes to one unless they name
/// it.
pub async fn doubtful_versions(
    context: &Context,
    function: &DeployedFunction,
) -> Result<BTreeMap<u64, Doubt>, AwsError> {
    let context = context.in_region(function.region.as_deref());
    let (clients, stack) = (&context.clients, &function.stack);
    let mut doubts = BTreeMap::new();
    let Some(bucket) = bootstrap::existing(&context).await? else {
        return Ok(doubts);
    };
    for failure in newest(clients, &bucket, stack, |_| false).await? {
        for version in failure.versions(&function.name) {
            if let Ok(version) = version.parse() {
                let doubt = doubts.entry(version).or_insert(Doubt::Unseen);
                *doubt = failure.doubt().max(*doubt);
            }
        }
    }
    // The deploy of what is deployed now may have ended before its looks.
    if let Some(unproven) = Unproven::of(clients, &bucket, stack).await?
        && let Some(deployed) = inspect::describe(clients, stack).await?
        && unproven.holds(&deployed)
    {
        let resources = inspect::resources(clients, &deployed.id).await?;
        let version = super::deployed_version(&resources, &function.logical_id);
        let alias = unproven
            .aliases
            .get(&format!("{}Alias", function.logical_id));
        if alias.map(|alias| alias.good.as_str()) != version
            && let Some(version) = version.and_then(|version| version.parse().ok())
        {
            doubts.entry(version).or_insert(Doubt::Unseen);
        }
    }
    Ok(doubts)
}

/// Reads one failure.
pub(in crate::engine) async fn read(
    clients: &Clients,
    bucket: &str,
    key: &str,
) -> Result<ReleaseFailure, AwsError> {
    parse(&object::read(clients, bucket, key).await?.bytes)
}

fn parse(bytes: &[u8]) -> Result<ReleaseFailure, AwsError> {
    serde_json::from_slice(bytes)
        .map_err(|_| AwsError::incomplete("GetObject", "failure that this version can read"))
}

/// Writes down that nobody looked at the release that is deployed, which made these versions by the name of the function,
/// before another one follows; nothing, where it failed.
pub(in crate::engine) async fn write_unseen(
    clients: &Clients,
    bucket: &str,
    stack: &str,
    deployed: &DeployedStack,
    versions: BTreeMap<String, String>,
) -> Result<(), AwsError> {
    let hash = record::hash(deployed);
    let Some(key) = hash.and_then(|hash| key_of(stack, &hash)) else {
        return Ok(());
    };
    let unseen = ReleaseFailure {
        versions,
        ..ReleaseFailure::default()
    };
    let body = serde_json::to_vec(&unseen).unwrap_or_default();
    let written = object::write_over(clients, bucket, &key, body, None).await;
    match written {
        Err(error) if mark::is_overtaken(&error) => Ok(()),
        written => written.map(drop),
    }
}

/// Writes down that the release failed that a stack has now.
pub(in crate::engine) async fn write(context: &Context, work: &Work, failure: &ReleaseFailure) {
    let written = async {
        let Some((bucket, key)) = now(context, work).await? else {
            return Ok(());
        };
        put(&context.clients, bucket, &key, failure).await
    };
    if let Err(error) = written.await {
        let message = format!(
            "nobody knows later that this release failed, because it could not be written down: {error}"
        );
        warn(context, work, message);
    }
}

/// Forgets that the release failed that a stack has now, and that these versions of functions did, by name, because they do
/// what they should.
pub(in crate::engine) async fn forgive(
    context: &Context,
    work: &Work,
    good: &BTreeMap<String, String>,
) {
    let forgiven = async {
        let Some(archive) = &work.archive else {
            return Ok(());
        };
        let clients = &context.clients;
        let failures =
            object::listed(clients, &archive.bucket, &prefix(&work.manifest.name)).await?;
        if failures.is_empty() {
            return Ok(());
        }
        let now = now(context, work).await?.map(|(_, key)| key);
        for key in failures.into_iter().filter_map(|it| it.key) {
            let bucket = &archive.bucket;
            if now.as_ref() == Some(&key) {
                object::delete(clients, bucket, &key).await?;
            } else if !good.is_empty() {
                let mut failure = read(clients, bucket, &key).await?;
                if failure.forget(good) {
                    put(clients, bucket, &key, &failure).await?;
                }
            }
        }
        Ok::<(), AwsError>(())
    };
    if let Err(error) = forgiven.await {
        let message = format!("this release may still be written down as one that failed: {error}");
        warn(context, work, message);
    }
}

async fn put(
    clients: &Clients,
    bucket: &str,
    key: &str,
    failure: &ReleaseFailure,
) -> Result<(), AwsError> {
    // Texts are always JSON.
    let json = serde_json::to_vec(failure).unwrap_or_default();
    object::write(clients, bucket, key, json).await
}

/// Returns the bucket, and the key of the failure of what is deployed now.
async fn now<'a>(context: &Context, work: &'a Work) -> Result<Option<(&'a str, String)>, AwsError> {
    let Some(archive) = &work.archive else {
        return Ok(None);
    };
    let stack = &work.manifest.name;
    let deployed = inspect::describe(&context.clients, stack).await?;
    let hash = deployed.as_ref().and_then(record::hash);
    let key = hash.and_then(|hash| key_of(stack, &hash));
    Ok(key.map(|key| (archive.bucket.as_str(), key)))
}

fn warn(context: &Context, work: &Work, message: String) {
    context.emit(Event::Warning {
        stack: work.manifest.name.clone(),
        message,
    });
}
