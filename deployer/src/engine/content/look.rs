//! How a bucket differs from its folder.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::progress::Progress;
use super::{FINGERPRINT, FillError, Folder, finished, physical_ids};
use crate::aws::OrAws;
use crate::content::Content;
use crate::engine::{ContentStep, Context};

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
                };
                difference(folder).await?
            }
            None => Difference::from_nothing(content),
        };
        differences.insert(name.clone(), difference);
    }
    Ok(differences)
}

/// Compares a folder with its bucket.
pub(super) async fn difference(folder: Folder<'_>) -> Result<Difference, FillError> {
    let Folder {
        context,
        bucket,
        content,
        ..
    } = folder;
    let present = keys(folder).await?;
    let mut difference = Difference::default();
    let absent = content.files.keys().filter(|key| !present.contains(*key));
    difference.added.extend(absent.cloned());
    let mut looks = JoinSet::new();
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    for key in present {
        if content.manifest.keep_others && !content.files.contains_key(&key) {
            continue;
        }
        let (clients, bucket, turns) = (
            context.clients.clone(),
            bucket.to_owned(),
            Arc::clone(&turns),
        );
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
            Ok::<_, FillError>((key, found))
        });
    }
    let mut progress = Progress::begin(folder, ContentStep::Looking, looks.len());
    while let Some(joined) = looks.join_next().await {
        let (key, found) = finished(joined)?;
        progress.add(1);
        match content.files.get(&key) {
            Some(file) if found.as_ref() == Some(&file.fingerprint()) => {}
            Some(_) => {
                difference.changed.insert(key);
            }
            // An object without a fingerprint was put there by somebody else: an upload of a user, say.
            None if found.is_some() => {
                difference.removed.insert(key);
            }
            None => {}
        }
    }
    Ok(difference)
}

/// Lists the keys under a prefix.
async fn keys(folder: Folder<'_>) -> Result<BTreeSet<String>, FillError> {
    let clients = &folder.context.clients;
    let prefix = &folder.content.manifest.prefix;
    let mut keys = BTreeSet::new();
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
        let objects = page.contents.unwrap_or_default();
        keys.extend(objects.into_iter().filter_map(|object| object.key));
        next = page.next_continuation_token;
        if next.is_none() {
            return Ok(keys);
        }
    }
}
