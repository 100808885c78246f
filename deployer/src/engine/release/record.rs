//! Records: what each deploy of a stack deployed, written down beside the artifacts.
//!
//! A record holds all that the stack can be made from again: what the assembly said of it, its template and the values of
//! its parameters, those that name artifacts included. Values that the template hides (`NoEcho`) are left out. Records are
//! numbered from 1, and a state of a stack has one record, however often it is looked at.

mod alike;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use stack_model::assembly::StackManifest;
use tokio::sync::OnceCell;

use super::{
    failed::{self, ReleaseFailure},
    mark,
};
use crate::{
    aws::{AwsError, Clients, object},
    engine::{
        APP_TAG, Artifact, BOOTSTRAP_STACK, Context, DeployedStack, MadeFrom, Origin, StackTarget,
        bootstrap::BUCKET_OUTPUT, code::KeptSources, fast, inspect, publish, stack::rfc3339,
    },
    template::hidden,
    text::hex,
};

/// The version of the format of records.
const FORMAT: u32 = 1;

/// How many digits a number has in a key, so that keys sort by it.
const DIGITS: usize = 6;

/// How many characters of the hash of a state a key has.
const HASH: usize = 16;

/// How many releases are read to know what deployed code was made from.
const RECENT: usize = 4;

/// What one deploy deployed of one stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StackRelease {
    format: u32,
    /// The number of the release.
    pub release: u64,
    /// When CloudFormation began to deploy it, in RFC 3339.
    pub deployed: String,
    /// The stage.
    pub stage: String,
    /// Who deployed it, with what.
    #[serde(flatten)]
    pub origin: Origin,
    /// The release that this one goes back to, where it is no new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back_to: Option<u64>,
    /// What the assembly said of the stack; the parameters have all values that the deploy gave them.
    pub manifest: StackManifest,
    /// The template.
    pub template: String,
    /// What the functions were made from, where that was known.
    #[serde(default, skip_serializing_if = "KeptSources::is_empty")]
    sources: KeptSources,
}

/// What is deployed, as a deploy that succeeded knows it.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct Released<'a> {
    pub(in crate::engine) stage: &'a str,
    pub(in crate::engine) manifest: &'a StackManifest,
    pub(in crate::engine) template: &'a str,
    /// The values that the deploy gave to the parameters.
    pub(in crate::engine) parameters: &'a BTreeMap<String, String>,
    pub(in crate::engine) back_to: Option<u64>,
    pub(in crate::engine) deployed: &'a DeployedStack,
    /// The packages of the functions, by asset.
    pub(in crate::engine) artifacts: &'a BTreeMap<String, Artifact>,
}

/// The releases of one stack.
#[derive(Clone, Debug, Default)]
pub struct StackReleases {
    /// The stack.
    pub stack: String,
    pub(super) clients: Option<Clients>,
    /// The app that looks, where it has a name.
    app: Option<String>,
    /// The region of stacks that name none.
    home: String,
    bucket: String,
    /// The keys of the records by number.
    records: BTreeMap<u64, String>,
    /// The keys of what is written down about those that failed after they were deployed.
    failed: BTreeMap<u64, String>,
    /// The keys of everything else that is kept for the stack.
    objects: BTreeSet<String>,
    pub(super) deployed: Option<DeployedStack>,
    /// The release that is like what is deployed, once somebody asked.
    alike: OnceCell<Option<Box<StackRelease>>>,
}

impl StackRelease {
    /// Returns the parameters that the template hides, and that nothing has a value for: neither this, nor the template, nor
    /// a stack of another region.
    fn hidden(&self) -> Vec<String> {
        let template: Value = serde_json::from_str(&self.template).unwrap_or_default();
        hidden(&template)
            .into_iter()
            .filter(|name| template["Parameters"][name].get("Default").is_none())
            .filter(|name| {
                let manifest = &self.manifest;
                !manifest.parameters.contains_key(*name) && !manifest.references.contains_key(*name)
            })
            .map(str::to_owned)
            .collect()
    }

    /// Returns the app that made it, where the stack belonged to another one then than to `own`.
    pub(in crate::engine) fn other_app(&self, own: Option<&str>) -> Option<&str> {
        let app = self.manifest.tags.get(APP_TAG).map(String::as_str);
        app.filter(|app| Some(*app) != own)
    }

