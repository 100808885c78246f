//! Renames by import, against an account that does to its one stack what CloudFormation would, and that dies between any
//! two calls.
//!
//! What it refuses, and how, is what AWS refuses: see
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-manually.html> and, for the words on
//! outputs, <https://repost.aws/knowledge-center/cloudformation-change-set-errors>.

mod account;
mod along;
mod denied;
mod edited;
mod failing;
mod hindered;
mod lost;
mod middle;
mod play;
mod several;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::{Arc, Mutex},
};

use aws_sdk_cloudformation::{
    Client as CloudFormation, operation::create_change_set::CreateChangeSetInput,
};
use aws_smithy_mocks::mock;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use serde_json::{Value, json};

use super::anew::agreed_to;
use super::{
    answers::{self, STACK_ID},
    script::{Answer, Played, STACK, Script, http, names, one, stack},
    signed::Signed,
};
use crate::engine::{Explained as _, Outcome, StackDeployment, StackTarget, deploy};
use account::{Lost, Shared, account, guard};
use play::play;

const URL: &str = "https://sqs.eu-central-1.amazonaws.com/123456789012/intake-dev-Inbox-1X";
const OTHER_URL: &str = "https://sqs.eu-central-1.amazonaws.com/123456789012/intake-dev-Outbox-2Y";
const TABLE: &str = "intake-dev-Ledger-3Z";

/// A stack with a policy, in which a role may send to a queue.
fn template(queue: &str) -> Value {
    json!({
        "Resources": {
            queue: {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 5}},
            "Sender": {"Type": "AWS::IAM::Policy", "Properties": {
                "PolicyDocument": {"Statement": [{"Resource": {"Fn::GetAtt": [queue, "Arn"]}}]},
            }},
        },
        "Outputs": {"Url": {"Value": {"Ref": queue}}},
    })
}

fn moved() -> StackDeployment {
    let mut stack = stack(STACK, &[]);
    stack.manifest.moved = BTreeMap::from([("Inbox".to_owned(), "Orders".to_owned())]);
    stack.manifest.termination_protection = true;
    stack.manifest.capabilities = vec!["CAPABILITY_IAM".to_owned()];
    stack.template = template("Orders").to_string();
    stack
}

fn target() -> StackTarget {
    StackTarget {
        name: STACK.to_owned(),
        region: None,
    }
}

fn check(account: &Shared) {
    let account = account.lock().expect("no holder panics");
    assert_eq!(account.template, template("Orders"));
    assert!(!account.is_lost);
    let policy: Value = serde_json::from_str(&account.policy).expect("is JSON");
    assert_eq!(policy.to_string(), guard("Orders"));
    let leaves = account
        .done
        .iter()
        .filter(|it| *it == "Inbox leaves")
        .count();
    let imports = account.done.iter().filter(|it| *it == "IMPORT").count();
    assert_eq!((leaves, imports), (1, 1), "{:?}", account.done);
}

#[tokio::test]
async fn a_guarded_queue_leaves_and_comes_back_under_its_new_name() {
    let account = account();
    let played = play(&account);
    let report = deploy(&played.context, one(moved()), Answer::never())
        .await
        .expect("it is renamed");
    assert_eq!(report.stacks[0].outcome, Outcome::Updated);
    check(&account);
    let done = account.lock().expect("no holder panics").done.clone();
    assert_eq!(
        done,
        ["UPDATE", "Inbox leaves", "UPDATE", "IMPORT", "UPDATE"]
    );
    let told = names(&played.events());
    let steps = told
        .iter()
        .filter(|name| *name == "resources_moving")
        .count();
    assert_eq!(steps, 4, "{told:?}");
}

/// CloudFormation computes a step of the stack as it is, so that nothing else tells of an update between the plan and the step.
#[tokio::test]
async fn a_stack_that_somebody_updates_while_a_step_is_computed_is_planned_anew() {
    for step in 0..4 {
        let account = account();
        account.lock().expect("no holder panics").between = Some(step);
        let played = play(&account);
        let answer = Answer::yes();
        let deployment = agreed_to(&played, moved()).await;
        let deployed = deploy(&played.context, deployment, answer.clone()).await;
        deployed.unwrap_or_else(|error| panic!("step {step}: {error:?}"));
        check(&account);
        let anew = answer.anew.lock().expect("no holder panics");
        assert_eq!(anew.len(), 1, "step {step}");
    }
}

/// Whatever was the last call that AWS answered, the next run finishes what was begun.
#[tokio::test]
async fn a_run_that_dies_between_any_two_calls_is_finished_by_the_next() {
    let mut deaths = 0;
    for life in 0.. {
        let account = account();
        account.lock().expect("no holder panics").life = life;
        let died = deploy(&play(&account).context, one(moved()), Answer::yes())
            .await
            .is_err();
        account.lock().expect("no holder panics").life = usize::MAX;
        let report = deploy(&play(&account).context, one(moved()), Answer::yes()).await;
        let report = report.unwrap_or_else(|error| panic!("after {life} calls: {error:?}"));
        assert!(report.stacks[0].outcome.is_good(), "after {life} calls");
        check(&account);
        if !died {
            break;
        }
        deaths += 1;
    }
    assert!(deaths > 30, "{deaths}");
}

/// Lets a run die once its queue is out of the stack.
async fn away() -> Shared {
    for life in 0.. {
        let account = account();
        account.lock().expect("no holder panics").life = life;
        let _ = deploy(&play(&account).context, one(moved()), Answer::yes()).await;
        let is_away = account
            .lock()
            .expect("no holder panics")
            .done
            .contains(&"Inbox leaves".to_owned());
        if is_away {
            account.lock().expect("no holder panics").life = usize::MAX;
            return account;
        }
    }
    unreachable!("it leaves at some time")
}

#[tokio::test]
async fn what_is_away_comes_back_though_nobody_declares_it_any_more() {
    let account = away().await;
    let mut stack = moved();
    stack.manifest.moved.clear();
    deploy(&play(&account).context, one(stack), Answer::yes())
        .await
        .expect("it comes back");
    check(&account);
}

#[tokio::test]
async fn what_cannot_be_imported_never_leaves() {
    let account = account();
    account.lock().expect("no holder panics").importable = false;
    let error = deploy(&play(&account).context, one(moved()), Answer::never())
        .await
        .expect_err("it is refused");
    let hints = error.hints();
    assert!(
        hints
            .iter()
            .any(|hint| hint.contains("keep the logical id `Inbox`")),
        "{hints:?}"
    );
    let causes = crate::error::Error::from(error).causes().join(" ");
    assert!(
        causes.contains("did not say that it imports resources of the type AWS::SQS::Queue"),
        "{causes}"
    );
    let account = account.lock().expect("no holder panics");
    assert_eq!(account.template, template("Inbox"));
    assert!(account.done.is_empty());
}
