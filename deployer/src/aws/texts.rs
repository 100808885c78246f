//! The few places where only the text of AWS tells what happened. Everything else is told apart by codes.

/// Returns whether an error says that there is no such stack. CloudFormation sends `ValidationError` for it, as for
/// anything else it does not like about a request.
pub(crate) fn says_stack_is_absent(code: Option<&str>, message: Option<&str>) -> bool {
    code == Some("ValidationError")
        && message
            .is_some_and(|text| text.starts_with("Stack ") && text.ends_with("does not exist"))
}

/// Returns whether the reason of a failed change set says that there is nothing to change.
///
/// Both sentences are in use: the second for templates with transforms
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSet.html> names no code).
pub(crate) fn says_nothing_to_change(reason: &str) -> bool {
    reason.starts_with("The submitted information didn't contain changes")
        || reason.starts_with("No updates are to be performed")
}

/// Returns whether the reason of a resource says that another resource's failure stopped it.
pub(crate) fn says_cancelled(reason: &str) -> bool {
    matches!(
        reason.trim_end_matches('.'),
        "Resource creation cancelled" | "Resource update cancelled" | "Resource deletion cancelled"
    )
}

/// Returns whether an error says that an export is in use by another stack.
pub(crate) fn says_export_in_use(text: &str) -> bool {
    text.contains("cannot be deleted as it is in use by")
        || text.contains("cannot be updated as it is in use by")
}

/// Returns whether the reason of a stack refactor that was refused says that something is not supported: a type, or the
/// stack. CloudFormation documents what, and not how it says so
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-refactoring.html>).
pub(crate) fn says_unsupported(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    ["not support", "n't support", "unsupported"]
        .iter()
        .any(|part| reason.contains(part))
}

/// Returns whether an error says that an operation is running on the stack: CloudFormation sends `ValidationError` for it,
/// and writes `can not`; the local engine writes `cannot`.
pub(crate) fn says_busy(text: &str) -> bool {
    text.contains("_IN_PROGRESS state and can not be updated")
        || text.contains("_IN_PROGRESS state and cannot be updated")
}

/// Returns whether an error says that a call does not suit the status in which the stack is by now.
pub(crate) fn says_wrong_status(text: &str) -> bool {
    text.contains("cannot be called from current stack status")
}

/// Returns whether the reason of a bucket that was not deleted says that it holds something: what somebody wrote after it
/// was emptied (<https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html> calls it `BucketNotEmpty`).
pub(crate) fn says_bucket_not_empty(reason: &str) -> bool {
    reason.contains("The bucket you tried to delete is not empty")
        || reason.contains("BucketNotEmpty")
}

/// Returns whether an error of `ListImports` says that nobody imports the export, which is no error to those who ask.
pub(crate) fn says_not_imported(text: &str) -> bool {
    text.contains("is not imported by any stack")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_stack_is_told_from_other_validation_errors() {
        let absent = |message| says_stack_is_absent(Some("ValidationError"), Some(message));
        assert!(absent("Stack with id intake-dev does not exist"));
        assert!(absent("Stack [intake-dev] does not exist"));
        assert!(!absent(
            "Template format error: Unresolved resource dependencies"
        ));
        assert!(!absent("Parameters: [X] do not exist in the template"));
        assert!(!says_stack_is_absent(
            Some("AccessDenied"),
            Some("Stack with id x does not exist")
        ));
    }

    #[test]
    fn nothing_to_change_has_two_sentences() {
        assert!(says_nothing_to_change(
            "The submitted information didn't contain changes. Submit different information to create a change set."
        ));
        assert!(says_nothing_to_change("No updates are to be performed."));
        assert!(!says_nothing_to_change(
            "Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless Application Specification document."
        ));
    }

    #[test]
    fn cancelled_resources_are_no_cause() {
        assert!(says_cancelled("Resource creation cancelled"));
        assert!(says_cancelled("Resource update cancelled"));
        assert!(!says_cancelled(
            "Resource creation cancelled by the user's hook"
        ));
    }

    #[test]
    fn an_export_in_use_is_recognised() {
        assert!(says_export_in_use(
            "Export user-dev-UserTableArn cannot be deleted as it is in use by user-order-dev"
        ));
        assert!(!says_export_in_use(
            "Export with name x is already exported by stack y"
        ));
    }
}
