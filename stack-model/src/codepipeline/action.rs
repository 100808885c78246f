//! What a pipeline does: where it begins, and the actions of its stages.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use stack_model_cfn::codepipeline::pipeline as cfn;
use stack_model_cfn::{Expr, Property, Value};

use super::RunStart;
use crate::codebuild::{ProjectOperation, ProjectRef};
use crate::policy::{Statement, allow_on};
use crate::s3::BucketRef;
use crate::sns::{TopicOperation, TopicRef};

/// What the source is called among the artifacts.
pub(super) const SOURCE: &str = "Source";

/// Where a pipeline begins.
#[derive(Clone, Debug)]
pub enum PipelineSource {
    /// With a branch of a repository of GitHub, through a connection that was made once in the console.
    GitHub {
        /// The ARN of the connection.
        connection: Value<String>,
        /// The owner and the name: `example/orders`.
        repository: String,
        /// The branch.
        branch: String,
    },
    /// With a ZIP archive in a versioned bucket. A run is started by hand, or by a rule of EventBridge.
    S3 {
        /// The bucket.
        bucket: BucketRef,
        /// The key of the archive.
        key: String,
    },
}

impl PipelineSource {
    pub(super) fn statements(&self) -> Vec<Statement> {
        match self {
            // A connection can also be named by its older prefix; see
            // <https://docs.aws.amazon.com/codepipeline/latest/userguide/connections-permissions.html>.
            Self::GitHub { connection, .. } => {
                let actions = [
                    "codeconnections:UseConnection",
                    "codestar-connections:UseConnection",
                ];
                allow_on(actions, connection.clone()).into_iter().collect()
            }
            Self::S3 { bucket, key } => {
                let object = ["s3:GetObject", "s3:GetObjectVersion"];
                let object = allow_on(object, bucket.objects(key));
                let whole = allow_on(["s3:GetBucketVersioning"], bucket.arn());
                object.into_iter().chain(whole).collect()
            }
        }
    }

    pub(super) fn render(self, start: &RunStart) -> cfn::StageDeclaration {
        let (owner, provider, configuration) = match self {
            Self::GitHub {
                connection,
                repository,
                branch,
            } => {
                let quiet = matches!(start, RunStart::ByHand);
                let quiet = quiet.then(|| ("DetectChanges", Expr::from("false")));
                let entries = [
                    ("BranchName", Expr::from(branch)),
                    ("ConnectionArn", connection.into()),
                    ("FullRepositoryId", Expr::from(repository)),
                ];
                let configuration = Expr::map(entries.into_iter().chain(quiet));
                ("AWS", "CodeStarSourceConnection", configuration)
            }
            Self::S3 { bucket, key } => (
                "AWS",
                "S3",
                Expr::map([
                    ("PollForSourceChanges", Expr::from("false")),
                    ("S3Bucket", bucket.name().into()),
                    ("S3ObjectKey", Expr::from(key)),
                ]),
            ),
        };
        let mut action = declaration(SOURCE, "Source", owner, provider, configuration);
        action.output_artifacts = [cfn::OutputArtifact {
            name: SOURCE.into(),
            ..cfn::OutputArtifact::default()
        }]
        .into();
        cfn::StageDeclaration {
            actions: vec![action].into(),
            name: SOURCE.into(),
            ..cfn::StageDeclaration::default()
        }
    }
}

/// One step of a pipeline: its actions run one after the other.
#[derive(Clone, Debug)]
pub struct PipelineStage {
    /// The name, unlike that of the other stages; the first stage is called `Source`.
    pub name: String,
    /// What the stage does.
    pub actions: Vec<PipelineAction>,
}

impl PipelineStage {
    /// A stage with actions.
    pub fn new(name: impl Into<String>, actions: impl IntoIterator<Item = PipelineAction>) -> Self {
        Self {
            name: name.into(),
            actions: actions.into_iter().collect(),
        }
    }

