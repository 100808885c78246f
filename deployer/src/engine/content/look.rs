//! How a bucket differs from its folder.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::known::{self, Known, Version};
use super::progress::Progress;
use super::{FINGERPRINT, FillError, Folder, finished, physical_ids};
use crate::aws::OrAws;
use crate::content::Content;
use crate::engine::{ContentStep, Context, bootstrap};

/// How many objects are looked at at once. S3 answers 5,500 looks a second for each prefix
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html>).
const AT_ONCE: usize = 64;

/// How a bucket differs from a folder, by keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::engine) struct Difference {
    pub(in crate::engine) added: BTreeSet<String>,
    pub(in crate::engine) changed: BTreeSet<String>,
    pub(in crate::engine) removed: BTreeSet<String>,
}

impl Difference {
    /// Returns whether the bucket holds what the folder holds.
    pub(in crate::engine) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }

    pub(super) fn is_written(&self, key: &String) -> bool {
        self.added.contains(key) || self.changed.contains(key)
    }

    /// Returns the difference from a bucket that does not exist yet.
    pub(in crate::engine) fn from_nothing(content: &Content) -> Self {
        Self {
            added: content.files.keys().cloned().collect(),
            ..Self::default()
        }
    }
}

/// Compares the folders of a deployed stack with its buckets. `context` is that of the stack's region.
pub(in crate::engine) async fn differences(
    context: &Context,
    stack: &str,
    contents: &BTreeMap<String, Content>,
) -> Result<BTreeMap<String, Difference>, FillError> {
    let resources = physical_ids(&context.clients, stack).await?;
    let archive = if known::is_worth_of(contents.values()) {
        // Without it each object is looked at.
        bootstrap::existing(context).await.ok().flatten()
    } else {
        None
    };
    let mut differences = BTreeMap::new();
    for (name, content) in contents {
        let difference = match resources.get(&content.manifest.bucket) {
            Some(bucket) => {
                let folder = Folder {
                    context,
                    stack,
                    name,
                    bucket,
                    content,
                    archive: archive.as_deref(),
                };
                difference(folder).await?.0
            }
            None => Difference::from_nothing(content),
        };
        differences.insert(name.clone(), difference);
    }
    Ok(differences)
}

/// Compares a folder with its bucket, and returns besides what the bucket holds.
pub(super) async fn difference(folder: Folder<'_>) -> Result<(Difference, Known), FillError> {
    let Folder {
        context,
        bucket,
        content,
        ..
    } = folder;
    let mut present = objects(folder).await?;
    let mut known = Known::read(folder).await;
    let mut difference = Difference::default();
    let absent = content.files.keys();
    let absent = absent.filter(|key| !present.contains_key(*key));
    difference.added.extend(absent.cloned());
    if content.manifest.keep_others {
        present.retain(|key, _| content.files.contains_key(key));
    }
    known.retain(|key| present.contains_key(key));
    let mut found = BTreeMap::new();
    let mut looks = JoinSet::new();
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    for (key, version) in &present {
        let object = version.as_ref().and_then(|it| known.object(key, it));
        if let Some(object) = object {
            found.insert(key.clone(), object.fingerprint.clone());
            continue;
        }
        let (clients, bucket, turns) = (
            context.clients.clone(),
            bucket.to_owned(),
            Arc::clone(&turns),
        );
        let key = key.clone();
        looks.spawn(async move {
            // The semaphore is never closed, so the only answer is a permit.
            let _turn = turns.acquire_owned().await;
            let head = clients
                .s3
                .head_object()
                .bucket(&bucket)
                .key(&key)
                .send()
                .await;
            let head = head
                .or_aws(&clients, "HeadObject")
                .map_err(|source| FillError::Aws { bucket, source })?;
            let found = head.metadata.and_then(|mut data| data.remove(FINGERPRINT));
            Ok::<_, FillError>((key, found, head.e_tag))
        });
    }
    let mut progress = Progress::begin(folder, ContentStep::Looking, looks.len());
    while let Some(joined) = looks.join_next().await {
        let (key, fingerprint, etag) = finished(joined)?;
        progress.add(1);
        let version = present.get(&key).cloned().flatten();
        // What was written between the list and the look is another state than the one that was listed.
        if let Some(version) = version.filter(|it| etag.is_some_and(|etag| it.is(&etag))) {
            known.set(&key, version, fingerprint.clone());
        }
        found.insert(key, fingerprint);
    }
    for (key, fingerprint) in found {
        match content.files.get(&key) {
            Some(file) if fingerprint.as_ref() == Some(&file.fingerprint()) => {}
            Some(_) => {
                difference.changed.insert(key);
            }
            // An object without a fingerprint was put there by somebody else: an upload of a user, say.
            None if fingerprint.is_some() => {
                difference.removed.insert(key);
            }
            None => {}
        }
    }
    Ok((difference, known))
}

/// Takes note of what was written, each object with the `ETag` that it got, where it is still that.
pub(super) async fn written(
    folder: Folder<'_>,
    mut known: Known,
    written: &BTreeMap<String, String>,
) -> Result<Known, FillError> {
    let present = objects(folder).await?;
    known.retain(|key| present.contains_key(key));
    for (key, etag) in written {
        let version = present.get(key).and_then(Option::as_ref);
        let file = folder.content.files.get(key);
        if let (Some(version), Some(file)) = (version.filter(|it| it.is(etag)), file) {
            known.set(key, version.clone(), Some(file.fingerprint()));
        }
    }
    Ok(known)
}

/// Lists the objects under a prefix: in which state each is, where that is told.
async fn objects(folder: Folder<'_>) -> Result<BTreeMap<String, Option<Version>>, FillError> {
    let clients = &folder.context.clients;
    let prefix = &folder.content.manifest.prefix;
    let mut listed = BTreeMap::new();
    let mut next = None;
    loop {
        let page = clients
            .s3
            .list_objects_v2()
            .bucket(folder.bucket)
            .set_prefix((!prefix.is_empty()).then(|| prefix.clone()))
            .set_continuation_token(next)
            .send()
            .await
            .or_aws(clients, "ListObjectsV2")
            .map_err(|source| folder.failed(source))?;
        for object in page.contents.unwrap_or_default() {
            let version = Version::of(&object);
            listed.extend(object.key.map(|key| (key, version)));
        }
        next = page.next_continuation_token;
        if next.is_none() {
            return Ok(listed);
        }
    }
}
