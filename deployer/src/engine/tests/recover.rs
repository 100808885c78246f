//! From every status there is one way forward.

use aws_sdk_cloudformation::types::ChangeSetType;
use serde_json::json;

use super::{
    answers::{self, ADD_ORDERS, CHANGE_SET_ID, STACK_ID, Stack},
    script::{Answer, STACK, Script, names, one, stack},
};
use crate::{
    engine::{Event, Explained, Outcome, deploy},
    error::{Error, Kind},
};

/// The rest of a conversation that creates the stack.
fn creates(script: Script) -> Script {
    executes(script).describe(STACK_ID, Stack::new("CREATE_COMPLETE").xml())
}

fn executes(script: Script) -> Script {
    script
        .create_change_set(|input| input.change_set_type() == Some(&ChangeSetType::Create))
        .change_set("CREATE_COMPLETE", "", ADD_ORDERS)
        .execute()
        .events(&[("9", STACK, "CREATE_COMPLETE", "", "*")])
        .events(&[("9", STACK, "CREATE_COMPLETE", "", "*")])
}

#[tokio::test]
async fn a_first_deploy_that_failed_is_removed_and_made_anew() {
    for status in ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED"] {
        let script = Script::new()
            .describe(STACK, Stack::new(status).xml())
            .resources(&[])
            .delete_stack()
            .events(&[("4", STACK, "DELETE_COMPLETE", "", "*")])
            .events(&[("4", STACK, "DELETE_COMPLETE", "", "*")])
            .describe(STACK, answers::absent(STACK));
        let played = creates(script).play();
        let report = deploy(&played.context, one(stack(STACK, &[])), Answer::yes())
            .await
            .expect("the stack is created");
        assert_eq!(report.stacks[0].outcome, Outcome::Created);
        assert_eq!(names(&played.finish())[1], "stack_recovering");
    }
}

/// The rollback of a creation keeps what the template says `Retain` of
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html>).
#[tokio::test]
async fn what_a_first_deploy_that_failed_kept_is_told_and_written_down_before_its_stack_goes() {
    let template = json!({"Resources": {
        "Orders": {"Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Retain"},
        "Placed": {"Type": "AWS::SQS::Queue"},
    }});
    let script = Script::new()
        .describe(STACK, Stack::new("ROLLBACK_FAILED").xml())
        .resources(&[
            (
                "Orders",
                "AWS::DynamoDB::Table",
                "orders-1a2b",
                "DELETE_SKIPPED",
            ),
            ("Placed", "AWS::SQS::Queue", "placed-3c4d", "DELETE_FAILED"),
        ])
        .template(&template.to_string())
        .delete_stack()
        .events(&[("4", STACK, "DELETE_COMPLETE", "", "*")])
        .events(&[("4", STACK, "DELETE_COMPLETE", "", "*")])
        .describe(STACK, answers::absent(STACK));
    let played = executes(script)
        .template(&template.to_string())
        .describe(STACK_ID, Stack::new("CREATE_COMPLETE").xml())
        .play();
    deploy(&played.context, one(stack(STACK, &[])), Answer::yes())
        .await
        .expect("the stack is created");
    let left = played.context.left_aside();
    let ids: Vec<_> = left[STACK]
        .ledger
        .iter()
        .map(|it| &*it.physical_id)
        .collect();
    assert_eq!(ids, ["orders-1a2b"]);
    let events = played.finish();
    let at = |name: &str| names(&events).iter().position(|it| *it == name);
    assert!(at("warning") < at("change_set_creating"), "{events:?}");
    let told = events.iter().find_map(|event| match event {
        Event::Warning { message, .. } => Some(message.as_str()),
        _ => None,
    });
    let told = told.expect("it is told");
    assert!(
        told.starts_with("Orders (AWS::DynamoDB::Table, orders-1a2b) belongs to no stack"),
        "{told}"
    );
    assert!(
        told.contains("aws dynamodb delete-table --table-name orders-1a2b"),
        "{told}"
    );
}

#[tokio::test]
async fn a_failed_stack_of_somebody_else_is_left_alone() {
    let mut foreign = Stack::new("ROLLBACK_COMPLETE");
    foreign.tags = vec![("team", "blue")];
    let played = Script::new().describe(STACK, foreign.xml()).play();
    let error = deploy(&played.context, one(stack(STACK, &[])), Answer::never())
        .await
        .expect_err("it is not ours");
    assert!(error.hints()[0].contains("delete-stack --stack-name intake-dev"));
    played.finish();
}

