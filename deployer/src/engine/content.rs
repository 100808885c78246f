//! Fills buckets with folders of the workspace.
//!
//! Every object carries a fingerprint of its bytes and headers as metadata, so that a deploy uploads what changed and
//! nothing else. Pages are written after everything they may name, and objects of ours that no file stands for are
//! deleted last, so that a visitor never gets a page whose parts are missing. What somebody else put into the bucket
//! stays.
//!
//! What a large bucket was found to hold is written down, so that a deploy that changes nothing lists the bucket and asks no
//! object for its fingerprint.
//!
//! Where a distribution is to forget what it has, one object gets its fingerprint only after that: a run that ends in
//! between leaves a difference, and the next one goes on.

mod error;
mod known;
mod look;
mod progress;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_cloudfront::types::{InvalidationBatch, Paths};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ObjectIdentifier;
use stack_model::assembly::StackManifest;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

pub use error::FillError;
pub(super) use known::is_record;
pub(super) use look::{Difference, differences};

use self::look::difference;
use self::progress::Progress;
use super::{ContentStep, Context, Event, empty, inspect};
use crate::aws::{AwsError, Clients, OrAws};
use crate::content::{Content, ContentFile};

/// The key of the metadata that holds the fingerprint of an object.
const FINGERPRINT: &str = "stackctl-fingerprint";

/// The fingerprint of an object of ours that has to be written once more.
const PENDING: &str = "pending";

/// How many objects are written at once.
const AT_ONCE: usize = 16;

/// How many keys one call deletes: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>.
const DELETED_AT_ONCE: usize = 1000;

/// The folders that a run compared with their buckets, and filled: nobody looks twice in one run, in which a stack may be
/// updated twice.
#[derive(Debug, Default)]
pub(super) struct Filled(Mutex<BTreeSet<[String; 3]>>);

impl Filled {
    fn all(&self) -> std::sync::MutexGuard<'_, BTreeSet<[String; 3]>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Fills the buckets of a deployed stack. `context` is that of the stack's region, and `archive` its artifact bucket.
///
/// A run that is stopped ends between two objects, and the next one goes on: what was written is not written again.
pub(super) async fn fill(
    context: &Context,
    stack: &StackManifest,
    contents: &BTreeMap<String, Content>,
    archive: Option<&str>,
    filled: &Filled,
) -> Result<(), FillError> {
    if contents.is_empty() {
        return Ok(());
    }
    let resources = physical_ids(&context.clients, &stack.name).await?;
    let physical_id = |logical_id: &str| {
        resources
            .get(logical_id)
            .cloned()
            .ok_or_else(|| FillError::NoResource(logical_id.to_owned()))
    };
    for (name, content) in contents {
        let bucket = physical_id(&content.manifest.bucket)?;
        let place = [stack.name.clone(), name.clone(), bucket.clone()];
        if filled.all().contains(&place) {
            continue;
        }
        // Looking changes nothing, so it may be left at any time.
        let folder = Folder {
            context,
            stack: &stack.name,
            name,
            bucket: &bucket,
            content,
            archive,
        };
        let (difference, known) = tokio::select! {
            biased;
            () = context.cancel.cancelled() => return Err(FillError::NotBegun(bucket)),
            difference = difference(folder) => difference?,
        };
        if difference.is_empty() {
            known.write(folder).await;
            filled.all().insert(place);
            continue;
        }
        let distribution = content.manifest.invalidate.as_deref();
        let distribution = distribution.map(physical_id).transpose()?;
        let filling = Filling {
            folder,
            difference: &difference,
        };
        let written = filling.run(distribution.as_deref()).await?;
        if known::archive(folder).is_some() {
            // The bucket is filled, whatever becomes of what is written down about it.
            match look::written(folder, known, &written).await {
                Ok(known) => known.write(folder).await,
                Err(error) => known::unwritten(folder, &error),
            }
        }
        filled.all().insert(place);
        context.emit(Event::ContentPublished {
            stack: stack.name.clone(),
            content: name.clone(),
            bucket,
            added: difference.added.len(),
            changed: difference.changed.len(),
            removed: difference.removed.len(),
        });
    }
    Ok(())
}

/// A folder and the bucket that is to hold it.
#[derive(Clone, Copy)]
struct Folder<'a> {
    /// That of the stack's region.
    context: &'a Context,
    stack: &'a str,
    /// The name of the declaration.
    name: &'a str,
    bucket: &'a str,
    content: &'a Content,
    /// The artifact bucket, where what the bucket holds is written down.
    archive: Option<&'a str>,
}

