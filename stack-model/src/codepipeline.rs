//! AWS CodePipeline: pipelines from a source through builds and approvals to a stage.
//!
//! | child | logical id |
//! |---|---|
//! | the bucket for what actions hand on | `<Pipeline>Artifacts` |
//! | the role that the pipeline runs with | `<Pipeline>Role` |

use std::collections::BTreeSet;
use std::panic::Location;

use stack_model_cfn::codepipeline as cfn;
use stack_model_cfn::{Property, Pseudo, ResourceId, Value};

use crate::arn::Arn;
use crate::handle::{Handle, reference};
use crate::iam::{ManagedPolicy, RoleProps};
use crate::limit::Limited;
use crate::name::NameRule;
use crate::policy::{Statement, allow_on};
use crate::resource::Resource;
use crate::s3::{BucketOperation, BucketProps, BucketRef, LifecycleRule};
use crate::stack::Stack;
use crate::text;

mod action;
mod trigger;

use action::SOURCE;
pub use action::{PipelineAction, PipelineSource, PipelineStage};
pub use trigger::{PushTrigger, RunStart};

/// Marks the ARN of a pipeline.
#[derive(Debug)]
pub enum Pipeline {}

/// What a pipeline is made of, beyond its source and its stages.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-codepipeline-pipeline.html>.
#[derive(Clone, Debug, Default)]
pub struct PipelineProps {
    /// The physical name, 1 to 100 letters, digits, `.`, `@`, `-` and `_`. Leave it out unless something outside the
    /// stack needs it: a named pipeline cannot be replaced.
    pub name: Option<Value<String>>,
    /// What happens to a run when another one follows.
    pub execution: ExecutionMode,
    /// What starts a run; every push to the branch by default.
    pub start: RunStart,
    /// What each run can be given: names, and the values that they have otherwise.
    pub variables: Vec<(String, Option<String>)>,
    /// The most that the role can ever be allowed.
    pub permissions_boundary: Option<Value<Arn<ManagedPolicy>>>,
}

/// What happens to a run when another one follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExecutionMode {
    /// The one that follows overtakes it between two stages.
    Superseded,
    /// The one that follows waits; where every change is to be deployed in its turn.
    #[default]
    Queued,
    /// Both run at once; where runs have nothing in common.
    Parallel,
}

impl ExecutionMode {
    const fn name(self) -> &'static str {
        match self {
            Self::Superseded => "SUPERSEDED",
            Self::Queued => "QUEUED",
            Self::Parallel => "PARALLEL",
        }
    }
}

/// What a caller may do with a pipeline.
///
/// See <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodepipeline.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PipelineOperation {
    /// Starts a run.
    Start,
    /// Reads where runs are.
    Read,
}

impl PipelineOperation {
    /// Returns the IAM action.
    pub const fn action(self) -> &'static str {
        match self {
            Self::Start => "codepipeline:StartPipelineExecution",
            Self::Read => "codepipeline:GetPipelineState",
        }
    }
}

/// The handle of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipelineRef {
    id: ResourceId,
    artifacts: BucketRef,
}

impl PipelineRef {
    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<Pipeline>> {
        text!(
            "arn:{}:codepipeline:{}:{}:{}",
            Pseudo::Partition,
            Pseudo::Region,
            Pseudo::AccountId,
            self.name()
        )
        .map(Arn::composed)
    }

    /// Returns the physical name.
    pub fn name(&self) -> Value<String> {
        reference(&self.id)
    }

    /// Returns the bucket for what actions hand on.
    pub fn artifacts(&self) -> &BucketRef {
        &self.artifacts
    }

    /// Returns what a role must allow for the given operations: exactly their actions on this pipeline.
    pub fn statements(&self, operations: &[PipelineOperation]) -> Vec<Statement> {
        let actions = operations.iter().map(|operation| operation.action());
        allow_on(actions, self.arn()).into_iter().collect()
    }
}

