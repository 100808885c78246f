//! Rolling back: what is called, what is skipped or kept, and what is refused before anything happens.

use super::{
    answers::{self, Stack},
    script::{STACK, Script, names, stack},
};
use crate::{
    engine::{
        BOOTSTRAP_STACK, DestroyRequest, Event, Explained, Outcome, RollbackAction,
        RollbackRequest, destroy, rollback, rollback_plan,
    },
    error::{Error, Kind},
};

/// Resources of a stack whose rollback failed.
const STUCK: [(&str, &str, &str, &str, &str); 3] = [
    (
        "Orders",
        "AWS::SQS::Queue",
        "q",
        "UPDATE_FAILED",
        "it is gone",
    ),
    ("Fine", "AWS::SQS::Queue", "f", "UPDATE_COMPLETE", ""),
    (
        "Other",
        "AWS::SQS::Queue",
        "o",
        "UPDATE_FAILED",
        "Resource update cancelled",
    ),
];

fn request(skip: &[&str]) -> RollbackRequest {
    RollbackRequest {
        stacks: vec![stack(STACK, &[]).manifest],
        skip: skip.iter().map(|name| (*name).to_owned()).collect(),
        ..RollbackRequest::default()
    }
}

/// The events of an operation that ends so.
fn ends(script: Script, status: &'static str) -> Script {
    script
        .events(&[("9", STACK, status, "", "*")])
        .events(&[("9", STACK, status, "", "*")])
}

#[tokio::test]
async fn what_failed_with_rollback_disabled_is_taken_back() {
    for (status, end) in [
        ("UPDATE_FAILED", "UPDATE_ROLLBACK_COMPLETE"),
        // There is no state before a creation: the stack is emptied, or gone.
        ("CREATE_FAILED", "ROLLBACK_COMPLETE"),
        ("CREATE_FAILED", "DELETE_COMPLETE"),
    ] {
        let script = Script::new()
            .describe(STACK, Stack::new(status).xml())
            .rollback_stack();
        let played = ends(script, end).play();
        let report = rollback(&played.context, request(&[]))
            .await
            .expect("it is rolled back");
        assert_eq!(report.stacks[0].outcome, Outcome::RolledBack);
        let events = played.finish_as("rollback");
        assert_eq!(
            names(&events),
            [
                "stack_started".to_owned(),
                "stack_rolling_back".to_owned(),
                format!("{STACK} {end}"),
                "finished rolled_back".to_owned()
            ]
        );
    }
}

#[tokio::test]
async fn a_rollback_that_failed_is_continued_without_what_was_named() {
    for name in ["Orders", "intake-dev/Orders"] {
        let script = Script::new()
            .describe(STACK, Stack::new("UPDATE_ROLLBACK_FAILED").xml())
            .failed_resources(&STUCK)
            .describe(STACK, Stack::new("UPDATE_ROLLBACK_FAILED").xml())
            .continue_rollback(&["Orders"]);
        let played = ends(script, "UPDATE_ROLLBACK_COMPLETE").play();
        let report = rollback(&played.context, request(&[name]))
            .await
            .expect("it is rolled back");
        assert_eq!(
            Vec::from_iter(&report.stacks[0].skipped),
            ["Orders"],
            "{name}"
        );
        let events = played.finish_as("rollback");
        let Event::StackRollingBack { skip, .. } = &events[1] else {
            panic!("{events:?}")
        };
        assert_eq!(skip, &["Orders"]);
    }
}

#[tokio::test]
async fn a_rollback_that_fails_again_names_what_holds_it_up() {
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_ROLLBACK_FAILED").xml())
        .continue_rollback(&[])
        .events(&[
            ("9", STACK, "UPDATE_ROLLBACK_FAILED", "", "*"),
            ("8", "Orders", "UPDATE_FAILED", "it is gone", "*"),
        ])
        .events(&[("9", STACK, "UPDATE_ROLLBACK_FAILED", "", "*")])
        .failed_resources(&STUCK)
        .play();
    let error = rollback(&played.context, request(&[]))
        .await
        .expect_err("it is still stuck");
    assert_eq!(error.kind(), Kind::Deploy);
    let hints = error.hints();
    assert!(
        hints
            .iter()
            .any(|hint| hint.contains("`stackctl rollback intake-dev --skip Orders`")),
        "{hints:?}"
    );
    assert_eq!(
        Error::from(error).causes(),
        [
            "stack intake-dev ended as UPDATE_ROLLBACK_FAILED",
            "Orders (AWS::SQS::Queue): it is gone (declared at stacks/src/intake.rs:12:9)"
        ]
    );
    played.finish_as("rollback");
}

#[tokio::test]
async fn what_did_not_fail_is_not_skipped() {
    // A resource that is fine, one that was only cancelled, one that is none.
    for name in ["Fine", "Other", "Typo"] {
        let played = Script::new()
            .describe(STACK, Stack::new("UPDATE_ROLLBACK_FAILED").xml())
            .failed_resources(&STUCK)
            .play();
        let error = rollback(&played.context, request(&["Orders", name]))
            .await
            .expect_err("CloudFormation would refuse it");
        assert_eq!(error.kind(), Kind::Usage);
        assert_eq!(
            error.to_string(),
            format!("not among what keeps a rollback from its end: {name}; nothing was changed")
        );
        assert_eq!(
            error.details(),
            ["intake-dev/Orders (AWS::SQS::Queue): it is gone"]
        );
        assert!(names(&played.finish_as("rollback")).is_empty());
    }
}

