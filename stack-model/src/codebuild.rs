//! AWS CodeBuild: projects that test and deploy, and the rights that a deploy needs.
//!
//! | child | logical id |
//! |---|---|
//! | the role that builds run with | `<Project>Role` |
//! | the log group of the builds | `<Project>Logs` |
//!
//! What a project may do beyond its own logs, sources, variables, cache and artifacts is granted to
//! [`ProjectRef::role`]. Where it deploys, [`DeployRights`] computes the rights from the stacks it deploys.

use std::panic::Location;

use stack_model_cfn::codebuild as cfn;
use stack_model_cfn::{Property, ResourceId, Value};

use crate::arn::Arn;
use crate::handle::{Handle, get_att, reference};
use crate::iam::{ManagedPolicy, RoleProps, RoleRef};
use crate::kms::{KeyOperation, KeyRef};
use crate::limit::Limited;
use crate::logs::{LogGroupProps, Retention};
use crate::name::NameRule;
use crate::policy::{Statement, allow_on};
use crate::resource::Resource;
use crate::stack::Stack;

mod deploy;
mod environment;
mod network;
mod report;
mod source;
mod storage;
mod webhook;

pub use deploy::DeployRights;
pub use environment::{BuildEnvironment, BuildImage, BuildProcessor, BuildVariable, ComputeType};
pub use network::BuildNetwork;
pub use report::{ReportGroupProps, ReportGroupRef, ReportKind};
pub use source::{BuildSource, BuildSpec, CloneDepth, GitHubSource};
pub use storage::{BuildArtifacts, BuildCache, LocalCache};
pub use webhook::{WebhookEvent, WebhookFilter};

/// Marks the ARN of a project.
#[derive(Debug)]
pub enum Project {}

/// How long a build may take, in minutes; see
/// <https://docs.aws.amazon.com/codebuild/latest/userguide/limits.html>.
pub type BuildTimeout = Limited<5, 2160>;

/// How long a build may wait for others, in minutes.
pub type QueueTimeout = Limited<5, 480>;

/// How many builds of a project run at once.
pub type ConcurrentBuilds = Limited<1, 10_000>;

/// How often a build that failed starts again by itself.
pub type AutoRetries = Limited<0, 10>;

/// What a project is made of.
///
/// A constructor takes where the source comes from, and the rest is set over it:
///
/// ```
/// use stack_model::codebuild::{BuildSource, GitHubSource, ProjectProps};
///
/// let mut source = GitHubSource::new("example/orders");
/// source.branch = Some("main".to_owned());
/// let props = ProjectProps {
///     description: Some("Tests and deploys".to_owned()),
///     ..ProjectProps::new(BuildSource::GitHub(source))
/// };
/// ```
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-codebuild-project.html>.
#[derive(Clone, Debug)]
pub struct ProjectProps {
    /// Where the source comes from.
    pub source: BuildSource,
    /// What a build does; `buildspec.yml` of the source by default.
    pub build_spec: BuildSpec,
    /// The physical name, 2 to 150 letters, digits, `-` and `_`. Leave it out unless something outside the stack needs
    /// it: a named project cannot be replaced.
    pub name: Option<Value<String>>,
    /// What the project is for, at most 255 characters.
    pub description: Option<String>,
    /// What a build runs in.
    pub environment: BuildEnvironment,
    /// What a build keeps for the next one; nothing by default.
    pub cache: BuildCache,
    /// What a build leaves behind; nothing by default.
    pub artifacts: BuildArtifacts,
    /// How long a build may take; 60 minutes by default, which is AWS's.
    pub timeout: Option<BuildTimeout>,
    /// How long a build may wait for others; 480 minutes by default, which is AWS's.
    pub queued_timeout: Option<QueueTimeout>,
    /// How many builds run at once; as many as the account allows by default. A project that deploys wants one.
    pub concurrency: Option<ConcurrentBuilds>,
    /// How often a build that failed starts again by itself; never by default.
    pub retries: Option<AutoRetries>,
    /// How long the logs are kept; 30 days by default, where AWS keeps them for ever.
    pub log_retention: Retention,
    /// A key of the customer's own for artifacts; the account's key for S3 by default.
    pub key: Option<KeyRef>,
    /// The network of the customer's own that builds run in; none by default.
    pub network: Option<BuildNetwork>,
    /// Which events of the repository start a build; none by default. Each inner list is one group: a build starts where
    /// all filters of a group hold.
    pub webhook: Vec<Vec<WebhookFilter>>,
    /// The most that the role can ever be allowed; by default that of the app, where it has one.
    pub permissions_boundary: Option<Value<Arn<ManagedPolicy>>>,
}

