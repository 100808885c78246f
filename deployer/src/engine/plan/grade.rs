//! Says how dangerous a change of a resource is, and why.

use serde_json::Value;

use super::knowledge::holds_data;
use super::{Action, Grade};

/// What becomes of a resource that leaves a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Deleted,
    Kept,
    Snapshot,
}

/// Reads a policy attribute. Where there is none, CloudFormation deletes, but for a few types of databases, for which it
/// takes a snapshot: those always state a policy here.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html>.
fn fate(resource: &Value, attribute: &str) -> Fate {
    match resource.get(attribute).and_then(Value::as_str) {
        Some("Retain" | "RetainExceptOnCreate") => Fate::Kept,
        Some("Snapshot") => Fate::Snapshot,
        _ => Fate::Deleted,
    }
}

/// Returns whether a resource that leaves its stack stays outside it.
pub(super) fn is_retained(deployed: &Value) -> bool {
    fate(deployed, "DeletionPolicy") == Fate::Kept
}

/// Grades the removal of a resource from its stack. What counts is the policy of the template that is deployed.
pub(super) fn removal(deployed: &Value, resource_type: &str) -> (Action, Grade, String) {
    match fate(deployed, "DeletionPolicy") {
        Fate::Kept => (
            Action::Retain,
            Grade::None,
            "its deletion policy retains it outside the stack".to_owned(),
        ),
        Fate::Snapshot => (
            Action::Delete,
            Grade::Interruption,
            "it is deleted, and a snapshot of its data is kept".to_owned(),
        ),
        Fate::Deleted if holds_data(resource_type) => (
            Action::Delete,
            Grade::DataLoss,
            "it is deleted with the data that it holds".to_owned(),
        ),
        Fate::Deleted => (
            Action::Delete,
            Grade::Interruption,
            "it is deleted".to_owned(),
        ),
    }
}

/// Types of which another one is the next state of the same thing: nothing is lost with the earlier one, not even its
/// name.
const VERSIONS: &[&str] = &[
    "AWS::Lambda::Version",
    "AWS::StepFunctions::StateMachineVersion",
];

/// Returns whether resources of the type are states of something else, made anew under another logical id each time: an
/// earlier one serves nobody once there is the next.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-deployment.html>.
pub(super) fn is_state(resource_type: &str) -> bool {
    matches!(
        resource_type,
        "AWS::ApiGateway::Deployment" | "AWS::ApiGatewayV2::Deployment"
    )
}

/// Returns whether a replaced resource is deleted.
pub(super) fn goes_when_replaced(new: &Value) -> bool {
    fate(new, "UpdateReplacePolicy") == Fate::Deleted
}

/// Grades the replacement of a resource: the old one goes the way of the new template's policy.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatereplacepolicy.html>.
pub(super) fn replacement(new: &Value, resource_type: &str) -> (Grade, Option<String>) {
    if fate(new, "UpdateReplacePolicy") == Fate::Kept && VERSIONS.contains(&resource_type) {
        let reason = "another version is published, and the earlier one is kept";
        return (Grade::UpdateInPlace, Some(reason.to_owned()));
    }
    if !holds_data(resource_type) {
        return (Grade::Replacement, None);
    }
    match fate(new, "UpdateReplacePolicy") {
        Fate::Deleted => (
            Grade::DataLoss,
            Some("the replaced resource is deleted with the data that it holds".to_owned()),
        ),
        Fate::Kept => (
            Grade::Replacement,
            Some("the replaced resource stays outside the stack; the new one is empty".to_owned()),
        ),
        Fate::Snapshot => (
            Grade::Replacement,
            Some("a snapshot of the replaced resource is kept; the new one is empty".to_owned()),
        ),
    }
}
