//! Why something failed, and who did what: from events, change sets and what CloudFormation found beforehand.

use aws_sdk_cloudformation::Client as CloudFormation;
use aws_smithy_mocks::mock;
use serde_json::json;

use super::{
    answers::{self, CHANGE_SET_ID, Stack},
    script::{Answer, STACK, Script, http, one, stack},
};
use crate::{
    engine::{
        BOOTSTRAP_STACK, Origin, Revision, StackTarget, WaitingOutcome, deploy, explain,
        operations, status,
    },
    error::Error,
};

const EARLY: &str = "The following hook(s)/validation failed: [AWS::EarlyValidation::ResourceExistenceCheck]. To troubleshoot Early Validation errors, use the DescribeEvents API for detailed failure information.";

fn target() -> StackTarget {
    StackTarget {
        name: STACK.into(),
        region: None,
    }
}

/// `DescribeEvents` of a change set, with the event of the operation and that of what was found
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_OperationEvent.html>).
fn found(script: Script) -> Script {
    let rule = mock!(CloudFormation::describe_events)
        .match_requests(|input| {
            input.change_set_name() == Some(CHANGE_SET_ID)
                && input
                    .filters()
                    .is_some_and(|filters| filters.failed_events() == Some(true))
        })
        .then_http_response(|| {
            let event = |more: &str| {
                format!(
                    "<member><EventId>e</EventId><StackId>{}</StackId><OperationId>o</OperationId>\
                     <OperationType>CREATE_CHANGESET</OperationType><OperationStatus>FAILED</OperationStatus>\
                     {more}</member>",
                    answers::STACK_ID
                )
            };
            let operation = event(&format!(
                "<EventType>STACK_EVENT</EventType><ResourceStatusReason>{EARLY}</ResourceStatusReason>"
            ));
            let validation = event(
                "<EventType>VALIDATION_ERROR</EventType><LogicalResourceId>Orders</LogicalResourceId>\
                 <ResourceType>AWS::SQS::Queue</ResourceType>\
                 <ValidationFailureMode>FAIL</ValidationFailureMode>\
                 <ValidationName>NAME_CONFLICT_VALIDATION</ValidationName>\
                 <ValidationStatus>FAILED</ValidationStatus>\
                 <ValidationStatusReason>Resource of type 'AWS::SQS::Queue' with identifier 'orders' already exists.</ValidationStatusReason>\
                 <ValidationPath>/Resources/Orders/Properties/QueueName</ValidationPath>",
            );
            http(
                200,
                &answers::result(
                    "DescribeEvents",
                    &format!("<OperationEvents>{operation}{validation}</OperationEvents>"),
                ),
            )
        });
    script.cloudformation("describe_events", rule)
}

fn listed(script: Script, status: &str, reason: &str) -> Script {
    let body = answers::result(
        "ListChangeSets",
        &format!(
            "<Summaries><member><StackName>{STACK}</StackName><ChangeSetName>release-7</ChangeSetName>\
             <ChangeSetId>{CHANGE_SET_ID}</ChangeSetId><Status>{status}</Status>\
             <StatusReason>{reason}</StatusReason></member></Summaries>"
        ),
    );
    script.cloudformation(
        "list_change_sets",
        mock!(CloudFormation::list_change_sets).then_http_response(move || http(200, &body)),
    )
}

#[tokio::test]
async fn a_failure_is_explained_with_what_waited_for_it() {
    let played = Script::new()
        .describe(STACK, Stack::new("ROLLBACK_COMPLETE").xml())
        .list_change_sets(&[])
        .events(&[
            ("9", STACK, "ROLLBACK_COMPLETE", "", "stackctl-1"),
            ("8", "Table", "DELETE_FAILED", "it is in use", "stackctl-1"),
            (
                "7",
                STACK,
                "ROLLBACK_IN_PROGRESS",
                "The following resource(s) failed to create: [Orders, Fulfil, Table].",
                "stackctl-1",
            ),
            ("6", "Fulfil", "CREATE_FAILED", "Resource creation cancelled", "stackctl-1"),
            ("5", "Bus", "CREATE_FAILED", "Resource creation cancelled", "stackctl-1"),
            (
                "4",
                "Orders",
                "CREATE_FAILED",
                "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
                "stackctl-1",
            ),
            ("3", "Table", "CREATE_COMPLETE", "", "stackctl-1"),
            ("2", "Orders", "CREATE_IN_PROGRESS", "", "stackctl-1"),
            ("1", STACK, "CREATE_IN_PROGRESS", "User Initiated", "stackctl-1"),
        ])
        .play();
    let template = json!({"Resources": {
        "Table": {},
        "Orders": {},
        "Bus": {},
        "Fulfil": {"Properties": {"Queue": {"Ref": "Orders"}, "Table": {"Ref": "Table"}}},
        "Mapping": {"DependsOn": "Orders", "Properties": {"Function": {"Ref": "Fulfil"}}},
    }});
    let manifest = stack(STACK, &[]).manifest;
    let explanation = explain(&played.context, &target(), Some(&manifest), Some(&template))
        .await
        .expect("everything is read");
    let first = explanation.first_cause.expect("something failed");
    assert_eq!(first.resource.logical_id, "Orders");
    assert_eq!(
        first.resource.source.as_deref(),
        Some("stacks/src/intake.rs:12:9")
    );
    let known = first.known.expect("that is met often");
    assert_eq!(known.title, "the queue was deleted a moment ago");
    let waiting: Vec<_> = explanation
        .waiting
        .iter()
        .map(|waiting| {
            (
                waiting.logical_id.as_str(),
                waiting.needs.join(" "),
                waiting.outcome,
            )
        })
        .collect();
    assert_eq!(
        waiting,
        [
            ("Fulfil", "Orders".to_owned(), WaitingOutcome::Cancelled),
            ("Mapping", "Orders".to_owned(), WaitingOutcome::NotReached),
        ]
    );
    assert_eq!(explanation.cancelled, ["Bus"]);
    let others: Vec<_> = explanation
        .others
        .iter()
        .map(|cause| cause.resource.logical_id.as_str())
        .collect();
    assert_eq!(others, ["Table"], "its rollback failed for another reason");
    played.finish_as("explain");
}