#[tokio::test]
async fn a_removal_that_fails_ends_the_deploy() {
    let played = Script::new()
        .describe(STACK, Stack::new("ROLLBACK_COMPLETE").xml())
        .resources(&[])
        .delete_stack()
        .events(&[
            (
                "5",
                STACK,
                "DELETE_FAILED",
                "The following resource(s) failed to delete: [Orders].",
                "*",
            ),
            ("4", "Orders", "DELETE_FAILED", "it is stuck", "*"),
        ])
        .events(&[("5", STACK, "DELETE_FAILED", "", "*")])
        .failed_resources(&[(
            "Orders",
            "AWS::SQS::Queue",
            "q",
            "DELETE_FAILED",
            "it is stuck",
        )])
        .play();
    let error = deploy(&played.context, one(stack(STACK, &[])), Answer::never())
        .await
        .expect_err("it cannot be removed");
    assert!(
        error.hints()[1].contains("`stackctl destroy intake-dev --retain Orders`"),
        "{:?}",
        error.hints()
    );
    assert_eq!(
        Error::from(error).causes(),
        [
            "stack intake-dev ended as DELETE_FAILED",
            "Orders (AWS::SQS::Queue): it is stuck (declared at stacks/src/intake.rs:12:9)"
        ]
    );
    played.finish();
}

#[tokio::test]
async fn a_stack_that_was_never_executed_is_created_by_a_new_change_set() {
    let played = Script::new()
        .describe(STACK, Stack::new("REVIEW_IN_PROGRESS").xml())
        .list_change_sets(&[("stackctl-0123", 0)])
        .create_change_set(|input| input.change_set_type() == Some(&ChangeSetType::Create))
        .change_set("CREATE_COMPLETE", "", ADD_ORDERS)
        .delete_change_set(answers::CHANGE_SET_ID)
        .execute()
        .events(&[("9", STACK, "CREATE_COMPLETE", "", "*")])
        .events(&[("9", STACK, "CREATE_COMPLETE", "", "*")])
        .describe(STACK_ID, Stack::new("CREATE_COMPLETE").xml())
        .play();
    deploy(&played.context, one(stack(STACK, &[])), Answer::yes())
        .await
        .expect("the stack is created");
    played.finish();
}

#[tokio::test]
async fn a_stack_that_waits_for_somebodys_review_is_left_alone() {
    let played = Script::new()
        .describe(STACK, Stack::new("REVIEW_IN_PROGRESS").xml())
        .list_change_sets(&[("stackctl-0123", 0), ("reviewed-by-hand", 3)])
        .play();
    let error = deploy(&played.context, one(stack(STACK, &[])), Answer::never())
        .await
        .expect_err("somebody reviews it");
    assert_eq!(
        Error::from(error).causes(),
        ["stack intake-dev waits for somebody to review change set reviewed-by-hand"]
    );
    played.finish();
}

#[tokio::test]
async fn an_operation_of_ours_is_waited_for_and_the_deploy_goes_on() {
    const OURS: &str = "stackctl-0123456789";
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_IN_PROGRESS").xml())
        .events(&[("2", STACK, "UPDATE_IN_PROGRESS", "User Initiated", OURS)])
        .events(&[("2", STACK, "UPDATE_IN_PROGRESS", "User Initiated", OURS)])
        .events(&[
            ("3", STACK, "UPDATE_COMPLETE", "", OURS),
            ("2", STACK, "UPDATE_IN_PROGRESS", "User Initiated", OURS),
        ])
        .events(&[("3", STACK, "UPDATE_COMPLETE", "", OURS)])
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .template(super::script::TEMPLATE)
        .play();
    let report = deploy(&played.context, one(stack(STACK, &[])), Answer::never())
        .await
        .expect("the earlier run had done it all");
    assert_eq!(report.stacks[0].outcome, Outcome::Unchanged);
    assert_eq!(played.waits(), [1]);
    assert_eq!(
        names(&played.finish()),
        [
            "stack_started",
            "stack_joined",
            "intake-dev UPDATE_IN_PROGRESS",
            "intake-dev UPDATE_COMPLETE",
            "finished unchanged"
        ]
    );
}