    /// Returns the keys of the artifacts, with the asset of each, or with the parameter where the asset is not written down.
    ///
    /// The release of somebody who went back was deployed with the keys as plain values, so that the values tell what is
    /// an artifact.
    pub(in crate::engine) fn artifacts(&self) -> impl Iterator<Item = (&String, &String)> {
        let own = format!("{}/", self.manifest.name);
        let values = self.manifest.parameters.iter();
        values
            .filter(move |(_, value)| {
                value.starts_with(&own) && publish::sha256_of(value).is_some()
            })
            .map(|(parameter, key)| {
                let asset = self.manifest.artifacts.get(parameter);
                (key, asset.unwrap_or(parameter))
            })
    }

    /// Returns the stack as a deploy takes it: its artifacts are in the bucket, so that nothing is built, and its releases
    /// of functions get new names.
    pub fn manifest(&self) -> StackManifest {
        let mut manifest = self.manifest.clone();
        for parameter in manifest.releases.keys().chain(manifest.references.keys()) {
            manifest.parameters.remove(parameter);
        }
        manifest.artifacts.clear();
        // Whatever fills buckets is not in the record: the objects stay as they are.
        manifest.contents.clear();
        manifest
    }
}

impl StackReleases {
    /// Returns the numbers, the newest first.
    pub fn newest(&self) -> impl Iterator<Item = u64> {
        self.records.keys().rev().copied()
    }

    /// Returns whether there is a release of this number.
    pub fn has(&self, release: u64) -> bool {
        self.records.contains_key(&release)
    }

    /// Returns whether a release did not do what it should when it was deployed.
    pub fn is_failed(&self, release: u64) -> bool {
        self.failed.contains_key(&release)
    }

    /// Returns the numbers of those that did what they should, the newest first.
    fn good(&self) -> impl Iterator<Item = u64> {
        self.newest().filter(|release| !self.is_failed(*release))
    }

    /// Reads why a release failed after it was deployed; none, where it did not.
    pub async fn failure(&self, release: u64) -> Result<Option<ReleaseFailure>, AwsError> {
        match (&self.clients, self.failed.get(&release)) {
            (Some(clients), Some(key)) => failed::read(clients, &self.bucket, key).await.map(Some),
            _ => Ok(None),
        }
    }

    /// Returns the number of the release that is deployed now; none, where somebody deployed something else past stackctl,
    /// and while nobody knows what the stack will be.
    ///
    /// A record tells by its key which state of the stack it was written of. An update that was rolled back leaves a state
    /// that nobody wrote down: what is deployed then is the release that has the same template, parameters and tags.
    pub async fn live(&self) -> Result<Option<u64>, AwsError> {
        if let Some(written) = self.written() {
            return Ok(Some(written));
        }
        match &self.deployed {
            Some(deployed) if deployed.status.is_updatable() => {
                let alike = self.alike().await?;
                Ok(alike.map(|release| release.release))
            }
            _ => Ok(None),
        }
    }

    /// Returns the key of the record of the release that is deployed now.
    pub(in crate::engine) async fn live_key(&self) -> Result<Option<&String>, AwsError> {
        let live = self.live().await?;
        Ok(live.and_then(|live| self.records.get(&live)))
    }

    /// Returns the number of the release that was written down of the state that the stack has.
    fn written(&self) -> Option<u64> {
        let hash = hash(self.deployed.as_ref()?)?;
        let mut newest = self.records.iter().rev();
        let (number, _) = newest.find(|(_, key)| key.ends_with(&hash))?;
        Some(*number)
    }

    /// Reads a release; none, where there is none of this number.
    ///
    /// Who may write into the bucket may write a record that names a stack of another stage: it is no release of this one.
    pub async fn read(&self, release: u64) -> Result<Option<StackRelease>, AwsError> {
        let (Some(clients), Some(key)) = (&self.clients, self.records.get(&release)) else {
            return Ok(None);
        };
        self.own(clients, read(clients, &self.bucket, key).await?)
            .map(Some)
    }

    /// Refuses a record that is of another stack.
    fn own(&self, clients: &Clients, release: StackRelease) -> Result<StackRelease, AwsError> {
        let manifest = &release.manifest;
        let region = manifest.region.as_ref().unwrap_or(&self.home);
        if manifest.name == self.stack && *region == clients.region() {
            Ok(release)
        } else {
            Err(AwsError::incomplete("GetObject", "release of this stack"))
        }
    }

