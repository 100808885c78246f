//! Removes the objects of a bucket, every version of them.

use std::ops::ControlFlow;

use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use crate::aws::{AwsError, Clients, OrAws};

/// Removes everything under a prefix, or everything; returns how many versions and markers that were.
///
/// After each batch `progress` hears how many it were so far, and says whether to go on.
///
/// A page of a listing holds at most as many entries as one call deletes: a thousand
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>). A bucket that does not exist is empty.
pub(super) async fn everything(
    clients: &Clients,
    bucket: &str,
    prefix: Option<&str>,
    mut progress: impl FnMut(usize) -> ControlFlow<()>,
) -> Result<usize, AwsError> {
    let mut removed = 0;
    let mut key_marker = None;
    let mut version_marker = None;
    loop {
        let page = clients
            .s3
            .list_object_versions()
            .bucket(bucket)
            .expected_bucket_owner(&clients.identity().account)
            .set_prefix(prefix.map(str::to_owned))
            .set_key_marker(key_marker)
            .set_version_id_marker(version_marker)
            .send()
            .await
            .or_aws(clients, "ListObjectVersions");
        let page = match page {
            Ok(page) => page,
            Err(error) if error.code() == Some("NoSuchBucket") => return Ok(removed),
            Err(error) => return Err(error),
        };
        let versions = page
            .versions
            .unwrap_or_default()
            .into_iter()
            .map(|version| (version.key, version.version_id));
        let markers = page
            .delete_markers
            .unwrap_or_default()
            .into_iter()
            .map(|marker| (marker.key, marker.version_id));
        let objects = versions
            .chain(markers)
            .filter_map(|(key, version)| Some((key?, version)))
            .map(|(key, version)| {
                ObjectIdentifier::builder()
                    .key(key)
                    .set_version_id(version)
                    .build()
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| AwsError::incomplete("ListObjectVersions", "key"))?;
        removed += objects.len();
        delete(clients, bucket, objects).await?;
        key_marker = page.next_key_marker;
        version_marker = page.next_version_id_marker;
        let last = !page.is_truncated.unwrap_or_default() || key_marker.is_none();
        if last || progress(removed).is_break() {
            return Ok(removed);
        }
    }
}

/// Deletes some objects or versions, a thousand at most.
pub(super) async fn delete(
    clients: &Clients,
    bucket: &str,
    objects: Vec<ObjectIdentifier>,
) -> Result<(), AwsError> {
    const OPERATION: &str = "DeleteObjects";
    if objects.is_empty() {
        return Ok(());
    }
    let delete = Delete::builder()
        .set_objects(Some(objects))
        .quiet(true)
        .build()
        .map_err(|_| AwsError::incomplete("ListObjectVersions", "key"))?;
    let answer = clients
        .s3
        .delete_objects()
        .bucket(bucket)
        .expected_bucket_owner(&clients.identity().account)
        .delete(delete)
        .send()
        .await
        .or_aws(clients, OPERATION)?;
    // The call succeeds as a whole even where single objects are refused.
    match answer.errors.unwrap_or_default().into_iter().next() {
        None => Ok(()),
        Some(error) => Err(AwsError::service(
            OPERATION,
            &error.code.unwrap_or_default(),
            &format!(
                "{}: {}",
                error.key.unwrap_or_default(),
                error.message.unwrap_or_default()
            ),
        )),
    }
}
