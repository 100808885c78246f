//! Groups of reports: what tests and coverage say, over time.

use std::panic::Location;

use stack_model_cfn::codebuild as cfn;
use stack_model_cfn::{ResourceId, Value};

use crate::arn::Arn;
use crate::handle::{Handle, reference};
use crate::name::NameRule;
use crate::policy::Statement;
use crate::resource::Resource;
use crate::s3::BucketRef;
use crate::stack::Stack;

/// Marks the ARN of a group of reports.
#[derive(Debug)]
pub enum ReportGroup {}

/// What the reports of a group are about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReportKind {
    /// How tests went.
    #[default]
    Tests,
    /// How much of the code the tests ran.
    Coverage,
}

/// What a group of reports is made of.
///
/// See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-codebuild-reportgroup.html>.
#[derive(Clone, Debug, Default)]
pub struct ReportGroupProps {
    /// The physical name, 2 to 128 letters, digits, `-` and `_`. Leave it out: a named group cannot be replaced.
    pub name: Option<Value<String>>,
    /// What the reports are about.
    pub kind: ReportKind,
    /// A bucket that keeps the raw results, which CodeBuild forgets after 30 days.
    pub kept_in: Option<BucketRef>,
}

/// The handle of a group of reports. The build spec names it by its ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportGroupRef {
    id: ResourceId,
    kind: ReportKind,
}

impl ReportGroupRef {
    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<ReportGroup>> {
        reference(&self.id)
    }

    /// Returns what the role of a project must allow that writes reports into the group.
    pub fn write_statement(&self) -> Statement {
        let results = match self.kind {
            ReportKind::Tests => "codebuild:BatchPutTestCases",
            ReportKind::Coverage => "codebuild:BatchPutCodeCoverages",
        };
        Statement::allow([results, "codebuild:CreateReport", "codebuild:UpdateReport"])
            .on(self.arn())
    }
}

impl Handle for ReportGroupRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds a group of reports. It goes with its reports, which builds make again.
    #[track_caller]
    pub fn report_group(&mut self, logical_id: &str, props: ReportGroupProps) -> ReportGroupRef {
        let source = Location::caller();
        let name = props.name.as_ref();
        self.check_name(logical_id, "Properties.Name", name, NAME, source);
        let kind = match props.kind {
            ReportKind::Tests => "TEST",
            ReportKind::Coverage => "CODE_COVERAGE",
        };
        let export = match props.kept_in {
            None => cfn::report_group::ReportExportConfig {
                export_config_type: "NO_EXPORT".into(),
                ..cfn::report_group::ReportExportConfig::default()
            },
            Some(bucket) => cfn::report_group::ReportExportConfig {
                export_config_type: "S3".into(),
                s3_destination: cfn::report_group::S3ReportExportConfig {
                    bucket: bucket.name().into(),
                    packaging: "ZIP".into(),
                    ..cfn::report_group::S3ReportExportConfig::default()
                }
                .into(),
            },
        };
        let group = cfn::ReportGroup {
            delete_reports: true.into(),
            export_config: export.into(),
            name: props.name.into(),
            type_: kind.into(),
            ..cfn::ReportGroup::default()
        };
        ReportGroupRef {
            id: self.insert(logical_id, Resource::of(&group, source)).id,
            kind: props.kind,
        }
    }
}

/// See <https://docs.aws.amazon.com/codebuild/latest/APIReference/API_CreateReportGroup.html>.
const NAME: NameRule = NameRule {
    min: 2,
    max: 128,
    others: "-_",
};
