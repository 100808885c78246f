//! What CloudFormation says of a change set besides its changes.

use aws_sdk_cloudformation::Client as CloudFormation;
use aws_smithy_mocks::{Rule, mock};

use super::{
    anew::agreed,
    answers::{self, CHANGE_SET_ID, REPLACE_ORDERS, STACK_ID, Stack},
    script::{Answer, STACK, Script, TEMPLATE, http},
};
use crate::engine::{Event, Hook, Outcome, deploy};

/// `DescribeEvents` of a change set
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeEvents.html>).
fn found(events: &str) -> Rule {
    let body = answers::result(
        "DescribeEvents",
        &format!("<OperationEvents>{events}</OperationEvents>"),
    );
    mock!(CloudFormation::describe_events)
        .match_requests(|input| input.change_set_name() == Some(CHANGE_SET_ID))
        .then_http_response(move || http(200, &body))
}

/// The event of an operation that found nothing.
pub(super) fn nothing_found() -> Rule {
    found(
        "<member><EventId>e</EventId><OperationType>CREATE_CHANGESET</OperationType>\
         <OperationStatus>SUCCEEDED</OperationStatus><EventType>STACK_EVENT</EventType></member>",
    )
}

/// What AWS warns of where a bucket that goes is not empty
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/validate-stack-deployments.html>).
fn warning() -> Rule {
    found(
        "<member><EventId>e</EventId><OperationType>CREATE_CHANGESET</OperationType>\
         <EventType>VALIDATION_ERROR</EventType><LogicalResourceId>Orders</LogicalResourceId>\
         <ResourceType>AWS::S3::Bucket</ResourceType><ValidationFailureMode>WARN</ValidationFailureMode>\
         <ValidationName>BUCKET_EMPTINESS_VALIDATION</ValidationName><ValidationStatus>FAILED</ValidationStatus>\
         <ValidationStatusReason>The bucket is not empty</ValidationStatusReason></member>\
         <member><EventId>f</EventId><OperationType>CREATE_CHANGESET</OperationType>\
         <EventType>VALIDATION_ERROR</EventType><LogicalResourceId>Orders</LogicalResourceId>\
         <ValidationStatus>SKIPPED</ValidationStatus>\
         <ValidationStatusReason>Nobody may look</ValidationStatusReason></member>",
    )
}

/// `DescribeChangeSetHooks`
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSetHooks.html>).
pub(super) fn hooks(status: &str, hooks: &str) -> Rule {
    let body = answers::result(
        "DescribeChangeSetHooks",
        &format!("<Hooks>{hooks}</Hooks><Status>{status}</Status>"),
    );
    mock!(CloudFormation::describe_change_set_hooks)
        .match_requests(|input| input.change_set_name() == Some(CHANGE_SET_ID))
        .then_http_response(move || http(200, &body))
}

const GUARD: &str = "<member><InvocationPoint>PRE_PROVISION</InvocationPoint><FailureMode>FAIL</FailureMode>\
     <TypeName>Acme::Guard::Queues</TypeName><TargetDetails><TargetType>RESOURCE</TargetType>\
     <ResourceTargetDetails><LogicalResourceId>Orders</LogicalResourceId>\
     <ResourceType>AWS::SQS::Queue</ResourceType><ResourceAction>Modify</ResourceAction>\
     </ResourceTargetDetails></TargetDetails></member>";

/// The calls of a plan and of a change set that is ready.
fn ready() -> Script {
    let deployed = || Stack::new("UPDATE_ROLLBACK_COMPLETE").xml();
    Script::new()
        .describe(STACK, deployed())
        .template(TEMPLATE)
        .describe(STACK, deployed())
        .proposing(REPLACE_ORDERS)
        .describe(STACK_ID, deployed())
}

#[tokio::test]
async fn what_is_found_and_which_hooks_run_is_known_before_the_approval() {
    let played = ready()
        .cloudformation("describe_events", warning())
        .cloudformation("describe_change_set_hooks", hooks("PLANNING", ""))
        .cloudformation("describe_change_set_hooks", hooks("PLANNED", GUARD))
        .delete_change_set(CHANGE_SET_ID)
        .play();
    let answer = Answer::no();
    let deployment = agreed(&played).await;
    deploy(&played.context, deployment, answer.clone())
        .await
        .expect_err("it is declined");
    let shown = answer.shown.lock().expect("no holder panics");
    let [finding] = shown[0].findings.as_slice() else {
        panic!("{:?}", shown[0].findings)
    };
    assert_eq!(finding.logical_id.as_deref(), Some("Orders"));
    assert_eq!(finding.reason, "The bucket is not empty");
    assert_eq!(finding.failure_mode.as_deref(), Some("WARN"));
    assert_eq!(
        shown[0].hooks,
        [Hook {
            logical_id: Some("Orders".to_owned()),
            hook_type: "Acme::Guard::Queues".to_owned(),
            failure_mode: Some("FAIL".to_owned()),
        }]
    );
    played.finish();
}

#[tokio::test]
async fn whoever_may_not_ask_is_told_and_goes_on() {
    let warnings = warnings_where(403, "AccessDenied").await;
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(
        warnings[0].starts_with("nobody knows what CloudFormation found about the change set: "),
        "{warnings:?}"
    );
    assert!(
        warnings[1].starts_with("nobody knows which hooks will run: "),
        "{warnings:?}"
    );
}

/// The local engine answers so; what it found about a change set it says, and that is nothing.
#[tokio::test]
async fn a_place_that_does_not_know_hooks_has_none() {
    let warnings = warnings_where(400, "InvalidAction").await;
    let hooks = warnings.iter().filter(|warning| warning.contains("hooks"));
    assert_eq!(hooks.count(), 0, "{warnings:?}");
}

/// Deploys where both questions are answered with an error, and returns the warnings.
async fn warnings_where(status: u16, code: &'static str) -> Vec<String> {
    let denied = || answers::error(code, "not you");
    let (events, planned) = (denied(), denied());
    let played = ready()
        .cloudformation(
            "describe_events",
            mock!(CloudFormation::describe_events)
                .then_http_response(move || http(status, &events)),
        )
        .cloudformation(
            "describe_change_set_hooks",
            mock!(CloudFormation::describe_change_set_hooks)
                .then_http_response(move || http(status, &planned)),
        )
        .execute()
        .events(&[("9", STACK, "UPDATE_COMPLETE", "", "*")])
        .events(&[("9", STACK, "UPDATE_COMPLETE", "", "*")])
        .describe(STACK_ID, Stack::new("UPDATE_COMPLETE").xml())
        .play();
    let deployment = agreed(&played).await;
    let report = deploy(&played.context, deployment, Answer::yes())
        .await
        .expect("it goes on");
    assert_eq!(report.stacks[0].outcome, Outcome::Updated);
    let events = played.finish().into_iter();
    let warnings = events.filter_map(|event| match event {
        Event::Warning { message, .. } => Some(message),
        _ => None,
    });
    warnings.collect()
}