impl ProjectProps {
    /// A project with everything but its source as by default.
    pub fn new(source: BuildSource) -> Self {
        Self {
            source,
            build_spec: BuildSpec::default(),
            name: None,
            description: None,
            environment: BuildEnvironment::default(),
            cache: BuildCache::default(),
            artifacts: BuildArtifacts::default(),
            timeout: None,
            queued_timeout: None,
            concurrency: None,
            retries: None,
            log_retention: Retention::default(),
            key: None,
            network: None,
            webhook: Vec::new(),
            permissions_boundary: None,
        }
    }
}

/// What a caller may do with a project.
///
/// See <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodebuild.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProjectOperation {
    /// Starts a build.
    Start,
    /// Reads how builds went.
    Read,
    /// Stops a build.
    Stop,
}

impl ProjectOperation {
    /// Returns the IAM action.
    pub const fn action(self) -> &'static str {
        match self {
            Self::Start => "codebuild:StartBuild",
            Self::Read => "codebuild:BatchGetBuilds",
            Self::Stop => "codebuild:StopBuild",
        }
    }
}

/// The handle of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectRef {
    id: ResourceId,
    role: RoleRef,
    takes_from_pipeline: bool,
}

impl ProjectRef {
    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<Project>> {
        get_att(&self.id, "Arn")
    }

    /// Returns the physical name.
    pub fn name(&self) -> Value<String> {
        reference(&self.id)
    }

    /// Returns the role that builds run with.
    pub fn role(&self) -> &RoleRef {
        &self.role
    }

    /// Returns whether builds get their source from a pipeline.
    pub(crate) fn takes_from_pipeline(&self) -> bool {
        self.takes_from_pipeline
    }

    /// Returns what a role must allow for the given operations: exactly their actions on this project.
    pub fn statements(&self, operations: &[ProjectOperation]) -> Vec<Statement> {
        let actions = operations.iter().map(|operation| operation.action());
        allow_on(actions, self.arn()).into_iter().collect()
    }
}

