//! Removal: protection, buckets, artifacts, failures.

mod again;
mod contents;
mod imports;

use aws_sdk_cloudformation::{Client as CloudFormation, types::ChangeSetType};
use aws_sdk_cloudwatchlogs::Client as Logs;
use aws_sdk_s3::{Client as S3, types::Delete};
use aws_smithy_mocks::{Rule, mock};
use stack_model::assembly::ResourceManifest;

use super::{
    answers::{self, STACK_ID, Stack},
    script::{Answer, STACK, Script, TEMPLATE, http, names, stack},
};
use crate::{
    engine::{
        BOOTSTRAP_STACK, DestroyError, DestroyRequest, Explained, Memory, Outcome, deploy, destroy,
    },
    error::{Error, Kind},
};

fn request(names: &[(&str, &[&str])]) -> DestroyRequest {
    DestroyRequest {
        stacks: names
            .iter()
            .map(|(name, depends_on)| stack(name, depends_on).manifest)
            .collect(),
        ..DestroyRequest::default()
    }
}

/// The end of a conversation that removes the stack: nothing was ever published.
fn gone(script: Script) -> Script {
    script
        .delete_stack()
        .events(&[
            ("5", STACK, "DELETE_COMPLETE", "", "*"),
            ("4", "Orders", "DELETE_COMPLETE", "", "*"),
            ("3", STACK, "DELETE_IN_PROGRESS", "User Initiated", "*"),
            ("2", STACK, "CREATE_COMPLETE", "", "stackctl-older"),
        ])
        .events(&[("5", STACK, "DELETE_COMPLETE", "", "*")])
        .describe(BOOTSTRAP_STACK, answers::absent(BOOTSTRAP_STACK))
}

#[tokio::test]
async fn a_stack_is_deleted_and_waited_for() {
    let script = Script::new()
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .template(TEMPLATE)
        .resources(&[("Orders", "AWS::SQS::Queue", "q", "CREATE_COMPLETE")]);
    let played = gone(script).play();
    let report = destroy(&played.context, request(&[(STACK, &[])]))
        .await
        .expect("the stack is gone");
    assert_eq!(report.stacks[0].outcome, Outcome::Deleted);
    assert!(report.stacks[0].retained.is_empty());
    assert_eq!(
        names(&played.finish_as("destroy")),
        [
            "stack_started",
            "stack_deleting",
            "intake-dev DELETE_IN_PROGRESS",
            "Orders DELETE_COMPLETE",
            "intake-dev DELETE_COMPLETE",
            "finished deleted"
        ]
    );
}

#[tokio::test]
async fn a_stack_that_does_not_exist_is_no_error() {
    let played = Script::new()
        .describe(STACK, answers::absent(STACK))
        .describe(STACK, answers::absent(STACK))
        .describe(BOOTSTRAP_STACK, answers::absent(BOOTSTRAP_STACK))
        .play();
    let report = destroy(&played.context, request(&[(STACK, &[])]))
        .await
        .expect("nothing is there");
    assert_eq!(report.stacks[0].outcome, Outcome::Absent);
    played.finish_as("destroy");
}

#[tokio::test]
async fn one_protected_stack_keeps_all_others() {
    let mut protected = Stack::new("CREATE_COMPLETE");
    protected.protected = true;
    let played = Script::new()
        .describe("open-dev", Stack::new("CREATE_COMPLETE").xml())
        .describe(STACK, protected.xml())
        .play();
    let error = destroy(
        &played.context,
        request(&[("open-dev", &[]), (STACK, &["open-dev"])]),
    )
    .await
    .expect_err("a stack is protected");
    assert_eq!(error.kind(), Kind::Refused);
    assert_eq!(error.to_string(), "protected against deletion: intake-dev");
    assert!(names(&played.finish_as("destroy")).is_empty());
}

#[tokio::test]
async fn with_consent_the_protection_is_taken_away_last() {
    let mut protected = Stack::new("CREATE_COMPLETE");
    protected.protected = true;
    let script = Script::new()
        .describe(STACK, protected.xml())
        .describe(STACK, protected.xml())
        .template(TEMPLATE)
        .resources(&[])
        .protect(false);
    let played = gone(script).play();
    let mut request = request(&[(STACK, &[])]);
    request.unprotect = true;
    destroy(&played.context, request)
        .await
        .expect("the stack is gone");
    played.finish_as("destroy");
}

#[tokio::test]
async fn a_stack_that_stays_is_protected_again() {
    let mut protected = Stack::new("CREATE_COMPLETE");
    protected.protected = true;
    let failed = [
        ("5", STACK, "DELETE_FAILED", "", "*"),
        ("4", "Orders", "DELETE_FAILED", "Access Denied", "*"),
    ];
    let played = Script::new()
        .describe(STACK, protected.xml())
        .describe(STACK, protected.xml())
        .template(TEMPLATE)
        .resources(&[])
        .protect(false)
        .delete_stack()
        .events(&failed)
        .events(&failed)
        .resources(&[])
        .protect(true)
        .play();
    let mut request = request(&[(STACK, &[])]);
    request.unprotect = true;
    destroy(&played.context, request)
        .await
        .expect_err("a resource stays");
    played.finish_as("destroy");
}

