//! Statuses, outputs, events, functions, logs, calls.

use aws_sdk_cloudwatchlogs::Client as Logs;
use aws_sdk_lambda::{Client as Lambda, primitives::Blob};
use aws_smithy_mocks::mock;

use super::{
    answers::{self, Stack},
    script::{STACK, Script, http},
};
use crate::engine::{
    DeployedFunction, LogsRequest, StackTarget, events, functions, invoke, logs, outputs, status,
};

fn targets(names: &[&str]) -> Vec<StackTarget> {
    names
        .iter()
        .map(|name| StackTarget {
            name: (*name).to_owned(),
            region: None,
        })
        .collect()
}

fn function(logical_id: &str) -> DeployedFunction {
    DeployedFunction {
        stack: STACK.into(),
        region: None,
        logical_id: logical_id.into(),
        name: format!("intake-dev-{logical_id}"),
        alias: None,
    }
}

#[tokio::test]
async fn the_status_says_whether_a_stack_is_settled() {
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_IN_PROGRESS").xml())
        .describe("gone-dev", answers::absent("gone-dev"))
        .play();
    let report = status(&played.context, &targets(&[STACK, "gone-dev"]))
        .await
        .expect("both answers are read");
    assert_eq!(
        serde_json::to_value(&report).expect("a report is plain data"),
        serde_json::json!({"stacks": [
            {"stack": "intake-dev", "status": "UPDATE_IN_PROGRESS", "settled": false},
            {"stack": "gone-dev", "status": "NOT_DEPLOYED", "settled": true}
        ]})
    );
    played.finish_as("status");
}

#[tokio::test]
async fn outputs_are_those_of_the_stacks_that_exist() {
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .describe("gone-dev", answers::absent("gone-dev"))
        .play();
    let outputs = outputs(&played.context, &targets(&[STACK, "gone-dev"]))
        .await
        .expect("both answers are read");
    assert_eq!(
        serde_json::to_value(&outputs).expect("outputs are plain data"),
        serde_json::json!({"intake-dev": {"QueueUrl": "https://sqs.eu-central-1.amazonaws.com/1/q"}})
    );
    played.finish_as("outputs");
}

#[tokio::test]
async fn events_are_told_from_the_oldest_to_the_newest() {
    let played = Script::new()
        .events_page(&[("3", STACK, "UPDATE_COMPLETE", "", "")], None, Some("p2"))
        .events_page(
            &[
                ("2", "Orders", "UPDATE_COMPLETE", "", ""),
                ("1", STACK, "UPDATE_IN_PROGRESS", "User Initiated", ""),
            ],
            Some("p2"),
            None,
        )
        .play();
    let events = events(&played.context, &targets(&[STACK])[0], None)
        .await
        .expect("both pages are read");
    let seen: Vec<_> = events
        .iter()
        .map(|event| (event.logical_id.as_str(), event.status.as_str()))
        .collect();
    assert_eq!(
        seen,
        [
            (STACK, "UPDATE_IN_PROGRESS"),
            ("Orders", "UPDATE_COMPLETE"),
            (STACK, "UPDATE_COMPLETE")
        ]
    );
    played.finish_as("events");
}

#[tokio::test]
async fn functions_are_found_among_the_resources() {
    let played = Script::new()
        .resources(&[
            ("Orders", "AWS::SQS::Queue", "q", "CREATE_COMPLETE"),
            (
                "Create",
                "AWS::Lambda::Function",
                "intake-dev-Create",
                "UPDATE_COMPLETE",
            ),
            (
                "Old",
                "AWS::Lambda::Function",
                "intake-dev-Old",
                "DELETE_COMPLETE",
            ),
            (
                "Work",
                "AWS::Lambda::Function",
                "intake-dev-Work",
                "UPDATE_COMPLETE",
            ),
            (
                "WorkAlias",
                "AWS::Lambda::Alias",
                "arn:aws:lambda:eu-central-1:123456789012:function:intake-dev-Work:live",
                "UPDATE_COMPLETE",
            ),
            // Somebody's own, which says nothing of who invokes what.
            (
                "CreateAlias",
                "AWS::Lambda::Alias",
                "arn:aws:lambda:eu-central-1:123456789012:function:intake-dev-Create:beta",
                "UPDATE_COMPLETE",
            ),
        ])
        .play();
    let found = functions(&played.context, &targets(&[STACK]))
        .await
        .expect("the resources are read");
    let released = DeployedFunction {
        alias: Some("live".into()),
        ..function("Work")
    };
    assert_eq!(found, [function("Create"), released]);
    played.finish_as("logs");
}

