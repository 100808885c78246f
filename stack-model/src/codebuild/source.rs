//! Where the source of a build comes from, and what is done with it.

use stack_model_cfn::codebuild::project as cfn;
use stack_model_cfn::{Property, Value};

use super::{Wrong, wrong};
use crate::limit::Limited;
use crate::policy::{Statement, allow_on};
use crate::s3::{BucketOperation, BucketRef};
use crate::text;

/// How many commits a build gets; all of them by default.
pub type CloneDepth = Limited<1, 1_000_000>;

/// Where the source of a build comes from.
#[derive(Clone, Debug)]
pub enum BuildSource {
    /// From a repository of GitHub.
    GitHub(GitHubSource),
    /// From the pipeline that a build is a part of.
    CodePipeline,
    /// From an archive in a bucket.
    S3 {
        /// The bucket.
        bucket: BucketRef,
        /// The key of a ZIP archive, or of a folder with a `/` at its end.
        key: String,
    },
    /// From nowhere: the build spec is all there is.
    Nothing,
}

/// A repository of GitHub.
#[derive(Clone, Debug)]
pub struct GitHubSource {
    /// The owner and the name: `example/orders`.
    pub repository: String,
    /// The branch, tag or commit that is built where no event says which; the default branch by default.
    pub branch: Option<String>,
    /// The ARN of the connection to GitHub, made once in the console; what the account is connected with by default.
    pub connection: Option<Value<String>>,
    /// How many commits a build gets; one by default.
    pub clone_depth: Option<CloneDepth>,
    /// Whether GitHub shows at a commit how its build went; it does by default.
    pub report_status: bool,
}

impl GitHubSource {
    /// Takes a repository, by its owner and name.
    pub fn new(repository: impl Into<String>) -> Self {
        Self {
            repository: repository.into(),
            branch: None,
            connection: None,
            clone_depth: Some(Limited::literal(1)),
            report_status: true,
        }
    }
}

/// What a build does.
///
/// See <https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html>.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum BuildSpec {
    /// What `buildspec.yml` at the root of the source says.
    #[default]
    OfSource,
    /// What another file of the source says.
    File(String),
    /// What stands here, as YAML or JSON.
    Inline(String),
}

impl BuildSource {
    pub(super) fn statements(&self) -> Vec<Statement> {
        match self {
            // A connection can also be named by its older prefix, and each action is checked under the one it is asked
            // by; see <https://docs.aws.amazon.com/codebuild/latest/userguide/connections-github-app.html>.
            Self::GitHub(GitHubSource {
                connection: Some(connection),
                ..
            }) => {
                let actions = [
                    "codeconnections:GetConnection",
                    "codeconnections:GetConnectionToken",
                    "codeconnections:UseConnection",
                    "codestar-connections:GetConnection",
                    "codestar-connections:GetConnectionToken",
                    "codestar-connections:UseConnection",
                ];
                allow_on(actions, connection.clone()).into_iter().collect()
            }
            Self::S3 { bucket, key } if key.ends_with('/') => {
                let operations = [BucketOperation::Get, BucketOperation::List];
                bucket.statements_under(key, &operations)
            }
            Self::S3 { bucket, key } => {
                // CodeBuild asks for the version of the object that it builds.
                let actions = ["s3:GetObject", "s3:GetObjectVersion"];
                let object = allow_on(actions, bucket.objects(key));
                object.into_iter().collect()
            }
            Self::GitHub(_) | Self::CodePipeline | Self::Nothing => Vec::new(),
        }
    }

    pub(super) fn violations(&self, spec: &BuildSpec) -> Vec<Wrong> {
        let mut found = Vec::new();
        if let Self::GitHub(github) = self {
            let parts: Vec<&str> = github.repository.split('/').collect();
            let fits = |part: &&str| {
                let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
                !part.is_empty() && part.chars().all(allowed)
            };
            if parts.len() != 2 || !parts.iter().all(fits) {
                let message = format!(
                    "`{}` is not a repository: name its owner and itself, as in `example/orders`",
                    github.repository
                );
                found.push(wrong("Source.Location", message));
            }
        }
        match (self, spec) {
            (Self::Nothing, BuildSpec::OfSource | BuildSpec::File(_)) => {
                let message = "a build without a source has no file to follow: give the build spec with `BuildSpec::Inline(..)`";
                found.push(wrong("Source.BuildSpec", message));
            }
            (_, BuildSpec::Inline(text)) if text.trim().is_empty() => {
                found.push(wrong("Source.BuildSpec", "the build spec is empty"));
            }
            _ => {}
        }
        found
    }

    /// Renders the source, and which version of it is built where no event says which.
    pub(super) fn render(&self, spec: BuildSpec) -> (cfn::Source, Option<String>) {
        let spec = match spec {
            BuildSpec::OfSource => Property::Absent,
            BuildSpec::File(text) | BuildSpec::Inline(text) => text.into(),
        };
        let (kind, location) = match self {
            Self::GitHub(github) => {
                let url = format!("https://github.com/{}.git", github.repository);
                ("GITHUB", Property::from(url))
            }
            Self::CodePipeline => ("CODEPIPELINE", Property::Absent),
            Self::S3 { bucket, key } => ("S3", Property::from(text!("{}/{}", bucket.name(), key))),
            Self::Nothing => ("NO_SOURCE", Property::Absent),
        };
        let mut source = cfn::Source {
            build_spec: spec,
            location,
            type_: kind.into(),
            ..cfn::Source::default()
        };
        let Self::GitHub(github) = self else {
            return (source, None);
        };
        source.git_clone_depth = github.clone_depth.map(Limited::number).into();
        source.report_build_status = github.report_status.into();
        source.auth = github
            .connection
            .clone()
            .map(|connection| cfn::SourceAuth {
                resource: connection.into(),
                type_: "CODECONNECTIONS".into(),
            })
            .into();
        (source, github.branch.clone())
    }
}