impl Handle for ProjectRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds a project with its role `<Id>Role` and its log group `<Id>Logs`.
    ///
    /// ```
    /// use stack_model::codebuild::{BuildSource, BuildVariable, GitHubSource, ProjectProps};
    /// use stack_model::limit;
    /// use stack_model::codebuild::ConcurrentBuilds;
    /// # use stack_model::{App, Stage};
    /// # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
    /// # let mut app = App::new(Stage::new(request));
    /// # let mut stack = app.stack("orders-pipeline");
    ///
    /// let source = BuildSource::GitHub(GitHubSource::new("example/orders"));
    /// let mut props = ProjectProps::new(source);
    /// props.concurrency = Some(limit!(ConcurrentBuilds, 1));
    /// props.environment.variables.insert(
    ///     "CERTIFICATE_ARN".to_owned(),
    ///     BuildVariable::parameter("/CodeBuild/CERTIFICATE_ARN"),
    /// );
    /// let project = stack.project("Deploy", props);
    /// stack.output("ProjectName", project.name());
    /// # app.synth().unwrap();
    /// ```
    #[track_caller]
    pub fn project(&mut self, logical_id: &str, props: ProjectProps) -> ProjectRef {
        let source = Location::caller();
        self.check_project(logical_id, &props, source);
        let logs = self.log_group(
            &format!("{logical_id}Logs"),
            LogGroupProps {
                retention: props.log_retention,
                ..LogGroupProps::default()
            },
        );
        let role = self.role(
            &format!("{logical_id}Role"),
            RoleProps {
                permissions_boundary: props.permissions_boundary.clone(),
                // See <https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html>.
                ..RoleProps::for_service_here("codebuild.amazonaws.com")
            },
        );
        let mut statements = vec![logs.write_statement()];
        statements.extend(props.source.statements());
        statements.extend(props.environment.statements());
        statements.extend(props.cache.statements());
        statements.extend(props.artifacts.statements());
        let key = props.key.as_ref().map(|key| {
            let operations = [KeyOperation::Decrypt, KeyOperation::GenerateDataKey];
            key.through("s3", operations)
        });
        statements.extend(key.flatten());
        if props.network.is_some() {
            statements.extend(BuildNetwork::statements());
        }
        self.add_statements(&role, statements, source);

        let (build, version) = props.source.render(props.build_spec);
        let takes_from_pipeline = matches!(props.source, BuildSource::CodePipeline);
        let project = cfn::Project {
            artifacts: props.artifacts.render(takes_from_pipeline).into(),
            auto_retry_limit: props.retries.map(|retries| f64::from(retries.get())).into(),
            cache: props.cache.render().into(),
            concurrent_build_limit: props.concurrency.map(Limited::number).into(),
            description: props.description.into(),
            encryption_key: props.key.map(|key| key.arn().into_text()).into(),
            environment: props.environment.render().into(),
            logs_config: cfn::project::LogsConfig {
                cloud_watch_logs: cfn::project::CloudWatchLogsConfig {
                    group_name: logs.name().into(),
                    status: "ENABLED".into(),
                    ..cfn::project::CloudWatchLogsConfig::default()
                }
                .into(),
                ..cfn::project::LogsConfig::default()
            }
            .into(),
            name: props.name.into(),
            queued_timeout_in_minutes: props.queued_timeout.map(Limited::number).into(),
            service_role: role.arn().into_text().into(),
            source: build.into(),
            source_version: version.into(),
            timeout_in_minutes: props.timeout.map(Limited::number).into(),
            triggers: webhook::render(&props.webhook).map_or(Property::Absent, Property::from),
            vpc_config: props.network.map(BuildNetwork::render).into(),
            ..cfn::Project::default()
        };
        ProjectRef {
            id: self.insert(logical_id, Resource::of(&project, source)).id,
            role,
            takes_from_pipeline,
        }
    }

    fn check_project(&mut self, id: &str, props: &ProjectProps, source: &Location<'_>) {
        let name = props.name.as_ref();
        self.check_name(id, "Properties.Name", name, NAME, source);
        let path = "Properties.TimeoutInMinutes";
        self.check_limit(id, path, props.timeout, source);
        let path = "Properties.QueuedTimeoutInMinutes";
        self.check_limit(id, path, props.queued_timeout, source);
        let path = "Properties.ConcurrentBuildLimit";
        self.check_limit(id, path, props.concurrency, source);
        self.check_limit(id, "Properties.AutoRetryLimit", props.retries, source);
        let length = props.description.as_deref().unwrap_or_default().len();
        if length > 255 {
            let message = format!("the description has {length} bytes and CodeBuild takes 255");
            self.report(id, Some("Properties.Description"), message, source);
        }
        if let BuildSource::GitHub(github) = &props.source {
            let path = "Properties.Source.GitCloneDepth";
            self.check_limit(id, path, github.clone_depth, source);
        }
        let found = (props.source.violations(&props.build_spec).into_iter())
            .chain(props.environment.violations())
            .chain(props.cache.violations())
            .chain(props.artifacts.violations(&props.source))
            .chain(webhook::violations(&props.webhook, &props.source))
            .chain(props.network.iter().flat_map(BuildNetwork::violations));
        for (path, message) in found.collect::<Vec<_>>() {
            self.report(id, Some(&format!("Properties.{path}")), message, source);
        }
    }
}

/// A wrong property: its path below `Properties`, and what to change.
type Wrong = (String, String);

fn wrong(path: impl Into<String>, message: impl Into<String>) -> Wrong {
    (path.into(), message.into())
}

/// See <https://docs.aws.amazon.com/codebuild/latest/APIReference/API_CreateProject.html>.
const NAME: NameRule = NameRule {
    min: 2,
    max: 150,
    others: "-_",
};

#[cfg(doctest)]
#[doc = include_str!("../../docs/services/codebuild.md")]
struct Guide;
