//! Removes what nothing runs and nobody goes back to: artifacts and versions of functions.

mod versions;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime},
};

use aws_sdk_s3::types::ObjectIdentifier;
use serde::Serialize;

use super::{
    Context, Event, StackTarget, Taken, bootstrap, content, empty,
    fast::Record,
    inspect,
    release::{
        by_hand,
        failed::{self, ReleaseFailure},
        record,
        unproven::Unproven,
    },
};
use crate::aws::{AwsError, Clients, Fault, OrAws, object};
use versions::{Versioned, functions, old_versions};

/// How many objects one call deletes: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>.
const AT_ONCE: usize = 1000;

/// What to prune.
#[derive(Clone, Debug)]
pub struct PruneRequest {
    /// The stacks.
    pub stacks: Vec<StackTarget>,
    /// How many packages of each function, and how many of its versions, are kept, the newest first.
    pub keep: usize,
    /// How old an object must be at least: a younger one may belong to a deploy that is under way.
    pub age: Duration,
}

/// What can be removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PrunePlan {
    /// The stacks of which something can.
    pub stacks: Vec<StackPrune>,
    /// The stacks that are left alone because another app has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub taken: Vec<Taken>,
}

/// What of one stack can be removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StackPrune {
    /// The stack.
    pub stack: String,
    /// The artifact bucket, where anything in it can be removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// The keys of its objects.
    pub objects: Vec<String>,
    /// How many bytes those have.
    pub bytes: u64,
    /// The versions of functions.
    pub versions: Vec<PrunedVersion>,
    /// The bytes of each object, by its key.
    #[serde(skip)]
    sizes: BTreeMap<String, u64>,
    #[serde(skip)]
    region: Option<String>,
}

/// A version that can be removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PrunedVersion {
    /// The logical id of the function.
    pub logical_id: String,
    /// The name of the function.
    pub name: String,
    /// The number.
    pub version: u64,
}

impl PrunePlan {
    /// Returns whether nothing can be removed.
    pub fn is_empty(&self) -> bool {
        self.stacks.is_empty()
    }
}

impl StackPrune {
    /// Takes out what is needed after all.
    fn leave(&mut self, needed: &BTreeSet<String>) {
        self.objects.retain(|key| !needed.contains(key));
        let sizes = self.objects.iter().filter_map(|key| self.sizes.get(key));
        self.bytes = sizes.sum();
        if self.objects.is_empty() {
            self.bucket = None;
        }
    }
}

/// Finds what can be removed. Nothing is changed.
///
/// An object stays while any stack of the account and region has it as a parameter, whoever deployed that, while code that
/// was deployed past CloudFormation is in it, while one of the newest releases of its stack goes back to it, while it is one
/// of the newest of its function, and while it is young. The records of older releases go. A
/// version of a function stays while an alias names it, while its stack holds it, and while it is one of the newest.
///
/// A release that failed its check is none of the newest, nor is what only such a release has: nobody goes back to it. What was
/// live before an update that nobody has proven yet stays: a check that fails leads back to it.
///
/// A stack of another app is left alone, with what the artifact bucket has under its name. Of one that was taken over from
/// another app, the releases of that app stay, with what they need.
///
/// Everything of a stack stays that could not be updated right now: what a rollback would go back to is in no parameter then.
pub async fn prune_plan(context: &Context, request: &PruneRequest) -> Result<PrunePlan, AwsError> {
    let mut plan = PrunePlan::default();
    let mut regions: BTreeMap<Option<String>, (Option<String>, BTreeSet<String>)> = BTreeMap::new();
    for target in &request.stacks {
        let context = context.in_region(target.region.as_deref());
        if !regions.contains_key(&target.region) {
            let bucket = bootstrap::existing(&context).await?;
            let used = parameters(&context.clients).await?;
            regions.insert(target.region.clone(), (bucket, used));
        }
        let Some((bucket, used)) = regions.get(&target.region) else {
            continue;
        };
        let deployed = inspect::describe(&context.clients, &target.name).await?;
        if let Some(deployed) = &deployed {
            if let Some(app) = context.ownership.other(deployed) {
                plan.taken.push(Taken {
                    stack: target.name.clone(),
                    region: context.clients.region().to_owned(),
                    app: app.to_owned(),
                });
                continue;
            }
            if !deployed.status.is_updatable() {
                continue;
            }
        }
        let mut found = StackPrune {
            stack: target.name.clone(),
            bucket: None,
            objects: Vec::new(),
            bytes: 0,
            versions: Vec::new(),
            sizes: BTreeMap::new(),
            region: target.region.clone(),
        };
        let mut functions = functions(&context.clients, &target.name, request.keep).await?;
        let mut failures = Vec::new();
        if let Some(bucket) = bucket {
            let mut needed = used.clone();
            if let Some(deployed) = &deployed {
                let direct =
                    Record::read(&context.clients, bucket, &target.name, &deployed.id).await?;
                needed.extend(direct.keys().cloned());
            }
            let before = match &deployed {
                Some(deployed) => {
                    let clients = &context.clients;
                    let found = Unproven::read(clients, bucket, &target.name, &deployed.id).await?;
                    let unproven = found.filter(|it| it.holds(deployed));
                    unproven.and_then(|it| way_back(&it, &mut functions))
                }
                None => None,
            };
            let live = match deployed.as_ref().and_then(record::hash) {
                Some(hash) => Some(hash),
                // Of an update that was rolled back nobody wrote down the state.
                None if deployed.is_some() => {
                    let releases = record::stack_releases(&context, target).await?;
                    releases.live_key().await?.cloned()
                }
                None => None,
            };
            let archive = Archive {
                bucket,
                stack: &target.name,
                live: live.as_deref(),
                before: before.as_deref(),
            };
            let unused;
            (unused, failures) = archive.unused(&context, needed, request).await?;
            for object in unused {
                found.bytes += object.size;
                found.sizes.insert(object.key.clone(), object.size);
                found.objects.push(object.key);
            }
            found.bucket = (!found.objects.is_empty()).then(|| bucket.clone());
        }
        found.versions = old_versions(&functions, &failures, request.keep);
        if !found.objects.is_empty() || !found.versions.is_empty() {
            plan.stacks.push(found);
        }
    }
    Ok(plan)
}

