//! Uploads artifacts and large templates by the hash of their content, only if they are absent.
//!
//! Objects live under the name of their stack, `<stack>/<asset>/<sha256>.zip`, so that a stack that is removed takes
//! its objects along and nothing of another stack or project.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use aws_sdk_s3::{operation::head_object::HeadObjectError, primitives::ByteStream};
use sha2::{Digest, Sha256};
use stack_model::assembly::StackManifest;
use tokio::{sync::Semaphore, task::JoinSet};

use super::{Artifact, Context, Event, Explained};
use crate::{
    ascii,
    aws::{AwsError, Clients, OrAws},
    error::Kind,
    text::hex,
};

/// How many bytes of a template a call may hold; a larger one goes through the artifact bucket
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>).
pub(super) const MAX_BODY: usize = 51_200;

/// How many bytes a template may have at all (the same page: 1 MB).
pub(super) const MAX_TEMPLATE: usize = 1_000_000;

/// How many objects are uploaded at once, over all stacks.
pub(super) const UPLOADS: usize = 8;

/// Why artifacts were not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// A template names an asset that was not built.
    #[error("asset `{0}` has no artifact")]
    MissingArtifact(String),
    /// An artifact could not be read.
    #[error("cannot read {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The bucket refused an object.
    #[error("cannot publish `{key}`")]
    Upload {
        /// The object key.
        key: String,
        /// Why.
        #[source]
        source: AwsError,
    },
    /// A template is larger than CloudFormation accepts.
    #[error("the template has {0} bytes, more than the {MAX_TEMPLATE} that CloudFormation accepts")]
    TemplateTooLarge(usize),
    /// The artifact bucket cannot be looked for.
    #[error("cannot look for the artifact bucket")]
    Bucket(#[source] AwsError),
    /// A template that is too large for a call needs a bucket.
    #[error(
        "the template has {0} bytes with what other stacks still import, more than the {MAX_BODY} that a call takes, and there is no artifact bucket"
    )]
    NoBucket(usize),
    /// The hash of an artifact is none.
    #[error("`{0}` is no SHA-256 in hexadecimal")]
    Hash(String),
}

impl Explained for PublishError {
    fn kind(&self) -> Kind {
        match self {
            Self::MissingArtifact(_) | Self::Hash(_) | Self::TemplateTooLarge(_) => Kind::Assembly,
            Self::Read { .. } => Kind::Io,
            Self::Upload { source, .. } | Self::Bucket(source) => source.kind(),
            Self::NoBucket(_) => Kind::Deploy,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Upload { source, .. } | Self::Bucket(source) => source.hints(),
            Self::NoBucket(_) => {
                vec!["make one with `stackctl bootstrap`, and deploy again".into()]
            }
            Self::TemplateTooLarge(_) => {
                vec!["divide the stack: handles may be used across stacks".into()]
            }
            _ => Vec::new(),
        }
    }
}

/// Where CloudFormation finds a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TemplateSource<'a> {
    /// In the call.
    Body(Cow<'a, str>),
    /// In the artifact bucket.
    Url(String),
}

/// Returns whether a template must go through the artifact bucket.
pub(super) fn needs_bucket(template: &str) -> bool {
    ascii::escaped(template).len() > MAX_BODY
}

/// Returns the key of an artifact of a stack.
pub(super) fn artifact_key(stack: &str, asset: &str, sha256: &str) -> String {
    format!("{stack}/{asset}/{sha256}.zip")
}

/// Returns the SHA-256 of the object with a key, in base64, as Lambda writes that of a function's code.
pub(super) fn sha256_of(key: &str) -> Option<String> {
    let (_, name) = key.rsplit_once('/')?;
    let bytes = from_hex(name.strip_suffix(".zip")?).ok()?;
    Some(aws_smithy_types::base64::encode(bytes))
}

/// Publishes all artifacts of a stack.
pub(super) async fn artifacts(
    context: &Context,
    uploads: &Arc<Semaphore>,
    bucket: &str,
    stack: &StackManifest,
    artifacts: &BTreeMap<String, Artifact>,
) -> Result<(), PublishError> {
    let names: BTreeSet<&String> = stack.artifacts.values().collect();
    let mut running = JoinSet::new();
    for name in names {
        let artifact = artifacts
            .get(name)
            .cloned()
            .ok_or_else(|| PublishError::MissingArtifact(name.clone()))?;
        let key = artifact_key(&stack.name, name, &artifact.sha256);
        let (context, uploads) = (context.clone(), Arc::clone(uploads));
        let (bucket, name) = (bucket.to_owned(), name.clone());
        running.spawn(async move {
            // The semaphore is never closed, so the only answer is a permit.
            let _permit = uploads.acquire_owned().await;
            artifact_once(&context, &bucket, &name, key, &artifact).await
        });
    }
    while let Some(joined) = running.join_next().await {
        match joined {
            Ok(published) => published?,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    Ok(())
}

/// Publishes a template where it is too large for a call, and says where CloudFormation finds it.
pub(super) async fn template<'a>(
    context: &Context,
    bucket: Option<&str>,
    stack: &str,
    template: &'a str,
) -> Result<TemplateSource<'a>, PublishError> {
    let template = ascii::escaped(template);
    if template.len() > MAX_TEMPLATE {
        return Err(PublishError::TemplateTooLarge(template.len()));
    }
    let (Some(bucket), true) = (bucket, template.len() > MAX_BODY) else {
        return Ok(TemplateSource::Body(template));
    };
    let digest = Sha256::digest(template.as_bytes());
    let sha256 = hex(&digest);
    let key = format!("{stack}/template/{sha256}.json");
    let clients = &context.clients;
    let size = u64::try_from(template.len()).unwrap_or(u64::MAX);
    let present = present(clients, bucket, &key, size).await?;
    if present != Present::Whole {
        let body = Body::Text(&template);
        put(clients, bucket, &key, size, body, &digest, present).await?;
    }
    Ok(TemplateSource::Url(object_url(clients, bucket, &key)))
}