/// What failed is in no catalogue, and the stack takes the next update: the way on is named all the same.
#[tokio::test]
async fn an_update_that_was_rolled_back_is_explained_with_the_way_on() {
    let found = || Stack::new("UPDATE_ROLLBACK_COMPLETE");
    let played = Script::new()
        .describe(STACK, found().xml())
        .describe(BOOTSTRAP_STACK, answers::absent(BOOTSTRAP_STACK))
        .list_change_sets(&[])
        .events(&[
            ("4", STACK, "UPDATE_ROLLBACK_COMPLETE", "", "stackctl-1"),
            (
                "2",
                "Orders",
                "UPDATE_FAILED",
                "the delay is too long",
                "stackctl-1",
            ),
            (
                "1",
                STACK,
                "UPDATE_IN_PROGRESS",
                "User Initiated",
                "stackctl-1",
            ),
        ])
        .describe(STACK, found().xml())
        .describe(BOOTSTRAP_STACK, answers::absent(BOOTSTRAP_STACK))
        .play();
    let manifest = stack(STACK, &[]).manifest;
    let template = json!({});
    let explanation = explain(&played.context, &target(), Some(&manifest), Some(&template))
        .await
        .expect("everything is read");
    assert_eq!(
        explanation.hints,
        [
            "the stack is as it was before: mend stacks/src/intake.rs:12:9, and deploy again (`stackctl deploy intake-dev`)"
        ]
    );
    let report = status(&played.context, &[target()])
        .await
        .expect("it is described");
    let stack = &report.stacks[0];
    assert!(stack.settled);
    assert_eq!(stack.next.as_deref(), Some("stackctl deploy intake-dev"));
    assert_eq!(stack.rolled_back.as_deref(), Some("2026-07-28T06:00:00Z"));
    played.finish_as("explain");
}

/// Whoever cancels an update did not fail.
#[tokio::test]
async fn an_update_that_was_cancelled_failed_nowhere() {
    let cancelled = "Resource update cancelled";
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_ROLLBACK_COMPLETE").xml())
        .describe(BOOTSTRAP_STACK, answers::absent(BOOTSTRAP_STACK))
        .list_change_sets(&[])
        .events(&[
            ("4", STACK, "UPDATE_ROLLBACK_COMPLETE", "", "stackctl-1"),
            ("3", STACK, "UPDATE_ROLLBACK_IN_PROGRESS", "", "stackctl-1"),
            ("2", "Orders", "UPDATE_FAILED", cancelled, "stackctl-1"),
            ("1", STACK, "UPDATE_IN_PROGRESS", "", "stackctl-1"),
        ])
        .play();
    let template = json!({});
    let explanation = explain(&played.context, &target(), None, Some(&template))
        .await
        .expect("everything is read");
    assert!(!explanation.is_failure());
    assert_eq!(
        explanation.hints,
        [
            "the stack is as it was before: where the update is to be made after all, deploy it (`stackctl deploy intake-dev`)"
        ]
    );
    played.finish_as("explain");
}

#[tokio::test]
async fn a_stack_that_is_well_and_one_that_is_not_there_are_no_failures() {
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .list_change_sets(&[])
        .events(&[
            ("2", STACK, "UPDATE_COMPLETE", "", "stackctl-1"),
            ("1", STACK, "UPDATE_IN_PROGRESS", "", "stackctl-1"),
        ])
        .describe(STACK, answers::absent(STACK))
        .play();
    for operation in [Some("update"), None] {
        let explanation = explain(&played.context, &target(), None, None)
            .await
            .expect("everything is read");
        assert!(!explanation.is_failure());
        let told = explanation.operation.map(|operation| operation.operation);
        assert_eq!(told.as_deref(), operation);
    }
    played.finish_as("explain");
}

