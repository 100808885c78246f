//! The client side of a bucket.

use std::future::IntoFuture;
use std::marker::PhantomData;
use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;

use super::Bucket;
use crate::Call;
use crate::environment::{Connect, Environment, VariableFault};
use crate::error::{CallError, Reason};
use crate::grant::{Allows, Grants};
use crate::kind;
use crate::operation::{Delete, Get, List, Put};

impl<G: Grants<kind::Bucket>> Connect for Bucket<G> {
    fn connect(environment: &Environment, value: &str) -> Result<Self, VariableFault> {
        Ok(Self::with_client(environment.s3(), value))
    }
}

impl<G: Grants<kind::Bucket>> Bucket<G> {
    /// Binds to the bucket of the given name, for tests.
    pub fn with_client(client: aws_sdk_s3::Client, name: impl Into<String>) -> Self {
        Self {
            client,
            name: name.into(),
            grants: PhantomData,
        }
    }

    /// Returns the name of the bucket.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads an object into memory; `None` means that there is none with the key.
    ///
    /// Without the grant of [`List`], S3 answers that access is denied where there is no object, so that a function
    /// cannot find out what exists; see
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html#API_GetObject_RequestSyntax>.
    pub async fn get<At>(&self, key: &str) -> Result<Option<Object>, CallError>
    where
        G: Allows<Get, At>,
    {
        const ACTION: &str = "get";
        let answer = self
            .client
            .get_object()
            .bucket(&self.name)
            .key(key)
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error)
                if error.as_service_error().is_some_and(
                    aws_sdk_s3::operation::get_object::GetObjectError::is_no_such_key,
                ) =>
            {
                return Ok(None);
            }
            Err(error) => {
                return Err(CallError::from_sdk(ACTION, &self.described(key), error));
            }
        };
        let bytes = answer.body.collect().await.map_err(|error| {
            CallError::new(ACTION, &self.described(key), Reason::Unreachable).caused_by(error)
        })?;
        Ok(Some(Object {
            bytes: bytes.to_vec(),
            content_type: answer.content_type,
            e_tag: answer.e_tag,
        }))
    }

    /// Puts an object, replacing one with the same key; await it for the entity tag.
    pub fn put<At>(&self, key: &str, bytes: impl Into<Vec<u8>>) -> PutObject<'_>
    where
        G: Allows<Put, At>,
    {
        PutObject {
            client: &self.client,
            name: &self.name,
            key: key.to_owned(),
            bytes: bytes.into(),
            content_type: None,
            if_absent: false,
        }
    }

    /// Deletes an object. Deleting what is not there succeeds.
    pub async fn delete<At>(&self, key: &str) -> Result<(), CallError>
    where
        G: Allows<Delete, At>,
    {
        self.client
            .delete_object()
            .bucket(&self.name)
            .key(key)
            .send()
            .await
            .map(|_| ())
            .map_err(|error| CallError::from_sdk("delete", &self.described(key), error))
    }

    /// Lists the objects whose keys start with the given prefix, in the order of their keys; await it for one page
    /// of up to 1,000.
    pub fn list<At>(&self, prefix: &str) -> ListObjects<'_>
    where
        G: Allows<List, At>,
    {
        ListObjects {
            client: &self.client,
            name: &self.name,
            prefix: prefix.to_owned(),
            limit: None,
            start: None,
        }
    }

    /// Makes a URL with which anyone can read an object for the given time, at most seven days, and no longer than
    /// the credentials of the function live.
    pub async fn presigned_get<At>(&self, key: &str, valid: Duration) -> Result<String, CallError>
    where
        G: Allows<Get, At>,
    {
        const ACTION: &str = "presign a read of";
        let request = self
            .client
            .get_object()
            .bucket(&self.name)
            .key(key)
            .presigned(self.presigning(ACTION, key, valid)?)
            .await
            .map_err(|error| CallError::from_sdk(ACTION, &self.described(key), error))?;
        Ok(request.uri().to_owned())
    }

    /// Makes a URL with which anyone can write an object for the given time, at most seven days, and no longer than
    /// the credentials of the function live.
    pub async fn presigned_put<At>(&self, key: &str, valid: Duration) -> Result<String, CallError>
    where
        G: Allows<Put, At>,
    {
        const ACTION: &str = "presign a write of";
        let request = self
            .client
            .put_object()
            .bucket(&self.name)
            .key(key)
            .presigned(self.presigning(ACTION, key, valid)?)
            .await
            .map_err(|error| CallError::from_sdk(ACTION, &self.described(key), error))?;
        Ok(request.uri().to_owned())
    }

    fn presigning(
        &self,
        action: &'static str,
        key: &str,
        valid: Duration,
    ) -> Result<PresigningConfig, CallError> {
        PresigningConfig::expires_in(valid).map_err(|error| {
            CallError::new(action, &self.described(key), Reason::Invalid).caused_by(error)
        })
    }

    fn described(&self, key: &str) -> String {
        described(&self.name, key)
    }
}