impl Handle for PipelineRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds a pipeline of the type V2, with its bucket `<Id>Artifacts` and its role `<Id>Role`.
    ///
    /// ```
    /// use stack_model::codebuild::{BuildSource, ProjectProps};
    /// use stack_model::codepipeline::{PipelineAction, PipelineProps, PipelineSource, PipelineStage};
    /// # use stack_model::{App, Stage};
    /// # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
    /// # let mut app = App::new(Stage::new(request));
    /// # let mut stack = app.stack("orders-pipeline");
    ///
    /// let deploy = stack.project("Deploy", ProjectProps::new(BuildSource::CodePipeline));
    /// let source = PipelineSource::GitHub {
    ///     connection: "arn:aws:codeconnections:us-east-1:123456789012:connection/1".into(),
    ///     repository: "example/orders".to_owned(),
    ///     branch: "main".to_owned(),
    /// };
    /// let stages = [
    ///     PipelineStage::new("Approve", [PipelineAction::approval("Approve")]),
    ///     PipelineStage::new("Deploy", [PipelineAction::build("Deploy", &deploy)]),
    /// ];
    /// stack.pipeline("Pipeline", source, stages, PipelineProps::default());
    /// # app.synth().unwrap();
    /// ```
    #[track_caller]
    pub fn pipeline(
        &mut self,
        logical_id: &str,
        source: PipelineSource,
        stages: impl IntoIterator<Item = PipelineStage>,
        props: PipelineProps,
    ) -> PipelineRef {
        let caller = Location::caller();
        let stages: Vec<PipelineStage> = stages.into_iter().collect();
        self.check_pipeline(logical_id, &source, &stages, &props, caller);
        let artifacts = self.bucket(
            &format!("{logical_id}Artifacts"),
            BucketProps {
                versioned: Some(false),
                lifecycle: vec![LifecycleRule {
                    expire_after: Some(Limited::literal(30)),
                    ..LifecycleRule::default()
                }],
                ..BucketProps::default()
            },
        );
        let role = self.role(
            &format!("{logical_id}Role"),
            RoleProps {
                permissions_boundary: props.permissions_boundary,
                // CodePipeline is not documented to say whose pipeline it runs; see
                // <https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create-service-role-cli.html>.
                ..RoleProps::for_service("codepipeline.amazonaws.com")
            },
        );
        let hands_on = artifacts.statements(&[BucketOperation::Get, BucketOperation::Put]);
        let mut statements = hands_on.clone();
        statements.extend(source.statements());
        let actions = || stages.iter().flat_map(|stage| &stage.actions);
        for action in actions() {
            statements.extend(action.statements());
        }
        self.add_statements(&role, statements, caller);
        let mut builders = BTreeSet::new();
        for project in actions().filter_map(PipelineAction::project) {
            if builders.insert(project.resource_id().clone()) {
                self.add_statements(project.role(), hands_on.clone(), caller);
            }
        }

        let triggers: Vec<_> = (props.start.triggers().iter())
            .map(PushTrigger::render)
            .collect();
        let variables =
            props
                .variables
                .into_iter()
                .map(|(name, value)| cfn::pipeline::VariableDeclaration {
                    default_value: value.into(),
                    name: name.into(),
                    ..cfn::pipeline::VariableDeclaration::default()
                });
        let variables: Vec<_> = variables.collect();
        let declared: Vec<_> = std::iter::once(source.render(&props.start))
            .chain(stages.into_iter().map(PipelineStage::render))
            .collect();
        let pipeline = cfn::Pipeline {
            artifact_store: cfn::pipeline::ArtifactStore {
                location: artifacts.name().into(),
                type_: "S3".into(),
                ..cfn::pipeline::ArtifactStore::default()
            }
            .into(),
            execution_mode: props.execution.name().into(),
            name: props.name.into(),
            pipeline_type: "V2".into(),
            role_arn: role.arn().into_text().into(),
            stages: declared.into(),
            triggers: some(triggers),
            variables: some(variables),
            ..cfn::Pipeline::default()
        };
        PipelineRef {
            id: self.insert(logical_id, Resource::of(&pipeline, caller)).id,
            artifacts,
        }
    }

    fn check_pipeline(
        &mut self,
        id: &str,
        source: &PipelineSource,
        stages: &[PipelineStage],
        props: &PipelineProps,
        caller: &Location<'_>,
    ) {
        let name = props.name.as_ref();
        self.check_name(id, "Properties.Name", name, NAME, caller);
        let mut found: Vec<String> = Vec::new();
        if stages.is_empty() {
            found.push("a pipeline does something with its source: give it a stage".to_owned());
        }
        let mut known = BTreeSet::from(["Source"]);
        let mut left = BTreeSet::from([SOURCE]);
        for stage in stages {
            found.extend(NAME.violation(&stage.name));
            if !known.insert(&stage.name) {
                found.push(format!("two stages are called `{}`", stage.name));
            }
            if stage.actions.is_empty() {
                found.push(format!("the stage `{}` has no action", stage.name));
            }
            let mut names = BTreeSet::new();
            for action in &stage.actions {
                found.extend(NAME.violation(action.name()));
                if !names.insert(action.name()) {
                    let (stage, name) = (&stage.name, action.name());
                    found.push(format!(
                        "two actions of the stage `{stage}` are called `{name}`"
                    ));
                }
                found.extend(action.artifact_violations(&mut left));
                if action.project().is_some_and(|it| !it.takes_from_pipeline()) {
                    found.push(format!(
                        "the project of the action `{}` has a source of its own: give it `BuildSource::CodePipeline`",
                        action.name()
                    ));
                }
            }
        }
        for message in found {
            self.report(id, Some("Properties.Stages"), message, caller);
        }
        let triggers = props.start.triggers();
        if !triggers.is_empty() && !matches!(source, PipelineSource::GitHub { .. }) {
            let message = "only pushes to a repository can be chosen: leave the triggers out";
            self.report(id, Some("Properties.Triggers"), message, caller);
        }
        if matches!(&props.start, RunStart::Pushes(pushes) if pushes.is_empty())
            || triggers.iter().any(PushTrigger::is_empty)
        {
            let message = "a trigger chooses by branches, tags or paths: name one";
            self.report(id, Some("Properties.Triggers"), message, caller);
        }
    }
}

/// Nothing in a list is no property.
fn some<T>(elements: Vec<T>) -> Property<stack_model_cfn::List<T>> {
    if elements.is_empty() {
        Property::Absent
    } else {
        elements.into()
    }
}

/// See <https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html>.
const NAME: NameRule = NameRule {
    min: 1,
    max: 100,
    others: ".@-_",
};

#[cfg(doctest)]
#[doc = include_str!("../../docs/services/codepipeline.md")]
struct Guide;