    pub(super) fn render(self) -> cfn::StageDeclaration {
        let actions = (1..).zip(self.actions).map(|(order, action)| {
            let mut action = action.render();
            action.run_order = Property::from(order);
            action
        });
        cfn::StageDeclaration {
            actions: actions.collect::<Vec<_>>().into(),
            name: self.name.into(),
            ..cfn::StageDeclaration::default()
        }
    }
}

/// What a stage of a pipeline does.
#[derive(Clone, Debug)]
pub struct PipelineAction {
    name: String,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Build(Build),
    Approval {
        message: Option<String>,
        told: Option<(Value<String>, Vec<Statement>)>,
    },
    CloudFormation {
        configuration: Expr,
        statements: Vec<Statement>,
    },
}

#[derive(Clone, Debug)]
struct Build {
    project: ProjectRef,
    variables: BTreeMap<String, String>,
    leaves: Option<String>,
    takes: Vec<String>,
}

impl PipelineAction {
    /// Runs a build with the source of the pipeline.
    pub fn build(name: impl Into<String>, project: &ProjectRef) -> Self {
        Self {
            name: name.into(),
            kind: Kind::Build(Build {
                project: project.clone(),
                variables: BTreeMap::new(),
                leaves: None,
                takes: Vec::new(),
            }),
        }
    }