#[tokio::test]
async fn the_plan_says_what_would_be_done_and_what_failed() {
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_ROLLBACK_FAILED").xml())
        .failed_resources(&STUCK)
        .describe(STACK, Stack::new("CREATE_FAILED").xml())
        .describe(STACK, answers::absent(STACK))
        .play();
    let manifest = stack(STACK, &[]).manifest;
    let stacks = [manifest.clone(), manifest.clone(), manifest];
    let planned = rollback_plan(&played.context, &stacks)
        .await
        .expect("there is a plan");
    let actions: Vec<_> = planned.iter().map(|planned| planned.action).collect();
    assert_eq!(
        actions,
        [
            RollbackAction::Continue,
            RollbackAction::RemoveCreated,
            RollbackAction::Nothing
        ]
    );
    assert_eq!(planned[0].failed, ["Orders (AWS::SQS::Queue): it is gone"]);
    assert_eq!(planned[2].status.as_str(), "NOT_DEPLOYED");
    played.finish_as("rollback");
}

#[tokio::test]
async fn a_rollback_can_be_stopped_and_goes_on_there() {
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_FAILED").xml())
        .rollback_stack()
        .events(&[("8", STACK, "UPDATE_ROLLBACK_IN_PROGRESS", "", "*")])
        .play();
    let handle = played.handle.clone();
    played.at_wait(1, move || handle.cancel());
    let error = rollback(&played.context, request(&[]))
        .await
        .expect_err("it was stopped");
    assert_eq!(error.kind(), Kind::Interrupted);
    let error = Error::from(error);
    assert_eq!(
        error.message(),
        "stopped; CloudFormation goes on with stack intake-dev, which is UPDATE_ROLLBACK_IN_PROGRESS"
    );
    assert_eq!(error.causes(), [""; 0], "it is said once");
    played.finish_as("rollback");
}

/// Resources of a stack whose removal failed.
const LEFT: [(&str, &str, &str, &str, &str); 2] = [
    (
        "Site",
        "AWS::S3::Bucket",
        "site-bucket",
        "DELETE_FAILED",
        "The bucket you tried to delete is not empty",
    ),
    ("Orders", "AWS::SQS::Queue", "q", "CREATE_COMPLETE", ""),
];

fn removal(retain: &[&str]) -> DestroyRequest {
    DestroyRequest {
        stacks: vec![stack(STACK, &[]).manifest],
        retain: retain.iter().map(|name| (*name).to_owned()).collect(),
        ..DestroyRequest::default()
    }
}

#[tokio::test]
async fn what_cannot_be_deleted_is_kept_with_all_it_holds() {
    const SITE: &str = r#"{"Resources":{"Site":{"Type":"AWS::S3::Bucket"}}}"#;
    let script = Script::new()
        .describe(STACK, Stack::new("DELETE_FAILED").xml())
        .failed_resources(&LEFT)
        .describe(STACK, Stack::new("DELETE_FAILED").xml())
        .template(SITE)
        .failed_resources(&LEFT)
        .delete_stack_without(&["Site"]);
    let played = ends(script, "DELETE_COMPLETE")
        .describe(BOOTSTRAP_STACK, answers::absent(BOOTSTRAP_STACK))
        .play();
    let report = destroy(&played.context, removal(&["Site"]))
        .await
        .expect("the stack is gone");
    // No call of S3 is in the script: what is kept is not emptied.
    assert_eq!(report.stacks[0].retained["Site"], "site-bucket");
    played.finish_as("destroy");
}

#[tokio::test]
async fn nothing_is_deleted_where_a_name_would_keep_nothing() {
    let rows: [(&str, &[_], &[&str]); 2] = [
        // CloudFormation takes the list in one status alone.
        ("UPDATE_COMPLETE", &[], &[]),
        (
            "DELETE_FAILED",
            &LEFT,
            &["intake-dev/Site (AWS::S3::Bucket): The bucket you tried to delete is not empty"],
        ),
    ];
    for (status, resources, candidates) in rows {
        let mut script = Script::new().describe(STACK, Stack::new(status).xml());
        if !resources.is_empty() {
            script = script.failed_resources(resources);
        }
        let played = script.play();
        let error = destroy(&played.context, removal(&["Orders"]))
            .await
            .expect_err("the queue would be deleted");
        assert_eq!(error.kind(), Kind::Usage);
        assert_eq!(
            error.to_string(),
            "not among what keeps a stack from being deleted: Orders; nothing was removed"
        );
        assert_eq!(error.details(), candidates);
        assert!(names(&played.finish_as("destroy")).is_empty());
    }
}

/// A creation cannot be cancelled; it may fail while it is waited for, and CloudFormation takes it back.
#[tokio::test]
async fn what_is_taken_back_while_it_is_waited_for_is_rolled_back() {
    const ME: &str = "stackctl-0123456789abcdef0123-v0-1-0-by--kdev";
    for (end, outcome) in [
        ("ROLLBACK_COMPLETE", Outcome::RolledBack),
        ("CREATE_COMPLETE", Outcome::Unchanged),
    ] {
        let script = Script::new()
            .describe(STACK, Stack::new("CREATE_IN_PROGRESS").xml())
            .events(&[("2", STACK, "CREATE_IN_PROGRESS", "User Initiated", ME)])
            .events(&[("9", STACK, end, "", ME)])
            .events(&[("9", STACK, end, "", ME)]);
        let played = script.describe(STACK, Stack::new(end).xml()).play();
        let mut request = request(&[]);
        request.unasked = [STACK.to_owned()].into();
        let report = rollback(&played.context, request)
            .await
            .expect("nothing failed");
        assert_eq!(report.stacks[0].outcome, outcome, "{end}");
        played.finish_as("rollback");
    }
}
