//! What follows goes on where AWS was asked too much or could not be reached.

use aws_sdk_cloudformation::Client as CloudFormation;
use aws_sdk_cloudwatchlogs::Client as Logs;
use aws_smithy_mocks::mock;

use super::{
    answers,
    script::{STACK, Script, http},
};
use crate::aws::Fault;
use crate::engine::{DeployedFunction, LogsRequest, StackTarget, follow_events, logs};

fn target() -> StackTarget {
    StackTarget {
        name: STACK.into(),
        region: None,
    }
}

/// A look that is throttled, whatever the SDK tries
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html>).
fn throttled(script: Script) -> Script {
    let rule = mock!(CloudFormation::describe_stack_events)
        .then_http_response(|| http(400, &answers::error("Throttling", "Rate exceeded")));
    script.cloudformation("describe_stack_events", rule)
}

#[tokio::test]
async fn events_are_told_once_and_through_a_throttle() {
    let script = Script::new().events(&[
        ("3", "Orders", "CREATE_IN_PROGRESS", "", ""),
        ("2", STACK, "CREATE_IN_PROGRESS", "", ""),
        ("1", STACK, "REVIEW_IN_PROGRESS", "", ""),
    ]);
    let played = throttled(throttled(script))
        .events(&[
            ("5", STACK, "CREATE_COMPLETE", "", ""),
            ("4", "Orders", "CREATE_COMPLETE", "", ""),
            ("3", "Orders", "CREATE_IN_PROGRESS", "", ""),
        ])
        .play();
    let handle = played.handle.clone();
    played.at_wait(4, move || handle.cancel());
    let mut told = Vec::new();
    follow_events(&played.context, &[target()], 2, &mut |event| {
        told.push(format!("{} {}", event.logical_id, event.status));
    })
    .await
    .expect("it goes on until it is stopped");
    assert_eq!(
        told,
        [
            "intake-dev CREATE_IN_PROGRESS",
            "Orders CREATE_IN_PROGRESS",
            "Orders CREATE_COMPLETE",
            "intake-dev CREATE_COMPLETE",
        ]
    );
    let waits = played.waits();
    assert!(waits[0] < waits[1] && waits[1] < waits[2], "{waits:?}");
    assert_eq!(waits[3], waits[0], "then it looks as often as before");
    played.finish_as("events");
}

#[tokio::test]
async fn the_first_look_and_what_does_not_pass_are_failures() {
    let played = throttled(Script::new()).play();
    let error = follow_events(&played.context, &[target()], 2, &mut |_| {})
        .await
        .expect_err("nothing was ever read");
    assert!(matches!(error.fault(), Fault::Throttled { .. }));
    played.finish_as("events");

    let denied = mock!(CloudFormation::describe_stack_events)
        .then_http_response(|| http(403, &answers::error("AccessDenied", "not you")));
    let played = Script::new()
        .events(&[("1", STACK, "CREATE_COMPLETE", "", "")])
        .cloudformation("describe_stack_events", denied)
        .play();
    let error = follow_events(&played.context, &[target()], 2, &mut |_| {})
        .await
        .expect_err("that does not pass");
    assert_eq!(error.code(), Some("AccessDenied"));
    played.finish_as("events");
}

#[tokio::test]
async fn a_stack_may_come_to_be_while_it_is_followed() {
    let absent = mock!(CloudFormation::describe_stack_events)
        .then_http_response(|| http(400, &answers::absent(STACK)));
    let played = Script::new()
        .cloudformation("describe_stack_events", absent)
        .events(&[("1", STACK, "REVIEW_IN_PROGRESS", "", "")])
        .play();
    let handle = played.handle.clone();
    played.at_wait(2, move || handle.cancel());
    let mut told = 0;
    follow_events(&played.context, &[target()], 2, &mut |_| told += 1)
        .await
        .expect("it goes on until it is stopped");
    assert_eq!(told, 1);
    played.finish_as("events");
}

fn filtered(script: Script, status: u16, body: &'static str) -> Script {
    let rule = mock!(Logs::filter_log_events).then_http_response(move || {
        let mut answer = http(status, body);
        answer
            .headers_mut()
            .insert("content-type", "application/x-amz-json-1.1");
        answer
    });
    script.logs("filter_log_events", rule)
}

/// The answers are those of
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html> and its errors.
#[tokio::test]
async fn lines_are_told_once_and_through_a_throttle() {
    const LINE: &str = r#"{"events":[{"timestamp":1790000001000,"message":"a\n","eventId":"1"}]}"#;
    const BOTH: &str = r#"{"events":[{"timestamp":1790000001000,"message":"a\n","eventId":"1"},
                                     {"timestamp":1790000002000,"message":"b\n","eventId":"2"}]}"#;
    let rule = mock!(aws_sdk_lambda::Client::get_function_configuration)
        .then_http_response(|| http(200, "{}"));
    let mut script = Script::new().lambda("get_function_configuration", rule);
    script = filtered(script, 200, LINE);
    let throttled = r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#;
    script = filtered(script, 400, throttled);
    let played = filtered(script, 200, BOTH).play();
    let handle = played.handle.clone();
    played.at_wait(3, move || handle.cancel());
    let request = LogsRequest {
        functions: vec![DeployedFunction {
            stack: STACK.into(),
            region: None,
            logical_id: "Create".into(),
            name: "intake-dev-Create".into(),
            alias: None,
        }],
        since: answers::now(),
        filter: None,
        follow: true,
    };
    let mut told = Vec::new();
    logs(&played.context, &request, &mut |line| {
        told.push(line.message);
    })
    .await
    .expect("it goes on until it is stopped");
    assert_eq!(told, ["a", "b"]);
    played.finish_as("logs");
}
