//! Whose a stack is, asked where each operation begins to change it.

use std::{collections::BTreeSet, time::Duration};

use super::{
    answers::{self, ADD_ORDERS, STACK_ID, Stack},
    fast::with_function,
    orphan,
    prune::describe_all,
    publish::bucket_stack,
    script::{Answer, Played, STACK, Script, one, stack},
};
use crate::engine::{
    BOOTSTRAP_STACK, Context, DestroyRequest, Explained as _, FastPlan, PruneRequest, StackTarget,
    Taken, Territory, deploy, destroy, fast_plan, prune_plan, survey,
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

/// What is deployed again may be of a time when the app had no name.
#[tokio::test]
async fn what_is_deployed_is_tagged_with_the_app_whatever_the_manifest_says() {
    let played = Script::new()
        .describe(STACK, answers::absent(STACK))
        .create_change_set(|input| {
            let tags = input.tags().iter();
            let tags: Vec<_> = tags.map(|it| (it.key(), it.value())).collect();
            tags.contains(&(Some("stackctl:app"), Some("shop")))
                && tags.contains(&(Some("stackctl:stage"), Some("dev")))
        })
        .change_set("CREATE_COMPLETE", "", ADD_ORDERS)
        .execute()
        .events(&[("5", STACK, "CREATE_COMPLETE", "", "*")])
        .events(&[("5", STACK, "CREATE_COMPLETE", "", "*")])
        .describe(STACK_ID, ours())
        .play();
    let mut deployment = one(stack(STACK, &[]));
    deployment.stacks[0].manifest.tags.clear();
    let report = deploy(&shop(&played), deployment, Answer::yes()).await;
    report.expect("the stack is created");
    played.finish();
}

/// The artifact bucket is everybody's, also where a stage has the name that its stack is tagged with.
#[tokio::test]
async fn the_stack_of_the_artifact_bucket_is_nobodys() {
    let played = orphan::script().play();
    let territory = Territory {
        stage: "bootstrap".to_owned(),
        ..orphan::territory()
    };
    let survey = survey(&shop(&played), &territory).await;
    assert_eq!((survey.orphans, survey.unowned), (vec![], vec![]));
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
