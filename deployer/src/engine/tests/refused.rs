//! Change sets that are empty, fail, are refused or come too late.

use super::{
    answers::{self, CHANGE_SET_ID, REPLACE_ORDERS, Stack},
    script::{Answer, STACK, Script, TEMPLATE, one, stack},
};
use crate::{
    engine::{Explained, Outcome, deploy},
    error::{Error, Kind},
};

#[tokio::test]
async fn a_change_set_without_changes_is_removed() {
    for reason in [
        "The submitted information didn't contain changes. Submit different information to create a change set.",
        "No updates are to be performed.",
    ] {
        let mut changed = stack(STACK, &[]);
        changed.manifest.capabilities = vec!["CAPABILITY_AUTO_EXPAND".into()];
        changed.template = TEMPLATE.replace("}}}", "}},\"Transform\":[]}");
        let played = Script::new()
            .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
            .list_change_sets(&[])
            .create_change_set(|_| true)
            .change_set("FAILED", reason, "")
            .delete_change_set(CHANGE_SET_ID)
            .play();
        let answer = Answer::no();
        let report = deploy(&played.context, one(changed), answer.clone())
            .await
            .expect("nothing is to be done");
        assert_eq!(report.stacks[0].outcome, Outcome::Unchanged);
        // Nobody was asked, and whoever knows what was planned hears of it.
        assert_eq!(*answer.shown.lock().expect("no holder panics"), []);
        assert_eq!(*answer.left.lock().expect("no holder panics"), [STACK]);
        played.finish();
    }
}

#[tokio::test]
async fn a_change_set_that_fails_leaves_nothing_behind() {
    let played = Script::new()
        .describe(STACK, answers::absent(STACK))
        .create_change_set(|_| true)
        .change_set(
            "FAILED",
            "No export named orders-dev-TableArn found. Rollback requested by user.",
            "",
        )
        .delete_change_set(CHANGE_SET_ID)
        .nothing_else_waits()
        .delete_stack()
        .play();
    let error = deploy(&played.context, one(stack(STACK, &[])), Answer::never())
        .await
        .expect_err("the change set fails");
    assert_eq!(error.kind(), Kind::Deploy);
    assert_eq!(
        error.hints(),
        ["deploy the stack that exports it first, or all stacks at once"]
    );
    let error = Error::from(error);
    assert_eq!(error.message(), "stack intake-dev was not deployed");
    assert_eq!(
        error.causes(),
        [
            "CloudFormation refuses the change set of stack intake-dev: No export named orders-dev-TableArn found. \
             Rollback requested by user."
        ]
    );
    played.finish();
}

#[tokio::test]
async fn an_update_whose_change_set_fails_keeps_the_stack() {
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_ROLLBACK_COMPLETE").xml())
        .list_change_sets(&[])
        .create_change_set(|_| true)
        .change_set("FAILED", "Transform failed", "")
        .delete_change_set(CHANGE_SET_ID)
        .play();
    deploy(&played.context, one(stack(STACK, &[])), Answer::never())
        .await
        .expect_err("the change set fails");
    played.finish();
}

#[tokio::test]
async fn a_capability_that_lacks_is_found_before_anything_is_made() {
    let mut iam = stack(STACK, &[]);
    iam.template = TEMPLATE.replace("AWS::SQS::Queue", "AWS::IAM::Role");
    iam.manifest.capabilities.clear();
    let played = Script::new().describe(STACK, answers::absent(STACK)).play();
    let error = deploy(&played.context, one(iam), Answer::never())
        .await
        .expect_err("a role needs a capability");
    assert_eq!(error.kind(), Kind::Assembly);
    assert_eq!(
        Error::from(error).causes(),
        ["stack intake-dev needs CAPABILITY_IAM, which the assembly does not give"]
    );
    played.finish();
}

#[tokio::test]
async fn a_template_that_is_refused_at_once_is_explained() {
    let played = Script::new()
        .describe(STACK, answers::absent(STACK))
        .refuse_change_set(
            400,
            "InsufficientCapabilitiesException",
            "Requires capabilities : [CAPABILITY_NAMED_IAM]",
        )
        .play();
    let error = deploy(&played.context, one(stack(STACK, &[])), Answer::never())
        .await
        .expect_err("the template is refused");
    assert_eq!(
        Error::from(error).causes(),
        [
            "CloudFormation refuses the change set of stack intake-dev: Requires capabilities : [CAPABILITY_NAMED_IAM]"
        ]
    );
    played.finish();
}

/// The codes are those of
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ExecuteChangeSet.html>.
#[tokio::test]
async fn whoever_comes_second_is_told() {
    for (code, message) in [
        ("ChangeSetNotFound", "ChangeSet [stackctl-x] does not exist"),
        (
            "InvalidChangeSetStatus",
            "ChangeSet [stackctl-x] cannot be executed in its current status of [OBSOLETE]",
        ),
    ] {
        let played = Script::new()
            .describe(STACK, Stack::new("UPDATE_ROLLBACK_COMPLETE").xml())
            .proposing(REPLACE_ORDERS)
            .refuse_execution(code, message)
            .events(&[
                (
                    "2",
                    STACK,
                    "UPDATE_COMPLETE",
                    "",
                    "stackctl-0123456789abcdef0123-v0-1-0-by--keve",
                ),
                (
                    "1",
                    STACK,
                    "UPDATE_IN_PROGRESS",
                    "",
                    "stackctl-0123456789abcdef0123-v0-1-0-by--keve",
                ),
            ])
            .play();
        let error = deploy(&played.context, one(stack(STACK, &[])), Answer::yes())
            .await
            .expect_err("another deploy came first");
        let eve = "arn:aws:iam::123456789012:user/eve";
        let what = match code {
            // Eve need not have changed anything for that.
            "ChangeSetNotFound" => format!(
                "{eve} was the last to change this stack since 2026-07-28T06:00:02Z, or deploys it and removed this change set \
                 because it waited for more than an hour"
            ),
            _ => format!("{eve} changed this stack meanwhile since 2026-07-28T06:00:02Z"),
        };
        let way = "deploy again, or add `--wait` to compute the changes anew";
        assert_eq!(error.hints(), [format!("{what}: {way}")]);
        played.finish();
    }
}

#[tokio::test]
async fn a_change_set_that_cannot_be_executed_is_found_out() {
    let mut script = Script::new()
        .describe(STACK, Stack::new("UPDATE_ROLLBACK_COMPLETE").xml())
        .proposing(REPLACE_ORDERS)
        .execute();
    for _ in 0..10 {
        script = script.events(&[("1", STACK, "CREATE_COMPLETE", "", "somebody")]);
    }
    let obsolete =
        answers::change_set("CREATE_COMPLETE", "", "", None).replace(">AVAILABLE<", ">OBSOLETE<");
    let played = script
        .cloudformation(
            "describe_change_set",
            aws_smithy_mocks::mock!(aws_sdk_cloudformation::Client::describe_change_set)
                .then_http_response(move || super::script::http(200, &obsolete)),
        )
        .play();
    let error = deploy(&played.context, one(stack(STACK, &[])), Answer::yes())
        .await
        .expect_err("it is never executed");
    assert!(
        Error::from(error).causes()[0].ends_with("OBSOLETE"),
        "the execution status is named"
    );
    played.finish();
}
