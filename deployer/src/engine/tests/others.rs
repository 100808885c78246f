//! Two machines at once: who is at work is said, refused by default, and waited for where that was asked for.

use aws_sdk_cloudformation::types::ChangeSetType;

use super::{
    answers::{self, ADD_ORDERS, STACK_ID, Stack},
    script::{Answer, STACK, Script, TEMPLATE, names, one, stack},
};
use crate::engine::{DestroyRequest, Event, Explained, Outcome, deploy, destroy};

/// What a run of somebody else with this tool begins an operation with.
const EVE: &str = "stackctl-0123456789abcdef0123-v0-1-0-by--keve";

/// What another run of the caller of the scripts begins an operation with.
const ME: &str = "stackctl-0123456789abcdef0123-v0-1-0-by--kdev";

const BEGUN: answers::EventRow = ("2", STACK, "UPDATE_IN_PROGRESS", "User Initiated", EVE);

#[tokio::test]
async fn an_operation_of_the_same_caller_is_joined() {
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_IN_PROGRESS").xml())
        .events(&[("2", STACK, "UPDATE_IN_PROGRESS", "User Initiated", ME)])
        .events(&[("3", STACK, "UPDATE_COMPLETE", "", ME)])
        .events(&[("3", STACK, "UPDATE_COMPLETE", "", ME)])
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .template(TEMPLATE)
        .play();
    deploy(&played.context, one(stack(STACK, &[])), Answer::never())
        .await
        .expect("the earlier run had done it all");
    assert_eq!(names(&played.finish())[1], "stack_joined");
}

