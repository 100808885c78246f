//! What was changed by hand, changed back.

use std::sync::Arc;

use aws_sdk_cloudformation::types::{ChangeSetType, DeploymentMode};
use aws_sdk_s3::{
    Client as S3,
    operation::{head_object::HeadObjectOutput, put_object::PutObjectOutput},
};
use aws_smithy_mocks::mock;

use super::target;
use crate::engine::release::mark::Mark;
use crate::engine::tests::{
    answers::{self, ADD_ORDERS, CHANGE_SET_ID, REPLACE_ORDERS, Stack},
    publish::bucket_stack,
    script::{Answer, STACK, Script, TEMPLATE, stack},
};
use crate::engine::{
    BOOTSTRAP_STACK, Event, Outcome, StackError, deployed as deployed_stack, revert,
};

/// A stack with a parameter and the change set that is to bring back what it says.
fn reverting() -> Script {
    let mut deployed = Stack::new("UPDATE_COMPLETE");
    deployed.parameters = vec![("Size", "3".to_owned())];
    Script::new()
        .describe(STACK, deployed.xml())
        .create_change_set(|input| {
            let parameters = input.parameters();
            input.deployment_mode() == Some(&DeploymentMode::RevertDrift)
                && input.change_set_type() == Some(&ChangeSetType::Update)
                && input.use_previous_template() == Some(true)
                && input.template_body().is_none()
                && input.tags.is_none()
                && parameters.len() == 1
                && parameters[0].parameter_key() == Some("Size")
                && parameters[0].use_previous_value() == Some(true)
                && parameters[0].parameter_value().is_none()
        })
}

/// The end of a change back.
fn reverted(script: Script) -> Script {
    script
        .execute()
        .events(&[("1", STACK, "UPDATE_IN_PROGRESS", "User Initiated", "*")])
        .events(&[
            ("2", STACK, "UPDATE_COMPLETE", "", "*"),
            ("1", STACK, "UPDATE_IN_PROGRESS", "User Initiated", "*"),
        ])
        .events(&[
            ("2", STACK, "UPDATE_COMPLETE", "", "*"),
            ("1", STACK, "UPDATE_IN_PROGRESS", "User Initiated", "*"),
        ])
}

async fn is_reverted(script: Script) -> Vec<String> {
    let played = script.play();
    let manifest = Arc::new(stack(STACK, &[]).manifest);
    let outcome = revert(&played.context, &manifest, Answer::yes().as_ref())
        .await
        .expect("it succeeds");
    assert_eq!(outcome, Outcome::Updated);
    let events = played.finish_as("drift");
    let warnings = events.into_iter().filter_map(|event| match event {
        Event::Warning { message, .. } => Some(message),
        _ => None,
    });
    warnings.collect()
}

#[tokio::test]
async fn what_is_approved_is_changed_back() {
    let script = reverting()
        .change_set("CREATE_COMPLETE", "", ADD_ORDERS)
        .describe(BOOTSTRAP_STACK, answers::absent(BOOTSTRAP_STACK));
    assert!(is_reverted(reverted(script)).await.is_empty());
}

/// The mark of a stack that was found good, of its state and its template.
async fn etag(deployed: &Stack) -> String {
    let played = Script::new().describe(STACK, deployed.xml()).play();
    let found = deployed_stack(&played.context, &target()).await;
    let found = found.expect("is answered").expect("is there");
    let template = serde_json::from_str(TEMPLATE).expect("is JSON");
    let mark = Mark::of(&found, &template).expect("the status is good");
    format!("\"{}\"", mark.etag())
}

/// `HeadObject` of the mark
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>).
fn marked(script: Script, etag: String) -> Script {
    let head = mock!(S3::head_object)
        .match_requests(|input| input.key() == Some("state/intake-dev.mark.json"))
        .then_output(move || HeadObjectOutput::builder().e_tag(etag.clone()).build());
    script
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .template(TEMPLATE)
        .s3("head_object", head)
}

#[tokio::test]
async fn a_stack_that_was_found_good_is_marked_as_it_is_afterwards() {
    let (mut before, mut after) = (Stack::new("UPDATE_COMPLETE"), Stack::new("UPDATE_COMPLETE"));
    // As long as the update took.
    after.updated = "2026-07-28T06:00:01.000Z";
    for stack in [&mut before, &mut after] {
        stack.parameters = vec![("Size", "3".to_owned())];
    }
    let (old, new) = (etag(&before).await, etag(&after).await);
    assert_ne!(old, new);
    let proposed = || reverting().change_set("CREATE_COMPLETE", "", ADD_ORDERS);
    let listed = old.clone();
    let put = mock!(S3::put_object)
        .match_requests(move |input| {
            input.key() == Some("state/intake-dev.mark.json") && input.if_match() == Some(&listed)
        })
        .then_output(move || PutObjectOutput::builder().e_tag(new.clone()).build());
    let script = reverted(marked(proposed(), old.clone()))
        .describe(STACK, after.xml())
        .s3("put_object", put);
    assert!(is_reverted(script).await.is_empty());
    // What somebody made of it right after is not what was found good.
    let mut later = Stack::new("UPDATE_COMPLETE");
    later.updated = "2026-07-29T06:00:00.000Z";
    later.parameters = vec![("Size", "3".to_owned())];
    let script = reverted(marked(proposed(), old.clone())).describe(STACK, later.xml());
    assert!(is_reverted(script).await.is_empty());
    // One that somebody updated before is not marked anew, and neither is one whose alias goes back.
    let script = reverted(marked(proposed(), etag(&after).await));
    assert!(is_reverted(script).await.is_empty());
    let alias = ADD_ORDERS.replace("AWS::SQS::Queue", "AWS::Lambda::Alias");
    assert_ne!(alias, ADD_ORDERS);
    let script = reverting().change_set("CREATE_COMPLETE", "", &alias);
    let warnings = is_reverted(reverted(marked(script, old))).await;
    assert!(
        warnings[0].starts_with("Orders went back to what was deployed"),
        "{warnings:?}"
    );
}

#[tokio::test]
async fn what_is_declined_leaves_no_change_set() {
    let played = reverting()
        .change_set("CREATE_COMPLETE", "", REPLACE_ORDERS)
        .delete_change_set(CHANGE_SET_ID)
        .play();
    let manifest = Arc::new(stack(STACK, &[]).manifest);
    let outcome = revert(&played.context, &manifest, Answer::no().as_ref())
        .await
        .expect("that is no failure");
    assert_eq!(outcome, Outcome::Declined);
    played.finish_as("drift");
}

#[tokio::test]
async fn a_change_set_that_changes_nothing_or_fails_is_removed() {
    let played = reverting()
        .change_set(
            "FAILED",
            "The submitted information didn't contain changes. Submit different information to create a change set.",
            "",
        )
        .delete_change_set(CHANGE_SET_ID)
        .play();
    let manifest = Arc::new(stack(STACK, &[]).manifest);
    let outcome = revert(&played.context, &manifest, Answer::never().as_ref())
        .await
        .expect("that is no failure");
    assert_eq!(outcome, Outcome::Unchanged);
    played.finish_as("drift");

    let played = reverting()
        .change_set("FAILED", "Bus cannot be read", "")
        .delete_change_set(CHANGE_SET_ID)
        .play();
    let error = revert(&played.context, &manifest, Answer::never().as_ref())
        .await
        .expect_err("the change set fails");
    assert!(
        matches!(&error, StackError::ChangeSet { reason, .. } if reason == "Bus cannot be read"),
        "{error:?}"
    );
    played.finish_as("drift");
}
