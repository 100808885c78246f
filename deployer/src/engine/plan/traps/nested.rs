//! Traps of stacks in stacks.

use super::super::widen::OPENED;
use super::super::{Action, Grade};
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

/// Another template, or other values for it, may replace or delete whatever is in a stack, and let in anybody: so may one
/// that is new.
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
    if !matches!(seen.change.action, Action::Update | Action::Replace) {
        return Vec::new();
    }
    let loss = Finding::new(
        Grade::DataLoss,
        format!(
            "{place} changes what is in it, which may be replaced or deleted: what that is, is not known here"
        ),
    );
    let opened = OPENED.map(|(grade, reason)| Finding::new(grade, reason));
    let loss = seen.stays().then_some(loss);
    loss.into_iter().chain(opened).collect()
}