    /// Sets a variable of the environment of a build, over that of its project, so that one project can do several
    /// things. Everybody may read it who may look at the pipeline. Other actions stay as they are.
    #[must_use]
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        if let Kind::Build(build) = &mut self.kind {
            build.variables.insert(name.into(), value.into());
        }
        self
    }

    /// Keeps what a build leaves behind for later actions, under a name of letters, digits and `_`. Other actions stay
    /// as they are.
    #[must_use]
    pub fn leaving(mut self, artifact: impl Into<String>) -> Self {
        if let Kind::Build(build) = &mut self.kind {
            build.leaves = Some(artifact.into());
        }
        self
    }

    /// Gives a build what an earlier one left, in the directory that the variable `CODEBUILD_SRC_DIR_<artifact>` of its
    /// environment names. Other actions stay as they are.
    #[must_use]
    pub fn taking(mut self, artifact: impl Into<String>) -> Self {
        if let Kind::Build(build) = &mut self.kind {
            build.takes.push(artifact.into());
        }
        self
    }

    /// Waits until a person approves, for seven days at most.
    pub fn approval(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            kind: Kind::Approval {
                message: None,
                told: None,
            },
        }
    }

    /// Tells the subscribers of a topic that an approval is waited for, and what for. Other actions stay as they are.
    #[must_use]
    pub fn asking<M>(mut self, topic: &TopicRef<M>, question: impl Into<String>) -> Self {
        if let Kind::Approval { message, told } = &mut self.kind {
            *message = Some(question.into());
            let statements = topic.statements(&[TopicOperation::Publish]);
            *told = Some((topic.arn().into_text(), statements));
        }
        self
    }

    /// Lets CloudFormation do something, with the configuration that CodePipeline documents, for templates that
    /// `stackctl` does not deploy. The statements are what the role of the pipeline must allow for it.
    pub fn cloudformation(
        name: impl Into<String>,
        configuration: impl Into<Expr>,
        statements: impl IntoIterator<Item = Statement>,
    ) -> Self {
        Self {
            name: name.into(),
            kind: Kind::CloudFormation {
                configuration: configuration.into(),
                statements: statements.into_iter().collect(),
            },
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn project(&self) -> Option<&ProjectRef> {
        match &self.kind {
            Kind::Build(build) => Some(&build.project),
            _ => None,
        }
    }

    /// Says what is wrong with the artifacts that the action takes and leaves, and adds what it leaves to what earlier
    /// actions left.
    pub(super) fn artifact_violations<'a>(&'a self, left: &mut BTreeSet<&'a str>) -> Vec<String> {
        let Kind::Build(build) = &self.kind else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for artifact in build.takes.iter().filter(|it| !left.contains(it.as_str())) {
            found.push(format!(
                "the action `{}` takes `{artifact}`, which no action before it leaves",
                self.name
            ));
        }
        if let Some(artifact) = &build.leaves {
            // A hyphen would be allowed, but not in the name of the variable by which a build finds it.
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if artifact.is_empty() || artifact.len() > 100 || !artifact.chars().all(fits) {
                found.push(format!(
                    "`{artifact}` is not a name for an artifact: take 1 to 100 letters, digits and `_`"
                ));
            }
            if !left.insert(artifact) {
                found.push(format!("two actions leave `{artifact}`"));
            }
        }
        found
    }

    pub(super) fn statements(&self) -> Vec<Statement> {
        match &self.kind {
            Kind::Build(build) => build
                .project
                .statements(&[ProjectOperation::Start, ProjectOperation::Read]),
            Kind::Approval { told, .. } => told
                .as_ref()
                .map(|(_, statements)| statements.clone())
                .unwrap_or_default(),
            Kind::CloudFormation { statements, .. } => statements.clone(),
        }
    }

    fn render(self) -> cfn::ActionDeclaration {
        let mut inputs = Vec::new();
        if !matches!(self.kind, Kind::Approval { .. }) {
            inputs.push(SOURCE.to_owned());
        }
        let mut output = None;
        let (category, provider, configuration) = match self.kind {
            Kind::Build(build) => {
                let configuration = build.configuration();
                inputs.extend(build.takes);
                output = build.leaves;
                ("Build", "CodeBuild", configuration)
            }
            Kind::Approval { message, told } => {
                let message = message.map(|text| ("CustomData", Expr::from(text)));
                let topic = told.map(|(arn, _)| ("NotificationArn", arn.into()));
                let entries = message.into_iter().chain(topic);
                ("Approval", "Manual", Expr::map(entries))
            }
            Kind::CloudFormation { configuration, .. } => {
                ("Deploy", "CloudFormation", configuration)
            }
        };
        let mut action = declaration(&self.name, category, "AWS", provider, configuration);
        if !inputs.is_empty() {
            let inputs = inputs.into_iter();
            let inputs = inputs.map(|name| cfn::InputArtifact { name: name.into() });
            action.input_artifacts = inputs.collect::<Vec<_>>().into();
        }
        if let Some(name) = output {
            action.output_artifacts = [cfn::OutputArtifact {
                name: name.into(),
                ..cfn::OutputArtifact::default()
            }]
            .into();
        }
        action
    }
}

impl Build {
    /// See <https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html>.
    fn configuration(&self) -> Expr {
        let mut entries = vec![("ProjectName", Expr::from(self.project.name()))];
        if !self.variables.is_empty() {
            let variables: Vec<serde_json::Value> = (self.variables.iter())
                .map(|(name, value)| json!({"name": name, "value": value}))
                .collect();
            let text = serde_json::Value::from(variables).to_string();
            entries.push(("EnvironmentVariables", Expr::from(text)));
        }
        if !self.takes.is_empty() {
            entries.push(("PrimarySource", Expr::from(SOURCE)));
        }
        Expr::map(entries)
    }
}

fn declaration(
    name: &str,
    category: &str,
    owner: &str,
    provider: &str,
    configuration: Expr,
) -> cfn::ActionDeclaration {
    let nothing = matches!(&configuration, Expr::Map(entries) if entries.is_empty());
    cfn::ActionDeclaration {
        action_type_id: cfn::ActionTypeId {
            category: category.into(),
            owner: owner.into(),
            provider: provider.into(),
            version: "1".into(),
        }
        .into(),
        configuration: if nothing {
            Property::Absent
        } else {
            configuration.into()
        },
        name: name.into(),
        ..cfn::ActionDeclaration::default()
    }
}
