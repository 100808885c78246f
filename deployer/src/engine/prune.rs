//! Removes what nothing runs and nobody goes back to: artifacts and versions of functions.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime},
};

use aws_sdk_s3::types::ObjectIdentifier;
use serde::Serialize;

use super::{
    Context, StackTarget, bootstrap, empty,
    fast::Record,
    inspect,
    release::{record, versions::versions},
};
use crate::aws::{AwsError, Clients, OrAws, object};

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
        if deployed
            .as_ref()
            .is_some_and(|deployed| !deployed.status.is_updatable())
        {
            continue;
        }
        let mut found = StackPrune {
            stack: target.name.clone(),
            bucket: None,
            objects: Vec::new(),
            bytes: 0,
            versions: old_versions(&context.clients, &target.name, request.keep).await?,
            sizes: BTreeMap::new(),
            region: target.region.clone(),
        };
        if let Some(bucket) = bucket {
            let mut needed = used.clone();
            if let Some(deployed) = &deployed {
                let direct =
                    Record::read(&context.clients, bucket, &target.name, &deployed.id).await?;
                needed.extend(direct.keys().cloned());
            }
            for object in unused(&context, bucket, &target.name, &needed, request).await? {
                found.bytes += object.size;
                found.sizes.insert(object.key.clone(), object.size);
                found.objects.push(object.key);
            }
            found.bucket = (!found.objects.is_empty()).then(|| bucket.clone());
        }
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

/// Returns the objects of a stack that nothing needs.
async fn unused(
    context: &Context,
    bucket: &str,
    stack: &str,
    needed: &BTreeSet<String>,
    request: &PruneRequest,
) -> Result<Vec<Object>, AwsError> {
    let clients = &context.clients;
    // By what they are versions of: `<stack>/<asset>`, or the templates of the stack.
    let mut kinds: BTreeMap<String, Vec<Object>> = BTreeMap::new();
    let mut releases = BTreeMap::new();
    for object in objects(clients, bucket, &format!("{stack}/")).await? {
        if let Some(number) = record::number(stack, &object.key) {
            releases.insert(Reverse(number), object);
            continue;
        }
        let kind = object.key.rsplit_once('/').map_or("", |(kind, _)| kind);
        kinds.entry(kind.to_owned()).or_default().push(object);
    }
    let young = context.timing.now().checked_sub(request.age);
    let is_old = |object: &Object| young.is_some_and(|young| object.written <= young);
    let mut needed = needed.clone();
    let mut unused = Vec::new();
    for (at, release) in releases.into_values().enumerate() {
        if at < request.keep || !is_old(&release) {
            let release = record::read(clients, bucket, &release.key).await?;
            needed.extend(release.artifacts().map(|(key, _)| key.clone()));
        } else {
            unused.push(release);
        }
    }
    for mut objects in kinds.into_values() {
        objects.sort_by_key(|object| Reverse(object.written));
        let beyond = objects.into_iter().skip(request.keep);
        unused.extend(beyond.filter(|object| is_old(object) && !needed.contains(&object.key)));
    }
    unused.sort_by(|one, other| one.key.cmp(&other.key));
    Ok(unused)
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
    let mut values = BTreeSet::new();
    let mut next = None;
    loop {
        let page = clients
            .cloudformation
            .describe_stacks()
            .set_next_token(next)
            .send()
            .await
            .or_aws(clients, "DescribeStacks")?;
        for stack in page.stacks.unwrap_or_default() {
            let parameters = stack.parameters.unwrap_or_default().into_iter();
            values.extend(parameters.filter_map(|parameter| parameter.parameter_value));
        }
        next = page.next_token;
        if next.is_none() {
            return Ok(values);
        }
    }
}

/// Returns the versions of a stack's functions that nothing names, but for the newest.
async fn old_versions(
    clients: &Clients,
    stack: &str,
    keep: usize,
) -> Result<Vec<PrunedVersion>, AwsError> {
    let resources = inspect::resources(clients, stack).await?;
    // The physical id of a version is its ARN, which ends with the name of the function and the number.
    let held: BTreeSet<&str> = resources
        .iter()
        .filter(|resource| resource.resource_type == "AWS::Lambda::Version")
        .map(|resource| resource.physical_id.as_str())
        .collect();
    let mut old = Vec::new();
    for function in &resources {
        if function.resource_type != "AWS::Lambda::Function" {
            continue;
        }
        let name = &function.physical_id;
        let versions = versions(clients, name).await?;
        if versions.len() <= keep {
            continue;
        }
        let named = aliased(clients, name).await?;
        let before = versions.len() - keep;
        for version in versions.iter().take(before) {
            let number = version.version.to_string();
            let is_held = held
                .iter()
                .any(|held| held.ends_with(&format!(":{name}:{number}")));
            if !named.contains(&number) && !is_held {
                old.push(PrunedVersion {
                    logical_id: function.logical_id.clone(),
                    name: name.clone(),
                    version: version.version,
                });
            }
        }
    }
    Ok(old)
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