#[tokio::test]
async fn a_refused_change_set_is_explained_with_what_was_found() {
    let script = Script::new().describe(STACK, Stack::new("UPDATE_COMPLETE").xml());
    let played = found(listed(script, "FAILED", EARLY)).events(&[]).play();
    let explanation = explain(&played.context, &target(), None, None)
        .await
        .expect("everything is read");
    assert!(explanation.is_failure());
    let refused = &explanation.refused[0];
    assert_eq!(refused.change_set, "release-7");
    assert_eq!(
        refused.findings[0].to_string(),
        "Orders (AWS::SQS::Queue): Resource of type 'AWS::SQS::Queue' with identifier 'orders' already exists. \
         (at /Resources/Orders/Properties/QueueName)"
    );
    assert_eq!(
        refused.findings.len(),
        1,
        "the operation itself says nothing new"
    );
    played.finish_as("explain");
}

#[tokio::test]
async fn a_deploy_says_what_was_found_before_its_change_set_is_gone() {
    let script = Script::new()
        .describe(STACK, answers::absent(STACK))
        .create_change_set(|_| true)
        .change_set("FAILED", EARLY, "");
    let played = found(script)
        .delete_change_set(CHANGE_SET_ID)
        .nothing_else_waits()
        .delete_stack()
        .play();
    let answer = Answer::yes();
    let error = deploy(&played.context, one(stack(STACK, &[])), answer.clone())
        .await
        .expect_err("the change set fails");
    let causes = Error::from(error).causes().join("\n");
    // Whoever approves is told, to show it where the resource is.
    let found = answer.found.lock().expect("no holder panics");
    assert_eq!(found[0].logical_id.as_deref(), Some("Orders"));
    assert_eq!(found[0].failure_mode.as_deref(), Some("FAIL"));
    assert!(causes.contains("Orders (AWS::SQS::Queue): "), "{causes}");
    assert!(!causes.contains("EarlyValidation"), "{causes}");
    played.finish();
}

#[tokio::test]
async fn who_may_not_ask_what_was_found_is_told_so() {
    let denied = mock!(CloudFormation::describe_events)
        .then_http_response(|| http(403, &answers::error("AccessDenied", "not you")));
    let played = Script::new()
        .describe(STACK, answers::absent(STACK))
        .create_change_set(|_| true)
        .change_set("FAILED", EARLY, "")
        .cloudformation("describe_events", denied)
        .delete_change_set(CHANGE_SET_ID)
        .nothing_else_waits()
        .delete_stack()
        .play();
    let error = deploy(&played.context, one(stack(STACK, &[])), Answer::never())
        .await
        .expect_err("the change set fails");
    let causes = Error::from(error).causes().join("\n");
    assert!(causes.contains("EarlyValidation"), "{causes}");
    assert!(causes.contains("cannot be read"), "{causes}");
    played.finish();
}

#[tokio::test]
async fn the_newest_operations_are_told_and_no_more_is_read() {
    let played = Script::new()
        .events_page(
            &[
                (
                    "6",
                    STACK,
                    "UPDATE_COMPLETE",
                    "",
                    "stackctl-0-v0-1-0-g0fe8a21b3c4d-by-alice",
                ),
                (
                    "5",
                    STACK,
                    "UPDATE_IN_PROGRESS",
                    "",
                    "stackctl-0-v0-1-0-g0fe8a21b3c4d-by-alice",
                ),
                (
                    "4",
                    STACK,
                    "UPDATE_COMPLETE",
                    "",
                    "Console-ExecuteChangeSet-1",
                ),
                (
                    "3",
                    STACK,
                    "UPDATE_IN_PROGRESS",
                    "",
                    "Console-ExecuteChangeSet-1",
                ),
                ("2", STACK, "CREATE_COMPLETE", "", ""),
            ],
            None,
            Some("a page that is not read"),
        )
        .play();
    let told = operations(&played.context, &target(), None, 2)
        .await
        .expect("one page is read");
    let told: Vec<_> = told
        .iter()
        .map(|operation| (operation.origin.ours, operation.origin.by.as_deref()))
        .collect();
    assert_eq!(told, [(false, None), (true, Some("alice"))]);
    played.finish_as("history");
}

#[tokio::test]
async fn a_deploy_signs_its_change_set() {
    let name = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let seen = std::sync::Arc::clone(&name);
    let mut played = Script::new()
        .describe(STACK, answers::absent(STACK))
        .create_change_set(move |input| {
            *seen.lock().expect("no holder panics") =
                input.change_set_name().unwrap_or_default().to_owned();
            true
        })
        .change_set("FAILED", "no", "")
        .delete_change_set(CHANGE_SET_ID)
        .nothing_else_waits()
        .delete_stack()
        .play();
    played.context = played.context.with_revision(Revision {
        commit: Some("0fe8a21b3c4d5e6f708192a3b4c5d6e7f8091a2b".into()),
        dirty: false,
    });
    deploy(&played.context, one(stack(STACK, &[])), Answer::never())
        .await
        .expect_err("the change set fails");
    let name = name.lock().expect("no holder panics").clone();
    let origin = Origin::read(Some(&name));
    assert_eq!(origin.commit.as_deref(), Some("0fe8a21b3c4d"), "{name}");
    assert_eq!(origin.dirty, Some(false));
    assert!(origin.by.is_some(), "{name}");
    played.finish();
}