    /// Returns whether code or definitions were given past CloudFormation since the stack was deployed.
    pub async fn is_direct(&self) -> Result<bool, AwsError> {
        let (Some(clients), Some(deployed)) = (&self.clients, &self.deployed) else {
            return Ok(false);
        };
        let record = fast::Record::read(clients, &self.bucket, &self.stack, &deployed.id).await?;
        Ok(!record.is_empty())
    }

    /// Returns the number of the release before the one that is deployed; none, where there is none.
    ///
    /// Going back to a release and back once more leads to the one before that. One that failed is passed over, and so is one of
    /// another app, which had the stack before this one took it over. Where no release is what is deployed, the newest is the one
    /// before.
    pub async fn previous(&self) -> Result<Option<u64>, AwsError> {
        let live = match self.written() {
            Some(written) => self.read(written).await?,
            None => None,
        };
        let current = match &live {
            Some(live) => Some(live),
            None => self.alike().await?,
        };
        let current = current.map(|current| current.back_to.unwrap_or(current.release));
        let before = self
            .good()
            .filter(|it| current.is_none_or(|current| *it < current));
        for release in before {
            if let Some(release) = self.read(release).await?
                && self.other_app(&release).is_none()
            {
                return Ok(Some(release.release));
            }
        }
        Ok(None)
    }

    /// Returns the app that made a release, where that is another one: this one took the stack over since.
    pub fn other_app<'a>(&self, release: &'a StackRelease) -> Option<&'a str> {
        release.other_app(self.app.as_deref())
    }

    /// Returns what packages were made from, by their SHA-256, as far as one of the newest releases tells.
    pub(in crate::engine) async fn made_from(
        &self,
        packages: &BTreeSet<&str>,
    ) -> Result<BTreeMap<String, MadeFrom>, AwsError> {
        let mut found = BTreeMap::new();
        for release in self.newest().take(RECENT) {
            let Some(release) = self.read(release).await? else {
                continue;
            };
            for sha256 in packages {
                if !found.contains_key(*sha256)
                    && let Some(made) = release.sources.made_from(sha256)
                {
                    found.insert((*sha256).to_owned(), made);
                }
            }
            if found.len() == packages.len() {
                break;
            }
        }
        Ok(found)
    }

    /// Returns the number of the newest release of this app that goes back to none, and did not fail.
    pub async fn latest(&self) -> Result<Option<u64>, AwsError> {
        for release in self.good() {
            if let Some(release) = self.read(release).await?
                && release.back_to.is_none()
                && self.other_app(&release).is_none()
            {
                return Ok(Some(release.release));
            }
        }
        Ok(None)
    }

    /// Returns the assets of a release whose artifacts are not there any more, and the parameters whose values nobody
    /// knows any more: with any of them, nobody goes back to the release.
    pub fn lost(&self, release: &StackRelease) -> Vec<String> {
        let own = format!("{}/", self.stack);
        let gone = |key: &str| key.starts_with(&own) && !self.objects.contains(key);
        let artifacts: BTreeSet<&String> = release
            .artifacts()
            .filter(|(key, _)| gone(key))
            .map(|(_, asset)| asset)
            .collect();
        let artifacts = artifacts
            .into_iter()
            .map(|asset| format!("the package of {asset}"));
        let hidden = release.hidden().into_iter();
        let values = hidden.map(|name| format!("the hidden value of parameter {name}"));
        artifacts.chain(values).collect()
    }
}

/// Looks for the releases of a stack; there are none where nothing is written down.
pub async fn stack_releases(
    context: &Context,
    target: &StackTarget,
) -> Result<StackReleases, AwsError> {
    let clients = context.clients.in_region(target.region.as_deref());
    let mut releases = StackReleases {
        stack: target.name.clone(),
        app: context.ownership.app.clone(),
        home: context.clients.region().to_owned(),
        ..StackReleases::default()
    };
    let bootstrap = inspect::describe(&clients, BOOTSTRAP_STACK).await?;
    let Some(bucket) = bootstrap.and_then(|mut stack| stack.outputs.remove(BUCKET_OUTPUT)) else {
        return Ok(releases);
    };
    let keys = keys(&clients, &bucket, &format!("{}/", target.name)).await?;
    for key in keys {
        match number(&target.name, &key) {
            Some(number) => {
                releases.records.insert(number, key);
            }
            None => {
                releases.objects.insert(key);
            }
        }
    }
    for (number, key) in &releases.records {
        if let Some(failure) = failed::key_of(&target.name, key)
            && releases.objects.remove(&failure)
        {
            releases.failed.insert(*number, failure);
        }
    }
    releases.deployed = inspect::describe(&clients, &target.name).await?;
    releases.bucket = bucket;
    releases.clients = Some(clients);
    Ok(releases)
}

