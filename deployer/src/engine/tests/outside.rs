//! What operations leave outside of their stacks: told, written down, and not forgotten by runs that are killed.

use std::time::Duration;

use aws_sdk_cloudformation::Client as CloudFormation;
use aws_smithy_mocks::mock;
use serde_json::{Value, json};

use super::{
    answers::{self, ADD_ORDERS, STACK_ID, Stack},
    script::{Answer, Played, STACK, Script, TEMPLATE, http, one, stack},
};
use crate::engine::{
    BOOTSTRAP_STACK, DestroyRequest, Event, Left, deploy, destroy, recover_left_aside,
};

const TABLE: &str = "AWS::DynamoDB::Table";

const ID: &str = "orders-1a2b";

/// The template that has the table, which is kept.
fn before() -> String {
    let table = json!({
        "Type": TABLE, "DeletionPolicy": "Retain",
        "Properties": {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]},
    });
    json!({"Resources": {"Orders": table, "Jobs": {"Type": "AWS::SQS::Queue"}}}).to_string()
}

/// A change set that removes the table and retains it, as it tells by `PolicyAction`
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html>).
fn removed(kind: &str) -> String {
    format!(
        "<member><Type>Resource</Type><ResourceChange><PolicyAction>Retain</PolicyAction><Action>Remove</Action>\
         <LogicalResourceId>Orders</LogicalResourceId><PhysicalResourceId>{ID}</PhysicalResourceId>\
         <ResourceType>{kind}</ResourceType></ResourceChange></member>"
    )
}

fn computes(changes: &str) -> Script {
    Script::new()
        .describe(STACK, Stack::new("UPDATE_ROLLBACK_COMPLETE").xml())
        .proposing(changes)
}

fn updated(script: Script) -> Script {
    script
        .execute()
        .events(&[("9", STACK, "UPDATE_COMPLETE", "", "*")])
        .events(&[("9", STACK, "UPDATE_COMPLETE", "", "*")])
}

/// Begins an update that removes the table.
fn removes() -> Script {
    computes(&removed(TABLE)).template(&before()).resources(&[(
        "Orders",
        TABLE,
        ID,
        "UPDATE_COMPLETE",
    )])
}

fn left(played: &Played) -> Left {
    let mut left = played.context.left_aside();
    left.remove(STACK).unwrap_or_default()
}

fn ids(left: &Left) -> Vec<&str> {
    left.ledger.iter().map(|it| &*it.physical_id).collect()
}

fn warned(events: &[Event]) -> usize {
    let warnings = events.iter();
    warnings
        .filter(|it| matches!(it, Event::Warning { .. }))
        .count()
}

/// Returns the only template that takes back what was left.
fn adoption(left: &Left) -> &Value {
    let [adoption] = left.adoptions.as_slice() else {
        panic!("{:?}", left.adoptions);
    };
    assert!(left.ledger.iter().all(|it| adoption.takes(it)));
    &adoption.template()["Resources"]
}

