//! Calls that are made a second time, because the answer to the first was lost or because a run was killed.

use aws_sdk_cloudformation::Client as CloudFormation;
use aws_sdk_s3::Client as S3;
use aws_smithy_mocks::mock;

use super::{
    answers::{self, ADD_ORDERS, STACK_ID, Stack},
    publish::{bucket_stack, creates, packed},
    script::{Answer, STACK, Script, http, one, stack},
};
use crate::engine::{BOOTSTRAP_STACK, Outcome, deploy};

/// What is asked about a change set by its name and not by its id.
fn found_by_name(script: Script, status: u16, body: String) -> Script {
    let rule = mock!(CloudFormation::describe_change_set)
        .match_requests(|input| {
            let name = input.change_set_name().unwrap_or_default();
            input.stack_name() == Some(STACK) && name.starts_with("stackctl-")
        })
        .then_http_response(move || http(status, &body));
    script.cloudformation("describe_change_set", rule)
}

/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html>: CloudFormation knows
/// a repeated call by its token, and an engine that does not answers what it answers to somebody else.
#[tokio::test]
async fn a_change_set_that_a_lost_call_made_is_gone_on_with() {
    let script = Script::new()
        .describe(STACK, answers::absent(STACK))
        .refuse_change_set(400, "AlreadyExistsException", "ChangeSet already exists");
    let found = answers::change_set("CREATE_COMPLETE", "", ADD_ORDERS, None);
    let played = found_by_name(script, 200, found)
        .change_set("CREATE_COMPLETE", "", ADD_ORDERS)
        .execute()
        .events(&[("9", STACK, "CREATE_COMPLETE", "", "*")])
        .events(&[("9", STACK, "CREATE_COMPLETE", "", "*")])
        .describe(STACK_ID, Stack::new("CREATE_COMPLETE").xml())
        .play();
    let report = deploy(&played.context, one(stack(STACK, &[])), Answer::yes())
        .await
        .expect("the change set is executed");
    assert_eq!(report.stacks[0].outcome, Outcome::Created);
    played.finish();
}

#[tokio::test]
async fn a_stack_that_somebody_else_made_meanwhile_is_refused() {
    let script = Script::new()
        .describe(STACK, answers::absent(STACK))
        .refuse_change_set(
            400,
            "AlreadyExistsException",
            "Stack [intake-dev] already exists",
        );
    let absent = answers::error("ChangeSetNotFound", "ChangeSet does not exist");
    let played = found_by_name(script, 404, absent).play();
    let error = deploy(&played.context, one(stack(STACK, &[])), Answer::never())
        .await
        .expect_err("it is another change set");
    let error = crate::error::Error::from(error);
    assert!(
        error.causes().join(" ").contains("already exists"),
        "{error:?}"
    );
    played.finish();
}

#[tokio::test]
async fn an_execution_that_a_lost_call_began_is_followed() {
    for code in ["InvalidChangeSetStatus", "ChangeSetNotFound"] {
        let played = Script::new()
            .describe(STACK, answers::absent(STACK))
            .create_change_set(|_| true)
            .change_set("CREATE_COMPLETE", "", ADD_ORDERS)
            .refuse_execution(code, "ChangeSet is in EXECUTE_IN_PROGRESS status")
            .events(&[("8", STACK, "CREATE_IN_PROGRESS", "", "*")])
            .events(&[("9", STACK, "CREATE_COMPLETE", "", "*")])
            .events(&[("9", STACK, "CREATE_COMPLETE", "", "*")])
            .describe(STACK_ID, Stack::new("CREATE_COMPLETE").xml())
            .play();
        let report = deploy(&played.context, one(stack(STACK, &[])), Answer::yes())
            .await
            .expect("it was begun");
        assert_eq!(report.stacks[0].outcome, Outcome::Created, "{code}");
        played.finish();
    }
}

/// See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>.
#[tokio::test]
async fn an_artifact_that_a_lost_call_wrote_is_not_written_again() {
    let packed = packed();
    let there = "<?xml version=\"1.0\"?><Error><Code>PreconditionFailed</Code>\
                 <Message>At least one of the pre-conditions you specified did not hold</Message>\
                 <Condition>If-None-Match</Condition></Error>";
    let script = Script::new()
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .nothing_fast()
        .describe(STACK, answers::absent(STACK))
        .object_absent()
        .s3(
            "put_object",
            mock!(S3::put_object)
                .match_requests(|input| input.if_none_match() == Some("*"))
                .then_http_response(move || http(412, there)),
        );
    let played = creates(script, &packed.sha256).play();
    deploy(&played.context, packed.deployment, Answer::yes())
        .await
        .expect("the artifact is there");
    played.finish();
}

#[tokio::test]
async fn what_is_not_the_artifact_is_replaced() {
    let packed = packed();
    let key = format!("intake-dev/intake-create/{}.zip", packed.sha256);
    let script = Script::new()
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .nothing_fast()
        .describe(STACK, answers::absent(STACK))
        .object_present(key.leak(), 5)
        .s3(
            "put_object",
            mock!(S3::put_object)
                .match_requests(|input| input.if_none_match().is_none())
                .then_http_response(|| http(200, "")),
        );
    let played = creates(script, &packed.sha256).play();
    deploy(&played.context, packed.deployment, Answer::yes())
        .await
        .expect("the artifact is written");
    played.finish();
}