/// An object of the artifact bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Object {
    key: String,
    size: u64,
    written: SystemTime,
}

/// What is kept for a stack in a bucket.
struct Archive<'a> {
    bucket: &'a str,
    stack: &'a str,
    /// What the key of the release that is deployed ends with.
    live: Option<&'a str>,
    /// What the key of the release ends with that was deployed before an update that nobody has proven.
    before: Option<&'a str>,
}

/// Keeps the versions that a check leads back to once somebody looks at what nobody has proven. Returns what the key of the
/// release before ends with.
fn way_back(unproven: &Unproven, functions: &mut [Versioned]) -> Option<String> {
    for function in functions {
        let alias = format!("{}Alias", function.logical_id);
        if let Some(noted) = unproven.aliases.get(&alias) {
            let versions = [&noted.live, &noted.good];
            function.used.extend(versions.into_iter().cloned());
        }
    }
    unproven.before.as_deref().map(record::hash_of)
}

impl Archive<'_> {
    /// Returns the objects that nothing needs, and why releases failed.
    async fn unused(
        &self,
        context: &Context,
        mut needed: BTreeSet<String>,
        request: &PruneRequest,
    ) -> Result<(Vec<Object>, Vec<ReleaseFailure>), AwsError> {
        let clients = &context.clients;
        // By what they are versions of: `<stack>/<asset>`, or the templates of the stack.
        let mut kinds: BTreeMap<String, Vec<Object>> = BTreeMap::new();
        let mut releases = BTreeMap::new();
        let mut failures = BTreeMap::new();
        let failed = failed::prefix(self.stack);
        let by_hand = by_hand::prefix(self.stack);
        for object in objects(clients, self.bucket, &format!("{}/", self.stack)).await? {
            if let Some(number) = record::number(self.stack, &object.key) {
                releases.insert(Reverse(number), object);
                continue;
            }
            if object.key.starts_with(&failed) {
                failures.insert(object.key.clone(), object);
                continue;
            }
            // There is one of each function, however often somebody moves it, and one of each folder.
            if object.key.starts_with(&by_hand) || content::is_record(self.stack, &object.key) {
                continue;
            }
            let kind = object.key.rsplit_once('/').map_or("", |(kind, _)| kind);
            kinds.entry(kind.to_owned()).or_default().push(object);
        }
        let mut told = Vec::new();
        for key in failures.keys() {
            told.push(failed::read(clients, self.bucket, key).await?);
        }
        let young = context.timing.now().checked_sub(request.age);
        let is_old = |object: &Object| young.is_some_and(|young| object.written <= young);
        let (mut good, mut broken) = (BTreeSet::new(), BTreeSet::new());
        let mut unused = Vec::new();
        let mut kept = 0;
        for release in releases.into_values() {
            let failure =
                failed::key_of(self.stack, &release.key).and_then(|key| failures.remove(&key));
            let is_live = self.live.is_some_and(|live| release.key.ends_with(live));
            let is_before = self
                .before
                .is_some_and(|before| release.key.ends_with(before));
            let is_kept = kept < request.keep || !is_old(&release);
            let read = match record::read(clients, self.bucket, &release.key).await {
                Ok(read) => read,
                // Nobody knows whose it is: another version may have written it. No release that is kept rests on it.
                Err(error) if !is_kept && matches!(error.fault(), Fault::Unknown) => {
                    context.emit(Event::Warning {
                        stack: self.stack.to_owned(),
                        message: format!("{} stays, which nobody can read: {error}", release.key),
                    });
                    continue;
                }
                Err(error) => return Err(error),
            };
            let artifacts = || read.artifacts().map(|(key, _)| key.clone());
            // Whoever took the stack over is not who decides what the other app still needs.
            if read.other_app(context.ownership.app.as_deref()).is_some() {
                good.extend(artifacts());
                continue;
            }
            if failure.is_none() && (is_kept || is_before) {
                kept += usize::from(is_kept);
                good.extend(artifacts());
                continue;
            }
            if failure.is_some() {
                broken.extend(artifacts());
                if !is_old(&release) {
                    needed.extend(artifacts());
                }
            }
            if !is_live && is_old(&release) {
                unused.push(release);
                unused.extend(failure);
            }
        }
        // What a release needs that did not fail may be in one that did.
        broken.retain(|key| !good.contains(key));
        needed.extend(good);
        // Those of releases that are not there any more.
        unused.extend(failures.into_values().filter(is_old));
        for mut objects in kinds.into_values() {
            objects.sort_by_key(|object| Reverse(object.written));
            let mut kept = 0;
            for object in objects {
                if kept < request.keep && !broken.contains(&object.key) {
                    kept += 1;
                } else if is_old(&object) && !needed.contains(&object.key) {
                    unused.push(object);
                }
            }
        }
        unused.sort_by(|one, other| one.key.cmp(&other.key));
        Ok((unused, told))
    }
}