impl Folder<'_> {
    fn failed(&self, source: AwsError) -> FillError {
        FillError::Aws {
            bucket: self.bucket.to_owned(),
            source,
        }
    }
}

/// A bucket that is being filled.
struct Filling<'a> {
    folder: Folder<'a>,
    difference: &'a Difference,
}

impl Filling<'_> {
    /// Writes what is new, removes what is old and makes the distribution forget what it had. Returns the `ETag`s of the
    /// objects that were written, by key.
    async fn run(&self, distribution: Option<&str>) -> Result<BTreeMap<String, String>, FillError> {
        let Folder {
            context,
            bucket,
            content,
            ..
        } = self.folder;
        let clients = &context.clients;
        let Difference {
            added,
            changed,
            removed,
        } = self.difference;
        let seal = distribution.and_then(|_| seal(content, self.difference));
        let mut missing: BTreeSet<String> = added.union(changed).cloned().collect();
        let mut etags = BTreeMap::new();
        let mut progress = Progress::begin(self.folder, ContentStep::Writing, missing.len());
        for pages in [false, true] {
            let files = content.files.iter().filter(|(key, file)| {
                file.is_page() == pages
                    && self.difference.is_written(key)
                    && seal.is_none_or(|(seal, _)| seal != *key)
            });
            for (key, etag) in self.upload(files, &mut progress).await? {
                missing.remove(&key);
                etags.extend(etag.map(|etag| (key, etag)));
            }
            // What comes after the last upload is two calls or three: they are made.
            if context.cancel.is_cancelled() && !missing.is_empty() {
                return Err(FillError::Stopped {
                    bucket: bucket.to_owned(),
                    written: added.len() + changed.len() - missing.len(),
                    missing: missing.into_iter().collect(),
                });
            }
        }
        if let Some(seal) = seal {
            put(clients, bucket, seal, Sealed::No).await?;
        }
        self.delete(removed).await?;
        if let Some(distribution) = distribution {
            invalidate(self.folder, distribution).await?;
        }
        if let Some(seal) = seal {
            let etag = put(clients, bucket, seal, Sealed::Yes).await?;
            etags.extend(etag.map(|etag| (seal.0.clone(), etag)));
        }
        Ok(etags)
    }

    /// Writes objects, until the run is stopped. Returns the keys of those that were written, and their `ETag`s.
    async fn upload<'a>(
        &self,
        files: impl Iterator<Item = (&'a String, &'a ContentFile)>,
        progress: &mut Progress<'_>,
    ) -> Result<Vec<(String, Option<String>)>, FillError> {
        let Folder {
            context, bucket, ..
        } = self.folder;
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        let mut uploads = JoinSet::new();
        for (key, file) in files {
            let (clients, bucket) = (context.clients.clone(), bucket.to_owned());
            let (key, file, turns) = (key.clone(), file.clone(), Arc::clone(&turns));
            let cancel = context.cancel.clone();
            uploads.spawn(async move {
                // The semaphore is never closed, so the only answer is a permit.
                let _turn = turns.acquire_owned().await;
                if cancel.is_cancelled() {
                    return Ok(None);
                }
                let etag = put(&clients, &bucket, (&key, &file), Sealed::Yes).await?;
                Ok(Some((key, etag)))
            });
        }
        let mut written = Vec::new();
        while let Some(joined) = uploads.join_next().await {
            if let Some(object) = finished(joined)? {
                written.push(object);
                progress.add(1);
            }
        }
        Ok(written)
    }

    async fn delete(&self, keys: &BTreeSet<String>) -> Result<(), FillError> {
        let keys: Vec<&String> = keys.iter().collect();
        let mut progress = Progress::begin(self.folder, ContentStep::Removing, keys.len());
        for part in keys.chunks(DELETED_AT_ONCE) {
            let objects = part
                .iter()
                .map(|key| ObjectIdentifier::builder().key(key.as_str()).build())
                .collect::<Result<Vec<_>, _>>()
                .map_err(|_| AwsError::incomplete("ListObjectsV2", "key"));
            let deleted = match objects {
                Ok(objects) => {
                    let clients = &self.folder.context.clients;
                    empty::delete(clients, self.folder.bucket, objects).await
                }
                Err(error) => Err(error),
            };
            deleted.map_err(|source| self.folder.failed(source))?;
            progress.add(part.len());
        }
        Ok(())
    }
}

