//! Reads an object that holds a record: small, and of use as a whole only.

use super::{AwsError, Clients, OrAws};

const OPERATION: &str = "GetObject";

/// How often a read is begun whose answer breaks off. The SDK repeats a call that fails, and hands over the content of an
/// answer that began well as it comes: what breaks off after that is nobody's to repeat but the reader's.
const ATTEMPTS: usize = 3;

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