/// The answers are those of <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>.
#[tokio::test]
async fn a_function_that_fails_is_an_answer_with_its_log() {
    let played = Script::new()
        .lambda(
            "invoke",
            mock!(Lambda::invoke)
                .match_requests(|input| {
                    input.function_name() == Some("intake-dev-Create")
                        && input.qualifier() == Some("live")
                        && input.payload() == Some(&Blob::new(b"{}"))
                })
                .then_http_response(|| {
                    let mut answer = http(
                        200,
                        r#"{"errorType":"Runtime.ExitError","errorMessage":"exit status 1"}"#,
                    );
                    let headers = answer.headers_mut();
                    headers.insert("x-amz-function-error", "Unhandled");
                    headers.insert(
                        "x-amz-log-result",
                        aws_smithy_types::base64::encode("START\nEND\n"),
                    );
                    answer
                }),
        )
        .play();
    let answer = invoke(
        &played.context,
        &function("Create"),
        Some("live"),
        b"{}".to_vec(),
    )
    .await
    .expect("the call itself succeeds");
    assert_eq!(answer.function_error.as_deref(), Some("Unhandled"));
    assert!(answer.payload.contains("Runtime.ExitError"));
    assert_eq!(answer.log_tail, "START\nEND\n");
    played.finish_as("invoke");
}

fn configuration(script: Script, body: &'static str) -> Script {
    script.lambda(
        "get_function_configuration",
        mock!(Lambda::get_function_configuration).then_http_response(move || http(200, body)),
    )
}

/// What every line that is asked for holds.
const PATTERN: &str = "order";

fn filtered(script: Script, group: &'static str, since: i64, body: &'static str) -> Script {
    script.logs(
        "filter_log_events",
        mock!(Logs::filter_log_events)
            .match_requests(move |input| {
                input.log_group_name() == Some(group)
                    && input.start_time() == Some(since)
                    && input.filter_pattern() == Some(PATTERN)
            })
            .then_http_response(move || http(200, body)),
    )
}

/// The answers are those of
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html>.
#[tokio::test]
async fn logs_are_merged_by_time_and_no_line_is_told_twice() {
    const BEGIN: i64 = 1_790_000_000_000;
    let mut script = Script::new();
    script = configuration(script, r#"{"LoggingConfig":{"LogGroup":"own-group"}}"#);
    script = configuration(script, "{}");
    script = filtered(
        script,
        "own-group",
        BEGIN,
        r#"{"events":[{"timestamp":1790000001000,"message":"a\n","eventId":"1"},
                      {"timestamp":1790000003000,"message":"c\n","eventId":"2"}]}"#,
    );
    // Lambda makes the group at the first call of the function.
    script = script.logs(
        "filter_log_events",
        mock!(Logs::filter_log_events).then_http_response(|| {
            let mut answer = http(
                400,
                r#"{"__type":"ResourceNotFoundException","message":"The specified log group does not exist."}"#,
            );
            answer
                .headers_mut()
                .insert("content-type", "application/x-amz-json-1.1");
            answer
        }),
    );
    // The follower looks back, and remembers what it has told.
    script = filtered(
        script,
        "own-group",
        BEGIN,
        r#"{"events":[{"timestamp":1790000001000,"message":"a\n","eventId":"1"},
                      {"timestamp":1790000003000,"message":"c\n","eventId":"2"},
                      {"timestamp":1790000040000,"message":"e\n","eventId":"5"}]}"#,
    );
    script = filtered(
        script,
        "/aws/lambda/intake-dev-Worker",
        BEGIN,
        r#"{"events":[{"timestamp":1790000002000,"message":"b\n","eventId":"3"}]}"#,
    );
    script = filtered(script, "own-group", BEGIN + 10_000, r#"{"events":[]}"#);
    script = filtered(
        script,
        "/aws/lambda/intake-dev-Worker",
        BEGIN + 10_000,
        r#"{"events":[{"timestamp":1790000041000,"message":"f\n","eventId":"6"}]}"#,
    );
    let played = script.play();
    let handle = played.handle.clone();
    played.at_wait(3, move || handle.cancel());
    let request = LogsRequest {
        functions: vec![function("Create"), function("Worker")],
        since: answers::now(),
        filter: Some(PATTERN.to_owned()),
        follow: true,
    };
    let mut told = Vec::new();
    logs(&played.context, &request, &mut |line| {
        told.push(format!("{} {}", line.function, line.message));
    })
    .await
    .expect("the logs are read");
    assert_eq!(
        told,
        ["Create a", "Create c", "Worker b", "Create e", "Worker f"]
    );
    played.finish_as("logs");
}
