//! What starts a run.

use stack_model_cfn::codepipeline::pipeline as cfn;
use stack_model_cfn::{Property, list};

/// What starts a run of a pipeline; a person or a program that may always can.
///
/// See <https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-about-starting.html>.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RunStart {
    /// Every push to the branch of the source.
    #[default]
    EveryPush,
    /// Pushes that fit one of these.
    Pushes(Vec<PushTrigger>),
    /// Nothing else than whoever asks for it.
    ByHand,
}

impl RunStart {
    pub(super) fn triggers(&self) -> &[PushTrigger] {
        match self {
            Self::Pushes(triggers) => triggers,
            Self::EveryPush | Self::ByHand => &[],
        }
    }
}

/// Chooses pushes by what they change; all that is named must fit. Patterns are globs, such as `release/*`.
///
/// See <https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-filter.html>.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PushTrigger {
    /// The branches, one of which is pushed to; none where tags are named.
    pub branches: Vec<String>,
    /// The tags, one of which is pushed.
    pub tags: Vec<String>,
    /// The files, one of which is changed on a branch.
    pub paths: Vec<String>,
}

impl PushTrigger {
    pub(super) fn is_empty(&self) -> bool {
        self.branches.is_empty() && self.tags.is_empty() && self.paths.is_empty()
    }

    pub(super) fn render(&self) -> cfn::PipelineTriggerDeclaration {
        let globs = |globs: &[String]| list(globs.iter().map(String::as_str));
        let push = cfn::GitPushFilter {
            branches: if self.branches.is_empty() {
                Property::Absent
            } else {
                cfn::GitBranchFilterCriteria {
                    includes: globs(&self.branches),
                    ..cfn::GitBranchFilterCriteria::default()
                }
                .into()
            },
            file_paths: if self.paths.is_empty() {
                Property::Absent
            } else {
                cfn::GitFilePathFilterCriteria {
                    includes: globs(&self.paths),
                    ..cfn::GitFilePathFilterCriteria::default()
                }
                .into()
            },
            tags: if self.tags.is_empty() {
                Property::Absent
            } else {
                cfn::GitTagFilterCriteria {
                    includes: globs(&self.tags),
                    ..cfn::GitTagFilterCriteria::default()
                }
                .into()
            },
        };
        cfn::PipelineTriggerDeclaration {
            git_configuration: cfn::GitConfiguration {
                push: vec![push].into(),
                source_action_name: "Source".into(),
                ..cfn::GitConfiguration::default()
            }
            .into(),
            provider_type: "CodeStarSourceConnection".into(),
        }
    }
}
