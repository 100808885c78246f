//! Buckets that answer browsers themselves, over plain HTTP.

use stack_model_cfn::Value;
use stack_model_cfn::s3::bucket as cfn;

use super::BucketRef;
use crate::policy::{Principal, Statement};

/// What a bucket answers browsers at its website address, which speaks HTTP only.
///
/// Most sites are better served by CloudFront, from a private bucket and over TLS. See
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteHosting.html>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Website {
    /// Its objects, which everybody may then read, TLS or not.
    Pages {
        /// The object that stands for a folder, such as `index.html`.
        index: String,
        /// The key of the object that is shown where there is none, such as `404.html`.
        error: Option<String>,
        /// Why everybody may read every object.
        because: String,
    },
    /// A redirect to another host. The bucket stays private.
    Redirect {
        /// The host name.
        host: Value<String>,
    },
}

impl Website {
    /// Returns why everybody may read, where they may.
    pub(super) fn public_because(&self) -> Option<&str> {
        match self {
            Self::Pages { because, .. } => Some(because),
            Self::Redirect { .. } => None,
        }
    }

    pub(super) fn render(self) -> cfn::WebsiteConfiguration {
        match self {
            Self::Pages { index, error, .. } => cfn::WebsiteConfiguration {
                error_document: error.into(),
                index_document: index.into(),
                ..cfn::WebsiteConfiguration::default()
            },
            Self::Redirect { host } => cfn::WebsiteConfiguration {
                redirect_all_requests_to: cfn::RedirectAllRequestsTo {
                    host_name: host.into(),
                    protocol: "https".into(),
                }
                .into(),
                ..cfn::WebsiteConfiguration::default()
            },
        }
    }
}

/// Lets everybody read objects.
pub(super) fn public(bucket: &BucketRef, because: &str) -> Statement {
    Statement::allow(["s3:GetObject"])
        .to(Principal::Anyone)
        .on(bucket.objects("*"))
        .because(because)
}