#[tokio::test]
async fn a_status_that_lags_behind_the_end_is_asked_for_with_waits() {
    const OURS: &str = "stackctl-0123456789";
    const DONE: [answers::EventRow; 1] = [("3", STACK, "UPDATE_COMPLETE", "", OURS)];
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_IN_PROGRESS").xml())
        .events(&DONE)
        .events(&DONE)
        .events(&DONE)
        .describe(STACK, Stack::new("UPDATE_IN_PROGRESS").xml())
        .events(&DONE)
        .describe(STACK, Stack::new("UPDATE_IN_PROGRESS").xml())
        .events(&DONE)
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .template(super::script::TEMPLATE)
        .play();
    deploy(&played.context, one(stack(STACK, &[])), Answer::never())
        .await
        .expect("the earlier run had done it all");
    assert_eq!(played.waits(), [1, 2]);
    played.finish();
}

#[tokio::test]
async fn an_operation_that_somebody_takes_over_is_followed_to_its_end() {
    const OURS: &str = "stackctl-0123456789";
    const BEGUN: answers::EventRow = ("2", STACK, "UPDATE_IN_PROGRESS", "User Initiated", OURS);
    const CANCELLED: [answers::EventRow; 3] = [
        ("4", STACK, "UPDATE_ROLLBACK_COMPLETE", "", "by-hand"),
        ("3", STACK, "UPDATE_ROLLBACK_IN_PROGRESS", "", "by-hand"),
        BEGUN,
    ];
    let mut script = Script::new()
        .describe(STACK, Stack::new("UPDATE_IN_PROGRESS").xml())
        .events(&[BEGUN])
        .events(&[BEGUN]);
    for _ in 0..10 {
        script = script.events(&CANCELLED);
    }
    let played = script
        .describe(STACK_ID, Stack::new("UPDATE_ROLLBACK_COMPLETE").xml())
        .describe(STACK, Stack::new("UPDATE_ROLLBACK_COMPLETE").xml())
        .list_change_sets(&[])
        .create_change_set(|_| true)
        .change_set("FAILED", "No updates are to be performed.", "")
        .delete_change_set(CHANGE_SET_ID)
        .play();
    deploy(&played.context, one(stack(STACK, &[])), Answer::never())
        .await
        .expect("the operation is over");
    played.finish();
}

#[tokio::test]
async fn events_of_ours_behind_those_of_somebody_else_are_seen() {
    const OURS: &str = "stackctl-0123456789";
    const BEGUN: answers::EventRow = ("2", STACK, "UPDATE_IN_PROGRESS", "User Initiated", OURS);
    const DONE: [answers::EventRow; 3] = [
        ("4", "Orders", "UPDATE_COMPLETE", "", ""),
        ("3", STACK, "UPDATE_COMPLETE", "", OURS),
        BEGUN,
    ];
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_IN_PROGRESS").xml())
        .events(&[BEGUN])
        .events(&[BEGUN])
        .events(&DONE)
        .events(&DONE)
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .template(super::script::TEMPLATE)
        .play();
    deploy(&played.context, one(stack(STACK, &[])), Answer::never())
        .await
        .expect("the earlier run had done it all");
    assert_eq!(played.waits(), [1]);
    played.finish();
}

#[tokio::test]
async fn commands_in_hints_work_where_they_are_pasted() {
    let mut foreign = Stack::new("ROLLBACK_COMPLETE");
    foreign.tags = vec![("team", "blue")];
    let rows = [
        (
            foreign,
            "`aws cloudformation delete-stack --stack-name intake-dev --region eu-central-1 --profile work`",
        ),
        (
            Stack::new("UPDATE_FAILED"),
            "`stackctl rollback intake-dev --stage prod`",
        ),
    ];
    for (deployed, command) in rows {
        let mut played = Script::new().describe(STACK, deployed.xml()).play();
        played.context = played
            .context
            .clone()
            .with_options(crate::repeat::tests::given(&["--stage", "prod"]));
        let error = deploy(&played.context, one(stack(STACK, &[])), Answer::never())
            .await
            .expect_err("it is stuck");
        let hints = error.hints();
        assert!(hints[0].contains(command), "{hints:?}");
        played.finish();
    }
}

