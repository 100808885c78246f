//! Which pushes start a run.

use stack_model_cfn::codepipeline::pipeline as cfn;
use stack_model_cfn::{Property, list};

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