#[tokio::test]
async fn what_an_update_retains_is_told_and_written_down_with_what_takes_it_back() {
    let played = updated(removes())
        .resources(&[("Jobs", "AWS::SQS::Queue", "jobs", "UPDATE_COMPLETE")])
        .template(r#"{"Resources": {"Jobs": {"Type": "AWS::SQS::Queue"}}}"#)
        .describe(STACK_ID, Stack::new("UPDATE_COMPLETE").xml())
        .play();
    deploy(&played.context, one(stack(STACK, &[])), Answer::yes())
        .await
        .expect("the stack is updated");
    let left = left(&played);
    assert_eq!(ids(&left), [ID]);
    let resources = adoption(&left);
    assert_eq!(resources["Jobs"], json!({"Type": "AWS::SQS::Queue"}));
    assert_eq!(resources["Orders"]["Type"], TABLE);
    assert_eq!(warned(&played.finish()), 1);
}

/// The update leaves nothing outside of the stack.
async fn leaves_nothing(played: Played) {
    deploy(&played.context, one(stack(STACK, &[])), Answer::yes())
        .await
        .expect("the stack is updated");
    assert_eq!(left(&played), Left::default());
    assert_eq!(warned(&played.finish()), 0);
}

/// One that may be replaced, and was not, is in the stack all the same.
#[tokio::test]
async fn what_the_stack_still_has_is_not_written_down() {
    let played = updated(removes())
        .resources(&[("Orders", TABLE, ID, "UPDATE_COMPLETE")])
        .describe(STACK_ID, Stack::new("UPDATE_COMPLETE").xml())
        .play();
    leaves_nothing(played).await;
}

#[tokio::test]
async fn what_ends_with_another_resource_is_not_left() {
    let played = updated(computes(&removed("AWS::Lambda::Version")))
        .describe(STACK_ID, Stack::new("UPDATE_COMPLETE").xml())
        .play();
    leaves_nothing(played).await;
}

/// A rollback keeps what is new and says `Retain`, and the stack does not have it any more
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateStack.html>, `RetainExceptOnCreate`).
#[tokio::test]
async fn what_the_rollback_of_an_update_keeps_is_told_and_written_down() {
    let mut wanted = stack(STACK, &[]);
    wanted.template =
        TEMPLATE.replace("SQS::Queue\"", "SQS::Queue\",\"DeletionPolicy\":\"Retain\"");
    // What is listed is in the stack all the same, and what is part of an API goes with that.
    for (listed, expected) in [
        ("other", vec!["Orders-physical"]),
        ("Orders-physical", vec![]),
    ] {
        let script = computes(ADD_ORDERS)
            .execute()
            .events(&[
                ("6", STACK, "UPDATE_ROLLBACK_COMPLETE", "", "*"),
                ("5", "Orders", "DELETE_SKIPPED", "", "*"),
                ("5", "Part", "DELETE_SKIPPED", "", "*"),
                ("4", STACK, "UPDATE_ROLLBACK_IN_PROGRESS", "", "*"),
                ("3", "Other", "CREATE_FAILED", "it is there", "*"),
            ])
            .events(&[("6", STACK, "UPDATE_ROLLBACK_COMPLETE", "", "*")])
            .resources(&[("Orders", "AWS::SQS::Queue", listed, "UPDATE_COMPLETE")]);
        let script = match expected.as_slice() {
            [] => script,
            _ => script.template(r#"{"Resources": {"Jobs": {"Type": "AWS::SNS::Topic"}}}"#),
        };
        let played = script.play();
        deploy(&played.context, one(wanted.clone()), Answer::yes())
            .await
            .expect_err("the update is rolled back");
        let left = left(&played);
        assert_eq!(ids(&left), expected);
        if !expected.is_empty() {
            assert_eq!(adoption(&left)["Orders"]["Type"], "AWS::SQS::Queue");
        }
        assert_eq!(warned(&played.finish()), expected.len());
    }
}

/// Notes in a directory, as every run of a workspace does.
fn noting(played: &mut Played, directory: &std::path::Path) {
    played.context = played
        .context
        .clone()
        .noting_aside(directory.join("leaving/dev"), Vec::new());
}

/// Begins an update that removes the table, and dies when CloudFormation has begun with it.
async fn killed(directory: &std::path::Path) -> String {
    let denied = mock!(CloudFormation::describe_stack_events).then_http_response(|| {
        http(
            403,
            &answers::error("AccessDenied", "the credentials are gone"),
        )
    });
    let mut played = removes()
        .execute()
        .cloudformation("describe_stack_events", denied)
        .play();
    noting(&mut played, directory);
    deploy(&played.context, one(stack(STACK, &[])), Answer::yes())
        .await
        .expect_err("nobody sees how it ends");
    assert_eq!(left(&played), Left::default());
    let file = directory.join(format!(
        "leaving/dev/123456789012.eu-central-1.{STACK}.json"
    ));
    let note = std::fs::read(file).expect("it is noted");
    let note: Value = serde_json::from_slice(&note).expect("is JSON");
    note["token"].as_str().expect("has a token").to_owned()
}

/// The run after one that was killed, whatever it is for, writes down what really left.
#[tokio::test]
async fn what_an_update_retained_is_written_down_by_the_next_run() {
    let jobs = ("Jobs", "AWS::SQS::Queue", "jobs", "UPDATE_COMPLETE");
    let table = ("Orders", TABLE, ID, "UPDATE_COMPLETE");
    for (ended, has, expected) in [
        ("UPDATE_COMPLETE", vec![jobs], vec![ID]),
        // It was rolled back.
        ("UPDATE_ROLLBACK_COMPLETE", vec![jobs, table], vec![]),
    ] {
        let directory = tempfile::tempdir().expect("a directory");
        let token = killed(directory.path()).await;
        // While it goes on, nobody knows.
        let mut busy = Script::new()
            .describe(STACK_ID, Stack::new("UPDATE_IN_PROGRESS").xml())
            .play();
        noting(&mut busy, directory.path());
        assert!(recover_left_aside(&busy.context).await.is_empty());
        assert_eq!(left(&busy), Left::default());
        busy.finish();

        let script = Script::new()
            .describe(STACK_ID, Stack::new(ended).xml())
            .begun_with(&token)
            .events(&[
                ("9", STACK, ended, "", "*"),
                ("8", STACK, "UPDATE_IN_PROGRESS", "", "*"),
                ("7", STACK, "CREATE_COMPLETE", "", "earlier"),
            ])
            .resources(&has);
        let script = match expected.as_slice() {
            [] => script,
            _ => script.template(r#"{"Resources": {"Jobs": {"Type": "AWS::SQS::Queue"}}}"#),
        };
        let mut next = script.play();
        noting(&mut next, directory.path());
        assert!(recover_left_aside(&next.context).await.is_empty());
        let left = left(&next);
        assert_eq!(ids(&left), expected, "{ended}");
        if !expected.is_empty() {
            assert_eq!(adoption(&left)["Orders"]["Type"], TABLE);
        }
        assert!(!directory.path().join("leaving/dev").exists(), "it is done");
        next.finish();
    }
}

/// The stage had one region when the note was made, and has several since.
#[tokio::test]
async fn what_was_noted_elsewhere_is_found_and_goes_when_it_is_done() {
    let directory = tempfile::tempdir().expect("a directory");
    killed(directory.path()).await;
    let (now, before) = ("leaving/dev.eu-central-1", "leaving/dev");
    let [now, before] = [now, before].map(|it| directory.path().join(it));
    let mut next = Script::new()
        .describe(STACK_ID, Stack::new("UPDATE_COMPLETE").xml())
        .events(&[("7", STACK, "CREATE_COMPLETE", "", "earlier")])
        .play();
    next.context = next.context.noting_aside(now, vec![before.clone()]);
    next.context.timing.sleep(Duration::from_mins(11)).await;
    assert!(recover_left_aside(&next.context).await.is_empty());
    assert!(!before.exists(), "it is done");
    next.finish();
}

/// The run after it removes the stack, which what left cannot come back into then.
#[tokio::test]
async fn what_left_a_stack_that_is_removed_next_is_taken_back_into_a_new_one() {
    let directory = tempfile::tempdir().expect("a directory");
    let token = killed(directory.path()).await;
    let rest = r#"{"Resources": {"Jobs": {"Type": "AWS::SQS::Queue"}}}"#;
    let jobs = ("Jobs", "AWS::SQS::Queue", "jobs", "UPDATE_COMPLETE");
    let mut next = Script::new()
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .describe(STACK_ID, Stack::new("UPDATE_COMPLETE").xml())
        .begun_with(&token)
        .events(&[
            ("9", STACK, "UPDATE_COMPLETE", "", "*"),
            ("8", STACK, "UPDATE_IN_PROGRESS", "", "*"),
            ("7", STACK, "CREATE_COMPLETE", "", "earlier"),
        ])
        .resources(&[jobs])
        .template(rest)
        .template(rest)
        .resources(&[jobs])
        .delete_stack()
        .events(&[("12", STACK, "DELETE_COMPLETE", "", "*")])
        .events(&[("12", STACK, "DELETE_COMPLETE", "", "*")])
        .describe(BOOTSTRAP_STACK, answers::absent(BOOTSTRAP_STACK))
        .play();
    noting(&mut next, directory.path());
    let request = DestroyRequest {
        stacks: vec![stack(STACK, &[]).manifest],
        ..DestroyRequest::default()
    };
    destroy(&next.context, request)
        .await
        .expect("the stack is gone");
    let left = left(&next);
    assert_eq!(ids(&left), [ID]);
    let resources = adoption(&left).as_object().expect("is one");
    let ids: Vec<&String> = resources.keys().collect();
    assert_eq!(ids, ["Orders"]);
    assert_eq!(warned(&next.finish()), 1, "it is told once");
}

/// Of one that never began nothing left, though the events may come late.
#[tokio::test]
async fn what_was_never_executed_left_nothing() {
    for (later, is_noted) in [(Duration::ZERO, true), (Duration::from_mins(11), false)] {
        let directory = tempfile::tempdir().expect("a directory");
        killed(directory.path()).await;
        let mut next = Script::new()
            .describe(STACK_ID, Stack::new("UPDATE_COMPLETE").xml())
            .events(&[("7", STACK, "CREATE_COMPLETE", "", "earlier")])
            .play();
        noting(&mut next, directory.path());
        next.context.timing.sleep(later).await;
        assert!(recover_left_aside(&next.context).await.is_empty());
        assert_eq!(left(&next), Left::default());
        assert_eq!(directory.path().join("leaving/dev").exists(), is_noted);
        next.finish();
    }
}

/// What a first deploy kept that failed is taken back into the stack that was made anew, under an id that is free.
#[tokio::test]
async fn what_a_failed_creation_kept_is_taken_back_into_the_stack_that_follows() {
    let table = before();
    let played = Script::new()
        .describe(STACK, Stack::new("ROLLBACK_COMPLETE").xml())
        .resources(&[("Orders", TABLE, ID, "DELETE_SKIPPED")])
        .template(&table)
        .delete_stack()
        .events(&[("4", STACK, "DELETE_COMPLETE", "", "*")])
        .events(&[("4", STACK, "DELETE_COMPLETE", "", "*")])
        .describe(STACK, answers::absent(STACK))
        .creating(ADD_ORDERS)
        .template(&table)
        .describe(STACK_ID, Stack::new("CREATE_COMPLETE").xml())
        .play();
    deploy(&played.context, one(stack(STACK, &[])), Answer::yes())
        .await
        .expect("the stack is created");
    let left = left(&played);
    assert_eq!(ids(&left), [ID]);
    let resources = adoption(&left);
    assert_eq!(resources["OrdersKept"]["Type"], TABLE);
    assert_eq!(resources["Orders"]["Type"], TABLE, "that of the new stack");
    assert_eq!(warned(&played.finish()), 1, "it is told once");
}