fn described(bucket: &str, key: &str) -> String {
    format!("object `{key}` of bucket `{bucket}`")
}

/// An object that was read into memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// The content.
    pub bytes: Vec<u8>,
    /// The media type.
    pub content_type: Option<String>,
    /// The entity tag, which changes with the content.
    pub e_tag: Option<String>,
}

/// A request to put one object; await it for the entity tag.
#[derive(Debug)]
#[must_use = "a request does nothing until it is awaited"]
pub struct PutObject<'a> {
    client: &'a aws_sdk_s3::Client,
    name: &'a str,
    key: String,
    bytes: Vec<u8>,
    content_type: Option<String>,
    if_absent: bool,
}

impl PutObject<'_> {
    /// Sets the media type.
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// Puts the object only where there is none with its key; otherwise fails with [`Reason::ConditionFailed`].
    pub fn if_absent(mut self) -> Self {
        self.if_absent = true;
        self
    }

    async fn call(self) -> Result<Option<String>, CallError> {
        let answer = self
            .client
            .put_object()
            .bucket(self.name)
            .key(&self.key)
            .set_content_type(self.content_type)
            .set_if_none_match(self.if_absent.then(|| "*".to_owned()))
            .body(ByteStream::from(self.bytes))
            .send()
            .await
            .map_err(|error| CallError::from_sdk("put", &described(self.name, &self.key), error))?;
        Ok(answer.e_tag)
    }
}

impl<'a> IntoFuture for PutObject<'a> {
    type Output = Result<Option<String>, CallError>;
    type IntoFuture = Call<'a, Option<String>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.call())
    }
}

/// A request to list objects; await it for one page, or take [`ListObjects::all`].
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is awaited"]
pub struct ListObjects<'a> {
    client: &'a aws_sdk_s3::Client,
    name: &'a str,
    prefix: String,
    limit: Option<i32>,
    start: Option<String>,
}

impl ListObjects<'_> {
    /// Returns at most so many objects in a page, 1,000 at most.
    pub fn limit(mut self, objects: u16) -> Self {
        self.limit = Some(i32::from(objects.clamp(1, 1000)));
        self
    }

    /// Starts where an earlier page ended.
    pub fn start(mut self, next: impl Into<String>) -> Self {
        self.start = Some(next.into());
        self
    }

    /// Reads page after page, and returns all objects.
    ///
    /// # Errors
    ///
    /// Fails with the first page that cannot be read.
    pub async fn all(mut self) -> Result<Vec<Listed>, CallError> {
        let mut objects = Vec::new();
        loop {
            let page = self.clone().call().await?;
            objects.extend(page.objects);
            match page.next {
                Some(next) => self.start = Some(next),
                None => return Ok(objects),
            }
        }
    }

    async fn call(self) -> Result<Listing, CallError> {
        let answer = self
            .client
            .list_objects_v2()
            .bucket(self.name)
            .prefix(self.prefix)
            .set_max_keys(self.limit)
            .set_continuation_token(self.start)
            .send()
            .await
            .map_err(|error| {
                CallError::from_sdk(
                    "list the objects of",
                    &format!("bucket `{}`", self.name),
                    error,
                )
            })?;
        let objects = answer.contents.unwrap_or_default().into_iter();
        Ok(Listing {
            objects: objects
                .map(|object| Listed {
                    key: object.key.unwrap_or_default(),
                    size: object
                        .size
                        .and_then(|size| u64::try_from(size).ok())
                        .unwrap_or_default(),
                    e_tag: object.e_tag,
                })
                .collect(),
            next: answer.next_continuation_token,
        })
    }
}

impl<'a> IntoFuture for ListObjects<'a> {
    type Output = Result<Listing, CallError>;
    type IntoFuture = Call<'a, Listing>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.call())
    }
}

/// Some of the objects of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The objects of the page.
    pub objects: Vec<Listed>,
    /// Where the next page starts, or `None` at the end.
    pub next: Option<String>,
}

/// One object in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The key.
    pub key: String,
    /// The size in bytes.
    pub size: u64,
    /// The entity tag, which changes with the content.
    pub e_tag: Option<String>,
}