#[tokio::test]
async fn an_operation_of_somebody_else_is_an_error_that_says_since_when() {
    // Whoever updates a stack in the console sends a token too, but none of ours.
    for (token, by) in [
        ("", "somebody who left no token"),
        ("Console-UpdateStack-1", "somebody in the console"),
        (
            "stackctl-0123456789abcdef0123-v0-1-0-by--keve",
            "arn:aws:iam::123456789012:user/eve",
        ),
    ] {
        let played = Script::new()
            .describe(STACK, Stack::new("UPDATE_IN_PROGRESS").xml())
            .events(&[
                ("3", "Orders", "UPDATE_IN_PROGRESS", "", token),
                ("2", STACK, "UPDATE_IN_PROGRESS", "User Initiated", token),
                ("1", STACK, "CREATE_COMPLETE", "", "stackctl-older"),
            ])
            .play();
        let error = deploy(&played.context, one(stack(STACK, &[])), Answer::never())
            .await
            .expect_err("it is busy");
        assert_eq!(error.kind(), Kind::Deploy);
        assert_eq!(
            Error::from(error).causes(),
            [format!(
                "stack intake-dev is busy: it is UPDATE_IN_PROGRESS since 2026-07-28T06:00:03Z, begun by {by}"
            )]
        );
        played.finish();
    }
}

#[tokio::test]
async fn a_rollback_that_failed_is_explained_with_what_holds_it_up() {
    let mut stuck = Stack::new("UPDATE_ROLLBACK_FAILED");
    stuck.reason = "The following resource(s) failed to update: [Orders].";
    let played = Script::new()
        .describe(STACK, stuck.xml())
        .failed_resources(&[
            (
                "Orders",
                "AWS::SQS::Queue",
                "q",
                "UPDATE_FAILED",
                "it is gone",
            ),
            ("Fine", "AWS::SQS::Queue", "f", "UPDATE_COMPLETE", ""),
            // CloudFormation refuses to skip what was only cancelled.
            (
                "Other",
                "AWS::SQS::Queue",
                "o",
                "UPDATE_FAILED",
                "Resource update cancelled",
            ),
        ])
        .play();
    let error = deploy(&played.context, one(stack(STACK, &[])), Answer::never())
        .await
        .expect_err("it is stuck");
    let hints = error.hints();
    assert!(
        hints[0].contains("`stackctl rollback intake-dev`"),
        "{hints:?}"
    );
    assert!(
        hints[1].contains("`stackctl rollback intake-dev --skip Orders`"),
        "{hints:?}"
    );
    assert_eq!(
        Error::from(error).causes(),
        [
            "stack intake-dev is UPDATE_ROLLBACK_FAILED and cannot be updated",
            "The following resource(s) failed to update: [Orders].",
            "Orders (AWS::SQS::Queue): it is gone"
        ]
    );
    played.finish();
}

#[tokio::test]
async fn change_sets_of_killed_runs_are_removed_and_others_are_kept() {
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_ROLLBACK_COMPLETE").xml())
        // The first may be waiting for somebody's answer right now; the last is not ours.
        .list_change_sets(&[
            ("stackctl-young", 59),
            ("stackctl-old", 61),
            ("by-hand", 600),
        ])
        .delete_change_set(CHANGE_SET_ID)
        .create_change_set(|_| true)
        .change_set("FAILED", "No updates are to be performed.", "")
        .delete_change_set(CHANGE_SET_ID)
        .play();
    deploy(&played.context, one(stack(STACK, &[])), Answer::never())
        .await
        .expect("nothing is to be done");
    played.finish();
}

#[tokio::test]
async fn a_deploy_whose_rollback_fails_names_what_holds_it_up() {
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_ROLLBACK_COMPLETE").xml())
        .executing(ADD_ORDERS)
        .events(&[
            ("9", STACK, "UPDATE_ROLLBACK_FAILED", "", "*"),
            ("8", "Orders", "UPDATE_FAILED", "it is gone", "*"),
        ])
        .events(&[("9", STACK, "UPDATE_ROLLBACK_FAILED", "", "*")])
        .failed_resources(&[(
            "Orders",
            "AWS::SQS::Queue",
            "q",
            "UPDATE_FAILED",
            "it is gone",
        )])
        .play();
    let error = deploy(&played.context, one(stack(STACK, &[])), Answer::yes())
        .await
        .expect_err("it is stuck");
    let hints = error.hints();
    assert!(
        hints
            .iter()
            .any(|hint| hint.contains("`stackctl rollback intake-dev --skip Orders`")),
        "{hints:?}"
    );
    played.finish();
}