#[tokio::test]
async fn a_deletion_that_fails_names_the_first_cause() {
    let played = Script::new()
        .describe(STACK, Stack::new("DELETE_FAILED").xml())
        .describe(STACK, Stack::new("DELETE_FAILED").xml())
        .template(TEMPLATE)
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
            (
                "4",
                "Orders",
                "DELETE_FAILED",
                "User is not authorized to perform: sqs:DeleteQueue",
                "*",
            ),
        ])
        .events(&[("5", STACK, "DELETE_FAILED", "", "*")])
        .resources(&[])
        .play();
    let error = destroy(&played.context, request(&[(STACK, &[])]))
        .await
        .expect_err("the queue stays");
    assert!(matches!(error, DestroyError::Failed(_)), "{error:?}");
    assert_eq!(
        error.hints(),
        [
            "the credentials of the deploy lack the action that the reason names",
            "finish the removal with `stackctl destroy intake-dev`; then deploy again, if it is to come back"
        ]
    );
    played.finish_as("destroy");
}

#[tokio::test]
async fn dependants_go_first_and_a_failure_keeps_what_they_need() {
    let played = Script::new()
        .describe("base-dev", Stack::new("CREATE_COMPLETE").xml())
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .describe(STACK, Stack::new("UPDATE_IN_PROGRESS").xml())
        .events(&[("2", STACK, "UPDATE_IN_PROGRESS", "", "")])
        .play();
    let error = destroy(
        &played.context,
        request(&[("base-dev", &[]), (STACK, &["base-dev"])]),
    )
    .await
    .expect_err("the stack is busy");
    let outcomes: Vec<_> = error
        .report()
        .expect("it was begun")
        .stacks
        .iter()
        .map(|stack| (stack.stack.as_str(), stack.outcome))
        .collect();
    assert_eq!(
        outcomes,
        [(STACK, Outcome::Failed), ("base-dev", Outcome::Skipped)]
    );
    played.finish_as("destroy");
}

#[tokio::test]
async fn a_stack_that_somebody_else_made_under_the_same_name_is_left_alone() {
    let mut foreign = Stack::new("CREATE_COMPLETE");
    foreign.tags = vec![("team", "blue")];
    // A stack of ours beside it stays too: all are looked at first.
    let played = Script::new()
        .describe("open-dev", Stack::new("CREATE_COMPLETE").xml())
        .describe(STACK, foreign.xml())
        .play();
    let mut request = request(&[("open-dev", &[]), (STACK, &[])]);
    request.unprotect = true;
    let error = destroy(&played.context, request)
        .await
        .expect_err("it is not ours");
    assert_eq!(error.kind(), Kind::Refused);
    assert_eq!(
        error.to_string(),
        "not made by stackctl: intake-dev; nothing was removed"
    );
    assert_eq!(
        error.hints(),
        [
            "the stack was not made by stackctl; if it may go, run `aws cloudformation delete-stack --stack-name intake-dev --region eu-central-1 --profile work`"
        ]
    );
    assert!(names(&played.finish_as("destroy")).is_empty());
}

/// After a removal the stack is new again: names are reused, ARNs are not.
#[tokio::test]
async fn a_deleted_stack_is_deployed_as_a_new_one() {
    let played = Script::new()
        .describe(STACK, answers::absent(STACK))
        .create_change_set(|input| input.change_set_type() == Some(&ChangeSetType::Create))
        .change_set("CREATE_COMPLETE", "", answers::ADD_ORDERS)
        .execute()
        .events(&[("9", STACK, "CREATE_COMPLETE", "", "*")])
        .events(&[("9", STACK, "CREATE_COMPLETE", "", "*")])
        .describe(STACK_ID, Stack::new("CREATE_COMPLETE").xml())
        .play();
    deploy(
        &played.context,
        super::script::one(stack(STACK, &[])),
        Answer::yes(),
    )
    .await
    .expect("the stack is created");
    played.finish();
}

/// Two changes of one API at the same instant are refused by API Gateway.
#[tokio::test]
async fn stacks_of_one_api_are_deleted_one_after_the_other() {
    const METHOD: &str = r#"{"Resources":{"Get":{"Type":"AWS::ApiGateway::Method","Properties":{"RestApiId":"a1b2c3"}}}}"#;
    let script = Script::new()
        .describe("user-dev", Stack::new("CREATE_COMPLETE").xml())
        .describe("order-dev", Stack::new("CREATE_COMPLETE").xml())
        .template(METHOD)
        .resources(&[("Get", "AWS::ApiGateway::Method", "m", "CREATE_COMPLETE")])
        .delete_stack()
        // Each deletion is waited for, and read once more after its end.
        .events_in_turns(&[
            &[("4", STACK, "DELETE_IN_PROGRESS", "", "*")],
            &[("5", STACK, "DELETE_COMPLETE", "", "*")],
            &[("5", STACK, "DELETE_COMPLETE", "", "*")],
        ])
        .describe(BOOTSTRAP_STACK, answers::absent(BOOTSTRAP_STACK));
    let played = script.play_in_any_order();
    let mut request = request(&[("user-dev", &[]), ("order-dev", &[])]);
    for stack in &mut request.stacks {
        let get = ResourceManifest {
            resource_type: "AWS::ApiGateway::Method".to_owned(),
            source: "stacks/src/orders.rs:1:1".to_owned(),
        };
        stack.resources.insert("Get".to_owned(), get);
    }
    destroy(&played.context, request)
        .await
        .expect("both are gone");
    let mut told = names(&played.finish_as("destroy"));
    told.retain(|name| name.starts_with("stack_") || name.starts_with("finished"));
    assert_eq!(
        told,
        [
            "stack_started",
            "stack_deleting",
            "stack_started",
            "finished deleted",
            "stack_deleting",
            "finished deleted"
        ]
    );
}
