//! Whose a stack is, asked where each operation begins to change it.

use std::{collections::BTreeSet, time::Duration};

use super::{
    answers::Stack,
    fast::with_function,
    prune::describe_all,
    publish::bucket_stack,
    script::{Played, STACK, Script, stack},
};
use crate::engine::{
    BOOTSTRAP_STACK, Context, DestroyRequest, Explained as _, FastPlan, PruneRequest, StackTarget,
    Taken, destroy, fast_plan, prune_plan,
};

/// The stack as it was when this app deployed it last.
fn ours() -> String {
    tagged("shop")
}

/// The same name after another app took it.
fn theirs() -> String {
    tagged("club")
}

fn tagged(app: &'static str) -> String {
    let mut stack = Stack::new("UPDATE_COMPLETE");
    stack.tags.push(("stackctl:app", app));
    stack.xml()
}

fn shop(played: &Played) -> Context {
    played.context.clone().of_app(Some("shop"))
}

#[tokio::test]
async fn a_stack_that_another_app_took_since_the_first_look_is_not_removed() {
    let played = Script::new()
        .describe(STACK, ours())
        .describe(STACK, theirs())
        .play();
    let request = DestroyRequest {
        stacks: vec![stack(STACK, &[]).manifest],
        ..DestroyRequest::default()
    };
    let error = destroy(&shop(&played), request)
        .await
        .expect_err("it is refused");
    let details = error.details();
    assert!(
        details
            .iter()
            .any(|it| it.contains("belongs to another app")),
        "{details:?}"
    );
    played.finish();
}

#[tokio::test]
async fn nothing_of_another_apps_stack_is_pruned() {
    let played = Script::new()
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .cloudformation("describe_stacks", describe_all(["deployed", "elsewhere"]))
        .describe(STACK, theirs())
        .play();
    let manifest = stack(STACK, &[]).manifest;
    let request = PruneRequest {
        stacks: vec![StackTarget::from(&manifest)],
        keep: 0,
        age: Duration::ZERO,
    };
    let plan = prune_plan(&shop(&played), &request)
        .await
        .expect("it can be described");
    assert!(plan.stacks.is_empty());
    let taken: Vec<(&str, &str)> = plan
        .taken
        .iter()
        .map(|Taken { stack, app, .. }| (&**stack, &**app))
        .collect();
    assert_eq!(taken, [(STACK, "club")]);
    played.finish();
}

#[tokio::test]
async fn code_of_another_apps_stack_is_not_given_past_cloudformation() {
    let played = Script::new().describe(STACK, theirs()).play();
    let plan = fast_plan(&shop(&played), &with_function().deployment).await;
    match plan.expect("it can be described") {
        FastPlan::Full(reasons) => {
            assert_eq!(reasons, ["intake-dev belongs to the app `club`"]);
        }
        FastPlan::Code(_) => panic!("it is not ours"),
    }
    played.finish();
}

/// Consent is to one stack, and says nothing of others.
#[tokio::test]
async fn consent_to_take_a_stack_over_is_for_that_stack() {
    let played = Script::new().describe(STACK, theirs()).play();
    let consenting = shop(&played).taking_over(BTreeSet::from(["orders-dev".to_owned()]));
    let plan = fast_plan(&consenting, &with_function().deployment).await;
    assert!(matches!(plan, Ok(FastPlan::Full(_))), "{plan:?}");
    played.finish();
}