/// Returns the object that says whether the distribution forgot what it had: the last of those that are written, or any
/// where some are only removed.
fn seal<'a>(
    content: &'a Content,
    difference: &Difference,
) -> Option<(&'a String, &'a ContentFile)> {
    let last = |(key, file): &(&String, &ContentFile)| (difference.is_written(key), file.is_page());
    content.files.iter().max_by_key(last)
}

async fn physical_ids(
    clients: &Clients,
    stack: &str,
) -> Result<BTreeMap<String, String>, FillError> {
    let resources = inspect::resources(clients, stack)
        .await
        .map_err(|source| FillError::Aws {
            bucket: format!("of stack {stack}"),
            source,
        })?;
    Ok(resources
        .into_iter()
        .map(|resource| (resource.logical_id, resource.physical_id))
        .collect())
}

/// Whether an object gets its fingerprint. The next run takes one without for changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sealed {
    Yes,
    No,
}

/// Writes one object, and returns its `ETag`. S3 refuses bytes that are not those that were read before, should the file have changed since.
async fn put(
    clients: &Clients,
    bucket: &str,
    (key, file): (&String, &ContentFile),
    sealed: Sealed,
) -> Result<Option<String>, FillError> {
    let body = ByteStream::from_path(&file.path)
        .await
        .map_err(|source| FillError::Read {
            path: file.path.clone(),
            source: std::io::Error::other(source),
        })?;
    let fingerprint = match sealed {
        Sealed::Yes => file.fingerprint(),
        Sealed::No => PENDING.to_owned(),
    };
    clients
        .s3
        .put_object()
        .bucket(bucket)
        .key(key)
        .body(body)
        .checksum_sha256(aws_smithy_types::base64::encode(file.sha256))
        .content_type(&file.content_type)
        .set_cache_control(file.cache_control.clone())
        .metadata(FINGERPRINT, fingerprint)
        .send()
        .await
        .or_aws(clients, "PutObject")
        .map(|written| written.e_tag)
        .map_err(|source| FillError::Aws {
            bucket: bucket.to_owned(),
            source,
        })
}

/// Makes a distribution forget what it has of a bucket; `/*` counts as one path.
async fn invalidate(folder: Folder<'_>, distribution: &str) -> Result<(), FillError> {
    let Folder { context, name, .. } = folder;
    let clients = &context.clients;
    // CloudFront takes a reference that it has seen for a call that is repeated, and does nothing:
    // <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_InvalidationBatch.html>. Contents that refresh the
    // same distribution need one each.
    let now = context.timing.now();
    let age = now
        .duration_since(std::time::SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let reference = format!("stackctl-{}-{name}", age.as_nanos());
    let paths = Paths::builder().quantity(1).items("/*").build();
    let batch = paths.and_then(|paths| {
        InvalidationBatch::builder()
            .paths(paths)
            .caller_reference(reference)
            .build()
    });
    let invalidated = match batch {
        Ok(batch) => clients
            .cloudfront
            .create_invalidation()
            .distribution_id(distribution)
            .invalidation_batch(batch)
            .send()
            .await
            .or_aws(clients, "CreateInvalidation")
            .map(drop),
        Err(_) => Err(AwsError::incomplete("CreateInvalidation", "paths")),
    };
    invalidated.map_err(|source| folder.failed(source))
}

/// Returns what a task returned; a panic goes on here.
fn finished<T>(
    joined: Result<Result<T, FillError>, tokio::task::JoinError>,
) -> Result<T, FillError> {
    match joined {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
