//! Buckets of S3.

#[cfg(feature = "bucket")]
mod client;

use std::fmt;
use std::marker::PhantomData;

use crate::binding::Binding;
use crate::grant::Grants;
use crate::kind;

#[cfg(feature = "bucket")]
pub use client::{ListObjects, Listed, Listing, Object, PutObject};

/// A bucket with the operations `G` granted.
pub struct Bucket<G: Grants<kind::Bucket>> {
    #[cfg(feature = "bucket")]
    client: aws_sdk_s3::Client,
    #[cfg(feature = "bucket")]
    name: String,
    grants: PhantomData<fn() -> G>,
}

impl<G: Grants<kind::Bucket>> Binding for Bucket<G> {
    const KIND: &'static str = "bucket";
    const SUFFIX: &'static str = "_NAME";
}

impl<G: Grants<kind::Bucket>> fmt::Debug for Bucket<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bucket = f.debug_struct("Bucket");
        #[cfg(feature = "bucket")]
        bucket.field("name", &self.name);
        bucket.finish_non_exhaustive()
    }
}