/// Writes down what is deployed, unless that was done for this state of the stack. `context` is that of its region.
pub(in crate::engine) async fn write(
    context: &Context,
    bucket: &str,
    released: Released<'_>,
) -> Result<(), AwsError> {
    let clients = &context.clients;
    let (Some(hash), Some(changed)) = (hash(released.deployed), released.deployed.changed) else {
        return Ok(());
    };
    let prefix = prefix(&released.manifest.name);
    let earlier = keys(clients, bucket, &prefix).await?;
    if earlier.iter().any(|key| key.ends_with(&hash)) {
        return Ok(());
    }
    let numbers = earlier
        .iter()
        .filter_map(|key| number(&released.manifest.name, key));
    let number = numbers.max().unwrap_or_default() + 1;
    let template: Value = serde_json::from_str(released.template).unwrap_or_default();
    let mut manifest = released.manifest.clone();
    manifest.parameters.clone_from(released.parameters);
    for name in hidden(&template) {
        manifest.parameters.remove(name);
    }
    let record = StackRelease {
        format: FORMAT,
        release: number,
        deployed: rfc3339(changed),
        stage: released.stage.to_owned(),
        origin: Origin::of(context),
        back_to: released.back_to,
        manifest,
        template: released.template.to_owned(),
        sources: sources(released),
    };
    // Texts, numbers and maps of texts are always JSON.
    let body = serde_json::to_vec(&record).unwrap_or_default();
    let key = format!("{prefix}{number:0DIGITS$}{hash}");
    let written = object::write_over(clients, bucket, &key, body, None).await;
    match written {
        // A call that was repeated because its answer was lost has written it.
        Err(error) if mark::is_overtaken(&error) => Ok(()),
        written => written.map(drop),
    }
}

/// Returns what the functions of a stack were made from.
fn sources(released: Released<'_>) -> KeptSources {
    let assets = released.manifest.artifacts.values();
    KeptSources::of(assets.filter_map(|asset| {
        let artifact = released.artifacts.get(asset)?;
        Some((artifact.sha256.as_str(), artifact.made_from.as_deref()?))
    }))
}

/// Returns the number in the key of a release of a stack; none, where an object is none.
pub(in crate::engine) fn number(stack: &str, key: &str) -> Option<u64> {
    let name = key.strip_prefix(&prefix(stack))?.strip_suffix(".json")?;
    let (number, _) = name.split_once('-')?;
    number.parse().ok()
}

/// Reads one release.
pub(in crate::engine) async fn read(
    clients: &Clients,
    bucket: &str,
    key: &str,
) -> Result<StackRelease, AwsError> {
    parse(&object::read(clients, bucket, key).await?.bytes)
}

fn parse(bytes: &[u8]) -> Result<StackRelease, AwsError> {
    serde_json::from_slice::<StackRelease>(bytes)
        .ok()
        .filter(|release| release.format == FORMAT)
        .ok_or_else(|| AwsError::incomplete("GetObject", "release that this version can read"))
}

/// Returns what the keys of a stack's releases begin with.
fn prefix(stack: &str) -> String {
    format!("{stack}/release/")
}

/// Returns what the key of a release ends with that is in this state.
pub(in crate::engine) fn hash(deployed: &DeployedStack) -> Option<String> {
    Some(hash_of(&mark::state(deployed)?))
}

/// The same, where the [state](mark::any_state) is known.
pub(in crate::engine) fn hash_of(state: &str) -> String {
    let mut hash = hex(&Sha256::digest(state));
    hash.truncate(HASH);
    format!("-{hash}.json")
}

/// Lists the keys under a prefix.
async fn keys(clients: &Clients, bucket: &str, prefix: &str) -> Result<Vec<String>, AwsError> {
    let objects = object::listed(clients, bucket, prefix).await?.into_iter();
    Ok(objects.filter_map(|object| object.key).collect())
}
