//! Stacks that other stacks import from.

use super::*;

/// One answer of `ListImports`, as
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListImports.html> shows it.
fn imports(export: &'static str, answer: String) -> Rule {
    mock!(CloudFormation::list_imports)
        .match_requests(move |input| input.export_name() == Some(export))
        .then_http_response(move || http(answers::status_of(&answer), &answer))
}

#[tokio::test]
async fn a_stack_that_another_one_imports_from_keeps_its_objects_and_its_protection() {
    let mut exporting = Stack::new("CREATE_COMPLETE");
    exporting.protected = true;
    exporting.exports = vec![("QueueUrl", "intake-dev-QueueUrl")];
    let importers = answers::result(
        "ListImports",
        "<Imports><member>reports-dev</member></Imports>",
    );
    let played = Script::new()
        .describe(STACK, exporting.xml())
        .cloudformation("list_imports", imports("intake-dev-QueueUrl", importers))
        .describe("open-dev", answers::absent("open-dev"))
        .play();
    let mut request = request(&[(STACK, &[]), ("open-dev", &[])]);
    request.unprotect = true;
    let error = destroy(&played.context, request)
        .await
        .expect_err("another stack needs it");
    assert_eq!(
        error.hints(),
        ["destroy reports-dev first, or deploy what no longer imports it"]
    );
    assert_eq!(
        error.to_string(),
        "stack intake-dev cannot be deleted: reports-dev imports its export intake-dev-QueueUrl; nothing was removed"
    );
    assert!(names(&played.finish_as("destroy")).is_empty());
}

#[tokio::test]
async fn an_importer_that_came_while_stacks_go_is_seen_too() {
    let mut exporting = Stack::new("CREATE_COMPLETE");
    exporting.exports = vec![("QueueUrl", "intake-dev-QueueUrl")];
    let late = "<Imports><member>reports-dev</member></Imports>";
    let played = Script::new()
        .describe(STACK, exporting.xml())
        .cloudformation("list_imports", imports("intake-dev-QueueUrl", nobody()))
        .describe(STACK, exporting.xml())
        .cloudformation(
            "list_imports",
            imports("intake-dev-QueueUrl", answers::result("ListImports", late)),
        )
        .play();
    let error = destroy(&played.context, request(&[(STACK, &[])]))
        .await
        .expect_err("another stack needs it");
    assert_eq!(
        Error::from(error).causes(),
        [
            "stack intake-dev cannot be deleted",
            "reports-dev imports its export intake-dev-QueueUrl; the stack is as it was"
        ]
    );
    played.finish_as("destroy");
}

/// What `ListImports` answers where nobody imports.
fn nobody() -> String {
    answers::error(
        "ValidationError",
        "Export 'intake-dev-QueueUrl' is not imported by any stack.",
    )
}

#[tokio::test]
async fn an_export_that_nobody_imports_is_no_obstacle() {
    let mut exporting = Stack::new("CREATE_COMPLETE");
    exporting.exports = vec![("QueueUrl", "intake-dev-QueueUrl")];
    let script = Script::new()
        .describe(STACK, exporting.xml())
        .cloudformation("list_imports", imports("intake-dev-QueueUrl", nobody()))
        .describe(STACK, exporting.xml())
        .cloudformation("list_imports", imports("intake-dev-QueueUrl", nobody()))
        .template(TEMPLATE)
        .resources(&[]);
    let played = gone(script).play();
    destroy(&played.context, request(&[(STACK, &[])]))
        .await
        .expect("the stack is gone");
    played.finish_as("destroy");
}

#[tokio::test]
async fn an_export_in_use_is_explained() {
    let message =
        "Export user-dev-UserTableArn cannot be deleted as it is in use by user-order-dev";
    let played = Script::new()
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .template(TEMPLATE)
        .resources(&[])
        .refuse_delete("ValidationError", message)
        .play();
    let error = destroy(&played.context, request(&[(STACK, &[])]))
        .await
        .expect_err("another stack needs it");
    assert_eq!(
        error.hints(),
        ["another stack imports that value: deploy or destroy that stack first"]
    );
    assert_eq!(
        Error::from(error).causes(),
        ["stack intake-dev cannot be deleted", message]
    );
    played.finish_as("destroy");
}

/// Who may not ask is told so, and CloudFormation refuses what it has to.
#[tokio::test]
async fn a_caller_who_may_not_list_imports_is_warned_and_not_stopped() {
    let mut exporting = Stack::new("CREATE_COMPLETE");
    exporting.exports = vec![("QueueUrl", "intake-dev-QueueUrl")];
    let denied = || {
        let denied = answers::error(
            "AccessDenied",
            "User: arn:aws:iam::123456789012:user/dev is not authorized to perform: cloudformation:ListImports",
        );
        mock!(CloudFormation::list_imports).then_http_response(move || http(403, &denied))
    };
    let script = Script::new()
        .describe(STACK, exporting.xml())
        .cloudformation("list_imports", denied())
        .describe(STACK, exporting.xml())
        .cloudformation("list_imports", denied())
        .template(TEMPLATE)
        .resources(&[]);
    let played = gone(script).play();
    destroy(&played.context, request(&[(STACK, &[])]))
        .await
        .expect("the stack is gone");
    let told = names(&played.finish_as("destroy"));
    assert_eq!(told[..2], ["warning", "stack_started"]);
    assert!(!told[2..].contains(&"warning".to_owned()), "{told:?}");
}
