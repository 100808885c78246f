//! What a build keeps for the next one, and what it leaves behind.

use stack_model_cfn::codebuild::project as cfn;
use stack_model_cfn::{Property, list};

use super::{BuildSource, Wrong, wrong};
use crate::policy::Statement;
use crate::s3::{BucketOperation, BucketRef};
use crate::text;

/// What a build keeps for the next one. The paths are named in the build spec.
///
/// See <https://docs.aws.amazon.com/codebuild/latest/userguide/build-caching.html>.
#[derive(Clone, Debug, Default)]
pub enum BuildCache {
    /// Nothing.
    #[default]
    Nothing,
    /// On the machine that the next build may run on; where it runs on another, there is nothing.
    Local(Vec<LocalCache>),
    /// In a bucket, under a prefix without `/` at its end. Give it a lifecycle that deletes what is old.
    S3 {
        /// The bucket.
        bucket: BucketRef,
        /// What the keys begin with.
        prefix: String,
    },
}

/// What a local cache keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LocalCache {
    /// The paths that the build spec names.
    Custom,
    /// The layers of images; needs a Docker daemon.
    DockerLayers,
    /// The commits of the source.
    Source,
}

impl LocalCache {
    const fn name(self) -> &'static str {
        match self {
            Self::Custom => "LOCAL_CUSTOM_CACHE",
            Self::DockerLayers => "LOCAL_DOCKER_LAYER_CACHE",
            Self::Source => "LOCAL_SOURCE_CACHE",
        }
    }
}

impl BuildCache {
    pub(super) fn statements(&self) -> Vec<Statement> {
        match self {
            Self::Nothing | Self::Local(_) => Vec::new(),
            Self::S3 { bucket, prefix } => {
                let operations = [BucketOperation::Get, BucketOperation::Put];
                let mut statements = bucket.statements_under(prefix, &operations);
                statements.push(looks_at(bucket));
                statements
            }
        }
    }

    pub(super) fn violations(&self) -> Vec<Wrong> {
        match self {
            Self::Local(modes) if modes.is_empty() => {
                let message = "a local cache keeps at least one thing: `LocalCache::Custom` keeps the paths of the build spec";
                vec![wrong("Cache.Modes", message)]
            }
            Self::S3 { prefix, .. } if prefix.is_empty() || prefix.ends_with('/') => {
                let message = format!(
                    "`{prefix}` is not a prefix for a cache: name a folder, without `/` at its end"
                );
                vec![wrong("Cache.Location", message)]
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn render(self) -> Option<cfn::ProjectCache> {
        match self {
            Self::Nothing => None,
            Self::Local(modes) => Some(cfn::ProjectCache {
                modes: list(modes.into_iter().map(|mode| mode.name().to_owned())),
                type_: "LOCAL".into(),
                ..cfn::ProjectCache::default()
            }),
            Self::S3 { bucket, prefix } => Some(cfn::ProjectCache {
                location: text!("{}/{}", bucket.name(), prefix).into(),
                type_: "S3".into(),
                ..cfn::ProjectCache::default()
            }),
        }
    }
}

/// What a build leaves behind. The files are named in the build spec.
#[derive(Clone, Debug, Default)]
pub enum BuildArtifacts {
    /// Nothing, or what the pipeline wants that the build is a part of.
    #[default]
    Nothing,
    /// A ZIP archive for each build, in a bucket under a prefix without `/` at its end.
    S3 {
        /// The bucket.
        bucket: BucketRef,
        /// What the keys begin with; the id of the build and the name of the archive follow.
        prefix: String,
    },
}

impl BuildArtifacts {
    pub(super) fn statements(&self) -> Vec<Statement> {
        match self {
            Self::Nothing => Vec::new(),
            Self::S3 { bucket, prefix } => {
                let mut statements = bucket.statements_under(prefix, &[BucketOperation::Put]);
                statements.push(looks_at(bucket));
                statements
            }
        }
    }

    pub(super) fn violations(&self, source: &BuildSource) -> Vec<Wrong> {
        match (self, source) {
            (Self::S3 { .. }, BuildSource::CodePipeline) => {
                let message = "a build that is a part of a pipeline gives its artifacts to the pipeline: leave them out here";
                vec![wrong("Artifacts", message)]
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn render(self, for_pipeline: bool) -> cfn::Artifacts {
        let of = |kind: &str| cfn::Artifacts {
            type_: kind.into(),
            ..cfn::Artifacts::default()
        };
        match self {
            Self::Nothing if for_pipeline => of("CODEPIPELINE"),
            Self::Nothing => of("NO_ARTIFACTS"),
            Self::S3 { bucket, prefix } => cfn::Artifacts {
                location: bucket.name().into(),
                name: "artifacts.zip".into(),
                namespace_type: "BUILD_ID".into(),
                packaging: "ZIP".into(),
                path: if prefix.is_empty() {
                    Property::Absent
                } else {
                    prefix.into()
                },
                ..of("S3")
            },
        }
    }
}

/// CodeBuild makes sure that a bucket belongs to the account that it thinks; see
/// <https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html>.
fn looks_at(bucket: &BucketRef) -> Statement {
    Statement::allow(["s3:GetBucketAcl", "s3:GetBucketLocation"]).on(bucket.arn())
}
