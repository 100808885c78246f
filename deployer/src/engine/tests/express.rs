//! Express mode: where it suits, and never without rollback.

use aws_sdk_cloudformation::operation::create_change_set::CreateChangeSetInput;

use super::{
    answers::{self, ADD_ORDERS, CHANGE_SET_ID, REPLACE_ORDERS, STACK_ID, Stack},
    script::{Answer, STACK, Script, one, stack},
};
use crate::engine::{Deployment, Event, Outcome, deploy};

/// Returns whether a change set is in express mode, with rollback.
fn is_express(input: &CreateChangeSetInput) -> bool {
    input.deployment_config().is_some_and(|config| {
        config.mode().is_some_and(|mode| mode.as_str() == "EXPRESS")
            && config.disable_rollback() == Some(false)
    })
}

fn is_standard(input: &CreateChangeSetInput) -> bool {
    input.deployment_config().is_none()
}

fn express(deployment: Deployment) -> Deployment {
    Deployment {
        express: true,
        ..deployment
    }
}

fn executes(script: Script) -> Script {
    script
        .execute()
        .events(&[("9", STACK, "UPDATE_COMPLETE", "", "*")])
        .events(&[("9", STACK, "UPDATE_COMPLETE", "", "*")])
        .describe(STACK_ID, Stack::new("UPDATE_COMPLETE").xml())
}

/// Returns whether the execution was said to be in express mode.
fn said(events: &[Event]) -> Vec<bool> {
    let said = events.iter().filter_map(|event| match event {
        Event::ChangeSetExecuting { express, .. } => Some(*express),
        _ => None,
    });
    said.collect()
}

#[tokio::test]
async fn what_is_added_or_changed_in_place_is_deployed_in_express_mode() {
    let in_place = REPLACE_ORDERS
        .replace("<PolicyAction>ReplaceAndDelete</PolicyAction>", "")
        .replace("<Replacement>True<", "<Replacement>False<");
    for changes in [ADD_ORDERS, &in_place] {
        let script = Script::new()
            .describe(STACK, Stack::new("UPDATE_ROLLBACK_COMPLETE").xml())
            .list_change_sets(&[])
            .create_change_set(is_express)
            .change_set("CREATE_COMPLETE", "", changes);
        let played = executes(script).play();
        let deployment = express(one(stack(STACK, &[])));
        let report = deploy(&played.context, deployment, Answer::yes())
            .await
            .expect("it is deployed");
        assert_eq!(report.stacks[0].outcome, Outcome::Updated);
        assert_eq!(said(&played.finish()), [true]);
    }
}

#[tokio::test]
async fn a_replacement_or_a_removal_is_computed_again_without() {
    let conditional = REPLACE_ORDERS.replace("<Replacement>True<", "<Replacement>Conditional<");
    let removal = ADD_ORDERS.replace("<Action>Add<", "<Action>Remove<");
    for changes in [REPLACE_ORDERS, &conditional, &removal] {
        let script = Script::new()
            .describe(STACK, Stack::new("UPDATE_ROLLBACK_COMPLETE").xml())
            .list_change_sets(&[])
            .create_change_set(is_express)
            .change_set("CREATE_COMPLETE", "", changes)
            .delete_change_set(CHANGE_SET_ID)
            .create_change_set(is_standard)
            .change_set("CREATE_COMPLETE", "", changes);
        let played = executes(script).play();
        let answer = Answer::yes();
        let deployment = express(one(stack(STACK, &[])));
        deploy(&played.context, deployment, answer.clone())
            .await
            .expect("it is deployed");
        // Only what is executed was shown.
        assert_eq!(answer.shown.lock().expect("no holder panics").len(), 1);
        assert_eq!(said(&played.finish()), [false]);
    }
}

#[tokio::test]
async fn a_place_without_express_mode_is_deployed_to_without() {
    let script = Script::new()
        .describe(STACK, Stack::new("UPDATE_ROLLBACK_COMPLETE").xml())
        .list_change_sets(&[])
        .refuse_change_set(
            400,
            "ValidationError",
            "1 validation error detected: Value 'EXPRESS' at 'deploymentConfig.mode' failed to satisfy constraint",
        )
        .create_change_set(is_standard)
        .change_set("CREATE_COMPLETE", "", ADD_ORDERS);
    let played = executes(script).play();
    deploy(
        &played.context,
        express(one(stack(STACK, &[]))),
        Answer::yes(),
    )
    .await
    .expect("it is deployed");
    assert_eq!(said(&played.finish()), [false]);
}

#[tokio::test]
async fn nothing_is_in_express_mode_unless_it_was_asked_for() {
    let script = Script::new()
        .describe(STACK, Stack::new("UPDATE_ROLLBACK_COMPLETE").xml())
        .list_change_sets(&[])
        .create_change_set(is_standard)
        .change_set("CREATE_COMPLETE", "", ADD_ORDERS);
    let played = executes(script).play();
    deploy(&played.context, one(stack(STACK, &[])), Answer::yes())
        .await
        .expect("it is deployed");
    assert_eq!(said(&played.finish()), [false]);
}

#[test]
fn what_other_stacks_need_is_waited_for() {
    let stacks = [
        stack("base-dev", &[]),
        stack("middle-dev", &["base-dev"]),
        stack("top-dev", &["middle-dev", "elsewhere-dev"]),
        stack("alone-dev", &[]),
    ];
    let candidates = crate::engine::express::candidates(&stacks);
    assert_eq!(Vec::from_iter(candidates), ["alone-dev", "top-dev"]);
}

/// A first deploy in express mode that failed was rolled back like any other.
#[tokio::test]
async fn a_failed_first_deploy_is_made_anew_in_express_mode_too() {
    let mut failed = Stack::new("ROLLBACK_COMPLETE");
    failed.express = true;
    let played = Script::new()
        .describe(STACK, failed.xml())
        .resources(&[])
        .delete_stack()
        .events(&[("4", STACK, "DELETE_COMPLETE", "", "*")])
        .events(&[("4", STACK, "DELETE_COMPLETE", "", "*")])
        .describe(STACK, answers::absent(STACK))
        .create_change_set(is_express)
        .change_set("CREATE_COMPLETE", "", ADD_ORDERS)
        .execute()
        .events(&[("9", STACK, "CREATE_COMPLETE", "", "*")])
        .events(&[("9", STACK, "CREATE_COMPLETE", "", "*")])
        .describe(STACK_ID, Stack::new("CREATE_COMPLETE").xml())
        .play();
    let report = deploy(
        &played.context,
        express(one(stack(STACK, &[]))),
        Answer::yes(),
    )
    .await
    .expect("it is deployed");
    assert_eq!(report.stacks[0].outcome, Outcome::Created);
    played.finish();
}
