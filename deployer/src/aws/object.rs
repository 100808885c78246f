//! Objects of the artifact bucket: which there are, and what a record says, which is small and of use as a whole only.

use std::collections::BTreeMap;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types;
use tokio::task::JoinSet;

use super::{AwsError, Clients, OrAws};

const OPERATION: &str = "GetObject";

/// How often a read is begun whose answer breaks off. The SDK repeats a call that fails, and hands over the content of an
/// answer that began well as it comes: what breaks off after that is nobody's to repeat but the reader's.
const ATTEMPTS: usize = 3;

/// How many objects are read together.
const AT_ONCE: usize = 8;

/// An object that was read whole.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) bytes: Vec<u8>,
    pub(crate) etag: Option<String>,
}

/// Reads an object of the caller's account.
///
/// # Errors
///
/// The error of the call, `NoSuchKey` among them; an incomplete answer where the content breaks off each time.
pub(crate) async fn read(clients: &Clients, bucket: &str, key: &str) -> Result<Object, AwsError> {
    for _ in 0..ATTEMPTS {
        let answer = clients
            .s3
            .get_object()
            .bucket(bucket)
            .expected_bucket_owner(&clients.identity().account)
            .key(key)
            .send()
            .await
            .or_aws(clients, OPERATION)?;
        let etag = answer.e_tag;
        if let Ok(bytes) = answer.body.collect().await {
            return Ok(Object {
                bytes: bytes.to_vec(),
                etag,
            });
        }
    }
    Err(AwsError::incomplete(OPERATION, "whole object"))
}

/// Reads objects, some at a time, and returns them in the order of the keys.
///
/// # Errors
///
/// The first error of a read; the objects before it are lost.
pub(crate) async fn read_all(
    clients: &Clients,
    bucket: &str,
    keys: &[String],
) -> Result<Vec<Object>, AwsError> {
    let mut objects = Vec::with_capacity(keys.len());
    for keys in keys.chunks(AT_ONCE) {
        let mut reads = JoinSet::new();
        for (at, key) in keys.iter().cloned().enumerate() {
            let (clients, bucket) = (clients.clone(), bucket.to_owned());
            reads.spawn(async move { (at, read(&clients, &bucket, &key).await) });
        }
        let mut found = BTreeMap::new();
        // A task that is gone says nothing, and nothing takes tasks away but the end of the process.
        while let Some(Ok((at, object))) = reads.join_next().await {
            found.insert(at, object?);
        }
        objects.extend(found.into_values());
    }
    Ok(objects)
}

/// Writes a record, which is JSON, into a bucket of the caller's account.
pub(crate) async fn write(
    clients: &Clients,
    bucket: &str,
    key: &str,
    json: Vec<u8>,
) -> Result<(), AwsError> {
    clients
        .s3
        .put_object()
        .bucket(bucket)
        .expected_bucket_owner(&clients.identity().account)
        .key(key)
        .body(ByteStream::from(json))
        .content_type("application/json")
        .send()
        .await
        .or_aws(clients, "PutObject")
        .map(drop)
}

/// Writes a record over the one with this `ETag`, or where there is none, and returns the new `ETag`. Refused, where somebody
/// else was first: see <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>.
pub(crate) async fn write_over(
    clients: &Clients,
    bucket: &str,
    key: &str,
    json: Vec<u8>,
    before: Option<&str>,
) -> Result<Option<String>, AwsError> {
    clients
        .s3
        .put_object()
        .bucket(bucket)
        .expected_bucket_owner(&clients.identity().account)
        .key(key)
        .body(ByteStream::from(json))
        .content_type("application/json")
        .set_if_match(before.map(str::to_owned))
        .set_if_none_match(before.is_none().then(|| "*".to_owned()))
        .send()
        .await
        .or_aws(clients, "PutObject")
        .map(|written| written.e_tag)
}

/// Deletes an object from a bucket of the caller's account; one that is not there is gone.
pub(crate) async fn delete(clients: &Clients, bucket: &str, key: &str) -> Result<(), AwsError> {
    clients
        .s3
        .delete_object()
        .bucket(bucket)
        .expected_bucket_owner(&clients.identity().account)
        .key(key)
        .send()
        .await
        .or_aws(clients, "DeleteObject")
        .map(drop)
}

/// Lists the objects under a prefix, in a bucket of the caller's account.
pub(crate) async fn listed(
    clients: &Clients,
    bucket: &str,
    prefix: &str,
) -> Result<Vec<types::Object>, AwsError> {
    let mut objects = Vec::new();
    let mut next = None;
    loop {
        let page = clients
            .s3
            .list_objects_v2()
            .bucket(bucket)
            .expected_bucket_owner(&clients.identity().account)
            .prefix(prefix)
            .set_continuation_token(next)
            .send()
            .await
            .or_aws(clients, "ListObjectsV2")?;
        objects.extend(page.contents.unwrap_or_default());
        next = page.next_continuation_token;
        if next.is_none() {
            return Ok(objects);
        }
    }
}
