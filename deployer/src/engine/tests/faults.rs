//! Throttling, credentials that end, permissions that lack.

use aws_sdk_cloudformation::Client as CloudFormation;
use aws_smithy_mocks::mock;

use super::{
    answers::{self, Stack},
    script::{Answer, STACK, Script, TEMPLATE, http, one, stack},
};
use crate::{
    engine::{Explained, deploy},
    error::{Error, Kind},
};

/// `DescribeStacks` that is answered by these errors one after the other, and then by a stack.
fn stumbles(errors: &[(u16, &str, &str)], then: Option<Stack>) -> Script {
    let mut answers = mock!(CloudFormation::describe_stacks).sequence();
    for (status, code, message) in errors {
        let body = answers::error(code, message);
        let status = *status;
        answers = answers.http_response(move || http(status, &body));
    }
    if let Some(stack) = then {
        let body = stack.xml();
        answers = answers.http_response(move || http(200, &body));
    }
    Script::new().cloudformation("describe_stacks", answers.build())
}

const THROTTLED: (u16, &str, &str) = (400, "Throttling", "Rate exceeded");

#[tokio::test]
async fn throttled_calls_are_tried_again() {
    let played = stumbles(&[THROTTLED, THROTTLED], Some(Stack::new("UPDATE_COMPLETE")))
        .template(TEMPLATE)
        .play();
    deploy(&played.context, one(stack(STACK, &[])), Answer::never())
        .await
        .expect("the third call is answered");
    played.finish();
}

#[tokio::test]
async fn throttling_that_does_not_end_is_told_from_other_errors() {
    let played = stumbles(&[THROTTLED, THROTTLED, THROTTLED], None).play();
    let error = deploy(&played.context, one(stack(STACK, &[])), Answer::never())
        .await
        .expect_err("every call is refused");
    assert_eq!(error.kind(), Kind::Aws);
    let error = Error::from(error);
    assert_eq!(
        error.causes(),
        [
            "a call for stack intake-dev failed",
            "AWS asked to slow down even after several retries (DescribeStacks: Throttling)"
        ]
    );
    assert!(error.hints()[0].starts_with("run the same command again"));
    played.finish();
}

#[tokio::test]
async fn credentials_that_expire_during_a_deploy_are_named() {
    let played = stumbles(
        &[(
            403,
            "ExpiredToken",
            "The security token included in the request is expired",
        )],
        None,
    )
    .play();
    let error = deploy(&played.context, one(stack(STACK, &[])), Answer::never())
        .await
        .expect_err("the credentials are expired");
    assert_eq!(error.kind(), Kind::Credentials);
    let error = Error::from(error);
    assert_eq!(
        error.causes()[1],
        "the AWS credentials are expired (DescribeStacks)"
    );
    assert_eq!(error.hints(), ["run `aws sso login --profile work`"]);
    played.finish();
}

#[tokio::test]
async fn a_missing_permission_is_told_in_the_words_of_aws() {
    let message = "User: arn:aws:iam::123456789012:user/dev is not authorized to perform: \
                   cloudformation:DescribeStacks";
    let played = stumbles(&[(403, "AccessDenied", message)], None).play();
    let error = deploy(&played.context, one(stack(STACK, &[])), Answer::never())
        .await
        .expect_err("the caller may not");
    assert_eq!(error.kind(), Kind::Aws);
    let text = Error::from(error).causes()[1].clone();
    assert!(text.contains(message), "{text}");
    played.finish();
}

#[tokio::test]
async fn an_answer_that_is_no_answer_is_an_error() {
    let played = Script::new()
        .describe(
            STACK,
            answers::result(
                "DescribeStacks",
                "<Stacks><member><StackName>x</StackName></member></Stacks>",
            ),
        )
        .play();
    let error = deploy(&played.context, one(stack(STACK, &[])), Answer::never())
        .await
        .expect_err("there is no status");
    assert_eq!(
        Error::from(error).causes()[1..],
        [
            "the answer to DescribeStacks was not understood",
            "the answer holds no stack id"
        ]
    );
    played.finish();
}