async fn artifact_once(
    context: &Context,
    bucket: &str,
    asset: &str,
    key: String,
    artifact: &Artifact,
) -> Result<(), PublishError> {
    let clients = &context.clients;
    let asset = asset.to_owned();
    let present = present(clients, bucket, &key, artifact.size).await?;
    if present == Present::Whole {
        context.emit(Event::ArtifactPresent { asset, key });
        return Ok(());
    }
    let digest = from_hex(&artifact.sha256)?;
    let size = artifact.size;
    context.emit(Event::ArtifactUploading {
        asset: asset.clone(),
        key: key.clone(),
        size,
    });
    let body = Body::File(&artifact.path);
    put(clients, bucket, &key, size, body, &digest, present).await?;
    context.emit(Event::ArtifactUploaded { asset, key, size });
    Ok(())
}

/// What is written.
#[derive(Clone, Copy, Debug)]
enum Body<'a> {
    Text(&'a str),
    File(&'a Path),
}

impl Body<'_> {
    async fn stream(self) -> Result<ByteStream, PublishError> {
        match self {
            Self::Text(text) => Ok(ByteStream::from(text.as_bytes().to_vec())),
            Self::File(path) => {
                ByteStream::from_path(path)
                    .await
                    .map_err(|error| PublishError::Read {
                        path: path.to_owned(),
                        source: std::io::Error::other(error),
                    })
            }
        }
    }
}

/// What a bucket holds under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Present {
    Nothing,
    /// Something of another size, which is the rest of what went wrong elsewhere and is written again.
    Other,
    Whole,
}

/// Returns what the bucket holds under a key that should be an object of this size.
async fn present(
    clients: &Clients,
    bucket: &str,
    key: &str,
    size: u64,
) -> Result<Present, PublishError> {
    let answer = clients
        .s3
        .head_object()
        .bucket(bucket)
        .expected_bucket_owner(&clients.identity().account)
        .key(key)
        .send()
        .await;
    match answer {
        Ok(head) => {
            let length = head.content_length.map(u64::try_from);
            Ok(if length == Some(Ok(size)) {
                Present::Whole
            } else {
                Present::Other
            })
        }
        Err(error)
            if error
                .as_service_error()
                .is_some_and(HeadObjectError::is_not_found) =>
        {
            Ok(Present::Nothing)
        }
        Err(error) => Err(PublishError::Upload {
            key: key.to_owned(),
            source: AwsError::new(clients, "HeadObject", error),
        }),
    }
}

/// Writes an object. S3 refuses bytes that do not have the hash that the key promises.
///
/// Where there was nothing, nothing is replaced either: the bucket keeps versions, and a call that is repeated because
/// its answer was lost, or another run, would leave one too many. S3 answers 412 where something is there by then, and it
/// has the same hash; it answers 409 where it does not know yet, because another call writes the same key at this moment
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>). That one may fail, so the bucket is
/// looked at again.
async fn put(
    clients: &Clients,
    bucket: &str,
    key: &str,
    size: u64,
    body: Body<'_>,
    digest: &[u8],
    mut before: Present,
) -> Result<(), PublishError> {
    for last in [false, false, true] {
        let written = clients
            .s3
            .put_object()
            .bucket(bucket)
            .expected_bucket_owner(&clients.identity().account)
            .key(key)
            .body(body.stream().await?)
            .checksum_sha256(aws_smithy_types::base64::encode(digest))
            .set_if_none_match((before == Present::Nothing).then(|| "*".to_owned()))
            .send()
            .await
            .or_aws(clients, "PutObject");
        match written {
            Err(error) if error.code() == Some("PreconditionFailed") => return Ok(()),
            Err(error) if error.code() == Some("ConditionalRequestConflict") && !last => {
                before = present(clients, bucket, key, size).await?;
                if before == Present::Whole {
                    return Ok(());
                }
            }
            Err(source) => {
                return Err(PublishError::Upload {
                    key: key.to_owned(),
                    source,
                });
            }
            Ok(_) => return Ok(()),
        }
    }
    Ok(())
}

/// Returns the address under which CloudFormation reads an object: path style against an endpoint, which need not
/// resolve a name per bucket.
fn object_url(clients: &Clients, bucket: &str, key: &str) -> String {
    if let Some(endpoint) = clients.endpoint_url() {
        return format!("{}/{bucket}/{key}", endpoint.trim_end_matches('/'));
    }
    let region = clients.region();
    let suffix = if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    };
    format!("https://{bucket}.s3.{region}.{suffix}/{key}")
}

fn from_hex(text: &str) -> Result<Vec<u8>, PublishError> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        })
        .collect();
    match digits {
        Some(digits) if digits.len() == 64 => Ok(digits
            .as_chunks::<2>()
            .0
            .iter()
            .map(|[high, low]| high * 16 + low)
            .collect()),
        _ => Err(PublishError::Hash(text.to_owned())),
    }
}
