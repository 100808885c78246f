//! What a removal finds beside the stack: logs that services made, and what still carries its tags.

mod bygone;
mod survivors;

use aws_sdk_cloudwatchlogs::Client as Logs;
use aws_sdk_s3::Client as S3;
use aws_smithy_mocks::mock;
use serde_json::json;

use super::{
    answers::{self, Stack},
    script::{STACK, Script, http, names, stack},
};
use crate::engine::{BOOTSTRAP_STACK, DestroyRequest, Outcome, destroy};

fn request() -> DestroyRequest {
    DestroyRequest {
        stacks: vec![stack(STACK, &[]).manifest],
        ..DestroyRequest::default()
    }
}

const GROUPS: &str = "arn:aws:logs:eu-central-1:123456789012:log-group:";

/// `ListTagsForResource`, as
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_ListTagsForResource.html> shows it.
fn tags(script: Script, name: &'static str, tags: &serde_json::Value) -> Script {
    let body = json!({"tags": tags}).to_string();
    script.logs(
        "list_tags_for_resource",
        mock!(Logs::list_tags_for_resource)
            .match_requests(move |input| {
                let arn = input
                    .resource_arn()
                    .and_then(|arn| arn.strip_prefix(GROUPS));
                arn == Some(name)
            })
            .then_http_response(move || http(200, &body)),
    )
}

/// `DescribeLogGroups`, as
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogGroups.html> shows it.
fn lists(script: Script, prefix: &'static str, found: &[&str]) -> Script {
    let groups: Vec<_> = found
        .iter()
        .map(|name| json!({"logGroupName": name, "arn": format!("{GROUPS}{name}:*"), "storedBytes": 1}))
        .collect();
    let body = json!({"logGroups": groups}).to_string();
    script.logs(
        "describe_log_groups",
        mock!(Logs::describe_log_groups)
            .match_requests(move |input| input.log_group_name_prefix() == Some(prefix))
            .then_http_response(move || http(200, &body)),
    )
}

fn deletes(script: Script, name: &'static str, status: u16, body: &'static str) -> Script {
    script.logs(
        "delete_log_group",
        mock!(Logs::delete_log_group)
            .match_requests(move |input| input.log_group_name() == Some(name))
            .then_http_response(move || http(status, body)),
    )
}

#[tokio::test]
async fn logs_that_functions_made_by_themselves_go_after_the_stack() {
    let template = r#"{"Resources":{
        "Api":{"Type":"AWS::Lambda::Function"},
        "Named":{"Type":"AWS::Lambda::Function"},
        "Logs":{"Type":"AWS::Logs::LogGroup","DeletionPolicy":"Retain"},
        "Worker":{"Type":"AWS::Lambda::Function"}}}"#;
    let mut script = Script::new()
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .template(template)
        .resources(&[
            (
                "Api",
                "AWS::Lambda::Function",
                "intake-dev-Api-1",
                "CREATE_COMPLETE",
            ),
            // It left the stack long ago, and its name may be another one's by now: nobody asks for its logs.
            (
                "Api",
                "AWS::Lambda::Function",
                "elsewhere",
                "DELETE_COMPLETE",
            ),
            (
                "Named",
                "AWS::Lambda::Function",
                "nightly",
                "CREATE_COMPLETE",
            ),
            (
                "Worker",
                "AWS::Lambda::Function",
                "intake-dev-Worker-1",
                "CREATE_COMPLETE",
            ),
            (
                "Logs",
                "AWS::Logs::LogGroup",
                "/aws/lambda/intake-dev-Worker-1",
                "CREATE_COMPLETE",
            ),
        ])
        .delete_stack()
        .events(&[("5", STACK, "DELETE_COMPLETE", "", "*")])
        .events(&[("5", STACK, "DELETE_COMPLETE", "", "*")])
        .describe(BOOTSTRAP_STACK, answers::absent(BOOTSTRAP_STACK));
    // One question for all names that CloudFormation made; a group of another stack and a retained one stay.
    script = lists(
        script,
        "/aws/lambda/intake-dev-",
        &[
            "/aws/lambda/intake-dev-Api-1",
            "/aws/lambda/intake-dev-Worker-1",
            "/aws/lambda/intake-dev-other-Api-1",
        ],
    );
    script = tags(script, "/aws/lambda/intake-dev-Api-1", &json!({}));
    script = lists(script, "/aws/lambda/nightly", &["/aws/lambda/nightly"]);
    script = tags(script, "/aws/lambda/nightly", &json!({"team": "blue"}));
    script = deletes(script, "/aws/lambda/intake-dev-Api-1", 200, "{}");
    // Somebody else was faster.
    script = deletes(
        script,
        "/aws/lambda/nightly",
        400,
        r#"{"__type":"ResourceNotFoundException","message":"The specified log group does not exist."}"#,
    );
    let played = script.play();
    let report = destroy(&played.context, request())
        .await
        .expect("the stack is gone");
    assert_eq!(
        report.stacks[0].retained["Logs"],
        "/aws/lambda/intake-dev-Worker-1"
    );
    let events = names(&played.finish_as("destroy"));
    assert_eq!(
        events[events.len() - 3..],
        ["log_group_removed", "log_group_removed", "finished deleted"]
    );
}

