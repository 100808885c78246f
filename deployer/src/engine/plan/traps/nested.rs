//! Traps of stacks in stacks.

use super::super::Grade;
use super::{Finding, Seen, Trap};

pub(super) const TRAPS: &[Trap] = &[
    Trap {
        types: &["AWS::CloudFormation::Stack"],
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-stack.html",
        find: inside,
    },
    Trap {
        types: &["AWS::CloudFormation::StackSet"],
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-stackset.html",
        find: inside,
    },
];

/// Another template, or other values for it, may replace or delete whatever is in a stack.
fn inside(seen: &Seen<'_>) -> Vec<Finding> {
    let places = [
        "Parameters",
        "StackInstancesGroup",
        "TemplateBody",
        "TemplateURL",
    ];
    let Some(place) = places.into_iter().find(|place| seen.touches(place)) else {
        return Vec::new();
    };
    let finding = Finding::new(
        Grade::DataLoss,
        format!(
            "{place} changes what is in it, which may be replaced or deleted: what that is, is not known here"
        ),
    );
    seen.stays().then_some(finding).into_iter().collect()
}
