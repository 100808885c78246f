//! Resources that CloudFormation does not rename.

use crate::engine::destroy::advice::identifier;

/// The types that the page on refactoring lists, one a line, sorted; see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-refactoring.html>.
const FIXED: &str = include_str!("fixed.txt");

/// Why no resource of a stack with a policy can be renamed. No policy can be taken away from a stack again; see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html>.
pub(in crate::engine) const GUARDED: &str = "CloudFormation renames nothing in a stack that has a stack policy, as stacks with data have in protected stages: keep the old logical id";

/// Returns whether CloudFormation is known not to rename resources of a type.
fn is_fixed(resource_type: &str) -> bool {
    resource_type.starts_with("Custom::") || FIXED.lines().any(|fixed| fixed == resource_type)
}

/// Says why a resource of a type cannot be renamed, and what else can be done; nothing, where it may be.
pub(super) fn refused(from: &str, to: &str, resource_type: &str) -> Option<String> {
    is_fixed(resource_type).then(|| {
        let other = match identifier(resource_type) {
            Some(property) => format!(
                "remove the rename and have it made anew, or move it by hand: deploy {from} with a deletion policy that retains it, \
                 deploy the stack without it, and import it as {to} by its {property}"
            ),
            None => "it cannot be imported by one property either, so remove the rename and have it made anew".to_owned(),
        };
        format!(
            "{from} is {resource_type}, which CloudFormation does not rename: keep the old logical id, or {other}"
        )
    })
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
    fn what_cannot_be_renamed_has_another_way() {
        assert_eq!(refused("Old", "New", "AWS::SQS::Queue"), None);
        let imported = refused("Old", "New", "AWS::CertificateManager::Certificate");
        let told = imported.expect("is refused");
        assert!(
            told.contains("import it as New by its CertificateArn"),
            "{told}"
        );
        for resource_type in ["Custom::Seed", "AWS::ApiGateway::Method"] {
            let told = refused("Old", "New", resource_type).expect("is refused");
            assert!(told.contains("cannot be imported"), "{told}");
        }
    }
}