/// A removal of a stack with two functions that are named by hand.
fn two_functions() -> Script {
    Script::new()
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .template(
            r#"{"Resources":{"Api":{"Type":"AWS::Lambda::Function"},"Work":{"Type":"AWS::Lambda::Function"}}}"#,
        )
        .resources(&[
            ("Api", "AWS::Lambda::Function", "api", "CREATE_COMPLETE"),
            ("Work", "AWS::Lambda::Function", "work", "CREATE_COMPLETE"),
        ])
        .delete_stack()
        .events(&[("5", STACK, "DELETE_COMPLETE", "", "*")])
        .events(&[("5", STACK, "DELETE_COMPLETE", "", "*")])
        .describe(BOOTSTRAP_STACK, answers::absent(BOOTSTRAP_STACK))
}

#[tokio::test]
async fn a_log_group_that_some_stack_describes_stays() {
    let other = "arn:aws:cloudformation:eu-central-1:123456789012:stack/logs-dev/1";
    let mut script = lists(
        two_functions(),
        "/aws/lambda/api",
        &["/aws/lambda/api", "/aws/lambda/apis"],
    );
    script = tags(
        script,
        "/aws/lambda/api",
        &json!({"aws:cloudformation:stack-id": other}),
    );
    script = lists(script, "/aws/lambda/work", &["/aws/lambda/work"]);
    script = tags(script, "/aws/lambda/work", &json!({}));
    let played = deletes(script, "/aws/lambda/work", 200, "{}").play();
    destroy(&played.context, request())
        .await
        .expect("the stack is gone");
    let events = names(&played.finish_as("destroy"));
    let removed = events.iter().filter(|name| *name == "log_group_removed");
    assert_eq!(removed.count(), 1);
}

#[tokio::test]
async fn a_caller_who_may_not_look_for_logs_is_told_and_the_stack_is_gone() {
    let denied = r#"{"__type":"AccessDeniedException","message":"User is not authorized to perform: logs:DescribeLogGroups"}"#;
    let played = two_functions()
        .logs(
            "describe_log_groups",
            mock!(Logs::describe_log_groups).then_http_response(move || http(400, denied)),
        )
        .play();
    let report = destroy(&played.context, request())
        .await
        .expect("the stack is gone");
    assert_eq!(report.stacks[0].outcome, Outcome::Deleted);
    assert!(report.stacks[0].left.unfinished);
    let events = played.finish_as("destroy");
    let told = events.iter().find_map(|event| match event {
        crate::engine::Event::Warning { message, .. } => Some(message.clone()),
        _ => None,
    });
    let told = told.expect("there is a warning");
    assert!(
        told.contains("(/aws/lambda/api, /aws/lambda/work)"),
        "{told}"
    );
}

/// `ListObjectVersions`, as <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html> shows it.
fn holds(script: Script, versions: &str) -> Script {
    let body = format!(
        "<?xml version=\"1.0\"?><ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
         <IsTruncated>false</IsTruncated>{versions}</ListVersionsResult>"
    );
    script.s3(
        "list_object_versions",
        mock!(S3::list_object_versions).then_http_response(move || http(200, &body)),
    )
}

/// What CloudFormation says of a bucket that holds something.
const REFILLED: &str = "Resource handler returned message: \"The bucket you tried to delete is not empty (Service: S3, \
     Status Code: 409)\" (HandlerErrorCode: GeneralServiceException)";

/// A removal that finds the bucket empty and then filled again, as often as said; each time the bucket is emptied anew.
fn refilled(times: usize) -> Script {
    let mut script = Script::new()
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml());
    for _ in 0..times {
        script = script
            .template(r#"{"Resources":{"Uploads":{"Type":"AWS::S3::Bucket"}}}"#)
            .resources(&[("Uploads", "AWS::S3::Bucket", "uploads-1", "CREATE_COMPLETE")]);
        let failed = [
            ("5", STACK, "DELETE_FAILED", "", "*"),
            ("4", "Uploads", "DELETE_FAILED", REFILLED, "*"),
        ];
        script = holds(script, "")
            .delete_stack()
            .events(&failed)
            .events(&failed)
            // What a next destroy could keep.
            .resources(&[("Uploads", "AWS::S3::Bucket", "uploads-1", "DELETE_FAILED")]);
    }
    script
}

#[tokio::test]
async fn a_bucket_that_is_filled_again_is_emptied_again() {
    let mut script = refilled(1)
        .template(r#"{"Resources":{"Uploads":{"Type":"AWS::S3::Bucket"}}}"#)
        .resources(&[("Uploads", "AWS::S3::Bucket", "uploads-1", "DELETE_FAILED")]);
    script = holds(script, "<Version><Key>late.log</Key><VersionId>v1</VersionId></Version>").s3(
        "delete_objects",
        mock!(S3::delete_objects).then_http_response(|| {
            http(
                200,
                "<?xml version=\"1.0\"?><DeleteResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>",
            )
        }),
    );
    let played = script
        .delete_stack()
        .events(&[("7", STACK, "DELETE_COMPLETE", "", "*")])
        .events(&[("7", STACK, "DELETE_COMPLETE", "", "*")])
        .describe(BOOTSTRAP_STACK, answers::absent(BOOTSTRAP_STACK))
        .play();
    destroy(&played.context, request())
        .await
        .expect("the stack is gone");
    played.finish_as("destroy");
}

#[tokio::test]
async fn a_bucket_that_is_always_filled_again_ends_the_removal() {
    let played = refilled(3).play();
    destroy(&played.context, request())
        .await
        .expect_err("somebody goes on writing");
    played.finish_as("destroy");
}
