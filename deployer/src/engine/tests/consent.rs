//! Approval, and stopping a run at any point.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{
    answers::{self, ADD_ORDERS, CHANGE_SET_ID, REPLACE_ORDERS, Stack},
    script::{Answer, STACK, Script, one, stack},
};
use crate::{
    engine::{
        Approve, Decision, DeployError, Deployment, Explained, Outcome, ProposedChanges, deploy,
    },
    error::{Error, Kind},
};

#[tokio::test]
async fn what_is_not_approved_is_not_done() {
    let played = Script::new()
        .describe(STACK, answers::absent(STACK))
        .create_change_set(|_| true)
        .change_set("CREATE_COMPLETE", "", ADD_ORDERS)
        .delete_change_set(CHANGE_SET_ID)
        .nothing_else_waits()
        .delete_stack()
        .play();
    let error = deploy(&played.context, one(stack(STACK, &[])), Answer::no())
        .await
        .expect_err("it was declined");
    assert!(matches!(error, DeployError::Declined(_)), "{error:?}");
    assert_eq!(error.kind(), Kind::Refused);
    assert_eq!(
        error.to_string(),
        "not approved, and left as it was: intake-dev"
    );
    played.finish();
}

/// Declines everything, slowly, and counts how many questions are open at once.
#[derive(Default)]
struct Slow {
    open: AtomicUsize,
    asked: AtomicUsize,
    most: AtomicUsize,
}

impl Approve for Slow {
    fn approve<'a>(
        &'a self,
        _changes: &'a ProposedChanges,
    ) -> Pin<Box<dyn Future<Output = Decision> + Send + 'a>> {
        Box::pin(async {
            let open = self.open.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(open, Ordering::SeqCst);
            self.asked.fetch_add(1, Ordering::SeqCst);
            // The other stack gets every chance to ask meanwhile.
            for _ in 0..1000 {
                tokio::task::yield_now().await;
            }
            self.open.fetch_sub(1, Ordering::SeqCst);
            Decision::Decline
        })
    }
}

#[tokio::test]
async fn one_question_is_asked_at_a_time() {
    let played = Script::new()
        .describe("one-dev", answers::absent("one-dev"))
        .describe("two-dev", answers::absent("two-dev"))
        .create_change_set(|_| true)
        .change_set("CREATE_COMPLETE", "", ADD_ORDERS)
        .delete_change_set(CHANGE_SET_ID)
        .nothing_else_waits()
        .delete_stack()
        .play_in_any_order();
    let deployment = Deployment {
        stage: "dev".into(),
        stacks: vec![stack("one-dev", &[]), stack("two-dev", &[])],
        ..Deployment::default()
    };
    let slow = Arc::new(Slow::default());
    let error = deploy(
        &played.context,
        deployment,
        Arc::clone(&slow) as Arc<dyn Approve>,
    )
    .await
    .expect_err("everything was declined");
    let report = error.report().expect("it was begun");
    assert!(
        report
            .stacks
            .iter()
            .all(|stack| stack.outcome == Outcome::Declined)
    );
    assert_eq!(slow.asked.load(Ordering::SeqCst), 2);
    assert_eq!(slow.most.load(Ordering::SeqCst), 1);
    played.finish();
}

#[tokio::test]
async fn stopping_before_the_approval_removes_the_change_set() {
    let played = Script::new()
        .describe(STACK, answers::absent(STACK))
        .create_change_set(|_| true)
        .change_set("CREATE_COMPLETE", "", ADD_ORDERS)
        .delete_change_set(CHANGE_SET_ID)
        .nothing_else_waits()
        .delete_stack()
        .play();
    let answer = Answer::ctrl_c(&played.handle);
    let error = deploy(&played.context, one(stack(STACK, &[])), answer)
        .await
        .expect_err("the run was stopped");
    assert_eq!(error.kind(), Kind::Interrupted);
    let error = Error::from(error);
    assert_eq!(
        error.message(),
        "stopped; this run left nothing under way in stack intake-dev"
    );
    assert_eq!(error.causes(), [""; 0], "it is said once");
    played.finish();
}

#[tokio::test]
async fn stopping_during_the_execution_says_what_goes_on() {
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_ROLLBACK_COMPLETE").xml())
        .executing(REPLACE_ORDERS)
        .events(&[("2", STACK, "UPDATE_IN_PROGRESS", "User Initiated", "*")])
        .play();
    let handle = played.handle.clone();
    played.at_wait(1, move || handle.cancel());
    let error = deploy(&played.context, one(stack(STACK, &[])), Answer::yes())
        .await
        .expect_err("the run was stopped");
    assert!(matches!(error, DeployError::Interrupted(_)), "{error:?}");
    assert_eq!(
        error.hints(),
        ["run the same command again: it goes on where this one stopped"]
    );
    let error = Error::from(error);
    assert_eq!(
        error.message(),
        "stopped; CloudFormation goes on with stack intake-dev, which is UPDATE_IN_PROGRESS"
    );
    assert_eq!(error.causes(), [""; 0], "it is said once");
    played.finish();
}

#[tokio::test]
async fn stopping_while_the_change_set_is_computed_removes_it() {
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_ROLLBACK_COMPLETE").xml())
        .list_change_sets(&[])
        .create_change_set(|_| true)
        .change_set("CREATE_PENDING", "", "")
        .delete_change_set(CHANGE_SET_ID)
        .play();
    let handle = played.handle.clone();
    played.at_wait(1, move || handle.cancel());
    deploy(&played.context, one(stack(STACK, &[])), Answer::never())
        .await
        .expect_err("the run was stopped");
    played.finish();
}

#[tokio::test]
async fn a_stopped_run_calls_nothing() {
    let played = Script::new().play();
    played.handle.cancel();
    let error = deploy(&played.context, one(stack(STACK, &[])), Answer::never())
        .await
        .expect_err("the run was stopped");
    assert_eq!(error.kind(), Kind::Interrupted);
    played.finish();
}
