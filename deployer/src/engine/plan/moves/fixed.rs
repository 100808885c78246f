//! In which way a resource is renamed.

use crate::engine::identity;

/// The types that the page on refactoring lists, one a line, sorted; see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-refactoring.html>.
const FIXED: &str = include_str!("fixed.txt");

/// How a stack stands to refactoring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Ground {
    /// Nothing is known against it.
    Free,
    /// It has a stack policy. CloudFormation refactors no such stack, and no policy can be taken away from a stack again;
    /// see <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html>.
    Guarded,
    /// CloudFormation refused it, or knows no such call.
    Refused,
}

/// In which way a resource is renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Way {
    /// The stack is refactored.
    Refactor,
    /// It leaves the stack and is imported, or made again.
    Import,
}

impl Way {
    /// Returns the way for a resource of a type, or why there is none.
    pub(in crate::engine) fn of(
        from: &str,
        resource_type: &str,
        ground: Ground,
    ) -> Result<Self, String> {
        let is_fixed = is_fixed(resource_type);
        if !is_fixed && ground == Ground::Free {
            return Ok(Self::Refactor);
        }
        if is_importable(resource_type) {
            return Ok(Self::Import);
        }
        let reason = match ground {
            _ if is_fixed => "which CloudFormation does not rename",
            Ground::Guarded => {
                "and CloudFormation renames nothing in a stack that has a stack policy, as stacks with data have in protected stages"
            }
            Ground::Free | Ground::Refused => "which cannot be renamed here",
        };
        Err(format!(
            "{from} is {resource_type}, {reason}, and which it cannot import by one property either: keep the old logical id, or \
             remove the rename and have it made anew"
        ))
    }
}

/// Types of settings of which their owner has one, so that another one writes over the first, and the removal of the first takes
/// away what the other one wrote. CloudFormation imports none of them
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resource-import-supported-resources.html>): one that left its
/// stack and was kept is made again.
///
/// See <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html> and
/// <https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html>.
const WRITTEN_OVER: [&str; 2] = ["AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy"];

/// Returns whether a resource of a type that left its stack comes back by being made again, with the same words.
pub(in crate::engine) fn is_written_over(resource_type: &str) -> bool {
    WRITTEN_OVER.contains(&resource_type)
}

/// Types of which two that say the same stand beside one another, unless they have one name, and of which the removal of one
/// takes nothing from the other. Nothing that holds data is among them, and nothing that is a setting of something else.
const BESIDE: [&str; 2] = ["AWS::CloudWatch::Alarm", "AWS::IAM::Role"];

/// Returns whether another resource of a type can be made before the one goes whose place it takes.
pub(super) fn stands_beside(resource_type: &str) -> bool {
    BESIDE.contains(&resource_type)
}

/// Returns whether CloudFormation is known not to rename resources of a type.
fn is_fixed(resource_type: &str) -> bool {
    resource_type.starts_with("Custom::") || FIXED.lines().any(|fixed| fixed == resource_type)
}

/// Returns whether resources of a type may be imported, as far as the registry tells: a nested stack would have to bring its
/// own template (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resource-import-nested-stacks.html>).
fn is_importable(resource_type: &str) -> bool {
    identity::property(resource_type).is_some()
        && !resource_type.starts_with("AWS::CloudFormation::")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_names_types() {
        let lines: Vec<&str> = FIXED.lines().collect();
        assert!(lines.is_sorted());
        assert!(lines.len() > 100);
        assert!(lines.iter().all(|line| line.starts_with("AWS::")));
    }

    #[test]
    fn what_cannot_be_renamed_is_imported() {
        let of = |resource_type, ground| Way::of("Old", resource_type, ground);
        for (resource_type, ground, way) in [
            ("AWS::SQS::Queue", Ground::Free, Way::Refactor),
            ("AWS::SQS::Queue", Ground::Guarded, Way::Import),
            ("AWS::SQS::Queue", Ground::Refused, Way::Import),
            ("AWS::DynamoDB::GlobalTable", Ground::Free, Way::Import),
            ("AWS::Lambda::Permission", Ground::Free, Way::Refactor),
            ("AWS::SQS::QueuePolicy", Ground::Guarded, Way::Import),
            ("AWS::SNS::TopicPolicy", Ground::Refused, Way::Import),
        ] {
            assert_eq!(of(resource_type, ground), Ok(way), "{resource_type}");
        }
        for (resource_type, ground, part) in [
            ("Custom::Seed", Ground::Free, "does not rename"),
            (
                "AWS::ApiGateway::Method",
                Ground::Guarded,
                "does not rename",
            ),
            (
                "AWS::Lambda::Permission",
                Ground::Guarded,
                "has a stack policy",
            ),
            ("AWS::Lambda::Permission", Ground::Refused, "renamed here"),
            (
                "AWS::CloudFormation::Stack",
                Ground::Guarded,
                "cannot import",
            ),
        ] {
            let told = of(resource_type, ground).expect_err("there is no way");
            assert!(told.contains(part), "{told}");
            assert!(told.contains("keep the old logical id"), "{told}");
        }
    }
}