/// Lists the objects under a prefix.
async fn objects(clients: &Clients, bucket: &str, prefix: &str) -> Result<Vec<Object>, AwsError> {
    let listed = object::listed(clients, bucket, prefix).await?.into_iter();
    // What has no time cannot be said to be old.
    let objects = listed.filter_map(|object| {
        let size = object.size.and_then(|size| u64::try_from(size).ok());
        Some(Object {
            key: object.key?,
            size: size.unwrap_or_default(),
            written: object.last_modified.and_then(inspect::time)?,
        })
    });
    Ok(objects.collect())
}

/// Returns the values of all parameters of all stacks of the account in the region.
async fn parameters(clients: &Clients) -> Result<BTreeSet<String>, AwsError> {
    let stacks = inspect::all(clients).await?.into_iter();
    let parameters = stacks.flat_map(|stack| stack.parameters.unwrap_or_default());
    Ok(parameters
        .filter_map(|parameter| parameter.parameter_value)
        .collect())
}

/// Removes what was found.
///
/// The bucket keeps versions of objects for a while, so that a mistake can be taken back; versions of functions are gone.
/// A run that is stopped leaves the rest to the next.
///
/// A deploy may have gone back to an old package since the plan was made: it found that in the bucket and did not write it
/// anew, so that it still looks old. What any stack has as a parameter by now stays, and is taken out of the plan.
pub async fn prune(context: &Context, plan: &mut PrunePlan) -> Result<(), AwsError> {
    for stack in &mut plan.stacks {
        let clients = context.clients.in_region(stack.region.as_deref());
        for version in &stack.versions {
            if context.cancel.is_cancelled() {
                return Ok(());
            }
            clients
                .lambda
                .delete_function()
                .function_name(&version.name)
                .qualifier(version.version.to_string())
                .send()
                .await
                .or_aws(&clients, "DeleteFunction")?;
        }
        let Some(bucket) = stack.bucket.clone() else {
            continue;
        };
        let used = parameters(&clients).await?;
        stack.leave(&used);
        for keys in stack.objects.chunks(AT_ONCE) {
            if context.cancel.is_cancelled() {
                return Ok(());
            }
            let objects = keys
                .iter()
                .map(|key| ObjectIdentifier::builder().key(key).build())
                .collect::<Result<Vec<_>, _>>()
                .map_err(|_| AwsError::incomplete("ListObjectsV2", "key"))?;
            empty::delete(&clients, &bucket, objects).await?;
        }
    }
    Ok(())
}