/// The update that is joined fails, and what comes next is another one.
#[tokio::test]
async fn a_joined_operation_that_fails_is_told_before_the_deploy_goes_on() {
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_IN_PROGRESS").xml())
        .events(&[("2", STACK, "UPDATE_IN_PROGRESS", "User Initiated", ME)])
        .events(&[
            ("5", STACK, "UPDATE_ROLLBACK_COMPLETE", "", ME),
            ("4", STACK, "UPDATE_ROLLBACK_IN_PROGRESS", "", ME),
            ("3", "Orders", "UPDATE_FAILED", "it is too long", ME),
        ])
        .events(&[("5", STACK, "UPDATE_ROLLBACK_COMPLETE", "", ME)])
        .describe(STACK, Stack::new("UPDATE_ROLLBACK_COMPLETE").xml())
        .proposing_nothing()
        .play();
    deploy(&played.context, one(stack(STACK, &[])), Answer::never())
        .await
        .expect("nothing else is to be done");
    let events = played.finish();
    let told: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::JoinedFailed {
                status,
                first_cause,
                ..
            } => Some((status.as_str(), first_cause.as_ref()?.reason.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(told, [("UPDATE_ROLLBACK_COMPLETE", "it is too long")]);
}

/// The run that began the update was killed, and did not see what its rollback kept.
#[tokio::test]
async fn what_a_joined_rollback_keeps_is_written_down() {
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_ROLLBACK_IN_PROGRESS").xml())
        .events(&[("2", STACK, "UPDATE_ROLLBACK_IN_PROGRESS", "", ME)])
        .events(&[
            ("4", STACK, "UPDATE_ROLLBACK_COMPLETE", "", ME),
            ("3", "Orders", "DELETE_SKIPPED", "", ME),
        ])
        .events(&[("4", STACK, "UPDATE_ROLLBACK_COMPLETE", "", ME)])
        .resources(&[])
        .describe(STACK, Stack::new("UPDATE_ROLLBACK_COMPLETE").xml())
        .proposing_nothing()
        .play();
    deploy(&played.context, one(stack(STACK, &[])), Answer::never())
        .await
        .expect("nothing else is to be done");
    let aside = played.context.left_aside();
    let ledger = aside.values().flat_map(|left| &left.ledger);
    let ids: Vec<_> = ledger.map(|it| &*it.physical_id).collect();
    assert_eq!(ids, ["Orders-physical"]);
    played.finish();
}

#[tokio::test]
async fn an_operation_of_another_caller_is_waited_for_where_that_was_asked() {
    let mut played = Script::new()
        .describe(STACK, Stack::new("UPDATE_IN_PROGRESS").xml())
        .events(&[BEGUN])
        .describe(STACK, Stack::new("UPDATE_IN_PROGRESS").xml())
        .events(&[BEGUN])
        .describe(STACK, Stack::new("UPDATE_IN_PROGRESS").xml())
        .events(&[BEGUN])
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .template(TEMPLATE)
        .play();
    played.context.wait = true;
    deploy(&played.context, one(stack(STACK, &[])), Answer::never())
        .await
        .expect("the other run had done it all");
    // It is looked at ever less often, and said once.
    assert_eq!(played.waits(), [1, 2]);
    let events = played.finish();
    assert_eq!(
        names(&events),
        ["stack_started", "stack_waiting", "finished unchanged"]
    );
    let Event::StackWaiting { by, since, .. } = &events[1] else {
        panic!("{events:?}")
    };
    assert_eq!(by, "arn:aws:iam::123456789012:user/eve");
    assert_eq!(since, "2026-07-28T06:00:01Z");
}

#[tokio::test]
async fn a_wait_can_be_stopped() {
    let mut played = Script::new()
        .describe(STACK, Stack::new("UPDATE_IN_PROGRESS").xml())
        .events(&[BEGUN])
        .describe(STACK, Stack::new("UPDATE_IN_PROGRESS").xml())
        .events(&[BEGUN])
        .play();
    played.context.wait = true;
    let handle = played.handle.clone();
    played.at_wait(1, move || handle.cancel());
    let error = deploy(&played.context, one(stack(STACK, &[])), Answer::never())
        .await
        .expect_err("it was stopped");
    assert_eq!(error.kind(), crate::error::Kind::Interrupted);
    played.finish();
}

/// CloudFormation never tells of the end but in the events.
#[tokio::test]
async fn a_stack_whose_description_never_changes_is_not_waited_for_without_an_end() {
    let mut script = Script::new()
        .describe(STACK, Stack::new("UPDATE_IN_PROGRESS").xml())
        .events(&[("2", STACK, "UPDATE_IN_PROGRESS", "User Initiated", ME)])
        .events(&[("3", STACK, "UPDATE_COMPLETE", "", ME)])
        .events(&[("3", STACK, "UPDATE_COMPLETE", "", ME)]);
    // 1 and 2 seconds, then 4 at a time, ten minutes together; the last look ends it.
    let looks = 2 + (600 - 3) / 4 + 1;
    for _ in 0..looks {
        script = script
            .describe(STACK, Stack::new("UPDATE_IN_PROGRESS").xml())
            .events(&[("3", STACK, "UPDATE_COMPLETE", "", ME)]);
    }
    let played = script.play();
    let error = deploy(&played.context, one(stack(STACK, &[])), Answer::never())
        .await
        .expect_err("nobody knows what becomes of it");
    assert!(
        error
            .details()
            .iter()
            .chain(&error.hints())
            .any(|text| text.contains("again in a while")),
        "{error:?}"
    );
    let waits = played.waits();
    assert_eq!(&waits[..3], [1, 2, 4]);
    assert_eq!(waits.iter().sum::<u64>(), 599);
    played.finish();
}

#[tokio::test]
async fn a_removal_that_somebody_began_is_what_a_destroy_wants() {
    let began = ("2", STACK, "DELETE_IN_PROGRESS", "User Initiated", EVE);
    let played = Script::new()
        .describe(STACK, Stack::new("DELETE_IN_PROGRESS").xml())
        .describe(STACK, Stack::new("DELETE_IN_PROGRESS").xml())
        .template(r#"{"Resources":{}}"#)
        .resources(&[])
        .events(&[began])
        .describe(STACK, answers::absent(STACK))
        .describe("stackctl-bootstrap", answers::absent("stackctl-bootstrap"))
        .play();
    let request = DestroyRequest {
        stacks: vec![stack(STACK, &[]).manifest],
        ..DestroyRequest::default()
    };
    let report = destroy(&played.context, request).await.expect("it is gone");
    assert_eq!(report.stacks[0].outcome, Outcome::Absent);
    played.finish();
}

#[tokio::test]
async fn changes_that_another_caller_has_computed_are_told() {
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_ROLLBACK_COMPLETE").xml())
        // One of another caller that may be executed any moment, one of an earlier run of the same, one by hand.
        .list_change_sets(&[(EVE, 5), (ME, 5), ("by-hand", 5)])
        .create_change_set(|input| input.change_set_type() == Some(&ChangeSetType::Update))
        .change_set("FAILED", "No updates are to be performed.", "")
        .delete_change_set(answers::CHANGE_SET_ID)
        .play();
    deploy(&played.context, one(stack(STACK, &[])), Answer::never())
        .await
        .expect("nothing is to be done");
    let events = played.finish();
    let contended: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::StackContended { by, since, .. } => Some((by.as_str(), since.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(
        contended,
        [("arn:aws:iam::123456789012:user/eve", "2026-09-21T14:08:20Z")]
    );
}

/// Two first deploys of one stack at once: whoever does not approve takes nothing away from the other.
#[tokio::test]
async fn a_stack_that_somebody_else_creates_meanwhile_is_not_removed() {
    let proposed = || {
        Script::new()
            .describe(STACK, answers::absent(STACK))
            .create_change_set(|_| true)
            .change_set("CREATE_COMPLETE", "", ADD_ORDERS)
            .delete_change_set(answers::CHANGE_SET_ID)
    };
    let created = proposed().describe(STACK_ID, Stack::new("CREATE_IN_PROGRESS").xml());
    let waits = proposed()
        .describe(STACK_ID, Stack::new("REVIEW_IN_PROGRESS").xml())
        .list_change_sets(&[(EVE, 1)]);
    for script in [created, waits] {
        let played = script.play();
        let error = deploy(&played.context, one(stack(STACK, &[])), Answer::no())
            .await
            .expect_err("it was not approved");
        assert_eq!(error.kind(), crate::error::Kind::Refused);
        played.finish();
    }
}

/// What a call is answered with while an operation runs that began after the stack was looked at.
const BUSY: &str = "Stack:arn:aws:cloudformation:eu-central-1:123456789012:stack/intake-dev/1 is in UPDATE_IN_PROGRESS state and can not be updated.";

#[tokio::test]
async fn an_operation_that_begins_between_look_and_change_set_is_met_like_any_other() {
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_ROLLBACK_COMPLETE").xml())
        .list_change_sets(&[])
        .refuse_change_set(400, "ValidationError", BUSY)
        .describe(STACK, Stack::new("UPDATE_IN_PROGRESS").xml())
        .events(&[BEGUN])
        .play();
    let error = deploy(&played.context, one(stack(STACK, &[])), Answer::never())
        .await
        .expect_err("it is busy");
    assert!(
        error.details()[0].contains("begun by arn:aws:iam::123456789012:user/eve"),
        "{:?}",
        error.details()
    );
    played.finish();
}

#[tokio::test]
async fn whoever_waits_computes_anew_what_somebody_overtook() {
    let mut played = Script::new()
        .describe(STACK, Stack::new("UPDATE_ROLLBACK_COMPLETE").xml())
        .proposing(ADD_ORDERS)
        .refuse_execution("ValidationError", BUSY)
        .events(&[BEGUN])
        .describe(STACK, Stack::new("UPDATE_IN_PROGRESS").xml())
        .events(&[BEGUN])
        .describe(STACK, Stack::new("UPDATE_ROLLBACK_COMPLETE").xml())
        .executing(ADD_ORDERS)
        .events(&[("9", STACK, "UPDATE_COMPLETE", "", "*")])
        .events(&[("9", STACK, "UPDATE_COMPLETE", "", "*")])
        .describe(STACK_ID, Stack::new("UPDATE_COMPLETE").xml())
        .play();
    played.context.wait = true;
    let answer = Answer::yes();
    let report = deploy(&played.context, one(stack(STACK, &[])), answer.clone())
        .await
        .expect("the second attempt succeeds");
    assert_eq!(report.stacks[0].outcome, Outcome::Updated);
    // What is executed is what was approved, so the second computation is approved too.
    assert_eq!(answer.shown.lock().expect("no holder panics").len(), 2);
    played.finish();
}
