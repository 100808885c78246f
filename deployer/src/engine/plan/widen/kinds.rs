//! What lets somebody in by its type, where nothing else of a resource is known.

use super::super::Grade;
use super::granted::ATTACHED;

/// Types that give more of the world a way to something.
const EXPOSING: &[&str] = &[
    "AWS::ApiGateway::Method",
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Route",
    "AWS::AppSync::GraphQLApi",
    "AWS::CloudFormation::Stack",
    "AWS::CloudFormation::StackSet",
    "AWS::CloudFront::Distribution",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::ElasticLoadBalancingV2::Listener",
    "AWS::Lambda::Url",
];

/// Types that let somebody do something, besides those of IAM and the policies that are attached to something.
const PERMITTING: &[&str] = &[
    "AWS::Lambda::LayerVersionPermission",
    "AWS::Logs::Destination",
    "AWS::Logs::ResourcePolicy",
    "AWS::RAM::ResourceShare",
    "AWS::S3::AccessPoint",
];

/// What the resources of a stack in a stack may let in.
pub(in super::super) const OPENED: [(Grade, &str); 2] = [
    (
        Grade::PermissionWidened,
        "what is in it may allow more: what that is, is not known here",
    ),
    (
        Grade::ExposureWidened,
        "what is in it may be open to the world: what that is, is not known here",
    ),
];

/// Returns what a new resource may let in of which nobody knows here what is in it.
pub(in super::super) fn inside(resource_type: &str) -> &'static [(Grade, &'static str)] {
    match resource_type {
        "AWS::CloudFormation::Stack" | "AWS::CloudFormation::StackSet" => &OPENED,
        _ => &[],
    }
}

/// Returns how dangerous a new resource of a type may be of which nobody knows what it says: nothing, where it lets nobody
/// in by itself.
pub(crate) fn lets_in(resource_type: &str) -> Option<Grade> {
    let is_attached = || {
        ATTACHED
            .iter()
            .any(|(attached, _)| *attached == resource_type)
    };
    if EXPOSING.contains(&resource_type) {
        Some(Grade::ExposureWidened)
    } else if resource_type.starts_with("AWS::IAM::")
        || PERMITTING.contains(&resource_type)
        || is_attached()
    {
        Some(Grade::PermissionWidened)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use stack_model_cfn::facts;

    use super::*;

    #[test]
    fn every_type_that_lets_somebody_in_is_one() {
        for resource_type in EXPOSING.iter().chain(PERMITTING) {
            assert!(
                facts::resource_type(resource_type).is_some(),
                "{resource_type}"
            );
        }
    }
}
